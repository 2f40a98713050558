// What Azure Pipelines makes of a file: templates put in, stages chosen, and their steps run as an agent runs them.
// https://learn.microsoft.com/azure/devops/pipelines/yaml-schema
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { parse } from "yaml";
import type { DevOpsJobStarted } from "../../../rehearsal/world/pipelines.ts";
import { COMMON, evaluate, isEqual, isTrue, resolve, type Scope, textOf, type Value } from "./expression.ts";
import type { Left, Machine, Variables } from "./machine.ts";

// biome-ignore lint/suspicious/noExplicitAny: a file's content, whose keys are checked.
type Content = Readonly<Record<string, any>>;

/** A service connection. */
export interface Connection {
  readonly id: string;
  readonly clientId: string;
  readonly tenantId: string;
}

export interface PipelineOptions {
  /** The folder of the checkout whose files are read. */
  readonly folder: string;
  readonly machine: Machine;
  /** The variables that the service sets: `Build.SourceBranch` and others. */
  readonly system: Variables;
  /** Variable groups, by name; those that are secret are listed. */
  readonly groups: Readonly<Record<string, { readonly variables: Variables; readonly secrets?: readonly string[] }>>;
  readonly connections: Readonly<Record<string, Connection>>;
  /** Lets a job begin. */
  readonly start: () => Promise<DevOpsJobStarted>;
  /** Brings what is checked out into a folder. */
  readonly checkOut: (folder: string, options: { readonly depth: string | undefined }) => Promise<Left>;
}

/** A stage that ran. */
export interface Stage {
  readonly name: string;
  readonly result: "succeeded" | "failed" | "skipped";
  readonly environment?: string | undefined;
  readonly lockBehavior?: string | undefined;
  readonly log: string;
  /** What was uploaded as a summary. */
  readonly summary: string;
  readonly steps: readonly (readonly [step: string, result: "succeeded" | "failed" | "skipped"])[];
}

/** What is understood; another key fails, for what it means would be left out. */
const KEYS = {
  pipeline: ["trigger", "pr", "schedules", "stages"],
  stage: ["stage", "dependsOn", "condition", "lockBehavior", "variables", "jobs"],
  job: ["job", "deployment", "environment", "pool", "timeoutInMinutes", "steps", "strategy"],
  step: ["script", "bash", "task", "checkout", "fetchDepth", "displayName", "condition", "inputs", "env"],
};

function known(kind: keyof typeof KEYS, content: Content): Content {
  const strange = Object.keys(content).filter((key) => !KEYS[kind].includes(key));
  if (strange.length > 0) throw new Error(`The agent does not know ${strange.join(", ")} of a ${kind}.`);
  return content;
}

const FUNCTIONS: Scope["functions"] = {
  ...COMMON,
  eq: isEqual,
  ne: (one, other) => !isEqual(one, other),
  and: (...all) => all.every(isTrue),
  or: (...all) => all.some(isTrue),
  not: (value) => !isTrue(value),
};

/** A pipeline's file, with its templates put in. @throws Error for what it does not know. */
export function readPipeline(path: string): {
  readonly trigger: Value;
  readonly pr: Value;
  readonly schedules?: Value;
  readonly stages: readonly Content[];
} {
  const content = known("pipeline", parse(readFileSync(path, "utf8")));
  const stages = (content.stages as Content[]).map((stage) => {
    const jobs = (known("stage", stage).jobs as Content[]).map((job) => {
      const steps = known("job", job).steps ?? job.strategy?.runOnce?.deploy?.steps;
      return { ...job, steps: expand(steps, {}, dirname(path)).map((step) => known("step", step)) };
    });
    return { ...stage, jobs };
  });
  return { trigger: content.trigger, pr: content.pr, schedules: content.schedules, stages };
}

