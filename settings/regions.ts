// From https://learn.microsoft.com/azure/reliability/regions-list
const REGIONS_WITHOUT_ZONES = new Set(
  (
    "australiacentral australiacentral2 australiasoutheast brazilsoutheast canadaeast francesouth germanynorth " +
    "jioindiacentral jioindiawest koreasouth northcentralus norwaywest southafricawest southindia switzerlandwest " +
    "uaecentral ukwest westcentralus westindia westus"
  ).split(" "),
);

// From https://learn.microsoft.com/azure/nat-gateway/nat-sku
const REGIONS_WITHOUT_ZONE_REDUNDANT_EGRESS = new Set(
  "canadaeast indonesiacentral israelnorthwest qatarcentral swedensouth westindia".split(" "),
);

/** Whether a region has NAT gateways that work as long as one of its zones does, as far as known. */
export function hasZoneRedundantEgress(location: string): boolean {
  return hasZones(location) && !REGIONS_WITHOUT_ZONE_REDUNDANT_EGRESS.has(location);
}

/** Whether a region has availability zones, as far as known. */
export function hasZones(location: string): boolean {
  return !REGIONS_WITHOUT_ZONES.has(location);
}
