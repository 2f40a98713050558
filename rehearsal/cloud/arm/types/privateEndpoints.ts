// Microsoft.Network: private endpoints and the private DNS that makes them found.
import {
  choice,
  fixed,
  flag,
  forgotten,
  hidden,
  list,
  number,
  object,
  or,
  readOnly,
  reference,
  required,
  type TypeDefinition,
  text,
} from "../schema.ts";
import { location, provisioningState, tags } from "./common.ts";
import { privateEndpointNetworkPolicies, privateLinkServiceNetworkPolicies, SUBNET_TYPE } from "./network.ts";

const VERSION = "2024-05-01";
const NAME = /^[a-zA-Z0-9](?:[-\w.]{0,78}\w)?$/;
const etag = readOnly(text());
const ZONE_TYPE = "Microsoft.Network/privateDnsZones";

const connection = list(
  object("PrivateLinkServiceConnection", {
    id: text(),
    name: required(text()),
    properties: required(
      object("PrivateLinkServiceConnectionProperties", {
        privateLinkServiceId: required(
          reference(["Microsoft.ContainerRegistry/registries", "Microsoft.KeyVault/vaults"]),
        ),
        groupIds: required(list(text())),
        requestMessage: text({ max: 140 }),
        privateLinkServiceConnectionState: object("PrivateLinkServiceConnectionState", {
          status: text(),
          actionsRequired: text(),
        }),
        provisioningState,
      }),
    ),
  }),
);

export const endpointTypes: readonly TypeDefinition[] = [
  {
    type: "Microsoft.Network/privateEndpoints",
    version: VERSION,
    home: "group",
    slow: true,
    name: NAME,
    body: object("PrivateEndpoint", {
      location: required(location),
      tags,
      etag,
      properties: required(
        object("PrivateEndpointProperties", {
          subnet: required(
            object("Subnet", {
              id: required(fixed(reference(SUBNET_TYPE, "Microsoft.Network/virtualNetworks/subnets/join/action"))),
              // Taken and forgotten: the subnet's own resource has them.
              properties: hidden(
                object("SubnetPropertiesFormat", { privateEndpointNetworkPolicies, privateLinkServiceNetworkPolicies }),
              ),
            }),
          ),
          privateLinkServiceConnections: or(connection, []),
          manualPrivateLinkServiceConnections: or(connection, []),
          customNetworkInterfaceName: or(text(), ""),
          customDnsConfigs: forgotten(
            list(object("CustomDnsConfigPropertiesFormat", { fqdn: text(), ipAddresses: list(text()) })),
          ),
          provisioningState,
        }),
      ),
    }),
  },
  {
    type: "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
    version: VERSION,
    home: "child",
    slow: true,
    without: ["PATCH"],
    name: NAME,
    body: object("PrivateDnsZoneGroup", {
      etag,
      properties: required(
        object("PrivateDnsZoneGroupPropertiesFormat", {
          privateDnsZoneConfigs: required(
            list(
              object("PrivateDnsZoneConfig", {
                name: required(text()),
                properties: required(
                  object("PrivateDnsZonePropertiesFormat", {
                    privateDnsZoneId: required(reference(ZONE_TYPE, "Microsoft.Network/privateDnsZones/join/action")),
                  }),
                ),
              }),
            ),
          ),
          provisioningState,
        }),
      ),
    }),
  },
  {
    type: ZONE_TYPE,
    version: "2024-06-01",
    home: "group",
    slow: true,
    name: /^(?=.{1,253}$)([a-z0-9_](?:[-a-z0-9_]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/i,
    body: object("PrivateZone", {
      location: required(location),
      tags,
      etag,
      properties: or(
        object("PrivateZoneProperties", {
          maxNumberOfRecordSets: readOnly(number()),
          numberOfRecordSets: readOnly(number()),
          numberOfVirtualNetworkLinks: readOnly(number()),
          provisioningState,
        }),
        {},
      ),
    }),
  },
  {
    type: `${ZONE_TYPE}/virtualNetworkLinks`,
    version: "2024-06-01",
    home: "child",
    slow: true,
    name: NAME,
    body: object("VirtualNetworkLink", {
      location: required(location),
      tags,
      etag,
      properties: required(
        object("VirtualNetworkLinkProperties", {
          virtualNetwork: required(
            fixed(
              object("SubResource", {
                id: required(
                  reference("Microsoft.Network/virtualNetworks", "Microsoft.Network/virtualNetworks/join/action"),
                ),
              }),
            ),
          ),
          registrationEnabled: or(flag(), false),
          resolutionPolicy: choice("Default", "NxDomainRedirect"),
          virtualNetworkLinkState: readOnly(text()),
          provisioningState,
        }),
      ),
    }),
  },
];