/** Steps with their templates and expressions: `- template:`, `- ${{ if }}:`, and `${{ each }}` in a map. */
function expand(steps: readonly Content[], parameters: Content, folder: string): Content[] {
  const scope: Scope = { contexts: { parameters }, functions: FUNCTIONS };
  return steps.flatMap((step) => {
    const [key = ""] = Object.keys(step);
    const condition = /^\$\{\{ *if (.*)\}\}$/s.exec(key)?.[1];
    if (condition !== undefined) return isTrue(evaluate(condition, scope)) ? expand(step[key], parameters, folder) : [];
    if (step.template === undefined) return [filled(step, scope) as Content];
    const path = join(folder, step.template);
    const template = parse(readFileSync(path, "utf8"));
    return expand(template.steps, given(template.parameters, filled(step.parameters, scope) as Content), dirname(path));
  });
}

/** The parameters of a template. @throws Error for one that is missing, strange, or none of its values. */
function given(declared: readonly Content[], values: Content): Content {
  const strange = Object.keys(values).filter((name) => !declared.some((each) => each.name === name));
  if (strange.length > 0) throw new Error(`The template has no parameter ${strange.join(", ")}.`);
  return Object.fromEntries(
    declared.map(({ name, default: usual, values: allowed }) => {
      const value = values[name] ?? usual;
      if (value === undefined) throw new Error(`The template needs the parameter ${name}.`);
      if (allowed !== undefined && !allowed.includes(value))
        throw new Error(`${name} is ${value}, and not ${allowed.join(" or ")}.`);
      return [name, value];
    }),
  );
}

/** A value with its compile-time expressions. */
function filled(value: Value, scope: Scope): Value {
  if (Array.isArray(value)) return value.map((each) => filled(each, scope));
  if (typeof value !== "object" || value === null) return resolve(value, scope);
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => {
      const [, name, list] = /^\$\{\{ *each (\w+) in (.*)\}\}$/s.exec(key) ?? [];
      if (name === undefined || list === undefined) return [[textOf(resolve(key, scope)), filled(each, scope)]];
      return (evaluate(list, scope) as Value[]).flatMap((item) =>
        Object.entries(filled(each, { ...scope, contexts: { ...scope.contexts, [name]: item } }) as Content),
      );
    }),
  );
}

/** The variables as programs see them: in capitals, with _ for whatever else. */
const inEnvironment = (variables: Variables): Variables =>
  Object.fromEntries(
    Object.entries(variables).map(([name, value]) => [name.toUpperCase().replace(/[. ]/g, "_"), value]),
  );

/** Runs the stages of a pipeline, one after the other. */
export async function runPipeline(file: string, options: PipelineOptions): Promise<readonly Stage[]> {
  const stages: Stage[] = [];
  for (const stage of readPipeline(join(options.folder, "azure-pipelines", file)).stages)
    stages.push(await new StageRun(stage, options).run());
  return stages;
}

class StageRun {
  readonly #stage: Content;
  readonly #options: PipelineOptions;
  readonly #variables: Record<string, string>;
  readonly #secrets: Record<string, string> = {};
  #idTokens: DevOpsJobStarted["idTokens"] = {};
  #hasFailed = false;
  #log = "";
  #summary = "";

