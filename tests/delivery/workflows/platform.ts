// A stack's repository as its owner has it: this project with a rehearsal's settings and lock, on the simulated GitHub,
// whose pull requests and pushes start its workflows.
import { strict as assert } from "node:assert";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { run } from "../../../rehearsal/run.ts";
import type { GitHubJobStarted, ShownComment } from "../../../rehearsal/world/pipelines.ts";
import { checkout, type Rehearsal } from "../../support/rehearsal.ts";
import { type Ran, runJob } from "./gitHubRunner.ts";
import { type Event, isFork, type Job, type Repository, runWorkflow } from "./gitHubWorkflow.ts";
import type { Left, Machine, Variables } from "./machine.ts";

/** Of the checkout, what is of this machine. */
const LOCAL = /^(\.git|\.rehearsal|node_modules|dist|rehearsal-charts)$/;

/** A change: files with their texts. */
export type Change = Readonly<Record<string, string>>;

/** The two that a stack's pipelines run as, with the environments that a rehearsal's commands have as these. */
export interface People {
  readonly reader: Variables;
  readonly deployer: Variables;
}

/** What an event came to. */
export interface Delivered {
  /** All jobs that ran, by their ids. */
  readonly jobs: Readonly<Record<string, Ran>>;
  readonly comments: readonly ShownComment[];
}

export class Platform {
  readonly stack: string;
  /** `owner/name` */
  readonly name: string;
  readonly #rehearsal: Rehearsal;
  readonly #machine: Machine;
  readonly #folder = mkdtempSync(join(tmpdir(), "platform-"));
  readonly #env: Variables;
  #repository: Repository;
  #runs = 0;

  private constructor(name: string, rehearsal: Rehearsal, machine: Machine, deployer: Variables) {
    this.stack = rehearsal.stack;
    this.name = name;
    this.#repository = { name };
    this.#rehearsal = rehearsal;
    this.#machine = machine;
    const person = { GIT_AUTHOR_NAME: "Ada", GIT_AUTHOR_EMAIL: "ada@acme.example" };
    const same = { GIT_COMMITTER_NAME: "Ada", GIT_COMMITTER_EMAIL: "ada@acme.example" };
    this.#env = { ...deployer, ...person, ...same };
  }

  /** @param people the environments of the rehearsal's commands as these. */
  static async of(rehearsal: Rehearsal, machine: Machine, people: People, name = "acme/platform"): Promise<Platform> {
    const platform = new Platform(name, rehearsal, machine, people.deployer);
    await platform.#setUp(people);
    return platform;
  }

