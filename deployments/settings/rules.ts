// What the settings of deployments/ have to do with each other and with those of the stacks: what Pulumi Cloud would take
// and what then would fail, or deploy without anybody's word.
import type { Path } from "../../settings/check.ts";
import type { Root } from "./roots.ts";
import type { Form } from "./schema.ts";

/** What a rule found. */
export interface Finding {
  readonly path: Path;
  readonly value?: unknown;
  /** What is wrong, as a phrase that follows the key. */
  readonly problem: string;
  readonly remedy: string;
}

/** The settings after their form was checked: what was faulty or absent is undefined. */
export type Draft = { readonly [K in keyof Form]?: Form[K] | undefined };

export interface Facts {
  readonly draft: Draft;
  /** The stacks' own files, by stack; those that could not be read are not here. */
  readonly roots: ReadonlyMap<string, Root>;
  /** Whole keys that hold a secret. */
  readonly secretKeys: readonly string[];
}

export const NAMESPACE = "aks-gitops-deployments";

/** A value's path below the namespace. */
export const own = (name: string, ...path: (string | number)[]): Path => [`${NAMESPACE}:${name}`, ...path];

type StackForm = Form["stacks"][string];

/** Whether nobody's push or schedule alone may change a stack. */
export const isProduction = (stack: Pick<StackForm, "production"> | undefined, root: Root | undefined): boolean =>
  stack?.production ?? (root !== undefined && root.settings.cluster.sku !== "Free");

/** Everything that is found. */
export function findings(facts: Facts): Finding[] {
  const { draft, roots } = facts;
  const stacks = Object.entries(draft.stacks ?? {}).filter(([, stack]) => stack !== undefined);
  return [
    ...secrecy(facts),
    ...stacks.flatMap(([name, stack]) => [
      ...triggers(name, stack, roots.get(name), draft),
      ...runners(name, stack, roots.get(name), draft),
      ...identities(name, stack, roots.get(name), draft),
    ]),
    ...strangers(draft),
  ];
}

/** What is not in the clear: the engine knows which of the values it has opened. */
function secrecy({ draft, secretKeys }: Facts): Finding[] {
  const filled: Readonly<Record<string, boolean>> = {
    tokens: Object.keys(draft.tokens ?? {}).length > 0,
    notifications: (draft.notifications ?? []).length > 0,
  };
  const example = { tokens: ".dev.gitHub", notifications: "[0].url" } as Readonly<Record<string, string>>;
  return Object.keys(filled)
    .filter((key) => filled[key] && !secretKeys.includes(`${NAMESPACE}:${key}`))
    .map((key) => ({
      path: own(key),
      value: "[secret]",
      problem: "stands in plain text",
      remedy: `replace it: run \`pulumi config set --secret --path '${NAMESPACE}:${key}${example[key]}'\``,
    }));
}

function triggers(name: string, stack: StackForm, root: Root | undefined, draft: Draft): Finding[] {
  const { updates, tags, previews, rotation, drift, branch } = stack;
  const at = (...path: (string | number)[]) => own("stacks", name, ...path);
  const found: Finding[] = [];
  if (tags !== undefined && updates !== undefined && updates !== "tag")
    found.push({
      path: at("tags"),
      value: tags,
      problem: `are patterns of tags, and with updates ${updates} none counts`,
      remedy: "write updates: tag, or leave them out",
    });
  if (updates === "tag" && tags?.every((pattern) => pattern?.startsWith("!")))
    found.push({
      path: at("tags"),
      value: tags,
      problem: "only take away, so that every other tag of the repository would update the stack",
      remedy: 'name those that count, for example ["v*", "!*-rc*"]',
    });
  if (!isProduction(stack, root)) return found;
  if (updates === "push")
    found.push({
      path: at("updates"),
      value: updates,
      problem: "lets every push deploy to production, and Pulumi Deployments asks nobody",
      remedy: "write updates: tag, or updates: run; or production: false where it is none",
    });
  if (previews === "deployer")
    found.push({
      path: at("previews"),
      value: previews,
      problem: "lets whoever opens a pull request run code with the right to deploy to production",
      remedy: "write previews: reader, or previews: off",
    });
  const isOfItsOwn = branch !== undefined && branch !== draft.branch;
  if (isOfItsOwn || updates === "push") return found;
  const whole = (what: string) =>
    `${what} would deploy the head of ${draft.branch ?? "the branch"} without anybody's word`;
  const remedy =
    "leave it out, or name a protected branch of the stack's own with branch, to which only releases are pushed";
  if (rotation !== undefined)
    found.push({ path: at("rotation"), value: rotation, problem: whole("is an update, and"), remedy });
  if (drift?.remediate === true)
    found.push({ path: at("drift", "remediate"), value: true, problem: whole("is an update, and"), remedy });
  return found;
}

