// The identity of a cluster's control plane, and what it may do in resources that it did not make itself.
import { getClientConfigOutput } from "@pulumi/azure-native/authorization/getClientConfig.js";
import { getUserAssignedIdentity } from "@pulumi/azure-native/managedidentity/getUserAssignedIdentity.js";
import type * as pulumi from "@pulumi/pulumi";
import { refuse } from "../shared/faults.ts";
import { BUILT_IN, grant } from "../shared/roles.ts";
import type { Cluster } from "./aksClusterArgs.ts";
import type { ClusterParts, ControlIdentity } from "./managedCluster.ts";
import { sameId } from "./names.ts";

/**
 * An identity that is there.
 * @throws pulumi.ResourceError in the outputs where it is another subscription's.
 */
export function existingIdentity(component: pulumi.ComponentResource, name: string, id: string): ControlIdentity {
  const [, , subscription = "", , resourceGroupName = "", , , , resourceName = ""] = id.split("/");
  const opts = { parent: component };
  const found = getClientConfigOutput(opts).apply(({ subscriptionId }) => {
    if (!sameId(subscription, subscriptionId))
      refuse(component, name, [
        {
          argument: "identityId",
          value: id,
          problem: `is not of the subscription ${subscriptionId}`,
          remedy: "give an identity of the subscription that the stack is made in",
        },
      ]);
    return getUserAssignedIdentity({ resourceGroupName, resourceName }, opts);
  });
  return { id: found.apply(() => id), principalId: found.principalId };
}

/**
 * Gives a control plane its roles; one that was there before has those on what is somebody else's.
 * @returns the assignments, which a cluster is made after.
 */
export function controlRoles(
  name: string,
  wanted: Cluster,
  { control, kubelet, network, zone }: Pick<ClusterParts, "control" | "kubelet" | "network" | "zone">,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  const principal = { principalId: control.principalId, principalType: "ServicePrincipal" } as const;
  const { subnets, zones } = wanted.network;
  const has = wanted.identityId !== undefined;
  // On a network of somebody else's no more than AKS asks for: the subnets, and with a zone of one's own the network, which
  // AKS links to it (https://github.com/Azure/AKS/issues/2711).
  const joined: Record<string, pulumi.Input<string>> = subnets === undefined || zone !== undefined
    ? { network: network.vnetId }
    : {
        "network-nodes": network.nodesSubnetId,
        ...(wanted.private && { "network-api-server": network.apiServerSubnetId }),
      };
  const roles = [
    ...(has && subnets !== undefined
      ? []
      : Object.entries(joined).map(([what, scope]) => ({ what, role: BUILT_IN.networkContributor, scope }))),
    ...(zone === undefined || (has && zones?.apiServer !== "own")
      ? []
      : [{ what: "zone", role: BUILT_IN.privateDnsZoneContributor, scope: zone.id }]),
    { what: "kubelet", role: BUILT_IN.managedIdentityOperator, scope: kubelet.id },
  ];
  return roles.map(({ what, role, scope }) => grant(`${name}-${what}`, { ...principal, role, scope }, opts));
}
