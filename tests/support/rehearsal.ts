// A kept rehearsal of a test's own: the commands that a user has, in a folder that goes when the test is over.
import { strict as assert } from "node:assert";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parse, stringify } from "yaml";
import type { Report } from "../../rehearsal/cli/report.ts";
import { type Ran, run } from "../../rehearsal/run.ts";
import { control } from "../../rehearsal/session.ts";
import type { Inspection } from "../../rehearsal/world/inspection.ts";
import { processesOf } from "./processes.ts";

export const checkout = resolve(import.meta.dirname, "../..");

/** A stack's configuration by whole key. */
export type Config = Readonly<Record<string, unknown>>;

/** A rehearsal of one stack. */
export class Rehearsal {
  readonly stack: string;
  /** The rehearsal's own folder. */
  readonly folder: string;
  readonly env: Record<string, string>;
  readonly #root = mkdtempSync(join(tmpdir(), "rehearsals-"));
  readonly #options: readonly string[];

  /**
   * @param change what makes another stack's file of the checkout's; by default it is that one.
   * @param example whose stack it is; by default the checkout's.
   */
  constructor(stack: string, change?: (config: Config) => Config, example?: string) {
    this.stack = stack;
    this.#options = example === undefined ? [] : ["--example", example];
    this.folder = join(this.#root, stack);
    this.env = { ...(process.env as Record<string, string>), AKS_GITOPS_REHEARSALS: this.#root };
    if (change !== undefined) this.env.AKS_GITOPS_STACKS = this.#stackFiles(change);
  }

  #stackFiles(change: (config: Config) => Config): string {
    const folder = join(this.#root, "stacks");
    mkdirSync(folder);
    const name = `Pulumi.${this.stack}.yaml`;
    const { config, ...rest } = parse(readFileSync(join(checkout, name), "utf8")) as { config: Config };
    writeFileSync(join(folder, name), stringify({ ...rest, config: change(config) }));
    return folder;
  }

  /** A rehearsal of an example's stack. */
  static of(example: string, stack: string): Rehearsal {
    return new Rehearsal(stack, undefined, example);
  }

  /** `npm start -- --stack S --keep` */
  async start(): Promise<Ran> {
    const started = await this.#script("start.ts", [...this.#options, "--stack", this.stack, "--keep"]);
    assert.equal(started.code, 0, `${started.stdout}\n${started.stderr}`);
    return started;
  }

  /** `npm run rehearse -- ...`, however it ends. */
  rehearse(...args: string[]): Promise<Ran> {
    return this.#script("rehearse.ts", args);
  }

  /** The same, where it has to succeed; gives what was printed. */
  async succeeds(...args: string[]): Promise<Ran> {
    const ran = await this.rehearse(...args);
    assert.equal(ran.code, 0, `${args.join(" ")}\n${ran.stdout}\n${ran.stderr}`);
    return ran;
  }

  /** What a command of the rehearsal's environment prints. */
  async output(...command: string[]): Promise<string> {
    return (await this.succeeds("exec", "--", ...command)).stdout.trim();
  }

  /** `npm run recover` for its stack, as after an update that was killed. */
  async recover(): Promise<void> {
    const project = join(this.folder, "project");
    await this.output("node", join(checkout, "recovery/main.ts"), "--stack", this.stack, "--project", project);
  }

  report(): Report {
    return JSON.parse(readFileSync(join(this.folder, "report.json"), "utf8")) as Report;
  }

  /** What the cloud holds. */
  async inspection(): Promise<Inspection> {
    return control(this.#cloud(), "/inspection");
  }

  /** Asks the cloud's control port. */
  control<T>(path: string, body: object): Promise<T> {
    return control(this.#cloud(), path, "POST", body);
  }

  /** Lets Azure change by itself what it changes in the course of time. */
  async passTime(): Promise<void> {
    await this.control("/time", {});
  }

  /** `npm run rehearse -- stop`, which leaves no process: cloud, cluster and Flux's controllers are gone when it returns. */
  async end(): Promise<void> {
    await this.rehearse("--stack", this.stack, "stop");
    assert.deepEqual(processesOf(this.#root), []);
    rmSync(this.#root, { recursive: true, force: true });
  }

  /** Where the rehearsal's cloud is, and its key. */
  #cloud() {
    return JSON.parse(readFileSync(join(this.folder, "cloud.json"), "utf8"));
  }

  #script(file: string, args: readonly string[]): Promise<Ran> {
    return run(process.execPath, [join(checkout, "rehearsal/cli", file), ...args], { cwd: checkout, env: this.env });
  }
}
