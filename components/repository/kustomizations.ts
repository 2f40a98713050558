import { appsFolder, clusterFolder, DEMO, FLUX_NAMESPACE, GIT_REPOSITORY, infrastructureFolder } from "./names.ts";
import { type Manifest, toYaml } from "./yaml.ts";

export interface KustomizationOptions {
  readonly stack: string;
  /** The demo application as this stack runs it; default none. */
  readonly demo?: { readonly image: string; readonly replicas: number } | undefined;
}

/**
 * The cluster's Flux Kustomizations, one file each, and nothing else in their folder: Flux applies every file there, so
 * the payload itself would come without order and decryption.
 */
export function clusterFiles({ stack, demo }: KustomizationOptions): Record<string, string> {
  const infrastructure = kustomization("infrastructure", infrastructureFolder(stack));
  const apps = kustomization("apps", appsFolder(stack), {
    dependsOn: [{ name: "infrastructure" }],
    // The application's files are people's own; what the stack says about it is laid over them here.
    ...(demo ? { patches: [demoPatch(demo)] } : {}),
  });
  const folder = clusterFolder(stack);
  return { [`${folder}/infrastructure.yaml`]: toYaml(infrastructure), [`${folder}/apps.yaml`]: toYaml(apps) };
}

function kustomization(name: string, path: string, more: Manifest = {}): Manifest {
  return {
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: { name, namespace: FLUX_NAMESPACE },
    spec: {
      interval: "10m0s",
      retryInterval: "1m0s",
      timeout: "10m0s",
      path: `./${path}`,
      prune: true,
      wait: true,
      sourceRef: { kind: "GitRepository", name: GIT_REPOSITORY },
      decryption: { provider: "sops" },
      ...more,
    },
  };
}

function demoPatch({ image, replicas }: { image: string; replicas: number }): Manifest {
  const patch = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: DEMO, namespace: DEMO },
    spec: { replicas, template: { spec: { containers: [{ name: DEMO, image }] } } },
  };
  return { target: { kind: "Deployment", name: DEMO, namespace: DEMO }, patch: toYaml(patch) };
}
