// What AKS refuses of a cluster's addresses and upgrade channels; it counts by itself what the nodes and pods need.
import { propertiesOf, type World, type Write } from "../behaviour.ts";
import { overlap, type Range, rangeOf } from "../network.ts";
import { type Body, part } from "../validate.ts";
import { refuse } from "./clusterNetwork.ts";
import { networkOf, rangesOf } from "./network.ts";

// "AKS clusters can't use ... for the Kubernetes service address range, pod address range, or cluster virtual network
// address range": https://learn.microsoft.com/azure/aks/concepts-network-cni-overview; whatever the network policy:
// MicrosoftDocs/azure-aks-docs#447.
const RESERVED = ["169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24"];

/** The checks of a cluster's PUT. */
export function checkAddresses({ world, body }: Write): void {
  const properties = propertiesOf(body);
  const network = part(properties, "networkProfile");
  const pools = properties.agentPoolProfiles as Body[];
  checkReserved(world, network, pools);
  const services = rangeOf(String(network.serviceCidr));
  if (services !== undefined && services.bits < 12)
    throw refuse("InvalidParameter", "ServiceCidr is too large", "networkProfile.serviceCidr");
  checkCapacity(world, network, pools);
}

function checkReserved(world: World, network: Body, pools: readonly Body[]): void {
  const vnets = [...new Set(pools.map(({ vnetSubnetID }) => networkOf(String(vnetSubnetID ?? ""))))];
  const spaces = vnets.flatMap((id) => rangesOf({ addressPrefixes: prefixesOf(world, id) }));
  const named = (name: string, target: string) =>
    [rangeOf(String(network[name]))].flatMap((range) => (range ? [{ range, name, target }] : []));
  for (const { range, name, target } of [
    ...named("serviceCidr", "networkProfile.serviceCidr"),
    ...named("podCidr", "networkProfile.podCidr"),
    ...spaces.map((range) => ({ range, name: "virtual network", target: "agentPoolProfile.vnetSubnetID" })),
  ]) {
    const reserved = RESERVED.find((prefix) => overlap(rangeOf(prefix) as Range, range));
    if (reserved !== undefined)
      throw refuse(
        "InvalidParameter",
        `The ${name} overlaps with ${reserved}, which is reserved by AKS. AKS clusters can't use ${RESERVED.join(", ")} for the Kubernetes service address range, pod address range, or cluster virtual network address range.`,
        target,
      );
  }
}

function prefixesOf(world: World, vnet: string): unknown {
  return part(world.store.get(vnet), "properties.addressSpace").addressPrefixes;
}

/** What a subnet keeps for Azure itself. */
const KEPT = 5;

/** The most nodes of pools, and those that an upgrade brings beside them. */
function nodesOf(pools: readonly Body[]): number {
  return pools.reduce((sum, pool) => {
    const most = Number(pool.enableAutoScaling === true ? pool.maxCount : pool.count);
    // Spot nodes have no surge.
    const surge = String(part(pool, "upgradeSettings").maxSurge ?? (pool.scaleSetPriority === "Spot" ? "0" : "10%"));
    const more = surge.endsWith("%") ? Math.ceil((most * Number.parseInt(surge, 10)) / 100) : Number(surge);
    return sum + most + more;
  }, 0);
}

/**
 * The pools of a cluster, all of them, against its pods' range and their subnets, in the words of
 * Azure/AKS-Construction#701.
 */
export function checkCapacity(world: World, network: Body, pools: readonly Body[]): void {
  const available = (range: Range) => range.last - range.first + 1;
  const tooMany = (needed: number, free: number, cidr: unknown, name: string, target: string) =>
    refuse(
      "InsufficientSubnetSize",
      `Pre-allocated IPs ${needed} exceeds IPs available ${free} in Subnet Cidr ${cidr}, Subnet Name ${name}. If Autoscaler is enabled, the max-count from each nodepool is counted towards this total (which means that pre-allocated IPs count represents a theoretical max value, not the actual number of IPs requested). http://aka.ms/aks/insufficientsubnetsize`,
      target,
    );
  const overlay = network.networkPluginMode === "overlay";
  const pods = overlay ? rangeOf(String(network.podCidr)) : undefined;
  const needed = nodesOf(pools) * 256;
  if (pods !== undefined && needed > available(pods))
    throw tooMany(needed, available(pods), network.podCidr, "networkProfile.podCIDR", "networkProfile.podCIDR");
  if (!overlay) return;
  for (const id of new Set(pools.map(({ vnetSubnetID }) => vnetSubnetID))) {
    const subnet = id === undefined ? undefined : world.store.get(String(id));
    if (subnet === undefined) continue;
    const ranges = rangesOf(subnet.properties);
    const free = ranges.reduce((sum, range) => sum + available(range) - KEPT, 0);
    const nodes = nodesOf(pools.filter(({ vnetSubnetID }) => vnetSubnetID === id));
    const { addressPrefix, addressPrefixes } = subnet.properties;
    if (nodes > free)
      throw tooMany(nodes, free, addressPrefix ?? addressPrefixes, subnet.name, "agentPoolProfile.vnetSubnetID");
  }
}

/** @throws ServiceError where channels do not go together, or not with the support plan. */
export function checkChannels(body: Body): void {
  const { supportPlan } = propertiesOf(body);
  const { upgradeChannel = "none", nodeOSUpgradeChannel } = part(body, "properties.autoUpgradeProfile");
  // https://learn.microsoft.com/azure/aks/long-term-support: it stays on its minor version.
  if (supportPlan === "AKSLongTermSupport" && ["stable", "rapid"].includes(String(upgradeChannel)))
    throw refuse(
      "InvalidParameter",
      `The upgrade channel ${upgradeChannel} is not supported with the support plan AKSLongTermSupport, use patch or node-image.`,
      "autoUpgradeProfile.upgradeChannel",
    );
  // https://learn.microsoft.com/azure/aks/auto-upgrade-node-os-image: node-image sets the other channel to NodeImage.
  if (upgradeChannel === "node-image" && nodeOSUpgradeChannel !== undefined && nodeOSUpgradeChannel !== "NodeImage")
    throw refuse(
      "InvalidParameter",
      `The node OS upgrade channel ${nodeOSUpgradeChannel} cannot be used with the upgrade channel node-image, only NodeImage can.`,
      "autoUpgradeProfile.nodeOSUpgradeChannel",
    );
}
