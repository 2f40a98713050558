// What AKS and its network do not take, as predicates that the settings and the component share; no Pulumi in here.
import { contains, type Network, overlap, parseNetwork } from "../../net/cidr.ts";
import { mostOf, type PoolSize, reservedBy } from "./addresses.ts";

/** Networks whose addresses nobody comes from through the internet. */
const NOT_PUBLIC = [
  ...["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"],
  ...["127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4"],
];

/** AKS's most authorized ranges, and a registry's most rules: https://learn.microsoft.com/azure/container-registry/container-registry-skus */
export const MOST_RANGES = 200;

/** What says to AKS that no address of the internet is let in; it stands alone. */
export const NOBODY = "0.0.0.0/32";

/** The network of no public address that holds a range as a whole. */
export function privateRange(value: string): string | undefined {
  const range = parseNetwork(value);
  return range && NOT_PUBLIC.find((one) => contains(parseNetwork(one) as Network, range));
}

/** How many nodes a tier of AKS takes: https://learn.microsoft.com/azure/aks/quotas-skus-regions */
const MOST_NODES: Readonly<Record<string, number>> = { Free: 1000, Standard: 5000, Premium: 5000 };
/** The same, of pools. */
export const MOST_POOLS = 100;

/** Why pools have more nodes than a tier takes. */
export function nodesProblem(
  sku: string,
  pools: readonly Pick<PoolSize, "minCount" | "maxCount" | "enableAutoScaling">[],
): string | undefined {
  const count = pools.reduce((sum, pool) => sum + mostOf(pool), 0);
  const most = MOST_NODES[sku] ?? Number.POSITIVE_INFINITY;
  return count > most ? `takes ${most} nodes at most, and the pools may have ${count}` : undefined;
}

/** Why a text is no port, or range of ports, of an address. */
export function portProblem(value: string): string | undefined {
  const [from = 0, to = from] = value.split("-").map(Number);
  if (from > to) return "ends before it begins";
  return from < 1 || to > 65_535 ? "is no port that there is" : undefined;
}

/** Why the stack's traffic cannot be led to an address. @param networks the stack's own, by name and value. */
export function firewallProblem(value: string, networks: Readonly<Record<string, string>>): string | undefined {
  const firewall = parseNetwork(`${value}/32`);
  if (firewall === undefined) return undefined;
  const reserved = reservedBy(firewall);
  if (reserved !== undefined) return `touches ${reserved}, which AKS uses itself`;
  const within = Object.entries(networks).find(([, network]) => {
    const own = parseNetwork(network);
    return own !== undefined && overlap(own, firewall);
  });
  if (within !== undefined)
    return `is an address of ${within.join(" ")}, and the firewall is in a network that the stack's is peered with`;
  return privateRange(`${value}/32`) === undefined ? "is a public address, and no route leads to one" : undefined;
}

/** What a list has twice, by the place of the second one. */
export const repeated = (values: readonly unknown[]): number[] =>
  values.flatMap((value, index) => (values.indexOf(value) < index ? [index] : []));
