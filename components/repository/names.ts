import { ownPath } from "../../net/registry/ownRegistry.ts";

/** Where Flux itself and its objects stand. With the extension's multi-tenancy a source has to be beside what uses it. */
export const FLUX_NAMESPACE = "flux-system";

/** The name of the GitRepository that everything comes from: the extension names it like its configuration. */
export const GIT_REPOSITORY = "flux-system";

/** The extension's configuration: what Flux's objects are called after, and where they stand. */
export interface Configuration {
  /** Its name in Azure, and that of its GitRepository. */
  readonly name: string;
  /** The namespace of its objects of Flux. */
  readonly namespace: string;
}

/** The configuration where nobody says another; of a bootstrapped Flux the same is true. */
export const CONFIGURATION: Configuration = { name: GIT_REPOSITORY, namespace: FLUX_NAMESPACE };

/** The AKS extension that brings Flux, as the program names it. */
export const EXTENSION = "flux";

/** The extension's one Kustomization, as its configuration names it. */
export const EXTENSION_KUSTOMIZATION = "cluster";

/** How Flux comes into the cluster. */
type Mode = "extension" | "bootstrap";

/** The Kustomization that applies the stack's folder: the extension puts its configuration's name before it. */
export const rootKustomization = (mode: Mode, { name }: Configuration = CONFIGURATION): string =>
  mode === "extension" ? `${name}-${EXTENSION_KUSTOMIZATION}` : GIT_REPOSITORY;

/** The secret that Flux signs in to the repository with: the extension names it after its configuration. */
export const gitSecret = (mode: Mode, { name }: Configuration = CONFIGURATION): string =>
  mode === "extension" ? `${name}-auth` : GIT_REPOSITORY;

/** The HelmChart that Flux makes for a release whose chart comes from a HelmRepository. */
export const helmChart = (release: string): string => `${FLUX_NAMESPACE}-${release}`;

/** The demo application's name, and its namespace. */
export const DEMO = "demo";

/** The Kustomization of what the program itself gives a stack. */
export const INFRASTRUCTURE = "infrastructure";

/** The HelmRepository of those who pull with a password. */
export const HELM_REPOSITORY = "acr-private";

/** What decides how a chart's objects are called; what is faulty or absent may be undefined. */
export interface Released {
  readonly name?: string | undefined;
  readonly release?: string | undefined;
  readonly repository?: string | undefined;
  readonly suspend?: boolean | undefined;
}

/** The name of a chart's release, of Helm's and of its objects: its own, else the chart's. */
export function releaseName(chart: Released & { readonly name: string }): string;
export function releaseName(chart: Released): string | undefined;
export function releaseName({ name, release }: Released): string | undefined {
  return release ?? name;
}

/**
 * The objects that Flux is given for a stack's charts: the releases that it is to bring about, and the sources that they
 * come from.
 * @param isPullSecret whether a password pulls.
 */
export function chartObjects(charts: readonly (Released & { readonly name: string })[], isPullSecret: boolean) {
  const releases = charts.flatMap((chart) => (chart.suspend ? [] : [releaseName(chart)]));
  if (!isPullSecret) return { releases, sources: charts.map((chart) => `OCIRepository/${releaseName(chart)}`) };
  const repositories = charts.map((chart) =>
    ownPath(chart.repository) === undefined ? HELM_REPOSITORY : releaseName(chart),
  );
  return { releases, sources: [...new Set(repositories)].map((name) => `HelmRepository/${name}`) };
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
