import { type Azure, isForbidden, isMissing } from "../azure.ts";
import { check, type Finding, stops, warns } from "../check.ts";

export const existing = check({
  name: "existing",
  about: "whether what the settings name as there already (networks, registry, vault, key, identity) is there",
  needs: ["azure", "plan"],
  find: async ({ azure, plan }) => (await Promise.all([...new Set(plan.existing)].map((id) => look(azure, id)))).flat(),
});

async function look(azure: Azure, id: string): Promise<Finding[]> {
  try {
    await azure.read(id, await newestVersion(azure, id));
    return [];
  } catch (error) {
    if (isForbidden(error)) {
      const remedy = "its owner gives the caller the role Reader on it";
      return [warns({ key: id, problem: `may not be read by ${azure.caller.objectId}`, remedy })];
    }
    if (!isMissing(error)) throw error;
    return [stops({ key: id, problem: "is not there", remedy: "correct the setting that names it, or have it made" })];
  }
}

/** The newest version of Azure's API that reads the type of a resource, previews apart. */
async function newestVersion(azure: Azure, id: string): Promise<string> {
  const [namespace = "", ...parts] = id.slice(id.lastIndexOf("/providers/") + "/providers/".length).split("/");
  const type = parts.filter((_, index) => index % 2 === 0).join("/");
  const { resourceTypes } = await azure.read(`${azure.root}/providers/${namespace}`, "2021-04-01");
  const types = (resourceTypes ?? []) as readonly { resourceType: string; apiVersions: readonly string[] }[];
  const versions =
    types.find(({ resourceType }) => resourceType.toLowerCase() === type.toLowerCase())?.apiVersions ?? [];
  return (
    [...versions]
      .filter((version) => !version.includes("preview"))
      .sort()
      .at(-1) ?? "2024-01-01"
  );
}
