// The least body with which a resource of a type can be made, for what stood before a recording began.
import { GROUP_TYPE, type ResourceId } from "../../../../rehearsal/cloud/arm/ids.ts";

let subnets = 0;

const bodies: Readonly<Record<string, (location: string, name: string) => object>> = {
  [GROUP_TYPE]: (location) => ({ location }),
  "Microsoft.ManagedIdentity/userAssignedIdentities": (location) => ({ location }),
  "Microsoft.Network/virtualNetworks": (location) => ({
    location,
    properties: { addressSpace: { addressPrefixes: ["10.0.0.0/8"] } },
  }),
  "Microsoft.Network/virtualNetworks/subnets": () => ({
    properties: { addressPrefix: `10.${++subnets % 200}.0.0/16` },
  }),
  "Microsoft.Network/publicIPAddresses": (location) => ({
    location,
    sku: { name: "Standard" },
    properties: { publicIPAllocationMethod: "Static" },
  }),
  "Microsoft.Network/natGateways": (location) => ({ location, sku: { name: "Standard" }, properties: {} }),
  "Microsoft.Network/networkSecurityGroups": (location) => ({ location }),
  "Microsoft.Network/routeTables": (location) => ({ location }),
  "Microsoft.Network/privateDnsZones": () => ({ location: "global" }),
  "Microsoft.OperationalInsights/workspaces": (location) => ({ location }),
  "Microsoft.ContainerRegistry/registries": (location) => ({ location, sku: { name: "Premium" } }),
  "Microsoft.KeyVault/vaults": (location) => ({
    location,
    properties: {
      tenantId: "00000000-0000-0000-0000-000000000002",
      sku: { family: "A", name: "standard" },
      enableRbacAuthorization: true,
    },
  }),
  "Microsoft.ContainerService/managedClusters": (location, name) => ({
    location,
    identity: { type: "SystemAssigned" },
    properties: {
      dnsPrefix: name,
      agentPoolProfiles: [{ name: "system", mode: "System", count: 2, vmSize: "Standard_D4ds_v5" }],
    },
  }),
};

const byType = new Map(Object.entries(bodies).map(([type, body]) => [type.toLowerCase(), body]));

/** The body of a PUT; undefined where the type is not among those. */
export const foundation = ({ type, name }: ResourceId, location: string): object | undefined =>
  byType.get(type.toLowerCase())?.(location, name);
