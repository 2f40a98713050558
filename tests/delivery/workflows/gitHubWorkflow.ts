// What GitHub makes of a workflow file and an event: the jobs that run, in their order, with their rights.
// https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";
import { COMMON, calls, evaluate, isTrue, resolve, type Scope, textOf, type Value } from "./expression.ts";

/** A repository as its workflows know it. */
export interface Repository {
  /** `owner/name`. */
  readonly name: string;
  readonly variables?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly environments?: Readonly<
    Record<
      string,
      { readonly variables?: Readonly<Record<string, string>>; readonly secrets?: Readonly<Record<string, string>> }
    >
  >;
}

/** What has happened. */
export interface Event {
  readonly name: "pull_request" | "pull_request_target" | "merge_group" | "push" | "workflow_dispatch" | "schedule";
  readonly ref: string;
  readonly sha: string;
  // biome-ignore lint/suspicious/noExplicitAny: a payload has any shape.
  readonly payload: Readonly<Record<string, any>>;
}

export type Right = "none" | "read" | "write";
export type Rights = Readonly<Record<string, Right>>;
export type Result = "success" | "failure" | "cancelled" | "skipped";

/** A job as a runner gets it. */
export interface Job {
  /** Its id; behind the ids of the jobs that call its workflow. */
  readonly id: string;
  readonly name: string;
  /** What its token may do; what is not in it, it may not. */
  readonly rights: Rights;
  readonly runsOn: Value;
  readonly environment?: { readonly name: string; readonly deployment: boolean } | undefined;
  /** The groups that it waits in, its callers' first. */
  readonly concurrency: readonly { readonly group: string; readonly cancels: boolean }[];
  readonly steps: readonly Step[];
  readonly env: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
  /** All but `steps`, `env` and `job`, which come with its steps. */
  readonly contexts: Readonly<Record<string, Value>>;
}

/** A step as it stands in the file. */
export interface Step {
  readonly id?: string;
  readonly name?: string;
  readonly if?: string | boolean;
  readonly uses?: string;
  readonly with?: Readonly<Record<string, Value>>;
  readonly run?: string;
  readonly shell?: string;
  readonly env?: Readonly<Record<string, Value>>;
}

export interface Outcome {
  readonly result: Result;
  readonly outputs: Readonly<Record<string, string>>;
}

/** Runs a job's steps. */
export type Execute = (job: Job) => Promise<Outcome>;

/** A job that has ended; without `job` it did not begin. */
export interface Ended extends Outcome {
  readonly id: string;
  readonly job?: Job;
}

// biome-ignore lint/suspicious/noExplicitAny: a file's content, whose keys are checked.
type Content = Readonly<Record<string, any>>;

/** What is understood; another key fails, for what it means would be left out. */
const KEYS = {
  workflow: ["name", "on", "permissions", "env", "jobs"],
  job: [
    ...["name", "if", "needs", "runs-on", "timeout-minutes", "environment", "permissions", "concurrency", "strategy"],
    ...["env", "outputs", "steps", "uses", "with", "secrets"],
  ],
  step: ["id", "name", "if", "uses", "with", "run", "shell", "env"],
};

function known(kind: keyof typeof KEYS, content: Content): Content {
  const strange = Object.keys(content).filter((key) => !KEYS[kind].includes(key));
  if (strange.length > 0) throw new Error(`The runner does not know ${strange.join(", ")} of a ${kind}.`);
  return content;
}

export const readWorkflow = (path: string): Content => known("workflow", parse(readFileSync(path, "utf8")));

/** Whether an event of a repository starts a workflow. */
export function starts(workflow: Content, event: Event): boolean {
  const on: Content = typeof workflow.on === "string" ? { [workflow.on]: null } : workflow.on;
  if (!(event.name in on)) return false;
  const filter: Content = on[event.name] ?? {};
  const { pull_request: pull, action } = event.payload;
  if (pull !== undefined) {
    const types: string[] = filter.types ?? ["opened", "synchronize", "reopened"];
    return types.includes(action) && matches(filter.branches ?? ["**"], pull.base.ref);
  }
  if (event.name !== "push") return true;
  const [, kind, name = ""] = /^refs\/(heads|tags)\/(.+)$/.exec(event.ref) ?? [];
  const [patterns, others] = kind === "tags" ? [filter.tags, filter.branches] : [filter.branches, filter.tags];
  // Who names only the one wants nothing of the other.
  return patterns === undefined ? others === undefined : matches(patterns, name);
}

