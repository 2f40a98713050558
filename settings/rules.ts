// What settings have to do with each other: the combinations that Azure, Kubernetes or this program would refuse later.

import { PULL_SECRET } from "../components/repository/names.ts";
import { contains, overlap, parseNetwork } from "../net/cidr.ts";
import { isMap, type Place } from "./check.ts";
import type { Form } from "./schema.ts";

/** The settings after their form was checked: what was faulty or absent is undefined, at any depth. */
export type Draft = DeepPartial<Form>;

type DeepPartial<T> = T extends readonly (infer I)[]
  ? DeepPartial<I>[]
  : T extends object
    ? { [K in keyof T]?: DeepPartial<T[K]> | undefined }
    : T;

// Regions without availability zones, from https://learn.microsoft.com/azure/reliability/regions-list
const REGIONS_WITHOUT_ZONES = new Set(
  (
    "australiacentral australiacentral2 australiasoutheast brazilsoutheast canadaeast francesouth germanynorth " +
    "jioindiacentral jioindiawest koreasouth northcentralus norwaywest southafricawest southindia switzerlandwest " +
    "uaecentral ukwest westcentralus westindia westus"
  ).split(" "),
);

/** Whether a region has availability zones, as far as known. */
export function hasZones(location: string): boolean {
  return !REGIONS_WITHOUT_ZONES.has(location);
}

/** Notes every combination that cannot work. */
export function checkRules(draft: Draft, location: string | undefined, place: Place): void {
  checkAccess(draft.cluster, place.at("cluster"));
  checkChannels(draft.cluster, place.at("cluster"));
  checkNetworks(draft.cluster, place.at("cluster").at("network"));
  checkPools(draft.cluster, location, place.at("cluster"));
  checkMaintenance(draft.cluster?.maintenance, place.at("cluster").at("maintenance"));
  checkReach(draft, place);
  checkSops(draft.sops, place.at("sops"));
  checkCharts(draft.charts ?? [], place.at("charts"));
  checkSecrets(draft, place.at("secrets"));
  checkBootstrap(draft, place);
  checkSignIn(draft, place);
}

function checkSignIn({ flux, gitToken }: Draft, place: Place): void {
  const at = place.at("gitToken");
  // A faulty one is undefined too, but not missing.
  if (gitToken !== undefined || at.faults.some(({ key }) => key === at.key)) return;
  if (flux?.mode === "extension" && flux.auth === "token")
    at.fault(
      undefined,
      "is missing: with flux.auth token the extension's Flux signs in to the repository with it",
      "run `pulumi config set --secret aks-gitops:gitToken` and give it a token that may read the repository, or write flux.auth: deployKey",
    );
}

function checkBootstrap({ cluster, flux, runner }: Draft, place: Place): void {
  if (flux?.mode === "bootstrap" && cluster?.private && runner === "outside")
    place
      .at("runner")
      .fault(
        runner,
        "cannot be outside: flux.mode bootstrap installs Flux through the API server, which is private",
        "run inside the network and write runner: inside, or choose flux.mode: extension",
      );
}

function checkAccess(cluster: Draft["cluster"], place: Place): void {
  if (cluster?.private && cluster.authorizedIpRanges?.length)
    place
      .at("authorizedIpRanges")
      .fault(
        cluster.authorizedIpRanges,
        "cannot go with a private API server, which no public address reaches",
        "leave it out, or set private: false",
      );
}

function checkChannels(cluster: Draft["cluster"], place: Place): void {
  if (cluster?.upgradeChannel === "node-image" && cluster.nodeOSUpgradeChannel === "SecurityPatch")
    place
      .at("nodeOSUpgradeChannel")
      .fault(
        cluster.nodeOSUpgradeChannel,
        "does not go with upgradeChannel node-image, which upgrades nodes by image",
        "write NodeImage, or choose upgradeChannel stable or patch",
      );
}

function checkNetworks(cluster: Draft["cluster"], place: Place): void {
  const networks = cluster?.network ?? {};
  const known = Object.entries(networks).flatMap(([name, value]) => {
    const network = value === undefined ? undefined : parseNetwork(value);
    return network ? [{ name, value, network }] : [];
  });
  const vnet = known.find(({ name }) => name === "vnet");
  const isSubnet = (name: string) => ["nodes", "apiServer", "endpoints"].includes(name);
  for (const { name, value, network } of known) {
    if (vnet && isSubnet(name) && !contains(vnet.network, network))
      place.at(name).fault(value, `does not lie within vnet ${vnet.value}`, "choose a part of vnet, or a larger vnet");
    const limit = name === "services" || name === "apiServer" ? 28 : 29;
    if (network.prefix > limit)
      place.at(name).fault(value, "is too small", `write a prefix length of ${limit} or less (a larger network)`);
    for (const other of known) {
      if (other.name >= name || (isSubnet(name) && other === vnet) || (isSubnet(other.name) && name === "vnet"))
        continue;
      if (overlap(network, other.network))
        place.at(name).fault(value, `overlaps ${other.name} ${other.value}`, "choose networks that share no address");
    }
  }
}

