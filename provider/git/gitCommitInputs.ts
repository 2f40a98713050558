// The inputs of a GitCommit: their form, their faults, and the import id that stands for them.

import * as z from "zod";
import { isMap } from "../../net/values.ts";
import { type CheckFailure, UNKNOWN } from "../../plugin/handler.ts";
import {
  flag,
  type Inputs,
  instance,
  type Known,
  matching,
  type Previewed,
  resourceSchema,
  type State,
  someText,
} from "../../plugin/schema.ts";
import { loginServer } from "../azure/forms.ts";
import * as flux from "../flux/forms.ts";
import { gitAccess } from "./gitAccess.ts";
import { LISTS } from "./kustomizationFile.ts";
import { SOPS_CONFIG } from "./sopsRules.ts";

/** Nobody waits longer for a pull request: a day. */
const MOST_MINUTES = 1440;

/** A path of the repository, as the key of a map. */
const path = z.string().superRefine((value, context) => {
  const problem = pathProblem(value);
  if (problem !== undefined) context.addIssue(problem);
});

/** A map by path. @param what in words, such as `texts`. */
const byPath = <T extends z.ZodType>(values: T, what: string) =>
  z.record(path, values, { error: ({ code }) => (code === "invalid_type" ? `must be a map ${what}` : undefined) });

const text = z.string({ error: "holds no text" });

/** Never shown: it is too long to print. */
const texts = byPath(text, "of texts by path").meta({ hidden: true });

const ruleText = (key: string) => z.string({ error: `needs ${key}, a string` }).min(1, `needs ${key}, a string`);

const sopsRule = z
  .strictObject(
    {
      path_regex: ruleText("path_regex").describe(
        "Which files the rule is for; also its identity: a repository has one rule of each `path_regex`.",
      ),
      encrypted_regex: ruleText("encrypted_regex")
        .describe("Below which keys values are encrypted. Default: all of them.")
        .exactOptional(),
      azure_keyvault: ruleText("azure_keyvault").describe("URL of the vault's key."),
    },
    { error: "must be a map" },
  )
  .describe("A creation rule of `.sops.yaml`, in the words of SOPS.")
  .meta({ id: "SopsRule" });

const fluxComponents = z
  .strictObject(
    {
      version: flux.fluxVersion.describe("Flux's version, without `v`."),
      imageAutomation: flag.describe("Whether the image controllers are in it."),
      imagePullSecret: someText
        .describe("The Secret that the controllers' images are pulled with. Default: none, as the nodes may pull.")
        .exactOptional(),
      install: flux.install
        .describe("How the controllers are installed. Default: as the flux CLI does by itself.")
        .exactOptional(),
      manifests: flux.manifests.describe("Hex SHA-256 of the version's manifests; others are refused."),
      loginServer: loginServer.describe(
        "The registry that has Flux's images below `ghcr.io/fluxcd`: `<name>.azurecr.io`.",
      ),
    },
    { error: "must be a map" },
  )
  .describe("A gotk-components.yaml: `flux install --export` with a registry.")
  .meta({ id: "FluxComponents" });

/** As git writes somebody. */
const person = z
  .strictObject(
    {
      name: z
        .string()
        .regex(/^[^<>\p{Cc}]+$/u, { error: "is no name" })
        .describe("The name."),
      email: z
        .string()
        .regex(/^[^<>\s]+@[^<>\s]+$/, { error: "is no address" })
        .describe("The address."),
    },
    { error: "must be a map" },
  )
  .describe("Somebody in a commit.")
  .meta({ id: "Person" });
const PERSON = { hidden: true };

const entries = z.array(z.string().min(1));

const kustomizationEntries = z
  .strictObject({
    resources: entries.describe("Files and folders of resources.").exactOptional(),
    components: entries.describe("Folders of components.").exactOptional(),
  })
  .describe("Entries of a kustomization.yaml, in the words of kustomize.")
  .meta({
    id: "KustomizationEntries",
    fault: () => `must have lists of names, and no others than ${LISTS.join(" and ")}`,
  });

