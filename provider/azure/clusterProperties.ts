// An AKS cluster's body: how Azure's word compares with what is wanted, what only another cluster can have, what is written.

import { isPatch, isVersion, minorVersion } from "../../net/kubernetesVersion.ts";
import { equal, formatPath } from "../../plugin/diff.ts";
import { type Properties, UNKNOWN } from "../../plugin/handler.ts";
import { sameName } from "./names.ts";
import { created, inline } from "./poolProperties.ts";
import { runningIn, upgradeOf } from "./upgrade.ts";

/** The tag that says whose cluster it is: an `up` that was interrupted left it so, and the next one goes on with it. */
export const OWNER = "aks-gitops";

/** What a cluster is to be, as the resource's inputs say it. */
export interface Wanted {
  readonly location: string;
  readonly sku: Properties;
  readonly identity: { readonly type: string; readonly userAssignedIdentities?: readonly string[] };
  readonly tags?: Readonly<Record<string, string>>;
  /** A minor of Kubernetes, or a patch; undefined leaves it to Azure. */
  readonly kubernetesVersion?: string;
  readonly properties: Properties;
  readonly systemPool: Properties;
}

/** A cluster as ARM has it. */
export interface ArmCluster {
  readonly location?: string;
  readonly sku?: Properties;
  readonly identity?: Properties;
  readonly tags?: Readonly<Record<string, string>>;
  readonly properties: Properties;
}

/**
 * Properties that Azure never changes in a cluster, or only by migrations of their own:
 * https://learn.microsoft.com/azure/templates/microsoft.containerservice/managedclusters
 */
const FIXED = [
  ["dnsPrefix"],
  ["fqdnSubdomain"],
  ["nodeResourceGroup"],
  ["diskEncryptionSetID"],
  ["linuxProfile"],
  ["windowsProfile"],
  ...[
    "dnsServiceIP",
    "networkDataplane",
    "networkMode",
    "networkPlugin",
    "networkPluginMode",
    "networkPolicy",
    "outboundType",
    "podCidr",
    "serviceCidr",
    "serviceCidrs",
  ].map((name) => ["networkProfile", name]),
];

/** Longer, and the nodes' label with its name would be cut: https://aka.ms/aks-naming-rules */
const LONGEST_GROUP = 63;

/** The paths, below `properties`, of what was one thing and shall be another that only another cluster has. */
export function fixedIn(wanted: Properties, actual: Properties): string[] {
  return FIXED.filter((path) => {
    const [is, shall] = [partOf(actual, path), partOf(wanted, path)];
    return is !== undefined && shall !== undefined && shall !== UNKNOWN && !isSame(shall, is);
  }).map(formatPath);
}

/** The value at a path below `properties`. */
export function partOf(properties: unknown, path: readonly string[]): unknown {
  return path.reduce((part, name) => (isObject(part) ? part[name] : undefined), properties);
}

/** Whether two regions are the same: ARM knows them by two spellings. */
export function sameLocation(one: string, other: string): boolean {
  return sameName(one.replaceAll(" ", ""), other.replaceAll(" ", ""));
}

/**
 * What is wanted, as Azure has it: what is the same stays as it was written, and what was not said is not looked at, for
 * Azure fills in much and changes some of it by itself.
 */
export function asAzureHas(wanted: Wanted, actual: ArmCluster): Wanted {
  const { location, sku, identity, tags, kubernetesVersion, properties, systemPool } = wanted;
  return {
    location: actual.location === undefined || sameLocation(location, actual.location) ? location : actual.location,
    sku: observed(sku, actual.sku) as Properties,
    identity: observed(identity, identityOf(actual.identity)) as Wanted["identity"],
    ...(tags && { tags: observed(tags, actual.tags) as Record<string, string> }),
    ...(kubernetesVersion && { kubernetesVersion: versionOf(kubernetesVersion, actual) }),
    properties: observed(properties, actual.properties) as Properties,
    systemPool,
  };
}

/** A version as it was asked for where the cluster has it: AKS brings other patches of a minor by itself. */
function versionOf(asked: string, { properties }: ArmCluster): string {
  const running = runningIn(properties);
  if (isVersion(asked, running)) return asked;
  return isPatch(asked) ? running : minorVersion(running);
}

/** Whether Azure has all that is wanted. */
export function isAs(wanted: Wanted, actual: ArmCluster): boolean {
  const { location, sku, identity, tags, kubernetesVersion, properties, systemPool } = wanted;
  const all = { location, sku, identity, tags, kubernetesVersion, properties, systemPool };
  return equal(all, asAzureHas(wanted, actual));
}

/** The paths of tags and properties that were wanted and are no more. */
export function dropped(old: Partial<Wanted> | undefined, wanted: Wanted): string[] {
  const { tags = {}, properties = {} } = old ?? {};
  return [...missing(tags, wanted.tags ?? {}), ...missing(properties, wanted.properties)];
}

/**
 * The body of a PUT. A new cluster is made with the system pool; from then on that is sent as it is, and the other pools
 * never: pools that a PUT leaves out stay as they are.
 * @param owner whose it is, see {@link OWNER}.
 * @param actual the cluster that is there, and what was wanted of it before.
 */
