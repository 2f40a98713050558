import { check, type Finding, stops } from "../check.ts";
import { type Pool, poolsOf, type Size, sizesOf } from "../pools.ts";

export const vmSizes = check({
  name: "vm-sizes",
  about: "whether the region sells each pool's VM size to the subscription, in the zones that the pool names",
  needs: ["azure", "plan", "settings"],
  find: async ({ azure, plan, settings: { location } }) => {
    const sizes = await sizesOf(azure, location);
    return poolsOf(plan).flatMap((pool) => look(pool, sizes, location));
  },
});

function look({ name, vmSize, zones }: Pool, sizes: ReadonlyMap<string, Size>, location: string): Finding[] {
  const key = `the pool ${name}`;
  const size = sizes.get(vmSize.toLowerCase());
  const others = `\`az vm list-skus --location ${location} --size ${vmSize.split("_")[1]?.[0] ?? ""} --all --output table\` lists others`;
  if (size === undefined) {
    const remedy = `write another vmSize: ${others}`;
    return [stops({ key, value: vmSize, problem: `is of a size that is not sold in ${location}`, remedy })];
  }
  if (size.restricted !== undefined) {
    const problem = `is of a size that the subscription may not have in ${location} (${size.restricted})`;
    const remedy = `write another vmSize (${others}), or ask Azure's support for access to the size in that region`;
    return [stops({ key, value: vmSize, problem, remedy })];
  }
  const without = zones.filter((zone) => !size.zones.includes(zone) || size.restrictedZones.includes(zone));
  if (without.length === 0) return [];
  const left = size.zones.filter((zone) => !size.restrictedZones.includes(zone));
  const word = left.length === 0 ? "leave zones out" : `write zones: ${JSON.stringify([...left].sort())}`;
  const problem = `names zones in which the subscription does not get ${vmSize} in ${location}`;
  return [stops({ key, value: without, problem, remedy: `${word}, or another vmSize: ${others}` })];
}
