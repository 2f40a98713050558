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
  const next = `1.${Number(minorOf(version).split(".")[1]) + 1}`;
  return offered[next] === undefined ? version : next;
}

/**
 * @param old the version so far; undefined for a new cluster or pool.
 * @throws ServiceError for a version that is not offered or cannot be reached from the old one.
 */
export function checkVersion(version: string, old: string | undefined, longTerm = true): void {
  const minor = minorOf(version);
  if (!offered[minor]?.includes(fullVersion(version)) || (longTermOnly.includes(minor) && !longTerm))
    throw armError(
      400,
      "K8sVersionNotSupported",
      `Managed cluster version ${version} is not supported in this region. Please use [az aks get-versions] command to get the supported version list in this region. For more information, please check https://aka.ms/supported-version-list`,
      { target: "kubernetesVersion" },
    );
  if (old === undefined) return;
  const step = Number(minor.split(".")[1]) - Number(minorOf(old).split(".")[1]);
  const backwards = step === 0 && patchOf(version) < patchOf(old);
  if (step < 0 || step > 1 || backwards)
    throw armError(
      400,
      "OperationNotAllowed",
      `Upgrading Kubernetes version ${fullVersion(old)} to ${fullVersion(version)} is not allowed. Available upgrades: ${JSON.stringify(upgrades(old))}. Please see https://aka.ms/aks-supported-k8s-ver for version details.`,
    );
}

const patchOf = (version: string): number => Number(fullVersion(version).split(".")[2]);

function upgrades(old: string): string[] {
  const next = `1.${Number(minorOf(old).split(".")[1]) + 1}`;
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
