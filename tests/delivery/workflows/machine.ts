// The machine that jobs run on: one in a rehearsal's network, with its tools, and with nobody signed in.
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { findEngine } from "../../../rehearsal/cli/pulumi.ts";
import { run } from "../../../rehearsal/run.ts";
import { checkout, type Rehearsal } from "../../support/rehearsal.ts";

/** What a rehearsal gives to people, and a pipeline has to bring along. */
const SIGNED_IN = /^(AAD_|ARM_|AZURE_|FLUX_|GIT_CONFIG|GITHUB_|KUBECONFIG$|PULUMI_(ACCESS|BACKEND|CONFIG)|npm_)/;

/**
 * In place of npm: `npm ci` gives the packages that are installed here already, where the lock is the same; all else is
 * npm's own.
 */
const npm = (own: string) => `#!/bin/sh
case "$1" in
  ci) cmp package-lock.json '${checkout}/package-lock.json' && exec ln -s '${checkout}/node_modules' node_modules ;;
  *) exec '${own}' "$@" ;;
esac
`;

export type Variables = Readonly<Record<string, string>>;

/** What a step left. */
export interface Left {
  readonly code: number;
  /** All that it printed, both streams. */
  readonly log: string;
}

export class Machine {
  readonly #folder: string;
  readonly #env: Variables;
  #jobs = 0;

  private constructor(folder: string, env: Variables) {
    this.#folder = folder;
    this.#env = env;
  }

  static async of(rehearsal: Rehearsal): Promise<Machine> {
    const env = await variablesOf(rehearsal, "deployer");
    const folder = await mkdtemp(join(tmpdir(), "machine-"));
    const own = (await run("sh", ["-c", "command -v npm"], { cwd: folder, env })).stdout.trim();
    await mkdir(join(folder, "bin"));
    await writeFile(join(folder, "bin/npm"), npm(own), { mode: 0o755 });
    const kept = Object.entries(env).filter(([name]) => !SIGNED_IN.test(name));
    // The one that runs policy packs, where the machine has none of its own.
    const engine = await findEngine({});
    const path = [join(folder, "bin"), ...engine.path, env.PATH].join(delimiter);
    return new Machine(folder, { ...Object.fromEntries(kept), PATH: path, LC_ALL: "C.UTF-8" });
  }

  /** A new folder, for a job. */
  async workspace(): Promise<string> {
    const folder = join(this.#folder, `job-${++this.#jobs}`, "work");
    await mkdir(folder, { recursive: true });
    return folder;
  }

  /** Runs a script with a shell's arguments, in an environment of its own beside the machine's. */
  async run(shell: readonly string[], script: string, cwd: string, env: Variables): Promise<Left> {
    const file = join(await mkdtemp(join(this.#folder, "script-")), "script.sh");
    await writeFile(file, script);
    const [program = "", ...args] = shell;
    let log = "";
    const line = (text: string) => {
      log += `${text}\n`;
    };
    const { code } = await run(program, [...args, file], { cwd, env: { ...this.#env, ...env }, line });
    return { code, log };
  }

  async end(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true });
  }
}

/** The environment of a rehearsal's commands, as somebody. */
export async function variablesOf(rehearsal: Rehearsal, as: string): Promise<Variables> {
  const { stdout } = await rehearsal.succeeds("--as", as, "exec", "--", "env", "-0");
  return Object.fromEntries(
    stdout
      .split("\0")
      .filter((entry) => entry.includes("="))
      .map((entry) => [entry.slice(0, entry.indexOf("=")), entry.slice(entry.indexOf("=") + 1)]),
  );
}

/** The lines `NAME=value` of a file, and those of `NAME<<END`, that a step has written. */
export async function assignments(file: string): Promise<Record<string, string>> {
  const lines = (await readFile(file, "utf8").catch(() => "")).split("\n");
  const found: Record<string, string> = {};
  for (let at = 0; at < lines.length; at++) {
    const [, name, end] = /^([^=<]+)<<(.+)$/.exec(lines[at] ?? "") ?? [];
    if (name === undefined) {
      const [, key, value] = /^([^=]+)=(.*)$/.exec(lines[at] ?? "") ?? [];
      if (key !== undefined) found[key] = value ?? "";
      continue;
    }
    const last = lines.indexOf(end ?? "", at);
    if (last < 0) throw new Error(`${name} has no end ${end}.`);
    found[name] = lines.slice(at + 1, last).join("\n");
    at = last;
  }
  return found;
}
