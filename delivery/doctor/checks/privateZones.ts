import { type Azure, isForbidden, isMissing } from "../azure.ts";
import { check, stops } from "../check.ts";
import { groupOf } from "../group.ts";
import { type Plan, UNKNOWN } from "../program.ts";

/** Zones that a setting names instead. */
const SETTINGS: Readonly<Record<string, string>> = {
  "privatelink.azurecr.io": "aks-gitops:cluster.network.zones.registry",
  "privatelink.vaultcore.azure.net": "aks-gitops:cluster.network.zones.vault",
};

export const privateZones = check({
  name: "private-zones",
  about: "whether a network that is there asks another private DNS zone of the same name: it cannot be linked to two",
  needs: ["azure", "plan", "settings"],
  find: async ({ azure, plan, settings }) => {
    const names = zonesOf(plan);
    const networks = networksOf(plan);
    if (names.length === 0 || networks.length === 0) return [];
    const own = (await groupOf(azure, settings))?.toLowerCase();
    const subscriptions = [...new Set([azure.root, ...networks.map((id) => id.split("/").slice(0, 3).join("/"))])];
    const zones = (await Promise.all(subscriptions.map((root) => zonesIn(azure, root)))).flat();
    const others = zones
      .filter(({ name }) => names.includes(name.toLowerCase()))
      .filter(({ id }) => own === undefined || !id.toLowerCase().startsWith(`${own}/`));
    const found = await Promise.all(
      others.map(async ({ id, name }) => {
        const linked = await networksLinkedTo(azure, id);
        return networks
          .filter((network) => linked.includes(network.toLowerCase()))
          .map((network) =>
            stops({
              ...{
                key: network,
                value: id,
                problem: `is linked to another zone ${name}, and a network asks one of a name`,
              },
              remedy: `let the stack use that one: write ${SETTINGS[name.toLowerCase()] ?? "aks-gitops:cluster.network.zones.apiServer"}: ${id}`,
            }),
          );
      }),
    );
    return found.flat();
  },
});

/** The names of the zones that a plan makes. */
const zonesOf = ({ resources }: Plan) =>
  resources
    .filter(({ type }) => type === "azure-native:privatedns:PrivateZone")
    .map(({ inputs }) => String(inputs.privateZoneName).toLowerCase())
    .filter((name) => name !== UNKNOWN);

/** The networks that are there and that a plan links zones to. */
function networksOf({ resources }: Plan): string[] {
  const ids = resources
    .filter(({ type }) => type === "azure-native:privatedns:VirtualNetworkLink" || type === "gitops:index:ZoneLink")
    .map(({ inputs }) => (inputs.virtualNetwork as { id?: string } | undefined)?.id ?? inputs.networkId);
  return [...new Set(ids.filter((id) => typeof id === "string" && id.startsWith("/")) as string[])];
}

interface Zone {
  readonly id: string;
  readonly name: string;
}

async function zonesIn(azure: Azure, root: string): Promise<readonly Zone[]> {
  const path = `${root}/providers/Microsoft.Network/privateDnsZones`;
  try {
    return await azure.list<Zone>(path, "2024-06-01");
  } catch (error) {
    // The network may lie in somebody else's subscription, which keeps its zones to itself.
    if (isForbidden(error) || isMissing(error)) return [];
    throw error;
  }
}

async function networksLinkedTo(azure: Azure, zone: string): Promise<string[]> {
  const links = await azure.list(`${zone}/virtualNetworkLinks`, "2024-06-01");
  const ids = links.map(({ properties }) => (properties as { virtualNetwork?: { id?: string } }).virtualNetwork?.id);
  return ids.filter((id) => id !== undefined).map((id) => id.toLowerCase());
}
