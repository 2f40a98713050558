// The least body with which a resource of a type can be made, for what stood before a recording began.
import { GROUP_TYPE, type ResourceId } from "../../../../rehearsal/cloud/arm/ids.ts";

let subnets = 0;
/** Networks of each resource group, so that those of one group share no address and can be peered. */
const networks = new Map<string, string[]>();

/** The first two numbers of a network's addresses, and how long its prefix is. */
function spaceOf(network: string): { start: string; prefix: number } {
  const [group = ""] = network.toLowerCase().split("/providers/");
  const known = networks.get(group) ?? [];
  networks.set(group, known);
  if (!known.includes(network.toLowerCase())) known.push(network.toLowerCase());
  const index = known.indexOf(network.toLowerCase());
  return index === 0 ? { start: "10.0", prefix: 8 } : { start: `172.${15 + index}`, prefix: 16 };
}

const bodies: Readonly<Record<string, (location: string, id: ResourceId) => object>> = {
  [GROUP_TYPE]: (location) => ({ location }),
  "Microsoft.ManagedIdentity/userAssignedIdentities": (location) => ({ location }),
  "Microsoft.Network/virtualNetworks": (location, { id }) => {
    const { start, prefix } = spaceOf(id);
    return { location, properties: { addressSpace: { addressPrefixes: [`${start}.0.0/${prefix}`] } } };
  },
  "Microsoft.Network/virtualNetworks/subnets": (_location, { parent = "" }) => {
    const number = ++subnets % 200;
    const { start } = spaceOf(parent);
    return { properties: { addressPrefix: start === "10.0" ? `10.${number}.0.0/16` : `${start}.${number}.0/24` } };
  },
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
      softDeleteRetentionInDays: 7,
    },
  }),
  "Microsoft.ContainerService/managedClusters": (location, { name }) => ({
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
export const foundation = (id: ResourceId, location: string): object | undefined =>
  byType.get(id.type.toLowerCase())?.(location, id);