/** The schema of `gitops:index:GitCommit`. */
export const GIT_COMMIT = resourceSchema({
  token: "gitops:index:GitCommit",
  description:
    "Files in a Git repository, kept by atomic commits: one when something changes, none when nothing does. At least " +
    "one of files, fluxComponents, seeds, sopsRules and kustomizations holds something.\n\n" +
    "Imported into a stack by the id in the state, `<url>#<branch>`: it owns no file then, and the next update takes over " +
    "those that stand there with the very same content, without a commit. With `<url>#<branch>:<path>,<path>/` it owns " +
    "these files, whatever is in them; a path with a slash at its end takes every file below it. Creating the resource " +
    "takes over files of the very same content too, and those that it committed itself and nobody changed since, so an " +
    "import is seldom needed.",
  inputs: {
    url: z
      .string({ error: "must be the repository's URL" })
      .superRefine((value, context) => told(urlProblem(value), context))
      .describe(
        "The repository's URL over HTTPS or SSH, without credentials: these are `GIT_TOKEN` or else, on GitHub, " +
          "`GITHUB_TOKEN`, and over SSH `GIT_SSH_KEY`, of the environment. Another one makes another resource.",
      )
      // It may have a credential in it.
      .meta({ hidden: true, replaceOnChanges: true }),
    access: gitAccess
      .describe("How the repository is signed in to, where the environment's own ways do not do.")
      .meta({ hidden: true })
      .exactOptional(),
    branch: z
      .string({ error: ({ input }) => `${show(input)} is no name of a branch` })
      .superRefine((value, context) => told(branchProblem(value), context))
      .describe(
        "The branch. It is made by the first commit of an empty repository, else it must exist. Another one makes " +
          "another resource.",
      )
      .meta({ hidden: true, replaceOnChanges: true }),
    files: texts
      .describe(
        "The files this resource owns, as text by path. They are written, restored when an update finds them changed, " +
          "and removed when they leave the map or the resource is deleted.",
      )
      .exactOptional(),
    fluxComponents: byPath(fluxComponents, "by path")
      .describe("gotk-components.yaml files, owned like `files`, as what the flux CLI makes them from; by path.")
      .meta({ hidden: true })
      .exactOptional(),
    seeds: texts
      .describe(
        "Files written where nothing is at their path, and from then on their editors' own: never changed, never removed.",
      )
      .exactOptional(),
    sopsRules: z
      .array(sopsRule, { error: "must be a list of rules" })
      .superRefine(repeatedRules, { when: () => true })
      .describe("Rules merged into `/.sops.yaml`; others' rules, their order and all comments stay.")
      .meta({ hidden: true })
      .exactOptional(),
    kustomizations: byPath(kustomizationEntries, "of entries by path")
      .describe(
        "Entries of kustomization.yaml files that others may edit too, by path. A missing file is made; all else in it " +
          "stays, comments too. The file goes when nothing is left in it.",
      )
      .meta({ hidden: true })
      .exactOptional(),
    author: person
      .describe("Whose name the commits bear, and whose address. Default: the program's.")
      .meta(PERSON)
      .exactOptional(),
    committer: person.describe("Who commits. Default: the author.").meta(PERSON).exactOptional(),
    signingKey: matching(/^[A-Z_][A-Z0-9_]*$/, "the name of an environment variable: GIT_SIGNING_KEY")
      .describe(
        "The name of the environment variable with the private SSH key, in PEM and without a passphrase, that signs the " +
          "commits. Default: they are not signed.",
      )
      .exactOptional(),
    pullRequest: z
      .strictObject(
        {
          branch: z
            .string({ error: ({ input }) => `${show(input)} is no name of a branch` })
            .superRefine((value, context) => told(branchProblem(value), context))
            .describe("The branch that it comes from: the resource's own, which no other commits to."),
          waitMinutes: z
            .int({ error: "is no whole number of minutes" })
            .min(1, "is no time to wait")
            .max(MOST_MINUTES, `is more than ${MOST_MINUTES} minutes`)
            .describe(
              "How many minutes an update waits until it is merged. Default: none; the update fails and names it, and the " +
                "next one after the merge goes on.",
            )
            .exactOptional(),
        },
        { error: "must be a map" },
      )
      .describe("How a pull request is made where the branch takes no push.")
      .meta({ id: "PullRequest" })
      .describe(
        "Where the branch takes changes by pull request alone, on GitHub and Azure DevOps over HTTPS, one is opened, and " +
          "brought up to date while it is open. Default: none is, and the update fails.",
      )
      .meta({ hidden: true })
      .exactOptional(),
    listed: byPath(kustomizationEntries, "of entries by path")
      .describe(
        "The same of kustomization.yaml files that are edited where people have them, and never made: from then on kustomize " +
          "takes what they list and nothing else beside them.",
      )
      .meta({ hidden: true })
      .exactOptional(),
    apart: byPath(z.array(path), "of folders by the folder that holds them")
      .describe(
        "Folders that are applied by themselves, by the folder that holds them and is applied too: that one has to have a " +
          "kustomization.yaml that leads to none of them, else nothing is committed.",
      )
      .meta({ hidden: true })
      .exactOptional(),
    message: z
      .string({ error: "must be a commit message" })
      .superRefine((value, context) => told(messageProblem(value), context))
      .describe(
        "Commit message: a subject line, and after an empty line a body if wanted. A change of it alone commits nothing.",
      )
      .meta({ hidden: true }),
    adopt: z
      .boolean({ error: "must be a boolean" })
      .describe(
        "Take over files and rules that already stand there with other content. Default: false: that is an error.",
      )
      .meta({ hidden: true })
      .exactOptional(),
  },
  outputs: {
    commit: z
      .string()
      .describe("The last commit this resource made, or the branch's head when there was nothing to commit."),
    blobs: z
      .record(z.string(), z.string())
      .describe("The object ids of the files of `fluxComponents` as they were left, by path.")
      .exactOptional(),
    instance,
  },
});