function matches(patterns: readonly string[], name: string): boolean {
  return patterns.some((pattern) => {
    const source = pattern
      .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
      .replace(/\*\*?/g, (stars) => (stars === "*" ? "[^/]*" : ".*"));
    return new RegExp(`^${source}$`).test(name);
  });
}

/** Whether an event comes from a pull request of another repository: then there are no secrets, and no right to write. */
export function isFork({ name }: Repository, { payload }: Event): boolean {
  const from = payload.pull_request?.head.repo?.full_name;
  return payload.pull_request !== undefined && from !== name;
}

/** The order in which rights grow. */
const ORDER: readonly Right[] = ["none", "read", "write"];
const least = (one: Right, other: Right) => (ORDER.indexOf(one) < ORDER.indexOf(other) ? one : other);

interface Caller {
  readonly id: string;
  readonly rights: Rights;
  readonly inputs: Readonly<Record<string, Value>>;
  readonly concurrency: Job["concurrency"];
  /** Whether the called workflow sees the repository's secrets, and its environment's. */
  readonly hasSecrets: boolean;
}

export interface WorkflowOptions {
  /** The folder of the checkout. */
  readonly folder: string;
  readonly repository: Repository;
  readonly event: Event;
  readonly execute: Execute;
}

/**
 * Runs a workflow for an event. Jobs run one after the other.
 * @returns all jobs, those of called workflows in place of the ones that call them; undefined where the event starts none.
 * @throws Error for whatever it does not know.
 */
export async function runWorkflow(file: string, options: WorkflowOptions): Promise<readonly Ended[] | undefined> {
  const workflow = readWorkflow(join(options.folder, ".github/workflows", file));
  if (!starts(workflow, options.event)) return undefined;
  return (await new Run(options).workflow(workflow)).jobs;
}

class Run {
  readonly #options: WorkflowOptions;
  readonly #github: Content;