  constructor(stage: Content, options: PipelineOptions) {
    this.#stage = stage;
    this.#options = options;
    this.#variables = { ...options.system };
    for (const { group } of (stage.variables ?? []) as { group: string }[]) {
      const found = options.groups[group];
      if (found === undefined) throw new Error(`There is no variable group ${group}.`);
      for (const [name, value] of Object.entries(found.variables))
        (found.secrets?.includes(name) ? this.#secrets : this.#variables)[name] = value;
    }
  }

  async run(): Promise<Stage> {
    const { stage: name, lockBehavior, dependsOn, jobs } = this.#stage;
    if (JSON.stringify(dependsOn) !== "[]")
      throw new Error(`The agent does not know what the stage ${name} waits for.`);
    const [job, ...others] = jobs as Content[];
    if (job === undefined || others.length > 0)
      throw new Error(`The agent knows one job of a stage, not those of ${name}.`);
    const left = { name, lockBehavior, environment: job.environment as string | undefined };
    if (!this.#holds(this.#stage.condition)) return { ...left, result: "skipped", log: "", summary: "", steps: [] };
    const workspace = await this.#options.machine.workspace();
    const steps: Stage["steps"][number][] = [];
    const { token, oidcRequestUri, idTokens } = await this.#options.start();
    this.#idTokens = idTokens;
    this.#secrets["System.AccessToken"] = token;
    this.#variables["System.OidcRequestUri"] = oidcRequestUri;
    for (const step of job.steps as Content[]) {
      const what: string = step.displayName ?? step.task ?? (step.checkout === undefined ? "script" : "checkout");
      if (!this.#holds(step.condition)) {
        steps.push([what, "skipped"]);
        continue;
      }
      const { code, log } = await this.#step(step, workspace);
      await this.#take(log);
      if (code !== 0) this.#hasFailed = true;
      steps.push([what, code === 0 ? "succeeded" : "failed"]);
    }
    return { ...left, result: this.#hasFailed ? "failed" : "succeeded", log: this.#log, summary: this.#summary, steps };
  }

  #holds(condition = "succeeded()"): boolean {
    const functions = {
      ...FUNCTIONS,
      succeeded: () => !this.#hasFailed,
      failed: () => this.#hasFailed,
      always: () => true,
    };
    // A variable that is not there is an empty text.
    return isTrue(evaluate(condition, { contexts: { variables: this.#variables }, functions }));
  }

  async #step(step: Content, workspace: string): Promise<Left> {
    if (step.checkout === "self") return this.#options.checkOut(workspace, { depth: step.fetchDepth });
    const mapped = Object.entries((step.env ?? {}) as Record<string, string>).map(([name, value]) => [
      name,
      this.#macros(value),
    ]);
    const env = {
      ...inEnvironment({ ...this.#variables, "Agent.TempDirectory": dirname(workspace) }),
      ...(Object.fromEntries(mapped) as Variables),
    };
    // https://learn.microsoft.com/azure/devops/pipelines/tasks/reference/cmd-line-v2: without -e.
    const shell = ["bash", "--noprofile", "--norc"];
    const script = step.script ?? step.bash;
    if (script !== undefined) return this.#options.machine.run(shell, this.#macros(script), workspace, env);
    if (step.task !== "AzureCLI@2") throw new Error(`The agent does not know ${step.task}.`);
    return this.#azureCli(step.inputs, workspace, env);
  }

  /** https://learn.microsoft.com/azure/devops/pipelines/tasks/reference/azure-cli-v2, without az. */
  async #azureCli(inputs: Content, workspace: string, env: Variables): Promise<Left> {
    const { azureSubscription, addSpnToEnvironment, scriptType, scriptLocation, inlineScript, ...more } = inputs;
    if (Object.keys(more).length > 0 || scriptType !== "bash" || scriptLocation !== "inlineScript")
      throw new Error(`The agent does not know the inputs ${JSON.stringify(inputs)} of AzureCLI@2.`);
    const connection = this.#options.connections[azureSubscription];
    if (connection === undefined) throw new Error(`There is no service connection ${azureSubscription}.`);
    const { id, clientId, tenantId } = connection;
    const names = {
      ...{ AZURESUBSCRIPTION_SERVICE_CONNECTION_ID: id, AZURESUBSCRIPTION_CLIENT_ID: clientId },
      AZURESUBSCRIPTION_TENANT_ID: tenantId,
    };
    const principal = addSpnToEnvironment
      ? { servicePrincipalId: clientId, tenantId, idToken: this.#idTokens[id] ?? "" }
      : {};
    const script = this.#macros(inlineScript);
    return this.#options.machine.run(["bash"], script, workspace, { ...env, ...names, ...principal });
  }

  /** `$(name)` is a variable's value, and stays as it is where there is none. */
  #macros(text: string): string {
    const all = { ...this.#variables, ...this.#secrets };
    return text.replaceAll(/\$\(([\w.]+)\)/g, (macro, name: string) => all[name] ?? macro);
  }

  /** Takes a step's log, and what it commands. */
  async #take(log: string): Promise<void> {
    this.#log += log;
    for (const [, name = "", value = ""] of log.matchAll(/^##vso\[task\.setvariable variable=(\w+)\](.*)$/gm))
      this.#variables[name] = value;
    for (const [, file = ""] of log.matchAll(/^##vso\[task\.uploadsummary\](.*)$/gm))
      this.#summary += await readFile(file, "utf8");
  }
}
