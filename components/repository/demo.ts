import { Document, isScalar } from "yaml";
import { appsFolder, DEMO } from "./names.ts";
import { type Manifest, textOf, toYaml } from "./yaml.ts";

/** An image that Flux's image automation moves on (https://fluxcd.io/flux/guides/image-update/). */
export interface MarkedImage {
  /** The image as manifests name it, without tag. */
  readonly name: string;
  /** Where it is pulled from instead. */
  readonly newName: string;
  readonly newTag: string;
  /** `<namespace>:<name>` of the ImagePolicy that says which tag comes next. */
  readonly policy: string;
}

/**
 * Applications to begin with: written where nothing is yet, and people's own from then on. The base is the same for
 * every stack, so that whichever comes first may write it.
 * @param image the demo's image; without one there is no application yet.
 * @param marked the image as the stack runs it, where image automation is to move it on.
 */
export function appSeeds(stack: string, image: string | undefined, marked?: MarkedImage): Record<string, string> {
  const base = `apps/base/${DEMO}`;
  const resources = image ? [`../base/${DEMO}`] : [];
  return {
    [`${appsFolder(stack)}/kustomization.yaml`]: marked
      ? markedKustomization(resources, marked)
      : toYaml(kustomization(resources)),
    ...(image
      ? {
          [`${base}/kustomization.yaml`]: toYaml(kustomization(["deployment.yaml", "service.yaml"])),
          [`${base}/deployment.yaml`]: toYaml(deployment(image)),
          [`${base}/service.yaml`]: toYaml(service()),
        }
      : {}),
  };
}

/** A kustomize file that names resources. */
export function kustomization(resources: readonly string[]): Manifest {
  return { apiVersion: "kustomize.config.k8s.io/v1beta1", kind: "Kustomization", resources };
}

/**
 * The same with an image whose name and tag are marked for Flux's image automation. It has no digest beside: that would
 * win over every tag that is written there later.
 */
function markedKustomization(resources: readonly string[], { policy, ...image }: MarkedImage): string {
  const document = new Document({ ...kustomization(resources), images: [image] });
  for (const [key, part] of [
    ["newName", "name"],
    ["newTag", "tag"],
  ] as const) {
    const node = document.getIn(["images", 0, key], true);
    if (isScalar(node)) node.comment = ` {"$imagepolicy": "${policy}:${part}"}`;
  }
  return textOf(document);
}

const metadata = { name: DEMO, namespace: DEMO, labels: { "app.kubernetes.io/name": DEMO } };
const selector = { "app.kubernetes.io/name": DEMO };

function deployment(image: string): Manifest {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata,
    spec: {
      replicas: 1,
      selector: { matchLabels: selector },
      template: { metadata: { labels: selector }, spec: podSpec(image) },
    },
  };
}

function podSpec(image: string): Manifest {
  return {
    automountServiceAccountToken: false,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: 10001,
      seccompProfile: { type: "RuntimeDefault" },
    },
    containers: [
      {
        name: DEMO,
        image,
        ports: [{ name: "http", containerPort: 9898 }],
        envFrom: [{ secretRef: { name: `${DEMO}-credentials`, optional: true } }],
        resources: { requests: { cpu: "10m", memory: "32Mi" }, limits: { memory: "128Mi" } },
        securityContext: {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ["ALL"] },
        },
      },
    ],
  };
}

function service(): Manifest {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata,
    spec: { selector, ports: [{ name: "http", port: 80, targetPort: "http" }] },
  };
}
