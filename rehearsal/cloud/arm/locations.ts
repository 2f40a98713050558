// Azure's regions as far as a stack may name them.
import type { ArmResource } from "../types.ts";
import { armError } from "./errors.ts";
import { GROUP_TYPE, type ResourceId, same } from "./ids.ts";
import type { Body } from "./validate.ts";

/** Regions with availability zones. */
const zoned =
  "australiaeast austriaeast belgiumcentral brazilsouth canadacentral centralindia centralus chilecentral eastasia eastus eastus2 francecentral germanywestcentral indonesiacentral israelcentral italynorth japaneast japanwest koreacentral malaysiawest mexicocentral newzealandnorth northeurope norwayeast polandcentral qatarcentral southafricanorth southcentralus southeastasia spaincentral swedencentral switzerlandnorth uaenorth uksouth westeurope westus2 westus3".split(
    " ",
  );
const unzoned =
  "australiacentral australiasoutheast canadaeast northcentralus southindia ukwest westcentralus westindia westus".split(
    " ",
  );

/** Where the API server's clusters and everything else of a group can be. */
export const regions: readonly string[] = [...zoned, ...unzoned];

/** Whether the region has availability zones. */
export const hasZones = (location: string): boolean => zoned.includes(location);

/** Types that are not in any region. */
const worldwide = [
  "Microsoft.Insights/actionGroups",
  "Microsoft.Network/privateDnsZones",
  "Microsoft.Network/privateDnsZones/virtualNetworkLinks",
];

/** Writes a display name ("West Europe") as the region's name ("westeurope"), as ARM does. */
export function normalLocation(body: Body): void {
  if (typeof body.location === "string") body.location = body.location.toLowerCase().replaceAll(" ", "");
}

/** @throws ServiceError for a region that is not known or not where the resource is. */
export function checkLocation(type: string, id: ResourceId, location: string, old: ArmResource | undefined): void {
  const known = worldwide.some((one) => same(one, type)) ? ["global"] : regions;
  if (!known.includes(location))
    throw armError(
      400,
      "LocationNotAvailableForResourceType",
      `The provided location '${location}' is not available for resource type '${type}'. List of available regions for the resource type is '${known.join(",")}'.`,
    );
  if (old?.location === undefined || same(old.location, location)) return;
  if (type === GROUP_TYPE)
    throw armError(
      409,
      "InvalidResourceGroupLocation",
      `Invalid resource group location '${location}'. The Resource group already exists in location '${old.location}'.`,
    );
  throw armError(
    409,
    "InvalidResourceLocation",
    `The resource '${id.name}' already exists in location '${old.location}' in resource group '${id.group}'. A resource with the same name cannot be created in location '${location}'. Please select a new resource name.`,
  );
}
