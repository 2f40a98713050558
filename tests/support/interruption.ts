// A pulumi command of a rehearsal that does not come to its end: Ctrl-C, or the death of one of its processes.
import { strict as assert } from "node:assert";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ran } from "../../rehearsal/run.ts";
import { processesOf } from "./processes.ts";
import { checkout, type Rehearsal } from "./rehearsal.ts";

/** When: a line of the engine's output, a process with an argument, or a request to ARM as `METHOD URL`. */
export interface Moment {
  readonly line?: RegExp;
  readonly process?: RegExp;
  readonly request?: RegExp;
}

/** What happens then: Ctrl-C, or the sudden end of the engine, of this project's plugin or of the program's host. */
export type Interruption = "Ctrl-C" | "engine" | "plugin" | "host";

/**
 * Runs a pulumi command and interrupts it at a moment.
 * @throws AssertionError where the moment does not come.
 */
export async function interrupt(
  rehearsal: Rehearsal,
  args: readonly string[],
  { line, process: argument, request }: Moment,
  interruption: Interruption,
): Promise<Ran> {
  const before = requestsOf(rehearsal).length;
  // An engine that was killed may have left its host for a while.
  const others = new Set(processesOf(rehearsal.folder).map(({ pid }) => pid));
  const child = spawn(
    process.execPath,
    [join(checkout, "rehearsal/cli/rehearse.ts"), "pulumi", ...args, "--non-interactive", "--color=never"],
    { cwd: checkout, env: rehearsal.env, stdio: ["ignore", "pipe", "pipe"] },
  );
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const)
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      output[stream] += text;
    });
  const closed = once(child, "close");
  const begun = () => processesOf(rehearsal.folder).filter(({ pid }) => !others.has(pid));
  const hasCome = () =>
    (line?.test(output.stdout) ?? false) ||
    (argument !== undefined && begun().some(({ args }) => args.some((arg) => argument.test(arg)))) ||
    (request !== undefined &&
      requestsOf(rehearsal)
        .slice(before)
        .some((one) => request.test(one)));
  try {
    while (!hasCome()) {
      assert.equal(child.exitCode, null, `the moment did not come\n${output.stdout}\n${output.stderr}`);
      await sleep(20);
    }
    const found = begun().filter(({ name, args }) => isOf(interruption, name, args));
    assert.equal(found.length, 1, `the ${interruption} is no process, or several`);
    for (const { pid } of found) process.kill(pid, interruption === "Ctrl-C" ? "SIGINT" : "SIGKILL");
  } catch (error) {
    child.kill("SIGINT");
    throw error;
  }
  const [code] = await closed;
  return { code: (code as number | null) ?? 1, ...output };
}

function isOf(interruption: Interruption, name: string, args: readonly string[]): boolean {
  if (interruption === "plugin") return args.some((arg) => arg.endsWith("/provider/main.ts"));
  return name === (interruption === "host" ? "pulumi-language-nodejs" : "pulumi");
}

/** Every request to ARM until now, as `METHOD URL`. */
export function requestsOf({ folder }: Rehearsal): string[] {
  const lines = readFileSync(join(folder, "arm-requests.jsonl"), "utf8").split("\n").slice(0, -1);
  return lines.map((text) => {
    const { method, url } = JSON.parse(text) as { method: string; url: string };
    return `${method} ${url}`;
  });
}
