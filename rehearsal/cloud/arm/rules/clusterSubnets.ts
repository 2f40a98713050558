// What AKS and Microsoft.Network refuse of the subnets that they are given.
import type { World } from "../behaviour.ts";
import { armError } from "../errors.ts";
import { type ResourceId, same } from "../ids.ts";
import type { Body } from "../validate.ts";
import { refuse } from "./clusterNetwork.ts";
import { delegationsOf, networkOf } from "./network.ts";

/**
 * The subnets of a cluster's nodes and pods: in its region and subscription, since machines go nowhere else, and nobody
 * else's. https://github.com/rancher/rancher/issues/33517, https://github.com/MicrosoftDocs/azure-docs/issues/69774
 */
export function checkPoolSubnets(
  world: World,
  cluster: { readonly id: string; readonly location: unknown },
  pool: Body,
) {
  for (const [name, id] of Object.entries({ vnetSubnetID: pool.vnetSubnetID, podSubnetID: pool.podSubnetID })) {
    if (typeof id !== "string") continue;
    const target = `agentPoolProfile.${name}`;
    const network = world.store.get(networkOf(id));
    if (network !== undefined && !same(String(network.location), String(cluster.location)))
      throw refuse(
        "InvalidParameter",
        `The Agentpool ${pool.name}'s vnet ${network.name} is in region ${network.location}, not in the region ${cluster.location} of the cluster.`,
        target,
      );
    if (!same(String(id.split("/")[2]), String(cluster.id.split("/")[2])))
      throw refuse(
        "InvalidParameter",
        `The Agentpool ${pool.name}'s subnet ${id} is not in the subscription of the cluster.`,
        target,
      );
    // Pods' subnets are delegated by AKS itself.
    if (name === "vnetSubnetID" && delegationsOf(world.store.get(id)).length > 0)
      throw refuse(
        "SubnetIsDelegated",
        `AgentPoolProfile.VnetSubnetID ${id} cannot be used as it's a delegated subnet. Please check https://aka.ms/adv-network-prerequest for more details.`,
        target,
      );
  }
}

/**
 * The subnet of a private endpoint: in its region and subscription, and delegated to nobody.
 * https://learn.microsoft.com/azure/private-link/private-endpoint-overview, https://github.com/MicrosoftDocs/azure-docs/issues/47048
 */
export function checkEndpointSubnet(world: World, endpoint: ResourceId, location: unknown, subnetId: string): void {
  const network = world.store.get(networkOf(subnetId));
  const isHere =
    network !== undefined &&
    same(String(network.location), String(location)) &&
    same(String(network.id.split("/")[2]), String(endpoint.id.split("/")[2]));
  if (!isHere)
    throw armError(
      400,
      "InvalidResourceReference",
      `Resource ${subnetId} referenced by resource ${endpoint.id} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.`,
      { details: [] },
    );
  // Only the portal's words are known.
  if (delegationsOf(world.store.get(subnetId)).length > 0)
    throw armError(
      400,
      "BadRequest",
      `The selected subnet has a delegation and cannot be used with a private endpoint: ${subnetId}.`,
      { details: [] },
    );
}
