import { type Azure, isForbidden, isMissing } from "../azure.ts";
import { check, stops, warns } from "../check.ts";

const KEY = "aks-gitops:deployers";

export const deployers = check({
  name: "deployers",
  about:
    "whether the group `deployers` is there and the caller in it: what the stack gives to deployers goes to that group",
  needs: ["azure", "settings"],
  find: async ({ azure, settings: { deployers: value } }) => {
    const { objectId } = azure.caller;
    try {
      if (await isMember(azure, value)) return [];
    } catch (error) {
      if (!isForbidden(error)) throw error;
      const problem = `could not be looked at by ${objectId}: Microsoft Graph does not let it read memberships`;
      const remedy = `let somebody look who may: \`az ad group member check --group ${value} --member-id ${objectId}\``;
      return [warns({ key: KEY, value, problem, remedy })];
    }
    const isThere = await exists(azure, value);
    if (!isThere) {
      const remedy = "correct the id; `az ad group show --group NAME --query id` tells it";
      return [stops({ key: KEY, value, problem: "names no group of this tenant", remedy })];
    }
    return [
      stops({
        ...{
          key: KEY,
          value,
          problem: `does not hold the caller ${objectId}: registry, vault and cluster will not let it in`,
        },
        remedy: `its owner runs \`az ad group member add --group ${value} --member-id ${objectId}\`; a new membership is in tokens of a new sign-in`,
      }),
    ];
  },
});

/** https://learn.microsoft.com/graph/api/directoryobject-checkmemberobjects; through other groups, too. @throws Refused */
async function isMember(azure: Azure, group: string): Promise<boolean> {
  const { objectId, isApplication } = azure.caller;
  const who = isApplication ? `/servicePrincipals/${objectId}` : "/me";
  const { value } = await azure.graph(`${who}/checkMemberObjects`, { ids: [group] });
  return Array.isArray(value) && value.some((id) => String(id).toLowerCase() === group.toLowerCase());
}

/** Whether the group is there, as far as the caller may know. */
async function exists(azure: Azure, group: string): Promise<boolean> {
  try {
    await azure.graph(`/groups/${group}?$select=id`);
    return true;
  } catch (error) {
    if (isForbidden(error)) return true;
    if (isMissing(error)) return false;
    throw error;
  }
}
