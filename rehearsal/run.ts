// Runs a command of a rehearsal and waits for it.
import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { endWithChild, family, kill } from "./descendants.ts";

export interface RunOptions {
  readonly cwd: string;
  readonly env: Record<string, string>;
  /** Text for standard input; closed right away without one. */
  readonly input?: string;
  /** A file that gets all the output as well. */
  readonly log?: string;
  /** Called with each line as it comes. */
  readonly line?: (line: string) => void;
  /** Called with the process's id; it leads a process group of its own. */
  readonly started?: (pid: number) => void;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Ctrl-C, or a SIGTERM, while a command ran: what was to come after it is not to be done. */
export class Interrupted extends Error {
  constructor() {
    super("Interrupted.");
  }
}

/**
 * Runs a command in a process group of its own and gives what it printed.
 * @throws Interrupted when this process was told to end; then the command has ended.
 */
export async function run(command: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  const child = spawn(command, args, { cwd: options.cwd, env: options.env, stdio: "pipe", detached: true });
  endWithChild(child);
  const log = options.log === undefined ? undefined : createWriteStream(options.log, { flags: "a", mode: 0o600 });
  const output = { stdout: "", stderr: "" };
  const rest = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
      log?.write(text);
      const lines = (rest[stream] + text).split("\n");
      rest[stream] = lines.pop() ?? "";
      if (options.line) for (const line of lines) options.line(line);
    });
  let left: number[] = [];
  let interrupted = false;
  const leave = () => {
    interrupted = true;
    if (child.pid === undefined || child.exitCode !== null) return;
    left = family(child.pid);
    process.kill(-child.pid, "SIGINT");
  };
  process.on("SIGINT", leave).on("SIGTERM", leave);
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.on("error", reject).on("close", (status, signal) => resolve(status ?? (signal === "SIGINT" ? 130 : 1)));
      if (child.pid !== undefined) options.started?.(child.pid);
      child.stdin.on("error", () => {}); // a command may end before it has read everything
      child.stdin.end(options.input ?? "");
    });
    if (interrupted) throw new Interrupted();
    for (const line of Object.values(rest)) if (line !== "") options.line?.(line);
    return { code, ...output };
  } finally {
    process.off("SIGINT", leave).off("SIGTERM", leave);
    kill(left);
    log?.end();
  }
}

/** As `run`, but a failure is an error that names the command and ends with what it said. */
export async function must(command: string, args: readonly string[], options: RunOptions): Promise<Ran> {
  const ran = await run(command, args, options);
  if (ran.code === 0) return ran;
  const said = `${ran.stdout}\n${ran.stderr}`.trim().split("\n").slice(-20).join("\n");
  throw new Error(`${[command.split("/").pop(), ...args].join(" ")} ended with ${ran.code}:\n${said}`);
}