function checkPools(cluster: Draft["cluster"], location: string | undefined, place: Place): void {
  const system = place.at("systemPool");
  const size = cluster?.systemPool?.vmSize;
  if (size && /^Standard_B/.test(size))
    system
      .at("vmSize")
      .fault(
        size,
        "is burstable and starves the system pods once its credits are spent",
        "choose a D or E size, for example Standard_D4ds_v5",
      );
  const names = new Set(["system"]);
  const pools = [
    { pool: cluster?.systemPool, at: system },
    ...(cluster?.userPools ?? []).map((pool, index) => ({ pool, at: place.at("userPools").at(index) })),
  ];
  for (const { pool, at } of pools) {
    const { minCount, maxCount, zones } = pool ?? {};
    if (minCount !== undefined && maxCount !== undefined && minCount > maxCount)
      at.at("minCount").fault(minCount, `is more than maxCount ${maxCount}`, "raise maxCount or lower minCount");
    if (zones?.length && location && !hasZones(location))
      at.at("zones").fault(
        zones,
        `do not exist in the region ${location}`,
        "write zones: [], or choose a region with zones",
      );
  }
  for (const [index, { name }] of (cluster?.userPools ?? []).entries()) {
    if (name !== undefined && names.has(name))
      place
        .at("userPools")
        .at(index)
        .at("name")
        .fault(name, "is the name of another pool", "give every pool a name of its own; system is taken");
    if (name !== undefined) names.add(name);
  }
}

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const WEEK = 7 * 24 * 60;

function checkMaintenance(maintenance: NonNullable<Draft["cluster"]>["maintenance"], place: Place): void {
  const [first, second] = [maintenance?.autoUpgrade, maintenance?.nodeOSUpgrade].map((window) => {
    const [hours, minutes] = (window?.startTime ?? "").split(":").map(Number);
    if (!window?.dayOfWeek || hours === undefined || minutes === undefined || !window.durationHours) return undefined;
    return { start: (DAYS.indexOf(window.dayOfWeek) * 24 + hours) * 60 + minutes, length: window.durationHours * 60 };
  });
  if (!first || !second) return;
  const gap = (from: number, to: number) => (to - from + WEEK) % WEEK;
  if (gap(first.start, second.start) < first.length || gap(second.start, first.start) < second.length)
    place
      .at("nodeOSUpgrade")
      .fault(
        maintenance?.nodeOSUpgrade,
        "overlaps autoUpgrade, and AKS runs one of them at a time",
        "choose another day or time",
      );
}

function checkReach(draft: Draft, place: Place): void {
  const { registry, runner } = draft;
  if (registry?.private && registry.sku && registry.sku !== "Premium")
    place
      .at("registry")
      .at("sku")
      .fault(registry.sku, "has no private endpoints", "write sku: Premium, or private: false");
  if (!registry?.private || runner !== "outside") return;
  const problem = "cannot be outside: a private registry and vault are reached from the virtual network only";
  if (draft.charts?.length)
    place
      .at("runner")
      .fault(
        runner,
        `${problem}, and charts are pushed by the runner`,
        "run inside the network and write runner: inside, or set registry.private: false",
      );
  else if ((draft.secrets?.length || registry.pullPrincipal) && !draft.sops?.publicKey)
    place
      .at("runner")
      .fault(
        runner,
        `${problem}, and secrets are encrypted with the vault's key`,
        "run inside the network and write runner: inside, or pin sops.publicKey",
      );
}

function checkSops(sops: Draft["sops"], place: Place): void {
  if (sops?.encrypters?.length && !sops.roles?.encrypt)
    place
      .at("encrypters")
      .fault(
        sops.encrypters,
        "needs a role that can encrypt but not decrypt, and Azure has no built-in one",
        "create a custom role with the data actions Microsoft.KeyVault/vaults/keys/read and .../keys/encrypt/action and name it in sops.roles.encrypt",
      );
}

function checkCharts(charts: readonly NonNullable<Draft["charts"]>[number][], place: Place): void {
  const names = new Set<string>();
  for (const [index, { name, namespace, values }] of charts.entries()) {
    const at = place.at(index);
    if (name !== undefined && names.has(name))
      at.at("name").fault(name, "is the name of another chart", "list each chart once");
    if (name !== undefined) names.add(name);
    if (namespace === "flux-system")
      at.at("namespace").fault(namespace, "belongs to Flux itself", "choose a namespace of the chart's own");
    for (const path of sealedIn(values))
      at.at(`values${path}`).fault(
        "[secret]",
        "is a secret, but a chart's values are committed as they are",
        "put it into a secret under aks-gitops:secrets and let the chart refer to that",
      );
  }
}

/** The paths of `{secure: ...}` in a stack file's values. */
function sealedIn(value: unknown, path = ""): string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => sealedIn(item, `${path}[${index}]`));
  if (!isMap(value)) return [];
  if (Object.keys(value).join() === "secure" && typeof value.secure === "string") return [path];
  return Object.entries(value).flatMap(([key, item]) => sealedIn(item, `${path}.${key}`));
}

function checkSecrets(draft: Draft, place: Place): void {
  const taken = new Set(draft.registry?.pullPrincipal ? [`${PULL_SECRET.namespace}/${PULL_SECRET.name}`] : []);
  for (const [index, secret] of (draft.secrets ?? []).entries()) {
    const at = place.at(index);
    const name = `${secret.namespace}/${secret.name}`;
    if (taken.has(name))
      at.at("name").fault(
        secret.name,
        `is taken by another secret of namespace ${secret.namespace}`,
        "choose another name",
      );
    taken.add(name);
    const given = Object.keys(secret.data ?? {});
    const generated = secret.generate ?? [];
    for (const key of generated.filter((key, i) => given.includes(String(key)) || generated.indexOf(key) < i))
      at.at("generate").fault(key, "is there twice", "give each key once, under generate or under data");
    if (secret.generate && secret.data && given.length + generated.length === 0)
      at.fault(undefined, "has no keys", "name keys under generate, or keys and values under data");
  }
}
