// Which version of Kubernetes lies ahead of a stack's cluster.

import { compareVersions, minorOf, minorVersion } from "../../../net/kubernetesVersion.ts";
import { isMap } from "../../../net/values.ts";
import type { Settings } from "../../../settings/types.ts";
import type { Azure } from "../azure.ts";
import { groupOf, resourcesOf } from "../group.ts";
import type { Plan } from "../program.ts";
import type { OfferedMinor } from "./support.ts";

/** The version that a cluster goes to. */
export interface Ahead {
  /** A minor or a patch. */
  readonly to: string;
  /** Whether the settings pin it: else AKS may bring it, now or later. */
  readonly isPinned: boolean;
  /** Whether the next update upgrades nodes. */
  readonly isUpgrade: boolean;
}

/** The channels by which AKS goes on to later minors. */
const RAISING: readonly string[] = ["stable", "rapid"];

/** @returns undefined where the stack makes no cluster. */
export async function aheadOf(azure: Azure, settings: Settings, plan: Plan): Promise<Ahead | undefined> {
  const cluster = plan.resources.find(({ type }) => type === "gitops:index:ManagedCluster");
  if (cluster === undefined) return undefined;
  const running = await runningVersion(azure, settings, cluster.inputs.properties);
  const { kubernetesVersion: pinned, upgradeChannel } = settings.cluster;
  if (pinned !== undefined) {
    const isUpgrade = running !== undefined && compareVersions(running, pinned) < 0;
    return { to: pinned, isPinned: true, isUpgrade };
  }
  const to =
    running === undefined
      ? await firstVersion(azure, settings)
      : RAISING.includes(upgradeChannel)
        ? `1.${minorOf(running) + 1}`
        : minorVersion(running);
  return to === undefined ? undefined : { to, isPinned: false, isUpgrade: false };
}

/** What the stack's cluster runs; undefined where it is not there yet. */
async function runningVersion(azure: Azure, settings: Settings, wanted: unknown): Promise<string | undefined> {
  const group = await groupOf(azure, settings);
  if (group === undefined) return undefined;
  const clusters = await resourcesOf(azure, group, ["Microsoft.ContainerService/managedClusters"]);
  const found = await Promise.all(clusters.map(({ id }) => azure.find(id, "2025-09-01")));
  // Others' clusters may be in a group that the settings name.
  const prefix = isMap(wanted) ? wanted.dnsPrefix : undefined;
  const all = found.flatMap((one) => (isMap(one?.properties) ? [one.properties] : []));
  const own = all.find(({ dnsPrefix }) => dnsPrefix === prefix) ?? {};
  const version = own.currentKubernetesVersion ?? own.kubernetesVersion;
  return typeof version === "string" ? version : undefined;
}

/** A new cluster is of the minor before the newest; with the channel rapid AKS takes it to the newest. */
async function firstVersion(azure: Azure, { location, cluster }: Settings): Promise<string | undefined> {
  const all = (await offeredIn(azure, location)).filter(({ isPreview }) => !isPreview).map(({ version }) => version);
  const sorted = all.sort(compareVersions);
  return (cluster.upgradeChannel === "rapid" ? undefined : sorted.at(-2)) ?? sorted.at(-1);
}

/** The versions that AKS offers in a region. https://learn.microsoft.com/rest/api/aks/managed-clusters/list-kubernetes-versions */
export async function offeredIn(azure: Azure, location: string): Promise<readonly OfferedMinor[]> {
  const path = `${azure.root}/providers/Microsoft.ContainerService/locations/${location}/kubernetesVersions`;
  const { values = [] } = (await azure.read(path, "2025-09-01")) as { values?: readonly OfferedMinor[] };
  return values;
}
