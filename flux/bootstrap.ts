// The files that `flux bootstrap` writes beside gotk-components.yaml, in its very bytes, and what is added to them.
import { Document } from "yaml";
import { goDuration } from "./duration.ts";

/** The namespace of Flux and the name of everything that bootstrap makes. */
export const FLUX_SYSTEM = "flux-system";

/** An artifact that the cluster reads in place of the repository, from which a pipeline pushes it. */
export interface RootArtifact {
  /** `oci://<host>/<repository>`. */
  readonly url: string;
  readonly tag?: string;
  /** A range of versions, of which the newest tag is taken. */
  readonly semver?: string;
  /** `azure`: the controllers' identity pulls it. */
  readonly provider?: "azure";
  /** The Secret that signs in to the registry. */
  readonly secret?: string;
  /** The Secret with the cosign keys that have to have signed it. */
  readonly verify?: string;
}

/** Where the cluster reads. */
export interface SyncOptions {
  /** The repository as Flux reads it: `https://<host>/<owner>/<name>`. */
  readonly url: string;
  readonly branch: string;
  /** The cluster's folder in the repository: `clusters/<stack>`. */
  readonly path: string;
  /**
   * `azure`: the controllers' identity reads the repository; `github`: a GitHub App does, of which a Secret tells; without it a
   * Secret signs in.
   */
  readonly provider?: "azure" | "github" | undefined;
  /** How often Flux looks into the repository, as a duration of Flux. @default "1m0s" */
  readonly interval?: string | undefined;
  /** Whether the repository's submodules are read too. @default false */
  readonly recurseSubmodules?: boolean | undefined;
  /** The artifact that is read in place of the repository. @default none */
  readonly artifact?: RootArtifact | undefined;
}

/** An Azure identity that controllers act as. */
export interface WorkloadIdentity {
  readonly clientId: string;
  readonly tenantId: string;
}

/** A Kubernetes object, or a file in the same manner. */
export type KubernetesObject = Readonly<Record<string, unknown>>;

/** Entries of a kustomization.yaml. */
export interface KustomizationEntries {
  readonly resources: readonly string[];
  readonly components: readonly string[];
}

/** The folder of the component that gives the controllers their identity, beside gotk-components.yaml. */
const IDENTITY_FOLDER = "workload-identity";

/** The files' paths below the cluster's folder. */
export const BOOTSTRAP_FILES = {
  components: `${FLUX_SYSTEM}/gotk-components.yaml`,
  sync: `${FLUX_SYSTEM}/gotk-sync.yaml`,
  kustomization: `${FLUX_SYSTEM}/kustomization.yaml`,
  identity: `${FLUX_SYSTEM}/${IDENTITY_FOLDER}/kustomization.yaml`,
} as const;

/** What kustomization.yaml has to name. Bootstrap writes the resources; an existing file keeps all else it holds. */
export const BOOTSTRAP_ENTRIES: KustomizationEntries = {
  resources: ["gotk-components.yaml", "gotk-sync.yaml"],
  components: [IDENTITY_FOLDER],
};

/** The kind of the source that everything comes from. */
export const rootKind = (artifact: object | undefined): "GitRepository" | "OCIRepository" =>
  artifact === undefined ? "GitRepository" : "OCIRepository";

/** The source and the Kustomization that bootstrap hands the cluster over to. */
export function syncObjects(options: SyncOptions): KubernetesObject[] {
  const { path, interval = "1m", artifact } = options;
  const metadata = { name: FLUX_SYSTEM, namespace: FLUX_SYSTEM };
  const kind = rootKind(artifact);
  const spec = artifact === undefined ? repositorySpec(options) : artifactSpec(artifact);
  return [
    {
      apiVersion: "source.toolkit.fluxcd.io/v1",
      kind,
      metadata,
      spec: { interval: goDuration(interval), ...spec },
    },
    {
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      metadata,
      spec: {
        interval: "10m0s",
        path: `./${path}`,
        prune: true,
        sourceRef: { kind, name: FLUX_SYSTEM },
      },
    },
  ];
}

