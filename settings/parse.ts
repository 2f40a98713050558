// From a configuration to checked settings, without the engine.

import { upgradeChannelOf } from "../components/defaults.ts";
import { authOf } from "../components/flux/signIn.ts";
import { clusterFolder } from "../components/repository/names.ts";
import { folderOf } from "../components/repository/order.ts";
import { enterpriseHost, gitHubRepository, parseRepositoryUrl } from "../net/gitAddress.ts";
import { Faults, IMAGE_SOURCE_CREDENTIALS, inspect, NAMESPACE, own, type Path } from "./check.ts";
import { type Fault, SettingsError } from "./errors.ts";
import { pinnedVersion } from "./pinned.ts";
import { hasZoneRedundantEgress, hasZones } from "./regions.ts";
import { applyRules, type Draft, type Facts } from "./rules.ts";
import { type Form, form, region, stackName } from "./schema/settings.ts";
import type { Settings, SettingsSource } from "./types.ts";
import { isSealed } from "./words.ts";

const LOCATION = "azure-native:location";
const SECRETS = [`${NAMESPACE}:secrets`, IMAGE_SOURCE_CREDENTIALS];

/**
 * The settings of a stack.
 * @throws SettingsError naming every fault.
 */
export function parseSettings(source: SettingsSource): Settings {
  return examineSettings(source).settings;
}

/**
 * The settings of a stack, and what works in them but may not do what was meant.
 * @throws SettingsError naming every fault.
 */
export function examineSettings(source: SettingsSource): { settings: Settings; warnings: readonly Fault[] } {
  const { project, stack, secretKeys = [], sealed = false, folder } = source;
  const config = Object.fromEntries(Object.entries(source.config).map(([key, value]) => [key, parsedValue(value)]));
  // What is sealed as a whole, only the engine can look into.
  for (const key of SECRETS) if (sealed && isSealed(config[key])) delete config[key];

  const found = new Faults(secretKeys);
  const name = inspect(stackName, stack);
  const location = inspect(region, config[LOCATION]);
  const all = inspect(form, ownKeys(config));
  const facts: Facts = {
    draft: all.draft as Draft,
    faulty: new Set(all.issues.map(({ path = [] }) => `${NAMESPACE}:${String(path[0])}`)),
    config,
    secretKeys,
    sealed,
    project,
    stack: name.draft as string | undefined,
    location: location.draft as string | undefined,
    ...(folder !== undefined && { pinnedIn: (other: string) => pinnedVersion(folder, other) }),
  };
  const faults = [
    ...found.ofIssues(name.issues, () => ["stack"]),
    ...found.ofIssues(location.issues, () => [LOCATION]),
    ...found.ofIssues(all.issues, ownPath),
    ...applyRules(facts, "error", found),
  ];
  if (faults.length > 0) throw new SettingsError(stack, faults);
  // Without a fault nothing that is required is missing.
  const settings = freeze(
    complete(all.draft as Form, { project, stack, location: location.draft as string }, enterpriseHost(config)),
  );
  return { settings, warnings: applyRules(facts, "warning", found) };
}

const ownPath = (path: readonly PropertyKey[]): Path => own(...(path as [string, ...(string | number)[]]));

const ownKeys = (config: Record<string, unknown>) =>
  Object.fromEntries(
    Object.entries(config)
      .filter(([key]) => key.startsWith(`${NAMESPACE}:`))
      .map(([key, value]) => [key.slice(NAMESPACE.length + 1), value]),
  );

/** A value that the engine hands over as text, an empty one as ""; and `pulumi config set` writes a true as "true". */
export function parsedValue(value: unknown): unknown {
  if (value === "" || value === null) return undefined;
  if (typeof value !== "string") return value;
  try {
    const result: unknown = JSON.parse(value);
    return typeof result === "object" || typeof result === "boolean" ? (result ?? undefined) : value;
  } catch {
    return value;
  }
}

function complete(
  form: Form,
  place: { project: string; stack: string; location: string },
  githubHost: string | undefined,
): Settings {
  const { runner, cluster, otherCluster, registry, flux, sops, images, demo } = form;
  const address = parseRepositoryUrl(flux.repository);
  const prodLike = cluster.sku !== "Free";
  const keepsLogs = prodLike && otherCluster === undefined;
  return {
    ...form,
    ...place,
    cluster: {
      ...cluster,
      upgradeChannel: cluster.upgradeChannel ?? upgradeChannelOf(cluster.sku, cluster.kubernetesVersion),
      defender: cluster.defender ?? prodLike,
      zoneRedundantEgress: cluster.egress === "natGateway" && hasZoneRedundantEgress(place.location),
    },
    ...placeOf(runner),
    registry: registryOf(registry, place.location, keepsLogs),
    flux: {
      ...flux,
      auth: flux.artifact === undefined ? authOf(flux) : undefined,
      repository: flux.repository.replace(/\/$/, ""),
      ...(address && gitHubRepository(address, githubHost)),
      ...(githubHost === undefined ? {} : { githubHost }),
      path: folderOf(flux.path ?? clusterFolder(place.stack)),
      ...(otherCluster && { imagePullSecret: otherCluster.imagePullSecret }),
    },
    sops: sopsOf(sops, place, prodLike, keepsLogs),
    images: [...new Set(demo ? [...images, demo.image] : images)],
  };
}

function registryOf(registry: Form["registry"], location: string, keepsLogs: boolean): Settings["registry"] {
  if (registry.existing !== undefined) return { ...registry, sku: undefined, zoneRedundant: false, auditLogs: false };
  const auditLogs = registry.auditLogs ?? keepsLogs;
  return { ...registry, zoneRedundant: registry.sku === "Premium" && hasZones(location), auditLogs };
}

function sopsOf(
  sops: Form["sops"],
  { project, stack }: { project: string; stack: string },
  prodLike: boolean,
  keepsLogs: boolean,
): Settings["sops"] {
  if (sops.existingKey !== undefined) return { ...sops, auditLogs: false };
  // Other stacks may have keys in it.
  const keyName = `${project}-${stack}`.replace(/[^a-zA-Z0-9-]/g, "-");
  if (sops.existingVault !== undefined) return { ...sops, keyName: sops.keyName ?? keyName, auditLogs: false };
  return {
    ...sops,
    purgeProtection: sops.purgeProtection ?? prodLike,
    auditLogs: sops.auditLogs ?? keepsLogs,
  };
}

/** Where the runner stands. */
function placeOf(runner: Form["runner"]): Pick<Settings, "runner" | "runnerNetworkId" | "runnerAddresses"> {
  if (typeof runner === "string") return { runner };
  const { inside, outside } = runner;
  if (inside !== undefined) return { runner: "inside", runnerNetworkId: inside.vnet };
  return { runner: "outside", ...(outside && { runnerAddresses: outside.addresses }) };
}

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null) for (const item of Object.values(Object.freeze(value))) freeze(item);
  return value;
}
