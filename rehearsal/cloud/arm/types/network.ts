// Microsoft.Network: virtual networks and what subnets refer to.
import {
  choice,
  fixed,
  flag,
  forgotten,
  list,
  number,
  object,
  or,
  type Rule,
  readOnly,
  reference,
  required,
  type TypeDefinition,
  text,
} from "../schema.ts";
import { location, provisioningState, subResource, tags } from "./common.ts";

const VERSION = "2024-05-01";
export const SUBNET_TYPE = "Microsoft.Network/virtualNetworks/subnets";
export const PEERING_TYPE = "Microsoft.Network/virtualNetworks/virtualNetworkPeerings";
const GATEWAY_TYPE = "Microsoft.Network/natGateways";
const ADDRESS_TYPE = "Microsoft.Network/publicIPAddresses";
export const ROUTE_TABLE_TYPE = "Microsoft.Network/routeTables";
const SECURITY_GROUP_TYPE = "Microsoft.Network/networkSecurityGroups";
const etag = readOnly(text());

export const privateEndpointNetworkPolicies = choice(
  "Enabled",
  "Disabled",
  "NetworkSecurityGroupEnabled",
  "RouteTableEnabled",
);
export const privateLinkServiceNetworkPolicies = choice("Enabled", "Disabled");

const subnetProperties = object("SubnetPropertiesFormat", {
  addressPrefix: text(),
  addressPrefixes: list(text()),
  networkSecurityGroup: object("NetworkSecurityGroup", {
    id: reference(SECURITY_GROUP_TYPE, "Microsoft.Network/networkSecurityGroups/join/action"),
  }),
  natGateway: subResource(GATEWAY_TYPE, "Microsoft.Network/natGateways/join/action"),
  routeTable: object("RouteTable", { id: reference(ROUTE_TABLE_TYPE, "Microsoft.Network/routeTables/join/action") }),
  serviceEndpoints: or(
    list(
      object("ServiceEndpointPropertiesFormat", {
        service: text(),
        locations: list(text()),
        provisioningState,
      }),
    ),
    [],
  ),
  delegations: or(
    list(
      object("Delegation", {
        id: text(),
        name: text(),
        etag: forgotten(text()),
        properties: object("ServiceDelegationPropertiesFormat", {
          serviceName: text(),
          actions: forgotten(list(text())),
          provisioningState: forgotten(provisioningState),
        }),
      }),
    ),
    [],
  ),
  privateEndpointNetworkPolicies: or(privateEndpointNetworkPolicies, "Disabled"),
  privateLinkServiceNetworkPolicies: or(privateLinkServiceNetworkPolicies, "Enabled"),
  defaultOutboundAccess: flag(),
  serviceAssociationLinks: forgotten(list(object("ServiceAssociationLink", { name: text() }))),
  resourceNavigationLinks: forgotten(list(object("ResourceNavigationLink", { name: text() }))),
  provisioningState: forgotten(provisioningState),
});

const addressSpace = object("AddressSpace", { addressPrefixes: list(text()) });

/** @param own makes a property one that only the service sets. */
const peeringProperties = (own: <R extends Rule>(rule: R) => R) =>
  object("VirtualNetworkPeeringPropertiesFormat", {
    remoteVirtualNetwork: required(
      object("SubResource", {
        id: required(reference("Microsoft.Network/virtualNetworks", "Microsoft.Network/virtualNetworks/peer/action")),
      }),
    ),
    allowVirtualNetworkAccess: or(flag(), true),
    allowForwardedTraffic: or(flag(), false),
    allowGatewayTransit: or(flag(), false),
    useRemoteGateways: or(flag(), false),
    doNotVerifyRemoteGateways: or(flag(), false),
    peerCompleteVnets: or(flag(), true),
    remoteAddressSpace: addressSpace,
    remoteVirtualNetworkAddressSpace: addressSpace,
    peeringState: choice("Initiated", "Connected", "Disconnected"),
    peeringSyncLevel: choice("FullyInSync", "RemoteNotInSync", "LocalNotInSync", "LocalAndRemoteNotInSync"),
    resourceGuid: own(text()),
    provisioningState: own(text()),
  });

const routeProperties = object("RoutePropertiesFormat", {
  addressPrefix: text(),
  nextHopType: required(choice("VirtualNetworkGateway", "VnetLocal", "Internet", "VirtualAppliance", "None")),
  nextHopIpAddress: text(),
  hasBgpOverride: readOnly(flag()),
  provisioningState,
});

const ruleProperties = object("SecurityRulePropertiesFormat", {
  protocol: required(choice("Tcp", "Udp", "Icmp", "Esp", "*", "Ah")),
  sourcePortRange: text(),
  sourcePortRanges: or(list(text()), []),
  destinationPortRange: text(),
  destinationPortRanges: or(list(text()), []),
  sourceAddressPrefix: text(),
  sourceAddressPrefixes: or(list(text()), []),
  destinationAddressPrefix: text(),
  destinationAddressPrefixes: or(list(text()), []),
  access: required(choice("Allow", "Deny")),
  priority: required(number(100, 4096)),
  direction: required(choice("Inbound", "Outbound")),
  provisioningState: forgotten(provisioningState),
});

const NAME = /^[a-zA-Z0-9](?:[-\w.]{0,78}\w)?$/;

