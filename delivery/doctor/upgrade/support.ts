// Whether AKS supports a version of Kubernetes, by its own list of a region:
// GET /subscriptions/<id>/providers/Microsoft.ContainerService/locations/<region>/kubernetesVersions

import { compareVersions, isPatch, isVersion, minorOf, minorVersion } from "../../../net/kubernetesVersion.ts";

/** A minor as that list has it. */
export interface OfferedMinor {
  readonly version: string;
  readonly isPreview?: boolean;
  readonly capabilities?: { readonly supportPlan?: readonly string[] };
  readonly patchVersions?: Readonly<Record<string, { readonly upgrades?: readonly string[] }>>;
}

/** What is wrong with a version, and what to do. */
export interface SupportFault {
  /** Whether AKS refuses it; else it runs on. */
  readonly isRefused: boolean;
  readonly problem: string;
  readonly remedy: string;
}

/**
 * What is wrong with a version that is asked for, or runs.
 * @param version a minor or a patch.
 * @param isLongTerm whether the cluster has long-term support.
 */
export function supportFault(
  version: string,
  offered: readonly OfferedMinor[],
  isLongTerm: boolean,
): SupportFault | undefined {
  const plan = isLongTerm ? "AKSLongTermSupport" : "KubernetesOfficial";
  const supports = ({ capabilities }: OfferedMinor) => capabilities?.supportPlan?.includes(plan) ?? true;
  const known = [...offered].sort((one, other) => compareVersions(one.version, other.version));
  const good = known.filter((one) => !one.isPreview && supports(one)).map((one) => one.version);
  const write = `write one that is supported: ${good.join(", ")}`;
  const minor = known.find((one) => one.version === minorVersion(version));
  if (minor === undefined) {
    const isOld = known[0] === undefined || minorOf(version) < minorOf(known[0].version);
    return {
      isRefused: true,
      problem: isOld ? "is out of AKS's support" : "is not offered by AKS in this region",
      remedy: write,
    };
  }
  if (!supports(minor))
    return {
      isRefused: true,
      problem: "is supported by AKS with long-term support alone",
      remedy: `${write}; or write sku: Premium`,
    };
  if (minor.isPreview)
    return { isRefused: false, problem: "is a preview, which AKS does not support in production", remedy: write };
  const patches = Object.keys(minor.patchVersions ?? {}).sort(compareVersions);
  if (isPatch(version) && !patches.some((patch) => isVersion(version, patch)))
    return {
      isRefused: true,
      problem: `is no patch that AKS offers in this region: ${patches.join(", ")} are`,
      remedy: `write "${patches.at(-1) ?? minor.version}", or "${minor.version}" alone`,
    };
  return undefined;
}