function runners(name: string, stack: StackForm, root: Root | undefined, draft: Draft): Finding[] {
  const { agentPool } = stack;
  const path = own("stacks", name, "agentPool");
  const pools = Object.keys(draft.agentPools ?? {});
  if (agentPool !== undefined && draft.agentPools !== undefined && !pools.includes(agentPool))
    return [
      {
        path,
        value: agentPool,
        problem: "is no pool of agentPools",
        remedy: pools.length === 0 ? `write agentPools: {${agentPool}: {}}` : `write one of ${pools.join(", ")}`,
      },
    ];
  if (root === undefined || agentPool !== undefined) return [];
  const { runner, runnerAddresses } = root.settings;
  const pool = "run agents of your own there, and name their pool: docs/delivery/pulumi-deployments.md";
  if (runner === "inside")
    return [
      {
        path,
        problem: `is missing: Pulumi.${name}.yaml says that the runner stands inside a network, and Pulumi's own runners do not`,
        remedy: pool,
      },
    ];
  return runnerAddresses === undefined
    ? []
    : [
        {
          path,
          problem: `is missing: Pulumi.${name}.yaml names the runner's addresses, and those of Pulumi's own runners are not known`,
          remedy: pool,
        },
      ];
}

function identities(name: string, stack: StackForm, root: Root | undefined, draft: Draft): Finding[] {
  if (root === undefined) return [];
  const { identity, previews, gitHub, azureDevOps } = stack;
  const at = (...path: (string | number)[]) => own("stacks", name, ...path);
  const found: Finding[] = [];
  for (const key of ["tenantId", "subscriptionId"] as const)
    if (stack[key] === undefined && root[key] === undefined)
      found.push({
        path: at(key),
        problem: `is missing, and Pulumi.${name}.yaml has no azure-native:${key}`,
        remedy: `write it at one of the two places; \`az account show\` tells it`,
      });
  if (identity !== undefined && identity.reader === undefined && previews === "reader")
    found.push({
      path: at("identity", "reader"),
      problem: "is missing, and with previews: reader it is the one that previews",
      remedy: "write its client id, or previews: off",
    });
  for (const [key, value] of Object.entries({ gitHub, azureDevOps }))
    if (identity !== undefined && value !== undefined)
      found.push({
        path: at(key),
        problem: "is for identities that are made, and identity names some that are there",
        remedy: "leave out one of the two",
      });
  if (gitHub !== undefined && draft.vcs === "azure_devops")
    found.push({
      path: at("gitHub"),
      problem: "names environments of GitHub, and with vcs: azure_devops the repository is not there",
      remedy: "leave it out",
    });
  const { mode, auth } = root.settings.flux;
  // What Deployments gives is good for an hour.
  if (
    mode === "bootstrap" &&
    auth === "token" &&
    draft.tokens !== undefined &&
    draft.tokens[name]?.fluxGit === undefined
  )
    found.push({
      path: own("tokens", name, "fluxGit"),
      problem: `is missing: with flux.mode bootstrap Flux keeps the token, and the one of a deployment ends after an hour`,
      remedy: `run \`pulumi config set --secret --path '${NAMESPACE}:tokens.${name}.fluxGit'\` with a token that reads the GitOps repository`,
    });
  return found;
}

/** Names of stacks that are none. */
function strangers({ stacks, tokens, notifications }: Draft): Finding[] {
  if (stacks === undefined) return [];
  const known = Object.keys(stacks);
  const remedy = `write one of ${known.join(", ")}`;
  const unknown = (path: Path, name: string): Finding[] =>
    known.includes(name) ? [] : [{ path, value: name, problem: "is no stack of stacks", remedy }];
  return [
    ...Object.keys(tokens ?? {}).flatMap((name) => unknown(own("tokens", name), name)),
    ...(notifications ?? []).flatMap((notification, index) =>
      (notification?.stacks ?? []).flatMap((name, at) =>
        name === undefined ? [] : unknown(own("notifications", index, "stacks", at), name),
      ),
    ),
  ];
}
