import * as pulumi from "@pulumi/pulumi";
import { RandomId } from "@pulumi/random/randomId.js";
import { newFirst } from "./newFirst.ts";

/** The names of a component's Azure resources. */
export interface DecidedNames {
  /** What makes them unlike all others. */
  readonly digits: RandomId;
  /** The name of the resource with this logical name. */
  of(logicalName: string): pulumi.Output<string>;
}

/**
 * Decides the names of a component's Azure resources: each one's logical name and eight hex digits, as azure-native names
 * them. But the digits are in the state before anything has them: azure-native's own are forgotten by an `up` that is
 * killed, and the next one would make everything a second time. Replace the RandomId `<name>-names` to have new ones.
 * @param trigger what makes other resources, which are there beside the old ones for a while and so need other names.
 * @default never
 */
export function decideNames(name: string, opts: pulumi.CustomResourceOptions, trigger?: unknown): DecidedNames {
  const digits = new RandomId(
    `${name}-names`,
    { byteLength: 4 },
    newFirst(trigger === undefined ? opts : { ...opts, replacementTrigger: trigger }),
  );
  return { digits, of: (logicalName) => pulumi.interpolate`${logicalName}${digits.hex}` };
}
