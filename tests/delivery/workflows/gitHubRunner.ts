// Runs a job's steps as GitHub's runner does: https://docs.github.com/actions/reference/workflows-and-actions
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { resolve, type Scope, textOf, type Value } from "./expression.ts";
import {
  type Event,
  FUNCTIONS,
  type Job,
  mayBegin,
  type Outcome,
  type Repository,
  type Step,
  texts,
} from "./gitHubWorkflow.ts";
import { assignments, type Left, type Machine, type Variables } from "./machine.ts";

export interface RunnerOptions {
  readonly machine: Pick<Machine, "workspace" | "run">;
  readonly repository: Repository;
  readonly event: Event;
  /** The number of the run. */
  readonly run: number;
  /** Lets the job begin at GitHub. */
  readonly start: (job: Job) => Promise<{ readonly token: string; readonly variables: Variables }>;
}

/** A job that ran, with all that is to be seen of it. */
export interface Ran extends Outcome {
  readonly job: Job;
  readonly log: string;
  /** The page of Markdown. */
  readonly summary: string;
  /** What became of each step, by its id or what it does. */
  readonly steps: readonly (readonly [step: string, conclusion: "success" | "failure" | "skipped"])[];
}

/** A step of the kind `uses`. */
interface Use {
  readonly inputs: Readonly<Record<string, string>>;
  readonly workspace: string;
  readonly token: string;
  readonly event: Event;
  readonly repository: Repository;
  readonly shell: (script: string, env: Variables) => Promise<Left>;
}

interface Action {
  /** Those of its inputs that are understood. */
  readonly inputs: readonly string[];
  readonly use: (use: Use) => Promise<Left>;
}

/** The actions that are known. */
const ACTIONS: Readonly<Record<string, Action>> = {
  "actions/checkout": { inputs: ["fetch-depth", "filter", "persist-credentials"], use: checkOut },
  "actions/setup-node": {
    inputs: ["node-version", "cache"],
    use: async ({ inputs }) => {
      const [major] = process.versions.node.split(".");
      const log = `Node.js ${major} is here, ${inputs["node-version"]} is wanted\n`;
      return { code: major === inputs["node-version"] ? 0 : 1, log };
    },
  },
};

/** Whether the runner knows an action of a file, `owner/name@commit`. */
export const isKnownAction = (uses: string) => (uses.split("@")[0] ?? "") in ACTIONS;

/** By HTTPS with the job's token, which is not kept where the step says so. */
async function checkOut({ inputs, token, event, repository, shell }: Use): Promise<Left> {
  const { "fetch-depth": depth = "1", filter, "persist-credentials": isKept = "true" } = inputs;
  const options = [...(depth === "0" ? [] : [`--depth=${depth}`]), ...(filter ? [`--filter=${filter}`] : [])];
  const key = "http.https://github.com/.extraheader";
  return shell(
    `git init --quiet
git remote add origin "https://github.com/${repository.name}"
git config '${key}' "AUTHORIZATION: basic $(printf 'x-access-token:%s' "$TOKEN" | base64 --wrap=0)"
git fetch --quiet --no-tags ${options.join(" ")} origin "+${event.sha}:refs/remotes/checked-out"
git checkout --quiet --detach refs/remotes/checked-out
${isKept === "true" ? "" : `git config --unset '${key}'`}`,
    { TOKEN: token },
  );
}

/** Runs a job. @throws Error for a step that it does not know. */
export async function runJob(job: Job, options: RunnerOptions): Promise<Ran> {
  const { token, variables } = await options.start(job);
  const workspace = await options.machine.workspace();
  return new JobRun(job, options, workspace, token, variables).run();
}

class JobRun {
  readonly #job: Job;
  readonly #options: RunnerOptions;
  readonly #workspace: string;
  readonly #token: string;
  readonly #system: Variables;
  readonly #steps: Record<string, { outputs: Record<string, string>; conclusion: string }> = {};
  #env: Record<string, string>;
  #hasFailed = false;
  #log = "";

  constructor(job: Job, options: RunnerOptions, workspace: string, token: string, identity: Variables) {
    this.#job = job;
    this.#options = options;
    this.#workspace = workspace;
    this.#token = token;
    this.#env = { ...job.env };
    this.#system = { ...this.#variables(), ...identity };
  }

