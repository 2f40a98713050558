// Which addresses AKS takes for a cluster, how many its nodes and pods need, and which upgrades go together; no Pulumi in here.
import { type Network, overlap, parseNetwork } from "../../net/cidr.ts";
import { isPatch } from "../../net/kubernetesVersion.ts";

/** What AKS uses itself: no services, pods or virtual network may touch it. */
const RESERVED = ["169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24"];

/** The range of AKS's own that a network touches; undefined where it touches none. */
export function reservedBy(network: Network): string | undefined {
  return RESERVED.find((range) => {
    const reserved = parseNetwork(range);
    return reserved !== undefined && overlap(reserved, network);
  });
}

/** What no virtual network holds: https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq */
const AZURES_OWN = ["224.0.0.0/4", "255.255.255.255/32", "127.0.0.0/8", "168.63.129.16/32"];

/** Why neither services nor pods nor a virtual network may have a network's addresses; undefined where they may. */
export function reservedProblem(network: Network): string | undefined {
  const reserved = reservedBy(network);
  if (reserved !== undefined) return `touches ${reserved}, which AKS uses itself`;
  const azures = AZURES_OWN.find((range) => overlap(parseNetwork(range) as Network, network));
  return azures && `touches ${azures}, which no network in Azure has`;
}

/** The shortest prefix length of a range of services: AKS takes no larger one. */
export const SHORTEST_SERVICES = 12;

/** What an overlay gives each node for its pods: a /24. */
const PODS_OF_A_NODE = 256;
/** What Azure keeps of every subnet: https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq */
const KEPT_BY_AZURE = 5;

/** What of a pool says how many nodes it may have. */
export interface PoolSize {
  readonly minCount: number;
  readonly maxCount: number;
  /** Without it there are minCount nodes. */
  readonly enableAutoScaling: boolean;
  /** A number or a percentage. */
  readonly maxSurge: string;
  /** Azure takes no surge of Spot nodes. */
  readonly scaleSetPriority?: "Regular" | "Spot" | undefined;
}

/** A number of nodes, or a percentage of a pool's; of either more than none. */
export const SURGE = /^([1-9]\d{0,3}|([1-9]\d?|100)%)$/;

type Counted = Pick<PoolSize, "minCount" | "maxCount" | "enableAutoScaling">;

/** How many nodes a pool has at most, but for upgrades. */
export const mostOf = ({ minCount, maxCount, enableAutoScaling }: Counted): number =>
  enableAutoScaling ? maxCount : minCount;

/** What to lower for fewer nodes. */
export const lowered = (pools: readonly Counted[]): string =>
  ["maxCount", "minCount"]
    .filter((name) => pools.some(({ enableAutoScaling }) => enableAutoScaling === (name === "maxCount")))
    .join(" or ");

function surgeOf(pool: PoolSize): number {
  if (pool.scaleSetPriority === "Spot") return 0;
  const surge = Number.parseInt(pool.maxSurge, 10);
  return pool.maxSurge.endsWith("%") ? Math.ceil((mostOf(pool) * surge) / 100) : surge;
}

/** How many nodes pools have at most, those included that an upgrade brings before it takes the old ones. */
export function mostNodes(pools: readonly PoolSize[]): number {
  return pools.reduce((sum, pool) => sum + mostOf(pool) + surgeOf(pool), 0);
}

/** A network that is too small for the nodes of a cluster. */
export interface Shortage {
  readonly network: "nodes" | "pods";
  /** How many addresses are needed. */
  readonly needed: number;
  /** The longest prefix length that is large enough. */
  readonly prefix: number;
}

/** Which networks have fewer addresses than the pools can need; a network that is unknown is not looked at. */
export function shortages(
  { nodes, pods }: { readonly nodes: Network | undefined; readonly pods: Network | undefined },
  pools: readonly PoolSize[],
): Shortage[] {
  const count = mostNodes(pools);
  const short = (network: Shortage["network"], known: Network | undefined, needed: number): Shortage[] =>
    known === undefined || known.size >= needed ? [] : [{ network, needed, prefix: 32 - Math.ceil(Math.log2(needed)) }];
  return [
    ...short("nodes", nodes, count + KEPT_BY_AZURE),
    // Only whole /24 count.
    ...short("pods", pods, count * PODS_OF_A_NODE),
  ];
}

/** Upgrade channels that leave a minor version's patches to long-term support. */
const LONG_TERM_CHANNELS: readonly string[] = ["none", "patch", "node-image"];

/** Whether a tier and an upgrade channel go together: long-term support stays on its minor version. */
export const tierAllows = (sku: string, upgradeChannel: string): boolean =>
  sku !== "Premium" || LONG_TERM_CHANNELS.includes(upgradeChannel);

/** Upgrade channels that leave a minor version as it is; those that leave a patch too. */
const KEEPING = { minor: ["none", "patch", "node-image"], patch: ["none", "node-image"] } as const;

/**
 * Why an upgrade channel does not go with a version of Kubernetes that is said; undefined where it does. AKS would raise the
 * version above what was said, and never goes back.
 */
export function channelFault(kubernetesVersion: string, upgradeChannel: string): string | undefined {
  const kind = isPatch(kubernetesVersion) ? "patch" : "minor";
  const keeping: readonly string[] = KEEPING[kind];
  if (keeping.includes(upgradeChannel)) return undefined;
  const raised = upgradeChannel === "patch" ? "patches" : "minor versions";
  return `does not go with kubernetesVersion ${kubernetesVersion}: AKS would go on to later ${raised} by itself, and never back`;
}

/** What to write instead where {@link channelFault} finds a fault. */
export const channelRemedy = (kubernetesVersion: string): string =>
  isPatch(kubernetesVersion)
    ? "none or node-image, or name the minor version alone"
    : "patch, node-image or none, or leave kubernetesVersion out";
