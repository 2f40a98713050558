import { armTypes } from "../armTypes.ts";
import type { Azure } from "../azure.ts";
import { isForbidden } from "../azure.ts";
import { check, stops } from "../check.ts";
import { groupOf } from "../group.ts";
import { allows, type Permission } from "../permissions.ts";
import type { Plan } from "../program.ts";

const ASSIGNMENTS = "Microsoft.Authorization/roleAssignments";
const DOCS = "docs/delivery/identity.md";

export const rights = check({
  name: "rights",
  about: "whether the caller may do in Azure what the stack asks for: write each type, import images, assign roles",
  needs: ["azure", "plan", "settings"],
  find: async ({ azure, plan, settings }) => {
    const scope = (await groupOf(azure, settings)) ?? azure.root;
    let permissions: readonly Permission[];
    try {
      permissions = await azure.list<Permission>(
        `${scope}/providers/Microsoft.Authorization/permissions`,
        "2022-04-01",
      );
    } catch (error) {
      if (!isForbidden(error)) throw error;
      permissions = [];
    }
    const lacking = actionsOf(plan, scope, azure).filter((action) => !allows(permissions, action));
    const roles = lacking.filter((action) => action.startsWith(ASSIGNMENTS));
    const others = lacking.filter((action) => !action.startsWith(ASSIGNMENTS));
    const key = `the caller ${azure.caller.objectId}`;
    const give = (role: string) =>
      `an Owner runs \`az role assignment create --assignee-object-id ${azure.caller.objectId} --role "${role}" --scope ${scope}\`` +
      `; better to the deployers' group, and with the condition of ${DOCS}`;
    return [
      ...(others.length > 0
        ? [stops({ key, value: others, problem: `may not do all on ${scope}`, remedy: give("Contributor") })]
        : []),
      ...(roles.length > 0
        ? [
            stops({
              ...{ key, value: roles, problem: `may not assign roles on ${scope}, and the stack assigns some` },
              remedy: give("Role Based Access Control Administrator"),
            }),
          ]
        : []),
    ];
  },
});

/** What a plan's requests need. */
function actionsOf(plan: Plan, scope: string, { root }: Azure): string[] {
  const types = armTypes(plan).filter((type) => type !== "Microsoft.Resources/resourceGroups" || scope === root);
  const writes = types.map((type) =>
    // Resource groups are authorized under their old name.
    type === "Microsoft.Resources/resourceGroups"
      ? "Microsoft.Resources/subscriptions/resourceGroups/write"
      : `${type}/write`,
  );
  const isImported = plan.resources.some(({ type }) => type === "gitops:index:ImageImport");
  return [...writes, ...(isImported ? ["Microsoft.ContainerRegistry/registries/importImage/action"] : [])];
}