export function bodyOf(
  wanted: Wanted,
  place: { readonly group: string; readonly name: string },
  owner: string,
  actual?: ArmCluster,
  old?: Partial<Wanted>,
): object {
  const { location, sku, identity, kubernetesVersion, properties, systemPool } = wanted;
  const { type, userAssignedIdentities } = identity;
  // Left out it stays: AKS may have written another form of it by now.
  const isNew = actual === undefined || upgradeOf(kubernetesVersion, actual.properties) !== undefined;
  const others = Object.entries(actual?.tags ?? {}).filter(([name]) => !Object.hasOwn(old?.tags ?? {}, name));
  return {
    location,
    sku,
    identity: {
      type,
      ...(userAssignedIdentities && {
        userAssignedIdentities: Object.fromEntries(userAssignedIdentities.map((id) => [id, {}])),
      }),
    },
    tags: { ...Object.fromEntries(others), ...wanted.tags, [OWNER]: owner },
    properties: {
      ...(actual === undefined ? nodeGroup(wanted, place) : {}),
      ...(isNew && kubernetesVersion !== undefined ? { kubernetesVersion } : {}),
      ...properties,
      ...addons(properties, actual, old?.properties),
      agentPoolProfiles: [poolOf(systemPool, actual)],
    },
  };
}

/** A name for the group of what AKS makes, where the one that it would take itself is too long. */
function nodeGroup({ location }: Wanted, { group, name }: { group: string; name: string }): Properties {
  const own = `MC_${group}_${name}_${location.replaceAll(" ", "").toLowerCase()}`;
  return own.length <= LONGEST_GROUP ? {} : { nodeResourceGroup: `MC_${name}`.slice(0, LONGEST_GROUP) };
}

function poolOf(systemPool: Properties, actual: ArmCluster | undefined): Properties {
  const pools = (actual?.properties.agentPoolProfiles ?? []) as Properties[];
  const pool = pools.find(({ name }) => name === systemPool.name) ?? pools.find(({ mode }) => mode === "System");
  if (pool !== undefined) return inline(pool);
  return { name: systemPool.name, ...created(systemPool) };
}

/** Addons that others switched on, as a policy does, are named beside the wanted ones, or they would be off. */
function addons({ addonProfiles }: Properties, actual: ArmCluster | undefined, old: Properties = {}): Properties {
  const [wanted, before, found] = [addonProfiles, old.addonProfiles, actual?.properties.addonProfiles].map((value) =>
    isObject(value) ? value : {},
  ) as [Properties, Properties, Properties];
  if (!isObject(addonProfiles)) return {};
  const others = Object.entries(found).filter(([name]) => !has(wanted, name) && !has(before, name));
  const own = others.map(([name, addon]) => {
    const { identity: _, ...rest } = addon as Properties;
    return [name, rest];
  });
  return { addonProfiles: { ...Object.fromEntries(own), ...wanted } };
}

const has = (object: Properties, name: string) => Object.keys(object).some((one) => sameName(one, name));

/** ARM keeps the identities as a map; the order of a list of them says nothing. */
function identityOf(identity: Properties | undefined): Properties | undefined {
  if (identity === undefined || !isObject(identity.userAssignedIdentities)) return identity;
  return { ...identity, userAssignedIdentities: Object.keys(identity.userAssignedIdentities) };
}

function observed(wanted: unknown, actual: unknown): unknown {
  if (isSame(wanted, actual)) return wanted;
  if (Array.isArray(wanted) && Array.isArray(actual) && wanted.length === actual.length && wanted.some(isObject))
    return wanted.map((part, index) => observed(part, actual[index]));
  if (!isObject(wanted)) return actual ?? undefined;
  const found = Object.entries(wanted).map(([name, part]) => {
    return [name, isSecret(name) ? part : observed(part, isObject(actual) ? actual[name] : undefined)];
  });
  return Object.fromEntries(found.filter(([, part]) => part !== undefined));
}

/** ARM never tells them. */
const isSecret = (name: string) => /password|secret$/i.test(name);

/** Whether two values mean the same: names, ids and choices in any case, lists in any order, nothing as its default. */
function isSame(wanted: unknown, actual: unknown): boolean {
  if (saysNothing(wanted) && saysNothing(actual)) return true;
  if (typeof wanted === "string" && typeof actual === "string") return normal(wanted) === normal(actual);
  if (Array.isArray(wanted) && Array.isArray(actual) && ![...wanted, ...actual].some(isObject)) {
    const [one, other] = [wanted, actual].map((list) => list.map(normal).sort().join("\n"));
    return one === other;
  }
  return wanted === actual;
}

/** An address alone is the network of it. */
function normal(value: unknown): string {
  return String(value).toLowerCase().replace(/\/32$/, "");
}

/** What Azure does not tell since it is so anyway. */
function saysNothing(value: unknown): boolean {
  if (isObject(value)) return Object.values(value).every(saysNothing);
  if (Array.isArray(value)) return value.length === 0;
  return value === undefined || value === null || value === false || value === "" || sameName(value, "none");
}

function missing(old: unknown, next: unknown, path: readonly string[] = []): string[] {
  if (next === undefined) return saysNothing(old) ? [] : [formatPath(path)];
  if (!isObject(old) || !isObject(next)) return [];
  return Object.entries(old).flatMap(([name, value]) => missing(value, next[name], [...path, name]));
}

function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
