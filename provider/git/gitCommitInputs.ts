// The inputs of a GitCommit: their form, their faults, and the import id that stands for them.

import { type CheckFailure, type Properties, UNKNOWN } from "../../plugin/handler.ts";
import type { FluxComponents } from "../flux/fluxComponents.ts";
import { type KustomizationEntries, LISTS } from "./kustomizationFile.ts";
import { SOPS_CONFIG, type SopsRule } from "./sopsRules.ts";

/** The inputs once all of them are known. */
export interface GitCommitInputs {
  readonly url: string;
  readonly branch: string;
  readonly files: Readonly<Record<string, string>>;
  readonly fluxComponents: Readonly<Record<string, FluxComponents>>;
  readonly seeds: Readonly<Record<string, string>>;
  readonly sopsRules: readonly SopsRule[];
  readonly kustomizations: Readonly<Record<string, KustomizationEntries>>;
  readonly message: string;
  readonly adopt: boolean;
}

/** Checked inputs, with what was left out filled in. */
export function readInputs(properties: Properties): GitCommitInputs {
  const inputs = properties as Partial<GitCommitInputs>;
  return {
    url: String(inputs.url),
    branch: String(inputs.branch),
    files: inputs.files ?? {},
    fluxComponents: inputs.fluxComponents ?? {},
    seeds: inputs.seeds ?? {},
    sopsRules: inputs.sopsRules ?? [],
    kustomizations: inputs.kustomizations ?? {},
    message: String(inputs.message),
    adopt: inputs.adopt ?? false,
  };
}

const PROPERTIES = [
  "url",
  "branch",
  "files",
  "fluxComponents",
  "seeds",
  "sopsRules",
  "kustomizations",
  "message",
  "adopt",
];

/** Every fault of the inputs; unknown values have none. */
export function inputFaults(inputs: Properties): CheckFailure[] {
  return [
    ...Object.keys(inputs)
      .filter((property) => !PROPERTIES.includes(property))
      .map((property) => ({ property, reason: `there is no such property; there are ${PROPERTIES.join(", ")}` })),
    ...fault(inputs, "url", urlProblem),
    ...fault(inputs, "branch", branchProblem),
    ...fault(inputs, "message", messageProblem),
    ...fault(inputs, "adopt", (value) =>
      value === undefined || typeof value === "boolean" ? [] : ["must be a boolean"],
    ),
    ...fault(inputs, "files", filesProblems),
    ...fault(inputs, "seeds", filesProblems),
    ...fault(inputs, "sopsRules", rulesProblems),
    ...fault(inputs, "fluxComponents", componentsProblems),
    ...fault(inputs, "kustomizations", kustomizationsProblems),
    ...sharedPaths(inputs),
    ...emptiness(inputs),
  ];
}

/**
 * Takes an import id apart: `<url>#<branch>:<path>,<path>/`.
 *
 * @throws Error when it has another form
 */