export type GivenInputs = Inputs<typeof GIT_COMMIT>;
export type GitCommitState = State<typeof GIT_COMMIT>;
export type KnownCommit = Known<GivenInputs, GitCommitState>;

/** The inputs with nothing left out. */
export type GitCommitInputs = Required<Omit<GivenInputs, Manner>> & Pick<GivenInputs, Manner>;

/** What says how it is committed, and not what. */
type Manner = "access" | "author" | "committer" | "signingKey" | "pullRequest";

/** Checked inputs, with what was left out filled in. */
export function completed(inputs: GivenInputs): GitCommitInputs {
  const none = { files: {}, fluxComponents: {}, seeds: {}, sopsRules: [], kustomizations: {}, listed: {}, apart: {} };
  return { ...none, adopt: false, ...inputs };
}

/** The faults that lie between properties. */
export function faultsBetween(
  inputs: Previewed<GivenInputs>,
  old: Previewed<GivenInputs> | undefined,
): readonly CheckFailure[] {
  return [...sharedPaths(inputs), ...sameBranch(inputs), ...(isEmpty(inputs) && !(old && isEmpty(old)) ? [EMPTY] : [])];
}

/**
 * Takes an import id apart: `<url>#<branch>`, or `<url>#<branch>:<path>,<path>/`.
 *
 * @throws Error when it has another form
 */
