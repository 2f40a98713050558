/** Where Flux itself and its objects stand. With the extension's multi-tenancy a source has to be beside what uses it. */
export const FLUX_NAMESPACE = "flux-system";

/** The name of the GitRepository that everything comes from: the extension names it like its configuration. */
export const GIT_REPOSITORY = "flux-system";

/** The AKS extension that brings Flux, as the program names it. */
export const EXTENSION = "flux";

/** The extension's one Kustomization, as its configuration names it. */
export const EXTENSION_KUSTOMIZATION = "cluster";

/** How Flux comes into the cluster. */
type Mode = "extension" | "bootstrap";

/** The Kustomization that applies the stack's folder: the extension puts its configuration's name before it. */
export const rootKustomization = (mode: Mode): string =>
  mode === "extension" ? `${GIT_REPOSITORY}-${EXTENSION_KUSTOMIZATION}` : GIT_REPOSITORY;

/** The secret that Flux signs in to the repository with: the extension names it after its configuration. */
export const gitSecret = (mode: Mode): string => (mode === "extension" ? `${GIT_REPOSITORY}-auth` : GIT_REPOSITORY);

/** The HelmChart that Flux makes for a release whose chart comes from a HelmRepository. */
export const helmChart = (release: string): string => `${FLUX_NAMESPACE}-${release}`;

/** The demo application's name, and its namespace. */
export const DEMO = "demo";

/** The Kustomization of what the program itself gives a stack. */
export const INFRASTRUCTURE = "infrastructure";

/** The HelmRepository of those who pull with a password. */
export const HELM_REPOSITORY = "acr-private";

/**
 * The objects that Flux is given for a stack's charts: the releases, and the sources that they come from.
 * @param charts their releases have the same names.
 * @param isPullSecret whether a password pulls.
 */
export function chartObjects(charts: readonly { readonly name: string }[], isPullSecret: boolean) {
  const releases = charts.map(({ name }) => name);
  const shared = releases.length > 0 ? [`HelmRepository/${HELM_REPOSITORY}`] : [];
  return { releases, sources: isPullSecret ? shared : releases.map((name) => `OCIRepository/${name}`) };
}

/** The secret that the pull principal's credentials become. */
export const PULL_SECRET = { name: "flux-helm-acr-credentials", namespace: FLUX_NAMESPACE } as const;

/** The secret that the credentials become with which a cluster's Flux decrypts that has no identity. */
export const DECRYPT_SECRET = "sops-azure-kv";

/** The folder of a stack's Flux Kustomizations. */
export const clusterFolder = (stack: string): string => `clusters/${stack}`;
/** The folder of what the program itself gives a stack. */
export const infrastructureFolder = (stack: string): string => `infrastructure/${stack}`;
/** The folder of a stack's applications; people's own. */
export const appsFolder = (stack: string): string => `apps/${stack}`;
