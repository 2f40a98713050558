// What `flux install` and `flux bootstrap` ask about the controllers, in their words.

/** How much the controllers log. */
export const LOG_LEVELS = ["debug", "info", "error"] as const;

/** The key of a taint: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
export const TAINT_KEY = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;

/** A DNS domain, without a dot at its end. */
export const DOMAIN = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?(\.[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?)*$/;

/** How Flux's controllers are installed, as `flux bootstrap` has it too; what is left out is as the flux CLI has it. */
export interface InstallOptions {
  /** Keys of taints that the controllers' pods tolerate, whatever the taint's value: `CriticalAddonsOnly`. @default none */
  readonly tolerationKeys?: readonly string[] | undefined;
  /** The cluster's own DNS domain. @default "cluster.local" */
  readonly clusterDomain?: string | undefined;
  /** Whether other namespaces are kept from the controllers by network policies. @default true */
  readonly networkPolicy?: boolean | undefined;
  /** How much the controllers log. @default "info" */
  readonly logLevel?: (typeof LOG_LEVELS)[number] | undefined;
  /** Whether Flux's objects of all namespaces count, and not only those of its own. @default true */
  readonly watchAllNamespaces?: boolean | undefined;
}

/** What of the options is said; undefined where nothing is. */
export function saidOptions(install: InstallOptions | undefined) {
  const said = Object.entries(install ?? {}).filter(([, value]) => value !== undefined);
  return said.length === 0
    ? undefined
    : (Object.fromEntries(said) as { [K in keyof InstallOptions]?: Exclude<InstallOptions[K], undefined> });
}

/** The arguments of the flux CLI that say this. */
export function installArgs(options: InstallOptions = {}): string[] {
  const { tolerationKeys = [], clusterDomain, networkPolicy, logLevel, watchAllNamespaces } = options;
  return [
    ...(tolerationKeys.length > 0 ? [`--toleration-keys=${tolerationKeys.join()}`] : []),
    ...(clusterDomain === undefined ? [] : [`--cluster-domain=${clusterDomain}`]),
    ...(networkPolicy === undefined ? [] : [`--network-policy=${networkPolicy}`]),
    ...(logLevel === undefined ? [] : [`--log-level=${logLevel}`]),
    ...(watchAllNamespaces === undefined ? [] : [`--watch-all-namespaces=${watchAllNamespaces}`]),
  ];
}