  constructor(options: WorkflowOptions) {
    this.#options = options;
    const { repository, event } = options;
    const [, kind, refName] = /^refs\/(heads|tags|pull)\/(.+)$/.exec(event.ref) ?? [];
    const [owner] = repository.name.split("/");
    this.#github = {
      ...{ event: event.payload, event_name: event.name, ref: event.ref, sha: event.sha, ref_name: refName },
      ...{ ref_type: kind === "tags" ? "tag" : "branch", repository: repository.name, repository_owner: owner },
      ...{ server_url: "https://github.com", api_url: "https://api.github.com", run_id: "1", run_attempt: "1" },
    };
  }

  async workflow(workflow: Content, caller?: Caller): Promise<{ result: Result; jobs: readonly Ended[] }> {
    const ended = new Map<string, Outcome>();
    const all: Ended[] = [];
    const waiting = new Map<string, Content>(Object.entries(workflow.jobs));
    while (waiting.size > 0) {
      const next = [...waiting].find(([, job]) => needsOf(job).every((need) => ended.has(need)));
      if (next === undefined) throw new Error(`No job of ${[...waiting.keys()].join(", ")} can begin.`);
      const [id, job] = next;
      waiting.delete(id);
      const { outcome, jobs } = await this.#job(id, known("job", job), workflow, ended, caller);
      ended.set(id, outcome);
      all.push(...jobs);
    }
    return { result: together([...ended.values()]), jobs: all };
  }

  /** One job of a file: as many as its matrix has, or those of the workflow that it calls. */
  async #job(
    id: string,
    job: Content,
    workflow: Content,
    ended: ReadonlyMap<string, Outcome>,
    caller: Caller | undefined,
  ): Promise<{ outcome: Outcome; jobs: readonly Ended[] }> {
    const whole = caller === undefined ? id : `${caller.id}.${id}`;
    const needs = Object.fromEntries(needsOf(job).map((need) => [need, ended.get(need)]));
    const contexts = {
      github: this.#github,
      needs,
      vars: this.#options.repository.variables ?? {},
      inputs: caller?.inputs ?? this.#inputs,
    };
    if (!mayBegin(job.if, { contexts, functions: functionsFor(needs) })) {
      const skipped: Outcome = { result: "skipped", outputs: {} };
      return { outcome: skipped, jobs: [{ id: whole, ...skipped }] };
    }
    const matrix = resolve(job.strategy?.matrix ?? {}, { contexts, functions: functionsFor(needs) }) as Content;
    const done: { outcome: Outcome; jobs: readonly Ended[] }[] = [];
    for (const of of combinations(matrix))
      done.push(await this.#one(whole, job, workflow, { ...contexts, matrix: of }, caller));
    const outputs = Object.assign({}, ...done.map(({ outcome }) => outcome.outputs));
    const result = together(done.map(({ outcome }) => outcome));
    return { outcome: { result, outputs }, jobs: done.flatMap(({ jobs }) => jobs) };
  }

  async #one(
    id: string,
    job: Content,
    workflow: Content,
    contexts: Content,
    caller: Caller | undefined,
  ): Promise<{ outcome: Outcome; jobs: readonly Ended[] }> {
    const scope: Scope = { contexts, functions: FUNCTIONS };
    const whole =
      Object.values(contexts.matrix).length > 0 ? `${id} (${Object.values(contexts.matrix).join(", ")})` : id;
    const rights = this.#rights(job.permissions ?? workflow.permissions, caller);
    const concurrency = [...(caller?.concurrency ?? []), ...(job.concurrency ? [groupOf(job.concurrency, scope)] : [])];
    if (job.uses !== undefined) {
      if (!job.uses.startsWith("./")) throw new Error(`The runner does not know the workflow ${job.uses}.`);
      if (![undefined, "inherit"].includes(job.secrets)) throw new Error("The runner passes all secrets or none.");
      const called = readWorkflow(join(this.#options.folder, job.uses));
      const inputs = inputsOf(called, resolve(job.with ?? {}, scope) as Content);
      const hasSecrets = job.secrets === "inherit" && caller?.hasSecrets !== false;
      const { result, jobs } = await this.workflow(called, { id: whole, rights, inputs, concurrency, hasSecrets });
      return { outcome: { result, outputs: {} }, jobs };
    }
    const { secrets, variables, environment } = this.#environment(job, scope, caller?.hasSecrets ?? true);
    const all = { ...contexts, vars: variables, secrets };
    const ready: Job = {
      ...{ id: whole, name: textOf(resolve(job.name ?? id, scope)), rights, concurrency, environment },
      runsOn: resolve(job["runs-on"], scope),
      steps: (job.steps as Content[]).map((step) => known("step", step) as Step),
      env: texts(resolve({ ...workflow.env, ...job.env }, { contexts: all, functions: FUNCTIONS })),
      outputs: job.outputs ?? {},
      contexts: all,
    };
    const outcome = await this.#options.execute(ready);
    return { outcome, jobs: [{ id: whole, job: ready, ...outcome }] };
  }

  /** What a job's token may do. @throws Error where a called workflow asks for more than its caller has. */
  #rights(asked: Content | undefined, caller: Caller | undefined): Rights {
    if (asked === undefined && caller === undefined)
      throw new Error("A job without permissions has what the repository's settings say.");
    const rights = asked === undefined ? (caller?.rights ?? {}) : (asked as Rights);
    for (const [name, right] of Object.entries(rights))
      if (caller !== undefined && least(right, caller.rights[name] ?? "none") !== right)
        throw new Error(`A called workflow asks for ${name}: ${right}, which its caller has not.`);
    if (this.#options.event.name !== "pull_request" || !isFork(this.#options.repository, this.#options.event))
      return rights;
    const inFork = (name: string, right: Right) => (name === "id-token" ? "none" : least(right, "read"));
    return Object.fromEntries(Object.entries(rights).map(([name, right]) => [name, inFork(name, right)]));
  }

  #environment(job: Content, scope: Scope, hasSecrets: boolean) {
    const { repository, event } = this.#options;
    const value = resolve(typeof job.environment === "string" ? { name: job.environment } : job.environment, scope) as
      | Content
      | undefined;
    const environment = value && { name: textOf(value.name), deployment: value.deployment !== false };
    const of = environment && repository.environments?.[environment.name];
    const withheld = !hasSecrets || (event.name === "pull_request" && isFork(repository, event));
    return {
      environment,
      variables: { ...repository.variables, ...of?.variables },
      secrets: withheld ? {} : { ...repository.secrets, ...of?.secrets },
    };
  }

  get #inputs(): Content {
    return this.#options.event.payload.inputs ?? {};
  }
}

