import { isMap } from "../../../net/values.ts";
import { armTypes } from "../armTypes.ts";
import { check, stops } from "../check.ts";

/** A region by the name that Azure's API has for it: `West Europe` is `westeurope`. */
const plain = (region: unknown) => String(region).toLowerCase().replaceAll(" ", "");

export const region = check({
  name: "region",
  about: "whether Azure has everything that the stack makes in its region",
  needs: ["azure", "plan", "settings"],
  find: async ({ azure, plan, settings: { location } }) => {
    const all = await azure.list(`${azure.root}/providers`, "2021-04-01");
    const offered = new Map<string, readonly string[]>();
    for (const { namespace, resourceTypes } of all)
      for (const one of Array.isArray(resourceTypes) ? resourceTypes : [])
        if (isMap(one) && Array.isArray(one.locations))
          offered.set(`${namespace}/${one.resourceType}`.toLowerCase(), one.locations.map(plain));
    const missing = armTypes(plan).filter((type) => {
      const regions = offered.get(type.toLowerCase()) ?? [];
      // What lies in no region names none, or the one that is called global.
      return regions.length > 0 && !regions.includes("global") && !regions.includes(location);
    });
    if (missing.length === 0) return [];
    const fitting = missing
      .map((type) => offered.get(type.toLowerCase()) ?? [])
      .reduce((all, regions) => all.filter((one) => regions.includes(one)));
    const problem = `is a region in which Azure has no ${missing.join(", ")}`;
    const remedy = `choose another one, for example ${fitting.slice(0, 5).join(", ")}`;
    return [stops({ key: "azure-native:location", value: location, problem, remedy })];
  },
});
