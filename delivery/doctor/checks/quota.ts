import { check, type Finding, stops, warns } from "../check.ts";
import { groupOf, resourcesOf } from "../group.ts";
import { type Pool, poolsOf, type Size, sizesOf } from "../pools.ts";

/** https://learn.microsoft.com/rest/api/compute/usage/list */
interface Usage {
  readonly name: { readonly value: string; readonly localizedValue?: string };
  readonly currentValue: number;
  readonly limit: number;
}

/** The quotas of all processors of a region: those that stay, and those that may be taken away, which have no other one. */
const ALL = "cores";
const SPOT = "lowPriorityCores";

export const quota = check({
  name: "quota",
  about:
    "whether the processors that the pools begin with, and may grow to, fit the subscription's quota in the region",
  needs: ["azure", "plan", "settings"],
  find: async ({ azure, plan, settings }) => {
    const { location } = settings;
    const pools = poolsOf(plan);
    if (pools.length === 0) return [];
    const path = `${azure.root}/providers/Microsoft.Compute/locations/${location}/usages`;
    const usages = await azure.list<Usage>(path, "2024-07-01");
    const sizes = await sizesOf(azure, location);
    const group = await groupOf(azure, settings);
    // What a cluster that is there has is used by now, and it may be these very nodes.
    const clusters = group && (await resourcesOf(azure, group, ["Microsoft.ContainerService/managedClusters"]));
    return quotas(pools, sizes).flatMap((wanted) => look(wanted, usages, location, Boolean(clusters?.length)));
  },
});

/** What pools want of one quota. */
interface Wanted {
  readonly family: string;
  readonly pools: readonly string[];
  readonly least: number;
  readonly most: number;
}

function quotas(pools: readonly Pool[], sizes: ReadonlyMap<string, Size>): Wanted[] {
  const wanted = new Map<string, Wanted>();
  for (const { name, vmSize, minCount, maxCount, surge, isSpot } of pools) {
    const size = sizes.get(vmSize.toLowerCase());
    // What is not sold here is another check's to say.
    if (size === undefined) continue;
    for (const family of isSpot ? [SPOT] : [size.family, ALL]) {
      const before = wanted.get(family) ?? { family, pools: [], least: 0, most: 0 };
      wanted.set(family, {
        family,
        pools: [...before.pools, name],
        least: before.least + minCount * size.vCPUs,
        most: before.most + (maxCount + surge) * size.vCPUs,
      });
    }
  }
  return [...wanted.values()];
}

function look(
  { family, pools, least, most }: Wanted,
  usages: readonly Usage[],
  location: string,
  isThere: boolean,
): Finding[] {
  const usage = usages.find(({ name }) => name.value.toLowerCase() === family.toLowerCase());
  if (usage === undefined) return [];
  const { currentValue, limit, name } = usage;
  const key = `the quota ${name.localizedValue ?? family} in ${location}`;
  const value = `${currentValue} of ${limit} used`;
  const isOne = pools.length === 1;
  const of = `the ${isOne ? "pool" : "pools"} ${pools.join(", ")}`;
  const remedy = `ask for a larger one (portal, Quotas, or \`az quota update\`), or give ${of} another vmSize or fewer nodes`;
  const free = isThere ? limit : limit - currentValue;
  if (!isThere && least > free)
    return [
      stops({
        key,
        value,
        problem: `has ${free} processors left, and ${of} ${isOne ? "begins" : "begin"} with ${least}`,
        remedy,
      }),
    ];
  if (most <= free) return [];
  const problem = `has not the ${most} processors that ${of} may grow to, with the nodes that an upgrade adds`;
  return [warns({ key, value, problem, remedy })];
}