const needsOf = (job: Content): string[] => [job.needs ?? []].flat();

const together = (outcomes: readonly Outcome[]): Result =>
  (["failure", "cancelled", "success"] as const).find((result) => outcomes.some((each) => each.result === result)) ??
  "skipped";

/** Functions of every place. */
export const FUNCTIONS: Scope["functions"] = {
  ...COMMON,
  fromJSON: (text) => JSON.parse(textOf(text)),
  toJSON: (value) => JSON.stringify(value ?? null, undefined, 2),
};

/** Of conditions: a job's, by what it needs. */
function functionsFor(needs: Content): Scope["functions"] {
  const results = Object.values(needs).map((need) => need?.result as Result);
  return {
    ...FUNCTIONS,
    always: () => true,
    success: () => results.every((result) => result === "success"),
    failure: () => results.includes("failure"),
    cancelled: () => results.includes("cancelled"),
  };
}

/** Whether a condition holds; without a word on what was before, all of that has to be well. */
export function mayBegin(condition: string | boolean | undefined, scope: Scope): boolean {
  const source =
    condition === undefined
      ? "true"
      : String(condition)
          .trim()
          .replace(/^\$\{\{(.*)\}\}$/s, "$1");
  const isOwn = calls(source, ["always", "success", "failure", "cancelled"]);
  return isTrue(evaluate(isOwn ? source : `success() && (${source})`, scope));
}

function combinations(matrix: Content): Content[] {
  if ("include" in matrix || "exclude" in matrix)
    throw new Error("The runner knows no include and exclude of a matrix.");
  return Object.entries(matrix).reduce<Content[]>(
    (all, [key, values]) => all.flatMap((one) => (values as Value[]).map((value) => ({ ...one, [key]: value }))),
    [{}],
  );
}

function groupOf(concurrency: Content | string, scope: Scope): Job["concurrency"][number] {
  const {
    group,
    "cancel-in-progress": cancels = false,
    ...more
  } = typeof concurrency === "string" ? { group: concurrency } : (concurrency as Content);
  if (Object.keys(more).length > 0)
    throw new Error(`The runner does not know ${Object.keys(more).join(", ")} of concurrency.`);
  return { group: textOf(resolve(group, scope)).toLowerCase(), cancels: isTrue(resolve(cancels, scope)) };
}

/** The inputs of a called workflow. @throws Error for one that is missing, or that it does not have. */
function inputsOf(called: Content, given: Content): Content {
  const declared: Content = called.on.workflow_call?.inputs ?? {};
  const strange = Object.keys(given).filter((name) => !(name in declared));
  if (strange.length > 0) throw new Error(`The called workflow has no input ${strange.join(", ")}.`);
  return Object.fromEntries(
    Object.entries(declared).map(([name, input]) => {
      if (given[name] === undefined && input.required) throw new Error(`The called workflow needs the input ${name}.`);
      return [name, given[name] ?? input.default ?? ""];
    }),
  );
}

export const texts = (values: Value): Record<string, string> =>
  Object.fromEntries(Object.entries((values ?? {}) as Content).map(([name, value]) => [name, textOf(value)]));