export const networkTypes: readonly TypeDefinition[] = [
  {
    type: "Microsoft.Network/virtualNetworks",
    version: VERSION,
    home: "group",
    slow: true,
    name: NAME,
    body: object("VirtualNetwork", {
      location: required(location),
      tags,
      etag,
      properties: required(
        object("VirtualNetworkPropertiesFormat", {
          addressSpace: required(addressSpace),
          dhcpOptions: object("DhcpOptions", { dnsServers: list(text()) }),
          flowTimeoutInMinutes: number(4, 30),
          subnets: list(
            object("Subnet", {
              id: text(),
              name: required(text({ min: 1, max: 80 })),
              etag: forgotten(text()),
              properties: subnetProperties,
            }),
          ),
          enableDdosProtection: or(flag(), false),
          enableVmProtection: or(flag(), false),
          encryption: object("VirtualNetworkEncryption", {
            enabled: required(flag()),
            enforcement: or(choice("DropUnencrypted", "AllowUnencrypted"), "AllowUnencrypted"),
          }),
          privateEndpointVNetPolicies: or(choice("Disabled", "Basic"), "Disabled"),
          resourceGuid: readOnly(text()),
          virtualNetworkPeerings: list(
            object("VirtualNetworkPeering", {
              id: text(),
              name: required(text({ min: 1, max: 80 })),
              etag: forgotten(text()),
              type: forgotten(text()),
              properties: peeringProperties(forgotten),
            }),
          ),
          provisioningState,
        }),
      ),
    }),
  },
  {
    type: SUBNET_TYPE,
    version: VERSION,
    home: "child",
    slow: true,
    without: ["PATCH"],
    name: NAME,
    body: object("Subnet", { etag, properties: required(subnetProperties) }),
  },
  {
    type: PEERING_TYPE,
    version: VERSION,
    home: "child",
    slow: true,
    without: ["PATCH"],
    name: NAME,
    body: object("VirtualNetworkPeering", {
      name: text(),
      etag,
      properties: required(peeringProperties(readOnly)),
    }),
  },
  {
    type: GATEWAY_TYPE,
    version: VERSION,
    home: "group",
    slow: true,
    name: NAME,
    body: object("NatGateway", {
      location: required(location),
      tags,
      etag,
      sku: required(object("NatGatewaySku", { name: required(fixed(choice("Standard", "StandardV2"))) })),
      zones: fixed(list(text())),
      properties: or(
        object("NatGatewayPropertiesFormat", {
          idleTimeoutInMinutes: or(number(4, 120), 4),
          publicIpAddresses: list(subResource(ADDRESS_TYPE, "Microsoft.Network/publicIPAddresses/join/action")),
          resourceGuid: readOnly(text()),
          subnets: readOnly(list(subResource(SUBNET_TYPE))),
          provisioningState,
        }),
        {},
      ),
    }),
  },
  {
    type: ADDRESS_TYPE,
    version: VERSION,
    home: "group",
    slow: true,
    name: NAME,
    body: object("PublicIPAddress", {
      location: required(location),
      tags,
      etag,
      sku: or(
        object("PublicIPAddressSku", {
          name: fixed(or(choice("Basic", "Standard", "StandardV2"), "Standard")),
          tier: or(choice("Regional", "Global"), "Regional"),
        }),
        {},
      ),
      zones: fixed(list(text())),
      properties: or(
        object("PublicIPAddressPropertiesFormat", {
          publicIPAllocationMethod: or(choice("Static", "Dynamic"), "Dynamic"),
          publicIPAddressVersion: fixed(or(choice("IPv4", "IPv6"), "IPv4")),
          idleTimeoutInMinutes: or(number(4, 30), 4),
          ipTags: or(list(object("IpTag", { ipTagType: text(), tag: text() })), []),
          ddosSettings: or(
            object("DdosSettings", {
              protectionMode: or(choice("VirtualNetworkInherited", "Enabled", "Disabled"), "VirtualNetworkInherited"),
            }),
            {},
          ),
          deleteOption: choice("Delete", "Detach"),
          natGateway: forgotten(subResource(GATEWAY_TYPE)),
          resourceGuid: readOnly(text()),
          provisioningState,
        }),
        {},
      ),
    }),
  },
  {
    type: ROUTE_TABLE_TYPE,
    version: VERSION,
    home: "group",
    slow: true,
    name: NAME,
    body: object("RouteTable", {
      location: required(location),
      tags,
      etag,
      properties: or(
        object("RouteTablePropertiesFormat", {
          disableBgpRoutePropagation: or(flag(), false),
          routes: or(list(object("Route", { id: text(), name: text(), properties: routeProperties })), []),
          resourceGuid: readOnly(text()),
          subnets: readOnly(list(subResource(SUBNET_TYPE))),
          provisioningState,
        }),
        {},
      ),
    }),
  },
  {
    type: SECURITY_GROUP_TYPE,
    version: VERSION,
    home: "group",
    slow: true,
    name: NAME,
    body: object("NetworkSecurityGroup", {
      location: required(location),
      tags,
      etag,
      properties: or(
        object("NetworkSecurityGroupPropertiesFormat", {
          flushConnection: flag(),
          securityRules: or(
            list(
              object("SecurityRule", { id: text(), name: text(), etag: forgotten(text()), properties: ruleProperties }),
            ),
            [],
          ),
          resourceGuid: readOnly(text()),
          provisioningState,
        }),
        {},
      ),
    }),
  },
];
