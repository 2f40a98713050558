// An upgrade of a cluster's Kubernetes: what AKS does at once, what it refuses, and what it is in words.

import { compareVersions, isVersion, minorOf, minorVersion } from "../../net/kubernetesVersion.ts";
import type { Properties } from "../../plugin/handler.ts";
import type { Cloud } from "./cloud.ts";

/** An upgrade that is due. */
export interface Upgrade {
  /** What the control plane runs: a patch. */
  readonly from: string;
  /** What was asked for: a minor or a patch. */
  readonly to: string;
}

/** What AKS offers in a region. */
export interface Offer {
  /** Its patches by minor, newest last. */
  readonly patches: ReadonlyMap<string, readonly string[]>;
  readonly location: string;
}

/** The version that a control plane runs. */
export const runningIn = ({ currentKubernetesVersion, kubernetesVersion }: Properties): string =>
  String(currentKubernetesVersion ?? kubernetesVersion);

/** The version that a pool's nodes run. */
export const runningOn = ({ currentOrchestratorVersion, orchestratorVersion }: Properties): string =>
  String(currentOrchestratorVersion ?? orchestratorVersion);

/** The upgrade that makes a cluster what is wanted; undefined where it is so already, or nothing is asked for. */
export function upgradeOf(asked: string | undefined, properties: Properties): Upgrade | undefined {
  const from = runningIn(properties);
  return asked === undefined || isVersion(asked, from) ? undefined : { from, to: asked };
}

/** What AKS offers in a cluster's region. @throws ArmError */
export async function offerIn(cloud: Cloud, id: string, location: string, signal: AbortSignal): Promise<Offer> {
  const [subscription] = /^\/subscriptions\/[^/]+/i.exec(id) ?? [];
  const place = location.replaceAll(" ", "").toLowerCase();
  const path = `${subscription}/providers/Microsoft.ContainerService/locations/${place}/kubernetesVersions`;
  const answer = await cloud.arm().request<Listed>("GET", path, "2025-09-01", undefined, { signal });
  const known = (answer?.values ?? []).map(({ version, patchVersions = {} }): [string, string[]] => [
    version,
    Object.keys(patchVersions).sort(compareVersions),
  ]);
  return { patches: new Map(known.sort(([one], [other]) => compareVersions(one, other))), location: place };
}

interface Listed {
  readonly values?: readonly { readonly version: string; readonly patchVersions?: Readonly<Record<string, unknown>> }[];
}

/**
 * Refuses what AKS never does, or not at once.
 * @param id the cluster's ARM id.
 * @throws Error saying both versions and what to do.
 */
export function refuseUpgrade(id: string, upgrade: Upgrade, offer: Offer, pools: readonly Properties[]): void {
  const { from, to } = upgrade;
  const cannot = `Kubernetes of ${id} cannot go from ${from} to ${to}`;
  if (compareVersions(to, from) < 0)
    throw new Error(
      `${cannot}: AKS never goes back. Ask for ${minorVersion(from)}, which it has; what needs ${to} needs another cluster`,
    );
  const next = `1.${minorOf(from) + 1}`;
  // Out of a minor that AKS gave up it jumps to the next one that it offers, and says itself which one that is.
  if (minorOf(to) > minorOf(from) + 1 && offer.patches.has(next))
    throw new Error(
      `${cannot} at once: AKS takes one minor at a time. Ask for ${next} first, and for ${minorVersion(to)} when all ` +
        "agent pools have followed",
    );
  refuseUnoffered(to, offer, cannot);
  const behind = pools.filter((pool) => minorOf(runningOn(pool)) < minorOf(from));
  if (behind.length > 0 && minorOf(to) > minorOf(from))
    throw new Error(
      `${cannot} yet: ${behind.map((pool) => `the agent pool ${pool.name} is still of ${runningOn(pool)}`).join(", ")}. ` +
        `Ask for ${minorVersion(from)} and run \`pulumi up\`, which upgrades the pools of this program; others are ` +
        `upgraded by az aks nodepool upgrade --kubernetes-version ${from}`,
    );
}

/** @throws Error where AKS does not offer a version. */
function refuseUnoffered(version: string, { patches, location }: Offer, cannot: string): void {
  const known = patches.get(minorVersion(version));
  if (known?.some((patch) => isVersion(version, patch))) return;
  const offered = known ?? [...patches.keys()];
  throw new Error(
    `${cannot}: AKS does not offer ${version} in ${location}. Ask for one that it offers: ${offered.join(", ")} ` +
      `(az aks get-versions --location ${location})`,
  );
}

/** An upgrade in words. */
export function describeUpgrade({ from, to }: Upgrade, { patches }: Offer): string {
  const patch = patches.get(to)?.at(-1);
  const target = patch === undefined ? to : `${to} (now ${patch})`;
  return (
    `Kubernetes goes from ${from} to ${target}: the control plane first, while the pods run on; then the agent pools, ` +
    "one after the other, node by node"
  );
}

/** A pool's upgrade in words. @param wanted what the pool is to be. @param actual the pool as it is. */
export function describePoolUpgrade(wanted: Properties, actual: Properties): string {
  const { maxSurge, drainTimeoutInMinutes } = (wanted.upgradeSettings ?? {}) as Properties;
  const count = typeof actual.count === "number" ? `${actual.count} ${actual.count === 1 ? "node" : "nodes"}, ` : "";
  return (
    `the agent pool ${wanted.name} goes from ${runningOn(actual)} to ${wanted.orchestratorVersion} after the control ` +
    `plane: ${count}${maxSurge} more of them for a while; each old one is drained within ${drainTimeoutInMinutes} ` +
    "minutes, and then it goes"
  );
}

/** All agent pools of a cluster. */
export const poolsOf = ({ properties }: { readonly properties: Properties }): readonly Properties[] =>
  Array.isArray(properties.agentPoolProfiles) ? (properties.agentPoolProfiles as Properties[]) : [];
