// From https://learn.microsoft.com/azure/reliability/regions-list
const REGIONS_WITHOUT_ZONES = new Set(
  (
    "australiacentral australiacentral2 australiasoutheast brazilsoutheast canadaeast francesouth germanynorth " +
    "jioindiacentral jioindiawest koreasouth northcentralus norwaywest southafricawest southindia switzerlandwest " +
    "uaecentral ukwest westcentralus westindia westus"
  ).split(" "),
);

/** Whether a region has availability zones, as far as known. */
export function hasZones(location: string): boolean {
  return !REGIONS_WITHOUT_ZONES.has(location);
}
