// What Microsoft.Compute tells of a region: the sizes that it sells to the subscription, and how many processors are used.
// https://learn.microsoft.com/rest/api/compute/resource-skus/list, https://learn.microsoft.com/rest/api/compute/usage/list
import type { CloudRequest } from "../types.ts";
import type { ComputeLimits, World } from "./behaviour.ts";
import { armError } from "./errors.ts";
import { hasZones, regions } from "./locations.ts";
import { POOL_TYPE } from "./rules/agentPool.ts";
import { part } from "./validate.ts";

/** Series, by the letters before and after the number of processors, with the name of their quota. */
const SERIES = [
  { before: "B", after: "ms", family: "standardBSFamily", cores: [2, 4, 8] },
  { before: "D", after: "s_v5", family: "standardDSv5Family", cores: [2, 4, 8, 16, 32] },
  { before: "D", after: "ds_v5", family: "standardDDSv5Family", cores: [2, 4, 8, 16, 32] },
  { before: "E", after: "ds_v5", family: "standardEDSv5Family", cores: [2, 4, 8, 16, 32] },
  { before: "D", after: "ds_v6", family: "standardDDSv6Family", cores: [2, 4, 8, 16, 32] },
] as const;

const SIZES = SERIES.flatMap(({ before, after, family, cores }) =>
  cores.map((vCPUs) => ({ name: `Standard_${before}${vCPUs}${after}`, family, vCPUs })),
);

/** The quota of all processors of a region. */
const ALL = "cores";
/** The one of those that Azure may take away, which count to no other. */
const SPOT = "lowPriorityCores";

function checkKnown(location: string): void {
  if (regions.includes(location.toLowerCase())) return;
  throw armError(
    400,
    "NoRegisteredProviderFound",
    `No registered resource provider found for location '${location}' and API version '2024-07-01' for type 'locations/usages'.`,
  );
}

/** GET .../providers/Microsoft.Compute/skus, of one region. */
export function skus({ restricted = {} }: ComputeLimits, { url }: CloudRequest): object {
  const filter = url.searchParams.get("$filter") ?? "";
  const [, location] = /^location eq '([a-z0-9]+)'$/i.exec(filter) ?? [];
  // The whole world's list is some hundred megabytes.
  if (location === undefined)
    throw armError(400, "InvalidParameter", `The filter '${filter}' is not supported: give location eq '<region>'.`);
  const region = location.toLowerCase();
  if (!regions.includes(region)) return { value: [] };
  const zones = hasZones(region) ? ["1", "2", "3"] : [];
  return {
    value: SIZES.map(({ name, family, vCPUs }) => {
      const limit = restricted[name];
      const isAll = limit === "all";
      return {
        resourceType: "virtualMachines",
        ...{ name, tier: "Standard", size: name.replace("Standard_", ""), family },
        locations: [region],
        locationInfo: [{ location: region, zones, zoneDetails: [] }],
        capabilities: [{ name: "vCPUs", value: String(vCPUs) }],
        restrictions:
          limit === undefined
            ? []
            : [
                {
                  type: isAll ? "Location" : "Zone",
                  values: [region],
                  restrictionInfo: { locations: [region], ...(isAll ? {} : { zones: limit }) },
                  reasonCode: "NotAvailableForSubscription",
                },
              ],
      };
    }),
  };
}

/** GET .../providers/Microsoft.Compute/locations/LOCATION/usages. */
export function usages(world: World, { quotas = {}, used = {} }: ComputeLimits, location: string): object {
  checkKnown(location);
  const own = (family: string) =>
    world.store
      .list(POOL_TYPE)
      .map((pool) => part(pool, "properties"))
      .filter(({ scaleSetPriority }) => (scaleSetPriority === "Spot") === (family === SPOT))
      .map(({ vmSize, count }) => ({ count, size: SIZES.find(({ name }) => name === vmSize) }))
      .filter(({ size }) => size !== undefined && ([ALL, SPOT].includes(family) || size.family === family))
      .reduce((sum, { count, size }) => sum + Number(count) * (size?.vCPUs ?? 0), 0);
  const usage = (value: string, localizedValue: string, limit: number) => ({
    unit: "Count",
    currentValue: own(value) + (used[value] ?? 0),
    limit: quotas[value] ?? limit,
    name: { value, localizedValue },
  });
  const families = [...new Set(SIZES.map(({ family }) => family))];
  return {
    value: [
      usage(ALL, "Total Regional vCPUs", 1000),
      usage(SPOT, "Total Regional Low-priority vCPUs", 100),
      ...families.map((family) =>
        usage(family, `${family.replace(/^standard(.*)Family$/, "Standard $1 Family")} vCPUs`, 350),
      ),
    ],
  };
}