  async #setUp({ reader, deployer }: People): Promise<void> {
    const folder = this.#folder;
    cpSync(checkout, folder, {
      recursive: true,
      filter: (path) => !LOCAL.test(relative(checkout, path)),
    });
    for (const name of this.#files) cpSync(join(this.#rehearsal.folder, "project", name), join(folder, name));
    const { token } = await this.#rehearsal.control<{ token: string }>("/gitHub/repository", { name: this.name });
    const key = "http.https://github.com/.extraheader";
    await this.#git("init", "--quiet", "--initial-branch=main");
    await this.#git("remote", "add", "origin", `https://github.com/${this.name}`);
    await this.#git("config", key, `AUTHORIZATION: basic ${Buffer.from(`x-access-token:${token}`).toString("base64")}`);
    await this.#commit("Begin");
    await this.#git("push", "--quiet", "origin", "main");
    const issuer = "https://token.actions.githubusercontent.com";
    const subject = (environment: string) => `repo:${this.name}:environment:${environment}`;
    await this.#rehearsal.control("/trust", { identity: "reader", issuer, subject: subject(`${this.stack}-preview`) });
    await this.#rehearsal.control("/trust", { identity: "deployer", issuer, subject: subject(this.stack) });
    const environment = (of: Variables) => ({
      variables: {
        ...{ AZURE_CLIENT_ID: of.ARM_CLIENT_ID ?? "", AZURE_TENANT_ID: of.ARM_TENANT_ID ?? "" },
        AZURE_SUBSCRIPTION_ID: of.ARM_SUBSCRIPTION_ID ?? "",
      },
      secrets: {
        GITOPS_TOKEN: of.GITHUB_TOKEN ?? "",
        PULUMI_CONFIG_PASSPHRASE: of.PULUMI_CONFIG_PASSPHRASE ?? "",
      },
    });
    this.#repository = {
      name: this.name,
      variables: {
        ...{ STACKS: this.stack, STACKS_ON_MAIN: "dev" },
        PULUMI_BACKEND_URL: deployer.PULUMI_BACKEND_URL ?? "",
      },
      environments: { [this.stack]: environment(deployer), [`${this.stack}-preview`]: environment(reader) },
    };
  }

  /** All values that nobody may see. */
  get secrets(): string[] {
    return Object.values(this.#repository.environments ?? {}).flatMap(({ secrets = {} }) => Object.values(secrets));
  }

  /** The names of the stack's own files. */
  get #files(): string[] {
    return [`Pulumi.${this.stack}.yaml`, `mirror.${this.stack}.lock.json`];
  }

  /** The stack's settings on main, as text. */
  get settings(): string {
    return readFileSync(join(this.#folder, this.#files[0] ?? ""), "utf8");
  }

  /** Opens a pull request with a change. @returns its number, and the event of its opening. */
  async open(title: string, change: Change, from = this.name): Promise<{ number: number; event: Event }> {
    const { number } = await this.#rehearsal.control<{ number: number }>("/gitHub/pullRequest", {
      repository: this.name,
      title,
    });
    return { number, event: await this.push(number, title, change, "opened", from) };
  }

  /** Pushes a change to a pull request's branch, made of main anew. @returns the event of it. */
  async push(number: number, title: string, change: Change, action = "synchronize", from = this.name): Promise<Event> {
    const branch = `change-${number}`;
    await this.#git("checkout", "--quiet", "-B", branch, "main");
    for (const [path, text] of Object.entries(change)) writeFileSync(join(this.#folder, path), text);
    await this.#commit(title);
    const head = await this.#git("rev-parse", "HEAD");
    // As GitHub does, so that a run sees what main would be.
    await this.#git("checkout", "--quiet", "--detach", "main");
    await this.#git("merge", "--quiet", "--no-ff", "--message", `Merge ${branch}`, branch);
    const sha = await this.#git("rev-parse", "HEAD");
    const ref = `refs/pull/${number}/merge`;
    // A fork's branch is the fork's.
    const heads = [`refs/pull/${number}/head`, ...(from === this.name ? [`refs/heads/${branch}`] : [])];
    const refs = [`HEAD:${ref}`, ...heads.map((head) => `${branch}:${head}`)];
    await this.#git("push", "--quiet", "--force", "origin", ...refs);
    await this.#git("checkout", "--quiet", "main");
    const base = { ref: "main", sha: await this.#git("rev-parse", "main") };
    const pull = { number, head: { ref: branch, sha: head, repo: { full_name: from } }, base };
    return { name: "pull_request", ref, sha, payload: { action, number, pull_request: pull, ...this.#origin } };
  }

  /** Merges a pull request. @returns the event of main's push. */
  async merge(number: number): Promise<Event> {
    const before = await this.#git("rev-parse", "main");
    await this.#git("merge", "--quiet", "--no-ff", "--message", `Merge #${number}`, `change-${number}`);
    await this.#git("push", "--quiet", "origin", "main");
    const modified = (await this.#git("diff", "--name-only", before, "main")).split("\n");
    return this.#pushed("refs/heads/main", before, [{ added: [], removed: [], modified }]);
  }

  /** Pushes a tag of main. @returns the event of it. */
  async tag(name: string): Promise<Event> {
    await this.#git("tag", name);
    await this.#git("push", "--quiet", "origin", name);
    return this.#pushed(`refs/tags/${name}`, "0".repeat(40), []);
  }

  async #pushed(ref: string, before: string, commits: readonly object[]): Promise<Event> {
    const sha = await this.#git("rev-parse", "main");
    return { name: "push", ref, sha, payload: { ref, before, after: sha, deleted: false, commits, ...this.#origin } };
  }

  /** The repository in a payload. */
  get #origin() {
    return { repository: { full_name: this.name } };
  }

  /** Runs a workflow for an event, with every step of every job. */
  async deliver(file: string, event: Event): Promise<Delivered> {
    const jobs: Record<string, Ran> = {};
    const run = ++this.#runs;
    await runWorkflow(file, {
      ...{ folder: this.#folder, repository: this.#repository, event },
      execute: async (job) => {
        const { repository } = this;
        const ran = await runJob(job, {
          machine: this.#machine,
          repository,
          event,
          run,
          start: (each) => this.#start(each, event),
        });
        jobs[job.id] = ran;
        return ran;
      },
    });
    const { number } = event.payload;
    const comments =
      number === undefined
        ? []
        : await this.#rehearsal.control<ShownComment[]>("/gitHub/comments", { repository: this.name, number });
    return { jobs, comments };
  }

  get repository(): Repository {
    return this.#repository;
  }

  /** Brings a commit into a folder as an agent of Azure Pipelines does. */
  async checkOut(folder: string, sha: string, depth: string | undefined): Promise<Left> {
    const script = `git init --quiet && git fetch --quiet ${depth === undefined ? "" : `--depth=${depth}`} '${this.#folder}' '${sha}' && git checkout --quiet FETCH_HEAD`;
    return this.#machine.run(["bash"], script, folder, {});
  }

  end(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Lets GitHub begin a job: its token can what its rights say. */
  #start(job: Job, event: Event): Promise<GitHubJobStarted & { variables: Variables }> {
    return this.#rehearsal.control("/gitHub/job", {
      ...{ repository: this.name, rights: job.rights, event: event.name, ref: event.ref },
      ...(job.environment && { environment: job.environment.name }),
      fromFork: isFork(this.#repository, event),
    });
  }

  async #commit(message: string): Promise<void> {
    await this.#git("add", "--all");
    await this.#git("commit", "--quiet", "--message", message);
  }

  async #git(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await run("git", args, { cwd: this.#folder, env: { ...this.#env } });
    assert.equal(code, 0, `git ${args[0]} in ${basename(this.#folder)}\n${stderr}`);
    return stdout.trim();
  }
}