export function parseImportId(id: string): { url: string; branch: string; paths: string[] } {
  const [, url = "", branch = "", list] = /^([^#]+)#([^:]+)(?::(.+))?$/.exec(id) ?? [];
  const paths = (list ?? "").split(",").filter(Boolean);
  const isWithoutPath = list !== undefined && paths.length === 0;
  const problem = urlProblem(url) ?? branchProblem(branch) ?? (isWithoutPath ? "names no path" : undefined);
  if (problem === undefined) return { url, branch, paths };
  throw new Error(`the id ${url ? url : "given"} is no <url>#<branch>:<path>,<folder>/ or <url>#<branch>: ${problem}`);
}

function told(problem: string | undefined, context: z.core.$RefinementCtx): void {
  if (problem !== undefined) context.addIssue(problem);
}

/** The URL itself is shown only when it surely holds no credential. */
function urlProblem(value: string): string | undefined {
  if (value === "") return "must be the repository's URL";
  if (!URL.canParse(value)) return "is no URL: it reads https://<host>/<path>";
  const { protocol, hostname, username, password } = new URL(value);
  if (password !== "" || (username !== "" && protocol !== "ssh:")) {
    return "has a credential in it: take it out, and give it as GIT_TOKEN or GITHUB_TOKEN in the environment";
  }
  const loopback = ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
  if (["https:", "ssh:", "file:"].includes(protocol) || (protocol === "http:" && loopback)) return undefined;
  return `${JSON.stringify(value)} must start with https://: no other way keeps the token secret`;
}

// The rules of git-check-ref-format.
function branchProblem(value: string): string | undefined {
  const wrong =
    !/^[^\s~^:?*[\\\p{Cc}]+$/u.test(value) || /^[-/]|\/$|\.$|\.\.|\/\/|@\{|(^|\/)\.|\.lock(\/|$)|^@$/.test(value);
  return wrong ? `${show(value)} is no name of a branch` : undefined;
}

function messageProblem(value: string): string | undefined {
  if (value.trim() === "") return "must be a commit message";
  const [subject = "", second = ""] = value.split("\n");
  if (subject.trim() === "") return "must start with its subject line";
  if (second.trim() !== "") return "must have an empty line between its subject line and its body";
  return value.includes("\0") ? "must not hold a NUL" : undefined;
}

function pathProblem(path: string): string | undefined {
  const steps = path.split("/");
  if (path === "") return "is an empty path";
  if (path.startsWith("/")) return "must be relative: leave out the leading slash";
  if (steps.some((step) => step === "" || step === "." || step === ".."))
    return "must not have empty, `.` or `..` steps";
  if (steps.some((step) => step.toLowerCase() === ".git")) return "leads into .git, which Git refuses";
  if (/["\\\p{Cc}]/u.test(path)) return "must not hold quotes, backslashes or control characters";
  if (path === SOPS_CONFIG) return `is shared: give rules as sopsRules, they are merged into ${SOPS_CONFIG}`;
  return undefined;
}

function repeatedRules(rules: unknown, context: z.core.$RefinementCtx): void {
  if (!Array.isArray(rules)) return;
  const seen = new Set<unknown>();
  for (const [index, rule] of rules.entries()) {
    const pathRegex = isMap(rule) ? rule.path_regex : undefined;
    if (typeof pathRegex !== "string") continue;
    if (seen.has(pathRegex))
      context.addIssue({
        code: "custom",
        message: `repeats the path_regex ${show(pathRegex)}`,
        path: [index],
      });
    seen.add(pathRegex);
  }
}

function sharedPaths({ files, fluxComponents, seeds, kustomizations }: Previewed<GivenInputs>): CheckFailure[] {
  if (!isMap(files)) return [];
  const both = Object.entries({ fluxComponents, seeds, kustomizations }).flatMap(([name, map]) =>
    Object.keys(isMap(map) ? map : {}).flatMap((path) => (path in files ? [`${name}[${JSON.stringify(path)}]`] : [])),
  );
  return both.map((what) => ({ property: "", reason: `${what} is one of files too: it can be only one of them` }));
}

function sameBranch({ branch, pullRequest }: Previewed<GivenInputs>): CheckFailure[] {
  if (!isMap(pullRequest) || pullRequest.branch !== branch || branch === UNKNOWN) return [];
  return [{ property: "pullRequest.branch", reason: "is the branch that it shall lead to: name another one" }];
}

const CONTENTS = ["files", "fluxComponents", "seeds", "sopsRules", "kustomizations"] as const;

const EMPTY = {
  property: "",
  reason: `${CONTENTS[0]} is empty, and so are ${CONTENTS.slice(1).join(", ")}: give one of them`,
};

function isEmpty(inputs: Previewed<GivenInputs>): boolean {
  return CONTENTS.every((key) => {
    const value = inputs[key];
    return value === undefined || (value !== UNKNOWN && Object.keys(value).length === 0);
  });
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
