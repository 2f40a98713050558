// What a production cluster stands on, as bodies of requests.
import { type Cloud, GROUP, id, LOCATION, TENANT_ID } from "./cloud.ts";

export const vnet = id("Microsoft.Network/virtualNetworks", "vnet");
export const NODES = `${vnet}/subnets/nodes`;
export const cluster = id("Microsoft.ContainerService/managedClusters", "prod");
export const gateway = id("Microsoft.Network/natGateways", "nat");
export const address = id("Microsoft.Network/publicIPAddresses", "out");
export const workspace = id("Microsoft.OperationalInsights/workspaces", "logs");
export const identity = (name: string) => id("Microsoft.ManagedIdentity/userAssignedIdentities", name);
export const assignment = (scope: string, n: number) =>
  `${scope}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;
export const role = (guid: string) =>
  `${GROUP.split("/resourceGroups")[0]}/providers/Microsoft.Authorization/roleDefinitions/${guid}`;

export const NETWORK_CONTRIBUTOR = "4d97b98b-1d4f-4787-a291-c67834d212e7";
export const IDENTITY_OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830";

/** A network with subnets for nodes, the API server and endpoints, and a NAT gateway. */
export async function network(cloud: Cloud): Promise<void> {
  await cloud.make(address, {
    location: LOCATION,
    sku: { name: "Standard" },
    properties: { publicIPAllocationMethod: "Static" },
  });
  await cloud.make(gateway, {
    location: LOCATION,
    sku: { name: "Standard" },
    properties: { publicIpAddresses: [{ id: address }] },
  });
  await cloud.make(vnet, {
    location: LOCATION,
    properties: {
      addressSpace: { addressPrefixes: ["10.60.0.0/16"] },
      subnets: [
        { name: "nodes", properties: { addressPrefix: "10.60.0.0/20", natGateway: { id: gateway } } },
        {
          name: "api",
          properties: {
            addressPrefix: "10.60.16.0/28",
            delegations: [{ name: "aks", properties: { serviceName: "Microsoft.ContainerService/managedClusters" } }],
          },
        },
        { name: "endpoints", properties: { addressPrefix: "10.60.17.0/24" } },
      ],
    },
  });
}

/** Two identities with the rights that a cluster needs. */
export async function identities(cloud: Cloud): Promise<void> {
  const control = await cloud.make(identity("control"), { location: LOCATION });
  await cloud.make(identity("kubelet"), { location: LOCATION });
  const { principalId } = control.properties;
  const principalType = "ServicePrincipal";
  await cloud.make(assignment(vnet, 1), {
    properties: { principalId, principalType, roleDefinitionId: role(NETWORK_CONTRIBUTOR) },
  });
  await cloud.make(assignment(identity("kubelet"), 2), {
    properties: { principalId, principalType, roleDefinitionId: role(IDENTITY_OPERATOR) },
  });
}

export const systemPool = {
  name: "system",
  mode: "System",
  vmSize: "Standard_D4ds_v5",
  osSKU: "AzureLinux",
  vnetSubnetID: NODES,
  availabilityZones: ["1", "2", "3"],
  enableAutoScaling: true,
  minCount: 3,
  maxCount: 5,
  nodeTaints: ["CriticalAddonsOnly=true:NoSchedule"],
};

/** The properties of a private production cluster. */
export const clusterProperties = {
  dnsPrefix: "prod",
  enableRBAC: true,
  disableLocalAccounts: true,
  aadProfile: { managed: true, enableAzureRBAC: true, adminGroupObjectIDs: [] },
  oidcIssuerProfile: { enabled: true },
  securityProfile: { workloadIdentity: { enabled: true }, imageCleaner: { enabled: true, intervalHours: 168 } },
  addonProfiles: { azurepolicy: { enabled: true } },
  metricsProfile: { costAnalysis: { enabled: true } },
  autoUpgradeProfile: { upgradeChannel: "stable", nodeOSUpgradeChannel: "NodeImage" },
  identityProfile: { kubeletidentity: { resourceId: identity("kubelet") } },
  networkProfile: {
    networkPlugin: "azure",
    networkPluginMode: "overlay",
    networkDataplane: "cilium",
    outboundType: "userAssignedNATGateway",
  },
  apiServerAccessProfile: {
    enablePrivateCluster: true,
    enablePrivateClusterPublicFQDN: false,
    privateDNSZone: "system",
    enableVnetIntegration: true,
    subnetId: `${vnet}/subnets/api`,
    disableRunCommand: true,
  },
  agentPoolProfiles: [systemPool],
};

/** The body of a cluster's PUT with some properties changed. */
export const clusterBody = (changes: object = {}, outer: object = {}) => ({
  location: LOCATION,
  sku: { name: "Base", tier: "Standard" },
  identity: { type: "UserAssigned", userAssignedIdentities: { [identity("control")]: {} } },
  ...outer,
  properties: { ...clusterProperties, ...changes },
});

export const vault = (name: string) => id("Microsoft.KeyVault/vaults", name);
export const vaultBody = (changes: object = {}) => ({
  location: LOCATION,
  properties: {
    tenantId: TENANT_ID,
    sku: { family: "A", name: "standard" },
    enableRbacAuthorization: true,
    ...changes,
  },
});
export const registry = (name: string) => id("Microsoft.ContainerRegistry/registries", name);
export const registryBody = (sku: string, properties: object = {}) => ({
  location: LOCATION,
  sku: { name: sku },
  properties,
});
