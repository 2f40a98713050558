// An AKS agent pool: which of its properties are managed, how Azure's word compares with what is wanted, what is written.

import { isPatch, isVersion, minorVersion } from "../../net/kubernetesVersion.ts";
import { equal } from "../../plugin/diff.ts";
import type { Properties } from "../../plugin/handler.ts";
import { runningOn } from "./upgrade.ts";

/** Properties that Azure changes in a pool that runs. */
const CHANGEABLE = [
  "mode",
  "osSKU",
  "enableAutoScaling",
  "minCount",
  "maxCount",
  "nodeTaints",
  "nodeLabels",
  "upgradeSettings",
  "tags",
];

/** Properties that only a new pool can have. Names in them are the same in any case. */
export const FIXED = [
  "type",
  "vmSize",
  "osType",
  "osDiskType",
  "osDiskSizeGB",
  "vnetSubnetID",
  "availabilityZones",
  "scaleSetPriority",
  "scaleSetEvictionPolicy",
];

/** Properties that are others' business, or Azure's, where the program says nothing of them. */
const LEFT_TO_OTHERS = ["tags", "nodeLabels", "osDiskType", "osDiskSizeGB", "scaleSetEvictionPolicy"];

/** What Azure tells of a pool and takes from nobody. */
const READ_ONLY = ["currentOrchestratorVersion", "eTag", "nodeImageVersion", "provisioningState", "status"];

/** Whether nobody but the program counts the nodes: Azure has no limits of such a pool then. */
const isCounted = ({ enableAutoScaling }: Properties) => enableAutoScaling === false;

/** A pool without autoscaler as if it had one: both limits are its number of nodes. */
function limited(actual: Properties, wanted: Properties): Properties {
  if (!isCounted(actual) || !isCounted(wanted)) return actual;
  return { ...actual, minCount: actual.count, maxCount: wanted.maxCount };
}

/** What is sent of a pool's number of nodes. */
function counted(properties: Properties, wanted: Properties): Properties {
  if (!isCounted(wanted)) return properties;
  const { minCount: _, maxCount: __, ...rest } = properties;
  return { ...rest, count: wanted.minCount };
}

/** The changeable properties that differ; a list compares without its order, and an empty one is none. */
export function changedIn(wanted: Properties, actual: Properties): string[] {
  const found = limited(actual, wanted);
  return managedIn(wanted, CHANGEABLE).filter((property) => !isSame(property, wanted[property], found[property]));
}

/** The fixed properties that differ; which disk Azure chose is no difference. */
export function fixedIn(wanted: Properties, actual: Properties): string[] {
  return managedIn(wanted, FIXED).filter((property) => !isSame(property, wanted[property], actual[property]));
}

/** Whether the nodes are of another version than they are to be: which patch of a minor is AKS's business. */
export function isBehind({ orchestratorVersion }: Properties, actual: Properties): boolean {
  return typeof orchestratorVersion === "string" && !isVersion(orchestratorVersion, runningOn(actual));
}

/** Inputs as the pool is: what is the same stays as it was written, what Azure has beside it is left out. */
export function observed(inputs: Properties, azure: Properties): Properties {
  const actual = limited(azure, inputs);
  const found = { ...inputs };
  for (const property of managedIn(inputs, [...FIXED, ...CHANGEABLE])) {
    if (isSame(property, inputs[property], actual[property])) continue;
    const value = managedPart(property, actual[property]);
    if (value === undefined) delete found[property];
    else found[property] = value;
  }
  if (isBehind(inputs, actual)) {
    const running = runningOn(actual);
    found.orchestratorVersion = isPatch(String(inputs.orchestratorVersion)) ? running : minorVersion(running);
  }
  return found;
}

/** A new pool's properties for a PUT. */
export function created(wanted: Properties): Properties {
  const managed = [...FIXED, ...CHANGEABLE].filter((property) => wanted[property] !== undefined);
  const properties = Object.fromEntries(managed.map((property) => [property, wanted[property]]));
  // Azure wants a number; it is the autoscaler's from then on.
  return counted({ ...properties, count: wanted.minCount }, wanted);
}

/**
 * The pool of a cluster's body, as it is. A version would have to be in every pool's part, and the others are left out:
 * they stay as they are. The number of nodes is the autoscaler's, where the pool has one.
 */
export function inline(actual: Properties): Properties {
  const left = [...READ_ONLY, "orchestratorVersion", ...(isCounted(actual) ? [] : ["count"])];
  return Object.fromEntries(Object.entries(actual).filter(([name]) => !left.includes(name)));
}

/** A pool's properties for a PUT: as they are, the managed ones as they are wanted. */
export function written(wanted: Properties, actual: Properties): Properties {
  const properties = Object.fromEntries(Object.entries(actual).filter(([name]) => !READ_ONLY.includes(name)));
  for (const property of changedIn(wanted, actual)) properties[property] = wanted[property] ?? [];
  properties.upgradeSettings = { ...(actual.upgradeSettings as object), ...(wanted.upgradeSettings as object) };
  // The autoscaler counts the nodes; Azure refuses a count that is not between the limits.
  const { minCount, maxCount } = wanted as Record<string, number>;
  const count = typeof actual.count === "number" ? actual.count : Number(minCount);
  properties.count = Math.min(Math.max(count, Number(minCount)), Number(maxCount));
  return counted(properties, wanted);
}

/** Why a fixed property cannot be what is wanted, and what can be done. */
export function refusal(property: string, actual: Properties, wanted: Properties): string {
  const [is, isWanted] = [actual[property], wanted[property]].map((value) => JSON.stringify(value));
  return (
    `Azure cannot change ${property} of the agent pool ${wanted.name}: it is ${is ?? "not set"}, not ` +
    `${isWanted ?? "unset"}. Take the old value back. ${remedy(wanted)}`
  );
}

function remedy({ mode, name }: Properties): string {
  if (mode === "User")
    return "Or give the pool another name: then the new one is made first, and the old one is deleted after it";
  return (
    "Or make the pool anew by hand: add a second system pool for the time being " +
    `(az aks nodepool add --mode System), delete ${name}, add it again under its name with the new value, delete the ` +
    "second one, and run `pulumi refresh` before the next `pulumi up`. Or destroy the cluster and make it anew"
  );
}

function managedIn(wanted: Properties, properties: readonly string[]): string[] {
  return properties.filter((property) => !LEFT_TO_OTHERS.includes(property) || wanted[property] !== undefined);
}

function isSame(property: string, wanted: unknown, actual: unknown): boolean {
  return equal(comparable(property, wanted), comparable(property, actual));
}

function comparable(property: string, value: unknown): unknown {
  const part = managedPart(property, value);
  if (Array.isArray(part)) return [...part].sort();
  return FIXED.includes(property) && typeof part === "string" ? part.toLowerCase() : part;
}

/** The part of Azure's value that is managed here; undefined for none. */
function managedPart(property: string, value: unknown): unknown {
  if (value === null || value === undefined || (Object.keys(value).length === 0 && typeof value === "object"))
    return undefined;
  // What Azure takes for it where nothing is said.
  if (property === "scaleSetPriority" && value === "Regular") return undefined;
  if (property !== "upgradeSettings") return value;
  const { maxSurge, drainTimeoutInMinutes } = value as Properties;
  return { maxSurge, drainTimeoutInMinutes };
}
