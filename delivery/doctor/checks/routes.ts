import { describe } from "../../../net/describe.ts";
import type { Settings } from "../../../settings/types.ts";
import type { Azure } from "../azure.ts";
import { check, type Finding, stops } from "../check.ts";
import { groupOf, resourcesOf } from "../group.ts";
import type { Reach } from "../reach.ts";

/** A data plane that is there. */
interface Plane {
  readonly id: string;
  readonly what: "registry" | "vault" | "API server";
  /** What is asked of it: whatever answers is reached. */
  readonly url: string;
}

const TYPES = [
  "Microsoft.ContainerRegistry/registries",
  "Microsoft.KeyVault/vaults",
  "Microsoft.ContainerService/managedClusters",
] as const;

export const routes = check({
  name: "routes",
  about: "whether registry, vault and, with bootstrap, the API server are reached from here, as far as they are there",
  needs: ["azure", "settings"],
  find: async ({ place: { reach }, azure, settings }) => {
    const planes = await planesOf(azure, settings);
    return (await Promise.all(planes.map((plane) => look(reach, plane, settings)))).flat();
  },
});

async function planesOf(azure: Azure, settings: Settings): Promise<Plane[]> {
  const { registry, sops, flux } = settings;
  const group = await groupOf(azure, settings);
  const own = group === undefined ? [] : (await resourcesOf(azure, group, TYPES)).map(({ id }) => id);
  const key = sops.existingKey?.replace(/\/keys\/[^/]+$/, "");
  const named = [registry.existing, sops.existingVault, key].filter((id) => id !== undefined);
  const planes = await Promise.all([...own, ...named].map((id) => planeOf(azure, id)));
  return planes
    .filter((plane) => plane !== undefined)
    .filter(({ what }) => what !== "API server" || flux.mode === "bootstrap");
}

async function planeOf(azure: Azure, id: string): Promise<Plane | undefined> {
  const type = id.toLowerCase();
  const read = async (apiVersion: string) =>
    ((await azure.find(id, apiVersion))?.properties ?? {}) as Readonly<Record<string, unknown>>;
  if (type.includes("/microsoft.containerregistry/registries/")) {
    const { loginServer } = await read("2023-07-01");
    return typeof loginServer === "string" ? { id, what: "registry", url: `https://${loginServer}/v2/` } : undefined;
  }
  if (type.includes("/microsoft.keyvault/vaults/")) {
    const { vaultUri } = await read("2023-07-01");
    if (typeof vaultUri !== "string") return undefined;
    return { id, what: "vault", url: new URL("/keys?api-version=7.4&maxresults=1", vaultUri).href };
  }
  const { fqdn, privateFQDN } = await read("2025-09-01");
  const host = fqdn ?? privateFQDN;
  return typeof host === "string" ? { id, what: "API server", url: `https://${host}/version` } : undefined;
}

/** What says that a server answered, though it is known by an authority of its own, as an API server is. */
const ANSWERED = /self.signed|unable to (verify|get)|certificate|ERR_TLS/i;

async function look(reach: Reach, { id, what, url }: Plane, settings: Settings): Promise<Finding[]> {
  const { host, hostname } = new URL(url);
  const key = `the ${what} ${id.split("/").at(-1)}`;
  const remedy = remedyOf(settings);
  try {
    const headers = what === "vault" ? await vaultHeaders(reach, hostname) : {};
    const { status, body } = await reach.send(url, { headers });
    const text = body.toString();
    const isShut = status === 403 && /ForbiddenByFirewall|ForbiddenByConnection|DENIED|not allowed access/i.test(text);
    if (!isShut) return [];
    return [
      stops({ key, value: host, problem: "answers, but lets nobody in from here: its network rules refuse", remedy }),
    ];
  } catch (error) {
    const words = describe(error);
    if (what === "API server" && ANSWERED.test(words)) return [];
    return [stops({ key, value: host, problem: `is not reached from here: ${words}`, remedy })];
  }
}

/** A vault says who asks before it says that its network rules refuse. */
async function vaultHeaders(reach: Reach, hostname: string): Promise<Record<string, string>> {
  const service = hostname.slice(hostname.indexOf(".") + 1);
  return { authorization: `Bearer ${await reach.token(`https://${service}/.default`)}` };
}

function remedyOf({ runner, runnerAddresses }: Settings): string {
  if (runner === "inside")
    return "run this where the settings say that the runner stands (aks-gitops:runner), in a network that knows the private names";
  return runnerAddresses === undefined
    ? "run it inside the network, or let this address in: aks-gitops:runner: {outside: {addresses: [...]}}"
    : `run it from one of the addresses of aks-gitops:runner (${runnerAddresses.join(", ")}), or add this one`;
}
