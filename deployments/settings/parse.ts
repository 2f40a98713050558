// From the configuration of deployments/ to checked settings, without the engine.
import { Faults, inspect } from "../../settings/check.ts";
import { describeFaults, type Fault } from "../../settings/errors.ts";
import { parsedValue } from "../../settings/parse.ts";
import type { Settings } from "../../settings/types.ts";
import { type Root, readRoot } from "./roots.ts";
import { type Draft, findings, isProduction, NAMESPACE, own } from "./rules.ts";
import { type Form, form } from "./schema.ts";

type StackForm = Form["stacks"][string];

/** One stack: what deployments/ says of it, with every default, and what its own file says. */
export interface StackSettings
  extends Omit<StackForm, "production" | "branch" | "tags" | "tenantId" | "subscriptionId"> {
  readonly name: string;
  readonly branch: string;
  /** Patterns of the tags that update it; none with other triggers. */
  readonly tags: readonly string[];
  readonly production: boolean;
  readonly tenantId: string;
  readonly subscriptionId: string;
  /** Tokens of GitHub, secrets. */
  readonly tokens: { readonly [name in "gitHub" | "git" | "fluxGit"]?: string | undefined };
  /** The settings of the stack itself. */
  readonly own: Settings;
}

/** The whole configuration, checked, with every default filled in. */
export interface DeploymentsSettings extends Omit<Form, "stacks" | "tokens"> {
  readonly stacks: readonly StackSettings[];
}

/** A configuration with faults; the message lists all of them. */
export class DeploymentsError extends Error {
  readonly faults: readonly Fault[];
  /** @param others messages about the stacks' own files. */
  constructor(stack: string, faults: readonly Fault[], others: readonly string[]) {
    const where = `the configuration of stack ${stack} (deployments/Pulumi.${stack}.yaml)`;
    super([...(faults.length > 0 ? [describeFaults(where, faults)] : []), ...others].join("\n\n"));
    this.name = "DeploymentsError";
    this.faults = faults;
  }
}

/** A configuration, however it was read. */
export interface DeploymentsSource {
  readonly stack: string;
  /** Values by whole key, as maps and lists or as the JSON text that the engine makes of them. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Whole keys whose values hold a secret. */
  readonly secretKeys: readonly string[];
  /** The folder of the program that is deployed, where the stacks' own files are. */
  readonly folder: string;
}

/**
 * Checks a configuration, and with it the stacks' own files.
 * @throws DeploymentsError naming every fault.
 */
export async function parseDeployments({
  stack,
  config,
  secretKeys,
  folder,
}: DeploymentsSource): Promise<DeploymentsSettings> {
  const values = Object.entries(config)
    .filter(([key]) => key.startsWith(`${NAMESPACE}:`))
    .map(([key, value]) => [key.slice(NAMESPACE.length + 1), parsedValue(value)]);
  const { draft: found, issues } = inspect(form, Object.fromEntries(values));
  const draft = (found ?? {}) as Draft;
  const { roots, messages } = await rootsOf(folder, Object.keys(draft.stacks ?? {}));
  const faults = new Faults([...secretKeys, ...["tokens", "notifications"].map((name) => `${NAMESPACE}:${name}`)]);
  const all = [
    ...faults.ofIssues(issues, (path) => own(...(path as [string, ...(string | number)[]]))),
    ...findings({ draft, roots, secretKeys }).map(({ path, value, problem, remedy }) =>
      faults.at(path, value, problem, remedy),
    ),
  ];
  if (all.length > 0 || messages.length > 0) throw new DeploymentsError(stack, all, messages);
  return complete(draft as Form, roots);
}

async function rootsOf(folder: string, stacks: readonly string[]) {
  const roots = new Map<string, Root>();
  const messages: string[] = [];
  for (const stack of stacks)
    await readRoot(folder, stack).then(
      (root) => roots.set(stack, root),
      (error: Error) => messages.push(error.message),
    );
  return { roots, messages };
}

function complete({ stacks, tokens, ...rest }: Form, roots: ReadonlyMap<string, Root>): DeploymentsSettings {
  return {
    ...rest,
    stacks: Object.entries(stacks).map(([name, stack]) => {
      // Without a fault every stack has its file, and its ids are at one of the two places.
      const root = roots.get(name) as Root;
      return {
        ...stack,
        name,
        branch: stack.branch ?? rest.branch,
        tags: stack.updates === "tag" ? (stack.tags ?? ["v*"]) : [],
        production: isProduction(stack, root),
        tenantId: stack.tenantId ?? (root.tenantId as string),
        subscriptionId: stack.subscriptionId ?? (root.subscriptionId as string),
        tokens: tokens[name] ?? {},
        own: root.settings,
      };
    }),
  };
}
