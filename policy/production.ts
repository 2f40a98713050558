// Which stacks are production: said once, in the configuration of a policy that does nothing else.
import type { ResourceValidationPolicy } from "@pulumi/policy";

const DEFAULT: readonly string[] = ["prod"];

let stacks = DEFAULT;

/** The stack of a resource: `urn:pulumi:<stack>::<project>::...`. */
export const stackOf = (urn: string): string => /^urn:pulumi:(.*?)::/.exec(urn)?.[1] ?? "";

/** Whether a stack is production, by the configuration as it was told last. */
export const isProduction = (stack: string): boolean => stacks.includes(stack);

/**
 * The first policy of the pack: the SDK asks policies in their order, resource by resource, and tells each its own
 * configuration alone. The stack itself is the first resource.
 */
export const productionStacks: ResourceValidationPolicy = {
  name: "production-stacks",
  description: "Says by its configuration which stacks are production; it finds no fault itself.",
  enforcementLevel: "advisory",
  configSchema: {
    properties: {
      stacks: { type: "array", items: { type: "string" }, default: [...DEFAULT], description: "Names of stacks." },
    },
  },
  validateResource: ({ getConfig }) => {
    stacks = getConfig<{ stacks?: readonly string[] }>().stacks ?? DEFAULT;
  },
};