function repositorySpec({ url, branch, provider, recurseSubmodules = false }: SyncOptions) {
  return {
    ...(provider === undefined ? {} : { provider }),
    ...(recurseSubmodules ? { recurseSubmodules } : {}),
    ref: { branch },
    ...(provider === "azure" ? {} : { secretRef: { name: FLUX_SYSTEM } }),
    url,
  };
}

function artifactSpec({ url, tag, semver, provider, secret, verify }: RootArtifact) {
  return {
    ...(provider === undefined ? {} : { provider }),
    ref: semver === undefined ? { tag } : { semver },
    ...(secret === undefined ? {} : { secretRef: { name: secret } }),
    url,
    ...(verify === undefined ? {} : { verify: { provider: "cosign", secretRef: { name: verify } } }),
  };
}

/**
 * The text of gotk-sync.yaml. Bootstrap knows no provider, so {@link identityComponent} patches it in; of artifacts it
 * knows nothing, so that file is the program's own.
 */
export function gotkSync(options: Omit<SyncOptions, "provider">): string {
  const texts = syncObjects(options).map((object) => `---\n${goYaml(object)}`);
  const header = options.artifact === undefined ? "# This manifest was generated by flux. DO NOT EDIT.\n" : "";
  return `${header}${texts.join("")}`;
}

/** The patches that let a controller sign in to Entra: of its service account, and of its pods. */
export function identityPatches({ clientId, tenantId }: WorkloadIdentity) {
  const serviceAccount = {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: {
      name: "controller",
      annotations: { "azure.workload.identity/client-id": clientId, "azure.workload.identity/tenant-id": tenantId },
    },
  };
  const deployment = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "controller" },
    spec: {
      template: {
        metadata: {
          labels: { "azure.workload.identity/use": "true" },
          // A pod is given its identity when it is made: another one has to make it anew.
          annotations: { "aks-gitops/identity": clientId },
        },
      },
    },
  };
  return { serviceAccount, deployment };
}

/** The controllers that act as the identity: those that read registries, Git and keys of Azure. */
export function identifiedControllers(imageAutomation: boolean): string[] {
  const controllers = ["source-controller", "kustomize-controller"];
  return imageAutomation ? [...controllers, "image-reflector-controller", "image-automation-controller"] : controllers;
}

/** The patch by which somebody else reads the repository: the controllers' identity, without a Secret, or a GitHub App. */
const providerPatch = (provider: "azure" | "github") => ({
  target: { kind: "GitRepository", name: FLUX_SYSTEM },
  patch: goYaml([
    ...(provider === "azure" ? [{ op: "remove", path: "/spec/secretRef" }] : []),
    { op: "add", path: "/spec/provider", value: provider },
  ]),
});

/**
 * A kustomize component with the identity's patches, so that an existing kustomization.yaml gets one entry only.
 * @param identity undefined where the controllers have none.
 * @param provider who reads the repository in place of bootstrap's Secret.
 */
export function identityComponent(
  identity: WorkloadIdentity | undefined,
  imageAutomation: boolean,
  provider?: SyncOptions["provider"],
): string {
  const { serviceAccount, deployment } = identity ? identityPatches(identity) : {};
  const identified = [serviceAccount, deployment].filter((patch) => patch !== undefined);
  const name = `(${identifiedControllers(imageAutomation).join("|")})`;
  return goYaml({
    apiVersion: "kustomize.config.k8s.io/v1alpha1",
    kind: "Component",
    patches: [
      ...identified.map((patch) => ({ target: { kind: patch.kind, name }, patch: goYaml(patch) })),
      ...(provider === undefined ? [] : [providerPatch(provider)]),
    ],
  });
}

/** YAML as Go's library lays it out: lists not indented, and a text quoted that YAML 1.1 would take for more: `on`. */
function goYaml(value: KubernetesObject | readonly KubernetesObject[]): string {
  return new Document(value, { aliasDuplicateObjects: false, compat: "yaml-1.1" }).toString({
    indentSeq: false,
    lineWidth: 0,
  });
}
