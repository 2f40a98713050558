// One of the cluster's programs: started with a log of its own, watched, and ended.
import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Keeper } from "./keeper.ts";

export interface ProgramOptions {
  readonly name: string;
  /** The program's absolute path. */
  readonly path: string;
  readonly args: readonly string[];
  /** What it gets besides PATH and HOME. */
  readonly env?: Readonly<Record<string, string>>;
  /** An existing folder: its working and home folder. */
  readonly home: string;
  /** The folder of logs; made where it is missing. */
  readonly logs: string;
  readonly keeper: Keeper;
}

/** How long a program may take to end by itself, in milliseconds. */
const PATIENCE = 5_000;

export class Program {
  readonly name: string;
  readonly logFile: string;
  /** Settles when the program has ended: with a word on how, and the end of its log. */
  readonly ended: Promise<string>;
  readonly #child: ChildProcess;

  constructor({ name, path, args, env = {}, home, logs, keeper }: ProgramOptions) {
    this.name = name;
    mkdirSync(logs, { recursive: true });
    this.logFile = join(logs, `${name}.log`);
    const log = openSync(this.logFile, "a", 0o600);
    this.#child = spawn(path, args, {
      cwd: home,
      env: { PATH: process.env.PATH ?? "", HOME: home, ...env },
      stdio: ["ignore", log, log],
      // A group of its own: Ctrl-C in a terminal must not end it before the orderly stop.
      detached: true,
    });
    closeSync(log);
    const { pid } = this.#child;
    if (pid !== undefined) keeper.guard(pid);
    this.ended = new Promise((resolve) => {
      this.#child.once("error", (error) => resolve(`${name} cannot be started: ${error.message}`));
      this.#child.once("exit", (code, signal) => {
        if (pid !== undefined) keeper.done(pid);
        const how = code === null ? `signal ${signal}` : `exit code ${code}`;
        resolve(`${name} ended (${how}). The end of ${this.logFile}:\n${this.endOfLog()}`);
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get running(): boolean {
    return this.pid !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** The last lines of what it wrote. */
  endOfLog(lines = 12): string {
    try {
      return readFileSync(this.logFile, "utf8").trimEnd().split("\n").slice(-lines).join("\n");
    } catch {
      return "(no log)";
    }
  }

  /** Asks the program to end, and ends it where it does not. */
  async stop(): Promise<void> {
    const timer = setTimeout(() => this.#signal("SIGKILL"), PATIENCE);
    this.#signal("SIGTERM");
    await this.ended;
    clearTimeout(timer);
  }

  /** Ends the program at once. */
  async kill(): Promise<void> {
    this.#signal("SIGKILL");
    await this.ended;
  }

  #signal(signal: NodeJS.Signals): void {
    if (!this.running) return;
    try {
      process.kill(-(this.pid as number), signal);
    } catch {
      this.#child.kill(signal); // It has no group yet, or has just ended.
    }
  }
}