  async run(): Promise<Ran> {
    await writeFile(this.#place("event.json"), JSON.stringify(this.#options.event.payload));
    const steps: Ran["steps"][number][] = [];
    for (const [index, step] of this.#job.steps.entries()) {
      const name = step.id ?? step.name ?? step.uses?.split("@")[0] ?? step.run ?? "";
      const scope = this.#scope();
      // A condition sees no secret.
      const { secrets: _, ...contexts } = scope.contexts;
      if (!mayBegin(step.if, { ...scope, contexts })) {
        steps.push([name, "skipped"]);
        continue;
      }
      const { code, log } = await this.#step(step, index);
      this.#log += log;
      const conclusion = code === 0 ? "success" : "failure";
      if (step.id !== undefined)
        this.#steps[step.id] = { outputs: await assignments(this.#place(`output-${index}`)), conclusion };
      Object.assign(this.#env, await assignments(this.#place(`env-${index}`)));
      if (code !== 0) this.#hasFailed = true;
      steps.push([name, conclusion]);
    }
    const outputs = texts(resolve(this.#job.outputs, this.#scope()));
    const summary = await readFile(this.#place("summary.md"), "utf8").catch(() => "");
    return { job: this.#job, result: this.#hasFailed ? "failure" : "success", outputs, log: this.#log, summary, steps };
  }

  async #step(step: Step, index: number): Promise<Left> {
    const env = { ...this.#env, ...texts(resolve(step.env ?? {}, this.#scope())) };
    const system = {
      ...this.#system,
      GITHUB_OUTPUT: this.#place(`output-${index}`),
      GITHUB_ENV: this.#place(`env-${index}`),
    };
    if (step.run !== undefined) {
      // https://docs.github.com/actions/reference/workflows-and-actions/workflow-syntax#jobsjob_idstepsshell
      const shells = { bash: ["bash", "--noprofile", "--norc", "-eo", "pipefail"], sh: ["sh", "-e"] };
      const shell = step.shell === undefined ? ["bash", "-e"] : shells[step.shell as keyof typeof shells];
      if (shell === undefined) throw new Error(`The runner does not know the shell ${step.shell}.`);
      const script = textOf(resolve(step.run, this.#scope()));
      return this.#options.machine.run(shell, script, this.#workspace, { ...system, ...env });
    }
    const action = ACTIONS[step.uses?.split("@")[0] ?? ""];
    if (action === undefined) throw new Error(`The runner does not know ${step.uses}.`);
    const inputs = texts(resolve(step.with ?? {}, this.#scope()));
    const strange = Object.keys(inputs).filter((name) => !action.inputs.includes(name));
    if (strange.length > 0) throw new Error(`The runner does not know ${strange.join(", ")} of ${step.uses}.`);
    const { event, repository, machine } = this.#options;
    const shell = (script: string, more: Variables) =>
      machine.run(["bash", "-e"], script, this.#workspace, { ...env, ...more });
    return action.use({ inputs, workspace: this.#workspace, token: this.#token, event, repository, shell });
  }

  #scope(): Scope {
    const { contexts } = this.#job;
    const status = this.#hasFailed ? "failure" : "success";
    return {
      contexts: {
        ...contexts,
        github: { ...(contexts.github as Record<string, Value>), token: this.#token },
        ...{ env: this.#env, steps: this.#steps, job: { status }, runner: { os: "Linux" } },
      },
      functions: {
        ...FUNCTIONS,
        always: () => true,
        success: () => !this.#hasFailed,
        failure: () => this.#hasFailed,
        cancelled: () => false,
      },
    };
  }

  /** A file beside the workspace. */
  #place(name: string): string {
    return join(dirname(this.#workspace), name);
  }

  /** https://docs.github.com/actions/reference/workflows-and-actions/variables */
  #variables(): Variables {
    const { event, repository, run } = this.#options;
    const { ref_name, ref_type } = this.#job.contexts.github as Record<string, string>;
    const { pull_request: pull } = event.payload;
    return {
      ...{ CI: "true", GITHUB_ACTIONS: "true", RUNNER_OS: "Linux", RUNNER_TEMP: dirname(this.#workspace) },
      ...{
        GITHUB_REPOSITORY: repository.name,
        GITHUB_EVENT_NAME: event.name,
        GITHUB_EVENT_PATH: this.#place("event.json"),
      },
      ...{
        GITHUB_REF: event.ref,
        GITHUB_REF_NAME: ref_name ?? "",
        GITHUB_REF_TYPE: ref_type ?? "",
        GITHUB_SHA: event.sha,
      },
      ...{ GITHUB_BASE_REF: pull?.base.ref ?? "", GITHUB_HEAD_REF: pull?.head.ref ?? "" },
      ...{ GITHUB_SERVER_URL: "https://github.com", GITHUB_API_URL: "https://api.github.com" },
      ...{ GITHUB_RUN_ID: String(run), GITHUB_RUN_ATTEMPT: "1", GITHUB_WORKSPACE: this.#workspace },
      GITHUB_STEP_SUMMARY: this.#place("summary.md"),
    };
  }
}
