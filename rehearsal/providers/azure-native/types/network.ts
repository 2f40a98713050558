import type { ArmType, Shape } from "../armType.ts";

const GROUP = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network";
const API = "2024-05-01";

/** What every resource of Microsoft.Network has beside its `properties`. */
const RESOURCE = ["id", "name", "type", "location", "tags", "etag", "zones", "sku", "kind", "extendedLocation"];
const PART: Shape = { beside: ["id", "name", "type", "etag"] };
const RULES: Shape = { beside: RESOURCE, nested: { securityRules: PART } };
const SUBNET: Shape = {
  ...PART,
  nested: {
    delegations: PART,
    networkSecurityGroup: RULES,
    routeTable: { beside: RESOURCE, nested: { routes: PART } },
    serviceEndpointPolicies: { beside: RESOURCE, nested: { serviceEndpointPolicyDefinitions: PART } },
    applicationGatewayIPConfigurations: PART,
  },
};

/**
 * What ARM adds to a subnet, by its path from the resource. The SDK's types are merged of several API versions, so what
 * only the service sets in this one, such as `etag`, is an input all the same: a refresh takes it for one
 * (https://github.com/pulumi/pulumi-azure-native/issues/4722).
 */
function subnetComputed(prefix: string): string[] {
  const names = ["ipConfigurationProfiles", "ipConfigurations", "privateEndpoints", "purpose"];
  return [...names, "delegations[].provisioningState"].map((name) => prefix + name);
}

const parts = (list: string, names: readonly string[]) => names.map((name) => `${list}[].${name}`);

/** Microsoft.Network but for private DNS. */
export const network: readonly ArmType[] = [
  {
    token: "azure-native:network:VirtualNetwork",
    path: `${GROUP}/virtualNetworks/{virtualNetworkName}`,
    apiVersion: API,
    inputs: [
      "addressSpace",
      "bgpCommunities",
      "ddosProtectionPlan",
      "dhcpOptions",
      "enableDdosProtection",
      "enableVmProtection",
      "encryption",
      "extendedLocation",
      "flowTimeoutInMinutes",
      "id",
      "ipAllocations",
      "location",
      "privateEndpointVNetPolicies",
      "subnets",
      "tags",
      "virtualNetworkPeerings",
    ],
    shape: { beside: RESOURCE, nested: { subnets: SUBNET, virtualNetworkPeerings: PART } },
    computed: [
      "subnets[].id",
      ...subnetComputed("subnets[]."),
      ...parts("virtualNetworkPeerings", [
        "etag",
        "provisioningState",
        "resourceGuid",
        "remoteVirtualNetworkEncryption",
      ]),
    ],
    forceNew: ["location"],
    children: [
      ["properties", "subnets"],
      ["properties", "virtualNetworkPeerings"],
    ],
  },
  {
    token: "azure-native:network:Subnet",
    path: `${GROUP}/virtualNetworks/{virtualNetworkName}/subnets/{subnetName}`,
    apiVersion: API,
    inputs: [
      "addressPrefix",
      "addressPrefixes",
      "applicationGatewayIPConfigurations",
      "defaultOutboundAccess",
      "delegations",
      "id",
      "ipAllocations",
      "ipamPoolPrefixAllocations",
      "name",
      "natGateway",
      "networkSecurityGroup",
      "privateEndpointNetworkPolicies",
      "privateLinkServiceNetworkPolicies",
      "routeTable",
      "serviceEndpointPolicies",
      "serviceEndpoints",
      "sharingScope",
      "type",
    ],
    shape: SUBNET,
    computed: parts("delegations", ["provisioningState"]),
  },
  {
    token: "azure-native:network:NatGateway",
    path: `${GROUP}/natGateways/{natGatewayName}`,
    apiVersion: API,
    inputs: ["id", "idleTimeoutInMinutes", "location", "publicIpAddresses", "publicIpPrefixes", "sku", "tags", "zones"],
    shape: { beside: RESOURCE },
  },
  {
    token: "azure-native:network:PublicIPAddress",
    path: `${GROUP}/publicIPAddresses/{publicIpAddressName}`,
    apiVersion: API,
    inputs: [
      "ddosSettings",
      "deleteOption",
      "dnsSettings",
      "extendedLocation",
      "id",
      "idleTimeoutInMinutes",
      "ipAddress",
      "ipTags",
      "linkedPublicIPAddress",
      "location",
      "migrationPhase",
      "natGateway",
      "publicIPAddressVersion",
      "publicIPAllocationMethod",
      "publicIPPrefix",
      "servicePublicIPAddress",
      "sku",
      "tags",
      "zones",
    ],
    shape: {
      beside: RESOURCE,
      nested: {
        natGateway: { beside: RESOURCE },
        linkedPublicIPAddress: { beside: RESOURCE },
        servicePublicIPAddress: { beside: RESOURCE },
      },
    },
    forceNew: ["location", "publicIPAddressVersion", "publicIPPrefix", "sku"],
  },
  {
    token: "azure-native:network:PrivateEndpoint",
    path: `${GROUP}/privateEndpoints/{privateEndpointName}`,
    apiVersion: API,
    inputs: [
      "applicationSecurityGroups",
      "customDnsConfigs",
      "customNetworkInterfaceName",
      "extendedLocation",
      "id",
      "ipConfigurations",
      "location",
      "manualPrivateLinkServiceConnections",
      "privateLinkServiceConnections",
      "subnet",
      "tags",
    ],
    shape: {
      beside: RESOURCE,
      nested: {
        applicationSecurityGroups: { beside: RESOURCE },
        ipConfigurations: PART,
        manualPrivateLinkServiceConnections: PART,
        privateLinkServiceConnections: PART,
        subnet: SUBNET,
      },
    },
    computed: [
      ...parts("privateLinkServiceConnections", ["etag", "type", "provisioningState"]),
      ...parts("manualPrivateLinkServiceConnections", ["etag", "type", "provisioningState"]),
      ...subnetComputed("subnet."),
    ],
    forceNew: ["subnet"],
  },
  {
    token: "azure-native:network:PrivateDnsZoneGroup",
    path: `${GROUP}/privateEndpoints/{privateEndpointName}/privateDnsZoneGroups/{privateDnsZoneGroupName}`,
    apiVersion: API,
    inputs: ["id", "name", "privateDnsZoneConfigs"],
    shape: { beside: RESOURCE, nested: { privateDnsZoneConfigs: { beside: ["name"] } } },
    computed: ["privateDnsZoneConfigs[].recordSets"],
  },
  {
    token: "azure-native:network:RouteTable",
    path: `${GROUP}/routeTables/{routeTableName}`,
    apiVersion: API,
    inputs: ["disableBgpRoutePropagation", "id", "location", "routes", "tags"],
    shape: { beside: RESOURCE, nested: { routes: PART } },
    computed: parts("routes", ["etag", "provisioningState", "hasBgpOverride"]),
    children: [["properties", "routes"]],
  },
  {
    token: "azure-native:network:NetworkSecurityGroup",
    path: `${GROUP}/networkSecurityGroups/{networkSecurityGroupName}`,
    apiVersion: API,
    inputs: ["flushConnection", "id", "location", "securityRules", "tags"],
    shape: RULES,
    computed: ["securityRules[].id"],
    children: [["properties", "securityRules"]],
  },
];
