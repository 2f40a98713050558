// The node pools of a plan, and the sizes that Azure sells.

import type { Azure } from "./azure.ts";
import { type Plan, UNKNOWN } from "./program.ts";

/** A node pool, as far as the plan knows it. */
export interface Pool {
  readonly name: string;
  readonly vmSize: string;
  readonly zones: readonly string[];
  readonly minCount: number;
  readonly maxCount: number;
  /** Nodes that an upgrade adds, of `maxCount`. */
  readonly surge: number;
  /** Whether Azure may take its nodes away, which have a quota of their own. */
  readonly isSpot: boolean;
}

/** The pools that a plan makes, each once: the cluster's own one is a resource too. */
export function poolsOf({ resources }: Plan): Pool[] {
  const pools = resources
    .filter(({ type }) => type === "gitops:index:AgentPool" || type === "azure-native:containerservice:AgentPool")
    .map(({ name, inputs }) => poolOf(name, inputs));
  return [...new Map(pools.map((pool) => [pool.name, pool])).values()];
}

type Inputs = Readonly<Record<string, unknown>>;

function poolOf(logicalName: string, inputs: Inputs): Pool {
  const { name, vmSize, availabilityZones, minCount, maxCount, count, scaleSetPriority, upgradeSettings } = inputs;
  // Without the autoscaler there are as many as are wanted at least.
  const limit = inputs.enableAutoScaling === false ? minCount : maxCount;
  const most = numberOf(limit) ?? numberOf(count) ?? 1;
  return {
    name: textOf(name) ?? logicalName,
    vmSize: textOf(vmSize) ?? "",
    zones: Array.isArray(availabilityZones) ? availabilityZones.map(String) : [],
    minCount: numberOf(minCount) ?? numberOf(count) ?? 1,
    maxCount: most,
    surge: surgeOf((upgradeSettings as Inputs | undefined)?.maxSurge, most),
    isSpot: scaleSetPriority === "Spot",
  };
}

/** https://learn.microsoft.com/azure/aks/upgrade-aks-cluster#customize-node-surge-upgrade: a number, or a part rounded up. */
function surgeOf(maxSurge: unknown, count: number): number {
  const [, number = "1", percent] = /^(\d+)(%?)$/.exec(String(maxSurge ?? "")) ?? [];
  return percent ? Math.ceil((count * Number(number)) / 100) : Number(number);
}

const textOf = (value: unknown) => (typeof value === "string" && value !== UNKNOWN ? value : undefined);
const numberOf = (value: unknown) => (typeof value === "number" ? value : undefined);

/** A size of virtual machines in a region. https://learn.microsoft.com/rest/api/compute/resource-skus/list */
export interface Size {
  readonly name: string;
  /** What its quota is called. */
  readonly family: string;
  readonly vCPUs: number;
  /** Zones of the region that have it. */
  readonly zones: readonly string[];
  /** Why the subscription may not have it in the whole region; undefined where it may. */
  readonly restricted: string | undefined;
  /** Zones in which the subscription may not have it. */
  readonly restrictedZones: readonly string[];
}

interface Sku {
  readonly resourceType: string;
  readonly name: string;
  readonly family?: string;
  readonly capabilities?: readonly { readonly name: string; readonly value: string }[];
  readonly locationInfo?: readonly { readonly location: string; readonly zones?: readonly string[] }[];
  readonly restrictions?: readonly {
    readonly type: string;
    readonly reasonCode: string;
    readonly restrictionInfo?: { readonly zones?: readonly string[] };
  }[];
}

/** The sizes of a region, by name in lower case. */
export async function sizesOf(azure: Azure, location: string): Promise<ReadonlyMap<string, Size>> {
  const filter = encodeURIComponent(`location eq '${location}'`);
  const path = `${azure.root}/providers/Microsoft.Compute/skus?$filter=${filter}`;
  const skus = await azure.list<Sku>(path, "2021-07-01");
  const sizes = skus.filter(({ resourceType }) => resourceType === "virtualMachines").map(sizeOf);
  return new Map(sizes.map((size) => [size.name.toLowerCase(), size]));
}

function sizeOf({ name, family = "", capabilities = [], locationInfo = [], restrictions = [] }: Sku): Size {
  const all = restrictions.filter(({ type }) => type === "Location");
  const ofZones = restrictions.filter(({ type }) => type === "Zone");
  return {
    ...{ name, family },
    vCPUs: Number(capabilities.find((one) => one.name === "vCPUs")?.value ?? 0),
    zones: locationInfo.flatMap(({ zones = [] }) => zones),
    restricted: all[0]?.reasonCode,
    restrictedZones: ofZones.flatMap(({ restrictionInfo }) => restrictionInfo?.zones ?? []),
  };
}
