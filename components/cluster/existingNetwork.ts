import { getClientConfigOutput } from "@pulumi/azure-native/authorization/getClientConfig.js";
import { getVirtualNetwork } from "@pulumi/azure-native/network/getVirtualNetwork.js";
import * as pulumi from "@pulumi/pulumi";
import { refuse } from "../shared/faults.ts";
import type { Cluster, SubnetArgs } from "./aksClusterArgs.ts";
import type { ClusterNetwork } from "./clusterNetwork.ts";
import { networkOf, sameId } from "./names.ts";
import { foundFaults, regionFaults, subscriptionFaults } from "./subnetFaults.ts";

/**
 * A virtual network that is there, as a cluster's. It is only read: its subnets' ids arrive when they were looked at, in
 * previews too, and what Azure would refuse of them later is refused then.
 * @param region the cluster's.
 * @throws pulumi.ResourceError in the outputs, naming every subnet that cannot work.
 */
export function existingNetwork(
  component: pulumi.ComponentResource,
  name: string,
  subnets: SubnetArgs,
  region: pulumi.Output<string>,
  cluster: Cluster,
): ClusterNetwork {
  const opts = { parent: component };
  const vnetId = networkOf(subnets.nodes);
  const [, , , , resourceGroupName = "", , , , virtualNetworkName = ""] = vnetId.split("/");
  const found = getClientConfigOutput(opts).apply(({ subscriptionId }) => {
    refuse(component, name, subscriptionFaults(subnets, subscriptionId));
    return getVirtualNetwork({ resourceGroupName, virtualNetworkName }, opts);
  });
  const isThere = found.apply((network) => {
    refuse(component, name, foundFaults(network, subnets, cluster));
    return true;
  });
  const isHere = pulumi.all([found, region]).apply(([network, location]) => {
    refuse(component, name, regionFaults(network, subnets, location));
    return true;
  });
  const checked = (id: string) => pulumi.all([isThere, isHere]).apply(() => id);
  const { runnerNetworkId } = cluster;
  const isElsewhere = runnerNetworkId !== undefined && !sameId(runnerNetworkId, vnetId);
  const id = checked(vnetId);
  return {
    vnetId: id,
    nodesSubnetId: checked(subnets.nodes),
    apiServerSubnetId: checked(subnets.apiServer ?? ""),
    endpointsSubnetId: checked(subnets.endpoints ?? ""),
    forEndpoints: {
      vnetId: id,
      subnetId: checked(subnets.endpoints ?? ""),
      isThere: true,
      ...(cluster.network.zones ? { zones: { ...cluster.network.zones } } : {}),
      ...(isElsewhere ? { runnerNetworkId } : {}),
    },
  };
}
