import * as pulumi from "@pulumi/pulumi";
import { parseNetwork } from "../../net/cidr.ts";

/** One argument that cannot work. */
export interface Fault {
  /** The argument, as the program names it: `network.nodes`, `userPools[0].minCount`. */
  readonly argument: string;
  /** What it is; left out where it may be a secret. */
  readonly value?: unknown;
  /** What is wrong with it. */
  readonly problem: string;
  /** What to do about it. */
  readonly remedy: string;
}

/**
 * Refuses arguments: before anything is registered below the component, or in an output, where only Azure knows.
 * @throws pulumi.ResourceError naming every fault, which the engine shows at the component and without a stack trace.
 */
export function refuse(component: pulumi.ComponentResource, name: string, faults: readonly Fault[]): void {
  if (faults.length === 0) return;
  const count = faults.length === 1 ? "an argument" : `${faults.length} arguments`;
  const lines = faults.flatMap(({ argument, value, problem, remedy }) => [
    "",
    `  ${argument} ${problem}`,
    ...(value === undefined ? [] : [`    value   ${typeof value === "string" ? value : JSON.stringify(value)}`]),
    `    remedy  ${remedy}`,
  ]);
  const message = [`${component.constructor.name} ${name} has ${count} that cannot work:`, ...lines].join("\n");
  const error = new pulumi.ResourceError(message, component, true);
  // Where it comes by an output, the SDK writes each property on its way in front of the message.
  Object.defineProperty(error, "message", { get: () => message, set: () => {} });
  throw error;
}

/** A fault of a plain text that is not as it has to be; what only Azure knows yet is not looked at. */
export function unlike(argument: string, value: unknown, pattern: RegExp, problem: string, remedy: string): Fault[] {
  return typeof value !== "string" || pattern.test(value) ? [] : [{ argument, value, problem, remedy }];
}

/** Faults of a list of Entra groups. */
export function notObjectIds(argument: string, values: readonly pulumi.Input<string>[]): Fault[] {
  return values.flatMap((value, index) => notObjectId(`${argument}[${index}]`, value));
}

/** The fault of an Entra group's object id. */
export function notObjectId(argument: string, value: pulumi.Input<string> | undefined): Fault[] {
  return unlike(
    argument,
    value,
    /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
    "is no object id",
    "give the object id of an Entra group, a GUID; `az ad group show --group NAME --query id` tells it",
  );
}

/** The fault of a role's definition. */
export function notRole(argument: string, value: string | undefined): Fault[] {
  return unlike(
    argument,
    value,
    /^(\/\S+\/roleDefinitions\/)?[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
    "is no role definition",
    "give its GUID or its whole id; `az role definition list --name NAME --query [].id` tells it",
  );
}

/** The fault of a text that names no network. */
export function notNetwork(argument: string, value: string): Fault[] {
  if (parseNetwork(value)) return [];
  const remedy = "give its first address and a prefix length up to 32, for example 10.60.0.0/16";
  return [{ argument, value, problem: "is not an IPv4 network in CIDR notation", remedy }];
}
