// What azure-native fills in and refuses before anything is sent: names, locations, the rules for names.

import { type CheckFailure, type Properties, UNKNOWN } from "../../../plugin/handler.ts";
import { hexDigits, present, text } from "../shared/values.ts";
import { type ArmType, autoName, type NameRule, pathParameters } from "./armType.ts";

/** Kept in the inputs: a resource with random digits in its name can stand beside its replacement. */
export const CREATE_BEFORE_DELETE = "__createBeforeDelete";

/** Where resources are without a location of their own. */
export interface Locations {
  /** `azure-native:location`. */
  readonly configured: string | undefined;
  /** The location of a resource group; undefined where it cannot be read. */
  ofGroup(name: string): Promise<string | undefined>;
}

/** The inputs with name, location and API version. */
export async function withDefaults(
  type: ArmType,
  news: Properties,
  old: Properties | undefined,
  logicalName: string,
  seed: Uint8Array,
  locations: Locations,
): Promise<Properties> {
  const inputs = present(news);
  const parameter = pathParameters(type.path).at(-1) ?? "";
  if (inputs[parameter] === undefined) nameIt(type, inputs, parameter, old ?? {}, logicalName, seed);
  if (inputs.location === undefined && type.inputs.includes("location")) {
    const location = old?.location ?? locations.configured ?? (await locationOfGroup(inputs, locations));
    if (location !== undefined) inputs.location = location;
  }
  inputs.azureApiVersion ??= type.apiVersion;
  return inputs;
}

function nameIt(
  type: ArmType,
  inputs: Properties,
  parameter: string,
  old: Properties,
  logicalName: string,
  seed: Uint8Array,
): void {
  if (old[parameter] !== undefined) {
    inputs[parameter] = old[parameter];
    if (old[CREATE_BEFORE_DELETE] === true) inputs[CREATE_BEFORE_DELETE] = true;
    return;
  }
  const kind = autoName(type.path);
  if (kind === "copy") {
    inputs[parameter] = logicalName;
    return;
  }
  inputs[parameter] = kind === "uuid" ? uuid(hexDigits(seed, 32)) : `${logicalName}${hexDigits(seed, 8)}`;
  inputs[CREATE_BEFORE_DELETE] = true;
}

function uuid(hex: string): string {
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

async function locationOfGroup(inputs: Properties, locations: Locations): Promise<unknown> {
  const group = inputs.resourceGroupName;
  if (group === UNKNOWN) return UNKNOWN;
  return typeof group === "string" ? locations.ofGroup(group) : undefined;
}

/** Path parameters that are missing or break ARM's rules, and a missing location. */
export function faults(type: ArmType, inputs: Properties): CheckFailure[] {
  const failures: CheckFailure[] = [];
  for (const name of pathParameters(type.path)) {
    if (name === "subscriptionId") continue;
    const value = inputs[name];
    if (value === undefined) failures.push({ property: name, reason: `missing required property '${name}'` });
    const given = text(value);
    const rule = type.names?.[name];
    if (given !== undefined && rule !== undefined) {
      failures.push(...ruleFaults(name, given, rule).map((reason) => ({ property: name, reason })));
    }
  }
  if (LOCATED.has(type.token) && inputs.location === undefined) {
    const hint = "Either set it explicitly or configure it with 'pulumi config set azure-native:location <value>'.";
    failures.push({ property: "location", reason: `missing required property 'location'. ${hint}` });
  }
  return failures;
}

/** The types that ARM's published types require a location for. */
const LOCATED = new Set([
  "azure-native:resources:ResourceGroup",
  "azure-native:managedidentity:UserAssignedIdentity",
  "azure-native:operationalinsights:Workspace",
  "azure-native:containerservice:ManagedCluster",
  "azure-native:containerregistry:Registry",
  "azure-native:keyvault:Vault",
]);

function ruleFaults(name: string, value: string, { minLength, maxLength, pattern }: NameRule): string[] {
  const reasons: string[] = [];
  const { length } = value;
  if (minLength !== undefined && length < minLength) {
    reasons.push(`'${name}' is too short (${length}): at least ${minLength} characters required`);
  }
  if (maxLength !== undefined && length > maxLength) {
    reasons.push(`'${name}' is too long (${length}): at most ${maxLength} characters allowed`);
  }
  if (pattern !== undefined && !pattern.test(value)) {
    reasons.push(`'${name}' does not match expression '${pattern.source}'`);
  }
  return reasons;
}
