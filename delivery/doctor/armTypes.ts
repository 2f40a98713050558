// What Azure calls the resources of a plan.

import { armTypeOf } from "../../recovery/armIds.ts";
import type { Plan } from "./program.ts";

/** Of this project's own resources, those that are Azure's, with the types that they write. */
const OWN: Readonly<Record<string, readonly string[]>> = {
  "gitops:index:AgentPool": ["Microsoft.ContainerService/managedClusters/agentPools"],
  "gitops:index:ManagedCluster": ["Microsoft.ContainerService/managedClusters"],
  "gitops:index:NatGateway": ["Microsoft.Network/natGateways", "Microsoft.Network/publicIPAddresses"],
  "gitops:index:NetworkPeering": ["Microsoft.Network/virtualNetworks/virtualNetworkPeerings"],
  "gitops:index:VaultKey": ["Microsoft.KeyVault/vaults/keys"],
  "gitops:index:ZoneLink": ["Microsoft.Network/privateDnsZones/virtualNetworkLinks"],
};

/** Namespaces that a type uses beside its own. https://learn.microsoft.com/azure/aks/use-azure-policy for the second */
const WITH: Readonly<Record<string, readonly string[]>> = {
  "Microsoft.ContainerService/managedClusters": ["Microsoft.Compute", "Microsoft.PolicyInsights"],
};

/** The types of Azure that a plan writes, each once. */
export function armTypes({ resources }: Plan): string[] {
  return [...new Set(resources.flatMap(({ type }) => OWN[type] ?? armTypeOf(type) ?? []))].sort();
}

/** The namespaces of resource providers that some types need. */
export function namespacesOf(types: readonly string[]): string[] {
  return [...new Set(types.flatMap((type) => [type.split("/")[0] ?? "", ...(WITH[type] ?? [])]))].sort();
}
