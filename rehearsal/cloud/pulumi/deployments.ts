// The queue of Pulumi Deployments: what a change or somebody's request starts, one after the other for each stack.
import { randomUUID } from "node:crypto";
import { changeOf, type GitHubEvent } from "./events.ts";
import {
  type DeploymentRun,
  type ExecutorOptions,
  execute,
  OPERATIONS,
  type RunOperation,
  type Step,
} from "./executor.ts";
import type { Asked, CloudStack, PulumiCloud } from "./service.ts";
import { type Change, triggered } from "./triggers.ts";

/** A deployment as it is told of. */
export interface Deployment extends CloudStack {
  readonly id: string;
  readonly version: number;
  readonly operation: RunOperation;
  readonly commit: string;
  status: "queued" | "running" | "succeeded" | "failed" | "skipped";
  /** What it printed, once it has ended. */
  steps: readonly Step[];
}

export interface DeploymentsOptions extends ExecutorOptions {
  readonly cloud: PulumiCloud;
  /** The bare repository of `owner/name`. @throws Error where there is none. */
  readonly repository: (fullName: string) => string;
  /** The commit at the head of a branch. */
  readonly head: (fullName: string, branch: string) => Promise<string>;
}

export class Deployments {
  readonly #options: DeploymentsOptions;
  readonly #all: { readonly shown: Deployment; readonly run: DeploymentRun }[] = [];
  readonly #last = new Map<string, Promise<void>>();

  constructor(options: DeploymentsOptions) {
    this.#options = options;
  }

  /** All deployments so far. */
  get all(): readonly Deployment[] {
    return this.#all.map(({ shown }) => shown);
  }

  /** What an event of GitHub starts: a deployment of each stack whose settings say so. */
  async receive(given: GitHubEvent): Promise<readonly Deployment[]> {
    const change = await changeOf(given, this.#options.repository(given.payload.repository.full_name));
    if (!change) return [];
    return this.#options.cloud.configured.flatMap((stack) => {
      const operation = triggered(stack.settings, change);
      return operation === undefined ? [] : [this.#queue(stack, operation, change)];
    });
  }

  /** Starts what somebody asks for, from the head of the stack's branch: `pulumi deployment run`. */
  async start(asked: Asked): Promise<Deployment> {
    const { organization, project, stack: name } = asked;
    const stack = this.#options.cloud.configured.find(
      (one) => one.organization === organization && one.project === project && one.stack === name,
    );
    const repository = stack?.settings.vcs?.repository;
    const branch = stack?.settings.sourceContext?.git?.branch?.replace(/^refs\/heads\//, "");
    if (!stack || !repository || !branch) throw new Error(`the settings of ${name} name no branch of a repository`);
    const operation = OPERATIONS.find((known) => known === asked.operation);
    if (!operation) throw new Error(`what the token of ${asked.operation} says is documented nowhere`);
    return this.#queue(stack, operation, { repository, commit: await this.#options.head(repository, branch) });
  }

  #queue(
    { settings, ...stack }: PulumiCloud["configured"][number],
    operation: RunOperation,
    change: Pick<Change, "repository" | "commit"> & { readonly tag?: string },
  ): Deployment {
    const key = Object.values(stack).join("/");
    const version =
      this.#all.filter(({ run }) => [run.organization, run.project, run.stack].join("/") === key).length + 1;
    const { repository, commit, tag } = change;
    const run: DeploymentRun = { ...stack, id: randomUUID(), version, operation, repository, commit, tag, settings };
    const shown: Deployment = { ...stack, id: run.id, version, operation, commit, status: "queued", steps: [] };
    this.#all.push({ shown, run });
    const before = this.#last.get(key) ?? Promise.resolve();
    this.#last.set(
      key,
      before.then(() => this.#run(run, shown)),
    );
    return shown;
  }

  async #run(run: DeploymentRun, shown: Deployment): Promise<void> {
    if (this.#isOvertaken(run)) {
      shown.status = "skipped";
      return;
    }
    shown.status = "running";
    try {
      shown.steps = await execute(run, this.#options);
    } catch (error) {
      shown.steps = [{ name: "the stand-in itself", output: String((error as Error).stack), code: 1 }];
    }
    shown.status = shown.steps.every(({ code }) => code === 0) ? "succeeded" : "failed";
  }

  /** Whether a later one does the same, and the settings skip what is between. */
  #isOvertaken({ organization, project, stack, operation, version, settings }: DeploymentRun): boolean {
    if (settings.operationContext?.options?.skipIntermediateDeployments !== true) return false;
    return this.#all.some(
      ({ run }) =>
        run.organization === organization &&
        run.project === project &&
        run.stack === stack &&
        run.operation === operation &&
        run.version > version,
    );
  }
}
