import type { ArmType } from "../armType.ts";

const ZONE =
  "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.Network/privateDnsZones/{privateZoneName}";
const RESOURCE = ["id", "name", "type", "location", "tags", "etag", "systemData"];

/** Private DNS; Microsoft.Network with versions of its own. */
export const privateDns: readonly ArmType[] = [
  {
    token: "azure-native:privatedns:PrivateZone",
    path: ZONE,
    apiVersion: "2024-06-01",
    inputs: ["location", "tags"],
    shape: { beside: RESOURCE },
  },
  {
    token: "azure-native:privatedns:VirtualNetworkLink",
    path: `${ZONE}/virtualNetworkLinks/{virtualNetworkLinkName}`,
    apiVersion: "2024-06-01",
    inputs: ["location", "registrationEnabled", "resolutionPolicy", "tags", "virtualNetwork"],
    shape: { beside: RESOURCE },
  },
];