export function parseImportId(id: string): { url: string; branch: string; paths: string[] } {
  const [, url = "", branch = "", list = ""] = /^([^#]+)#([^:]+):(.+)$/.exec(id) ?? [];
  const paths = list.split(",").filter(Boolean);
  const problems = [...urlProblem(url), ...branchProblem(branch), ...(paths.length ? [] : ["names no path"])];
  if (problems.length === 0) return { url, branch, paths };
  throw new Error(`the id ${url ? url : "given"} is no <url>#<branch>:<path>,<folder>/: ${problems.join("; ")}`);
}

// Of no property: the engine prints the whole value of a property that is named, be it a credential or a long file.
function fault(inputs: Properties, name: string, problems: (value: unknown) => string[]): CheckFailure[] {
  const value = inputs[name];
  if (value === UNKNOWN) return [];
  const reason = (problem: string) => `${name}${problem.startsWith("[") ? "" : " "}${problem}`;
  return problems(value).map((problem) => ({ property: "", reason: reason(problem) }));
}

/** The URL itself is shown only when it surely holds no credential. */
function urlProblem(value: unknown): string[] {
  if (typeof value !== "string" || value === "") return ["must be the repository's URL"];
  if (!URL.canParse(value)) return ["is no URL: it reads https://<host>/<path>"];
  const { protocol, hostname, username, password } = new URL(value);
  if (password !== "" || (username !== "" && protocol !== "ssh:")) {
    return ["has a credential in it: take it out, and give it as GIT_TOKEN or GITHUB_TOKEN in the environment"];
  }
  const loopback = ["127.0.0.1", "localhost", "[::1]"].includes(hostname);
  if (["https:", "ssh:", "file:"].includes(protocol) || (protocol === "http:" && loopback)) return [];
  return [`${JSON.stringify(value)} must start with https://: no other way keeps the token secret`];
}

// The rules of git-check-ref-format.
function branchProblem(value: unknown): string[] {
  const wrong =
    typeof value !== "string" ||
    !/^[^\s~^:?*[\\\p{Cc}]+$/u.test(value) ||
    /^[-/]|\/$|\.$|\.\.|\/\/|@\{|(^|\/)\.|\.lock(\/|$)|^@$/.test(value);
  return wrong ? [`${show(value)} is no name of a branch`] : [];
}

function messageProblem(value: unknown): string[] {
  if (typeof value !== "string" || value.trim() === "") return ["must be a commit message"];
  const [subject = "", second = ""] = value.split("\n");
  if (subject.trim() === "") return ["must start with its subject line"];
  if (second.trim() !== "") return ["must have an empty line between its subject line and its body"];
  return value.includes("\0") ? ["must not hold a NUL"] : [];
}

function filesProblems(value: unknown): string[] {
  if (value === undefined) return [];
  if (!isMap(value)) return ["must be a map of texts by path"];
  return Object.entries(value).flatMap(([path, text]) => {
    const problem = pathProblem(path) ?? (typeof text === "string" || text === UNKNOWN ? "" : "holds no text");
    return problem ? [`[${JSON.stringify(path)}] ${problem}`] : [];
  });
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

const RULE_KEYS = ["path_regex", "encrypted_regex", "azure_keyvault"];

function rulesProblems(value: unknown): string[] {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return ["must be a list of rules"];
  const seen = new Set<unknown>();
  return value.flatMap((rule, index) => {
    if (rule === UNKNOWN) return [];
    const problems = isMap(rule) ? ruleProblems(rule, seen) : ["must be a map"];
    return problems.map((problem) => `[${index}] ${problem}`);
  });
}

function ruleProblems(rule: Record<string, unknown>, seen: Set<unknown>): string[] {
  const problems = Object.keys(rule)
    .filter((key) => !RULE_KEYS.includes(key))
    .map((key) => `has ${JSON.stringify(key)}, which is none of ${RULE_KEYS.join(", ")}`);
  for (const key of RULE_KEYS) {
    const value = rule[key];
    if (value === UNKNOWN || (value === undefined && key === "encrypted_regex")) continue;
    if (typeof value !== "string" || value === "") problems.push(`needs ${key}, a string`);
  }
  const pathRegex = rule.path_regex;
  if (typeof pathRegex === "string" && seen.has(pathRegex)) problems.push(`repeats the path_regex ${show(pathRegex)}`);
  seen.add(pathRegex);
  return problems;
}

function componentsProblems(value: unknown): string[] {
  if (value === undefined) return [];
  if (!isMap(value)) return ["must be a map by path"];
  return Object.entries(value).flatMap(([path, components]) => {
    const problem = pathProblem(path) ?? (components === UNKNOWN || isMap(components) ? "" : "must be a map");
    return problem ? [`[${JSON.stringify(path)}] ${problem}`] : [];
  });
}

function kustomizationsProblems(value: unknown): string[] {
  if (value === undefined) return [];
  if (!isMap(value)) return ["must be a map of entries by path"];
  return Object.entries(value).flatMap(([path, entries]) => {
    const problem = pathProblem(path) ?? entriesProblem(entries);
    return problem ? [`[${JSON.stringify(path)}] ${problem}`] : [];
  });
}

function entriesProblem(entries: unknown): string | undefined {
  if (entries === UNKNOWN) return undefined;
  const isText = (entry: unknown) => entry === UNKNOWN || (typeof entry === "string" && entry !== "");
  const isList = (list: unknown) => list === UNKNOWN || (Array.isArray(list) && list.every(isText));
  const known: readonly string[] = LISTS;
  const fits =
    isMap(entries) && Object.entries(entries).every(([list, value]) => known.includes(list) && isList(value));
  return fits ? undefined : `must have lists of names, and no others than ${LISTS.join(" and ")}`;
}

function sharedPaths(inputs: Properties): CheckFailure[] {
  const { files, fluxComponents, seeds, kustomizations } = inputs;
  if (!isMap(files)) return [];
  const both = Object.entries({ fluxComponents, seeds, kustomizations }).flatMap(([name, map]) =>
    Object.keys(isMap(map) ? map : {}).flatMap((path) => (path in files ? [`${name}[${JSON.stringify(path)}]`] : [])),
  );
  return both.map((what) => ({ property: "", reason: `${what} is one of files too: it can be only one of them` }));
}

function emptiness(inputs: Properties): CheckFailure[] {
  const contents = ["files", "fluxComponents", "seeds", "sopsRules", "kustomizations"];
  const filled = contents.some((key) => {
    const value = inputs[key];
    return value === UNKNOWN || (typeof value === "object" && value !== null && Object.keys(value).length > 0);
  });
  const [first, ...others] = contents;
  return filled
    ? []
    : [{ property: "", reason: `${first} is empty, and so are ${others.join(", ")}: give one of them` }];
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}
