// The Kubernetes versions that AKS offers.
import { armError } from "../errors.ts";

/** Patches of each minor, newest last. https://releases.aks.azure.com */
const offered: Readonly<Record<string, readonly string[]>> = {
  "1.31": ["1.31.12", "1.31.13"],
  "1.32": ["1.32.8", "1.32.9"],
  "1.33": ["1.33.4", "1.33.5"],
  "1.34": ["1.34.0", "1.34.1"],
};

/** Minors that only Premium with long-term support still offers. */
const longTermOnly = ["1.31"];

/** What a new cluster gets that does not ask for a version: a minor, of which AKS takes the newest patch. */
export const DEFAULT_VERSION = "1.33";

const minorOf = (version: string): string => version.split(".").slice(0, 2).join(".");

/** The full version that an alias such as `1.33` stands for. */
export const fullVersion = (version: string): string =>
  version.split(".").length === 3 ? version : (offered[version]?.at(-1) ?? version);

/** The minor after a version's, where it is offered; else the version as it is. */
export function nextMinor(version: string): string {
  const next = `1.${numberOf(version) + 1}`;
  return offered[next] === undefined ? version : next;
}

/** The minor's number: 33 of `1.33.5`. */
const numberOf = (version: string): number => Number(minorOf(version).split(".")[1]);

/**
 * What a cluster or a pool runs after a write that asks for a version. The minor that it has already, without a patch, is
 * no upgrade, even where there is a newer patch: https://learn.microsoft.com/azure/aks/supported-kubernetes-versions#alias-minor-version
 * @param old what it runs; undefined for a new one.
 */
export function versionAfter(asked: string, old: string | undefined): string {
  const isMinor = asked.split(".").length === 2;
  return old !== undefined && isMinor && minorOf(old) === asked ? old : fullVersion(asked);
}

/**
 * @param old what runs so far; undefined for a new cluster or pool.
 * @throws ServiceError for a version that is not offered or cannot be reached from the old one.
 */
export function checkVersion(version: string, old: string | undefined, longTerm = true): void {
  const minor = minorOf(version);
  if (old !== undefined && versionAfter(version, old) === old) return;
  if (!offered[minor]?.includes(fullVersion(version)) || (longTermOnly.includes(minor) && !longTerm))
    throw armError(
      400,
      "K8sVersionNotSupported",
      `Managed cluster version ${version} is not supported in this region. Please use [az aks get-versions] command to get the supported version list in this region. For more information, please check https://aka.ms/supported-version-list`,
      { target: "kubernetesVersion" },
    );
  if (old === undefined) return;
  if (isBefore(version, old) || numberOf(version) - numberOf(old) > 1)
    throw armError(
      400,
      "OperationNotAllowed",
      `Upgrading Kubernetes version ${fullVersion(old)} to ${fullVersion(version)} is not allowed. Available upgrades: ${JSON.stringify(upgrades(old))}. Please see https://aka.ms/aks-supported-k8s-ver for version details.`,
    );
}

/** How many minors a pool may be behind its control plane. */
const MOST_BEHIND = 3;

/**
 * A pool is never newer than its control plane, and at most three minors behind it:
 * https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/create-upgrade-delete/aks-upgrade-blocked
 * @throws ServiceError
 */
export function checkSkew(pool: string, controlPlane: string): void {
  const [of, than] = [numberOf(pool), numberOf(controlPlane)];
  const isNewer = isBefore(controlPlane, pool);
  if (!isNewer && than - of <= MOST_BEHIND) return;
  const why =
    of > than
      ? `Minor version of node pool version ${of} is bigger than control plane version ${than}.`
      : isNewer
        ? "The node pool version is bigger than the control plane version."
        : `Minor version of node pool cannot be more than ${MOST_BEHIND} versions less than control plane's version. Minor version of node pool is ${of} and control plane is ${than}.`;
  throw armError(
    400,
    "NodePoolMcVersionIncompatible",
    `Node pool version ${fullVersion(pool)} and control plane version ${fullVersion(controlPlane)} are incompatible. ${why} For more information, please check https://aka.ms/aks/UpgradeVersionRules`,
  );
}

const patchOf = (version: string): number => Number(fullVersion(version).split(".")[2]);

/** Whether a version is an earlier one. */
export const isBefore = (version: string, other: string): boolean =>
  numberOf(version) < numberOf(other) || (numberOf(version) === numberOf(other) && patchOf(version) < patchOf(other));

/** The newest patch of what runs. */
export const newestPatch = (version: string): string => fullVersion(minorOf(version));

function upgrades(old: string): string[] {
  const next = `1.${numberOf(old) + 1}`;
  const same = (offered[minorOf(old)] ?? []).filter((version) => patchOf(version) > patchOf(old));
  return [...same, ...(offered[next] ?? [])];
}

/** The versions of a region as GET .../kubernetesVersions shows them. */
export const offeredVersions = () =>
  Object.entries(offered).map(([version, patches]) => ({
    version,
    capabilities: {
      supportPlan: longTermOnly.includes(version)
        ? ["AKSLongTermSupport"]
        : ["KubernetesOfficial", "AKSLongTermSupport"],
    },
    ...(version === minorOf(DEFAULT_VERSION) ? { isDefault: true } : {}),
    patchVersions: Object.fromEntries(patches.map((patch) => [patch, { upgrades: upgradesOf(patch) }])),
  }));

const upgradesOf = (patch: string): string[] =>
  Object.values(offered)
    .flat()
    .filter((other) => {
      const step = Number(other.split(".")[1]) - Number(patch.split(".")[1]);
      return step === 1 || (step === 0 && patchOf(other) > patchOf(patch));
    });
