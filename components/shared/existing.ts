import * as pulumi from "@pulumi/pulumi";
import { armIdPattern, armIdWords } from "../../net/armId.ts";
import { type GetExistingArgs, getExisting } from "../../provider/sdk/getExisting.ts";
import { type Fault, unlike } from "./faults.ts";

/** How something that is there already is used: what it has to be for that. */
export type ExistingUse = Pick<GetExistingArgs, "privateEndpoint" | "callers" | "tenantId" | "subscriptionId">;

/**
 * The ARM id of something that is there already, made and kept by somebody else, when it was looked at; it is in Azure's
 * own letters. What may keep some from reaching it is told as a warning.
 * @param argument the argument that names it, for what is told.
 * @param component what it is told at.
 * @returns an output that fails with a pulumi.ResourceError where it cannot be used.
 */
export function existing(
  argument: string,
  id: pulumi.Input<string>,
  use: pulumi.Input<ExistingUse>,
  component?: pulumi.ComponentResource,
): pulumi.Output<string> {
  return pulumi.all([id, use]).apply(async ([wanted, given]) => {
    const found = await getExisting({ id: wanted, ...(given as ExistingUse) }, component ? { parent: component } : {});
    if (found.faults.length > 0) {
      const message = found.faults.map((fault) => `${argument} ${wanted} ${fault}.`).join("\n");
      throw component ? new pulumi.ResourceError(message, component, true) : new pulumi.RunError(message);
    }
    for (const warning of found.warnings) await pulumi.log.warn(`${argument}: ${warning}.`, component);
    return found.id;
  });
}

/** The fault of a plain text that is not the ARM id of a type; `below` is what follows, such as `/keys/<name>`. */
export function notArmId(argument: string, value: unknown, type: string, below = ""): Fault[] {
  return unlike(
    argument,
    value,
    new RegExp(armIdPattern(type, below), "i"),
    `is no ARM id of ${type}${below}`,
    `give ${armIdWords(type, below)}`,
  );
}

/** Faults of arguments that say how something is made, where something that is there already is used. */
export function meaningless(argument: string, others: Readonly<Record<string, unknown>>): Fault[] {
  return Object.entries(others)
    .filter(([, value]) => value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0))
    .map(([name, value]) => ({
      argument: name,
      value,
      problem: `says nothing beside ${argument}, whose owner decides it`,
      remedy: `leave it out, or leave ${argument} out`,
    }));
}
