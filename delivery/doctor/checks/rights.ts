import { armTypes } from "../armTypes.ts";
import { type Azure, isForbidden } from "../azure.ts";
import { check, type Finding, stops } from "../check.ts";
import { groupOf, resourcesOf } from "../group.ts";
import { allows, type Permission } from "../permissions.ts";
import type { Plan } from "../program.ts";

const ASSIGNMENTS = "Microsoft.Authorization/roleAssignments";
const DOCS = "docs/delivery/identity.md";

/** What peering asks for on the network of the other side: https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-peering#permissions */
const PEERING = [
  "Microsoft.Network/virtualNetworks/peer/action",
  "Microsoft.Network/virtualNetworks/virtualNetworkPeerings/write",
];

export const rights = check({
  name: "rights",
  about:
    "whether the caller may do in Azure what the stack asks for: write each type, import images, assign roles, peer the " +
    "runner's network",
  needs: ["azure", "plan", "settings"],
  find: async ({ azure, plan, settings }) => {
    const scope = (await groupOf(azure, settings)) ?? azure.root;
    const lacking = await lackingAt(azure, scope, actionsOf(plan, scope, azure));
    const roles = lacking.filter((action) => action.startsWith(ASSIGNMENTS));
    const others = lacking.filter((action) => !action.startsWith(ASSIGNMENTS));
    const onNetworks = await Promise.all(
      networksOf(plan).map(async (id) =>
        finding(azure, id, await lackingAt(azure, id, PEERING), "may not peer", "Network Contributor"),
      ),
    );
    const onRule = await lackingOfMetrics(azure, plan, scope);
    const assigning = "may not assign roles, and the stack assigns some,";
    return [
      ...finding(azure, scope, others, "may not do all", "Contributor"),
      ...finding(azure, scope, roles, assigning, "Role Based Access Control Administrator"),
      ...onNetworks.flat(),
      ...finding(
        azure,
        azure.root,
        onRule,
        "may not read the rule that connects the cluster with its metrics,",
        "Monitoring Reader",
      ),
    ];
  },
});

/** One finding, where some actions are lacking. */
function finding({ caller }: Azure, scope: string, value: readonly string[], problem: string, role: string): Finding[] {
  if (value.length === 0) return [];
  const command = `az role assignment create --assignee-object-id ${caller.objectId} --role "${role}" --scope ${scope}`;
  const remedy = `an Owner runs \`${command}\`; better to the deployers' group, and as ${DOCS} bounds it`;
  return [stops({ key: `the caller ${caller.objectId}`, value, problem: `${problem} on ${scope}`, remedy })];
}

/** Which actions the caller may not do at a scope. */
async function lackingAt(azure: Azure, scope: string, actions: readonly string[]): Promise<string[]> {
  let permissions: readonly Permission[];
  try {
    permissions = await azure.list<Permission>(`${scope}/providers/Microsoft.Authorization/permissions`, "2022-04-01");
  } catch (error) {
    if (!isForbidden(error)) throw error;
    permissions = [];
  }
  return actions.filter((action) => !allows(permissions, action));
}

/**
 * Azure puts the rule of a new Azure Monitor workspace into a group that it makes for it, of which no role on the stack's own
 * tells anything; who associates the cluster with it has to read it.
 */
async function lackingOfMetrics(azure: Azure, { resources }: Plan, scope: string): Promise<string[]> {
  const isAssociated = resources.some(({ type }) => type === "azure-native:monitor:DataCollectionRuleAssociation");
  if (scope === azure.root || !isAssociated) return [];
  if ((await resourcesOf(azure, scope, ["Microsoft.Monitor/accounts"])).length > 0) return [];
  return lackingAt(azure, azure.root, ["Microsoft.Insights/dataCollectionRules/read"]);
}

/** The networks of somebody else that a plan peers with. */
const networksOf = ({ resources }: Plan): string[] =>
  resources
    .filter(({ type }) => type === "gitops:index:NetworkPeering")
    .map(({ inputs }) => String(inputs.remoteNetworkId))
    .filter((id) => id.startsWith("/"));

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
