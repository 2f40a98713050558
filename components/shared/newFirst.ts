import type * as pulumi from "@pulumi/pulumi";

/**
 * Options of a resource whose replacement is there, and in use, before the old one is deleted. Without it azure-native
 * deletes first whatever was given its name, and with it all that depends on it, the running cluster's Flux too. Where
 * both would have the same name Azure refuses the second one, and nothing is lost.
 */
export function newFirst(opts: pulumi.CustomResourceOptions): pulumi.CustomResourceOptions {
  return { ...opts, deleteBeforeReplace: false };
}
