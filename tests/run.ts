// `npm test`: the tests in groups side by side, for most of them wait for an engine or a cluster. Ends with one line for
// all: N passed, N failed. `mocha FILE...` runs single files.
import { spawn } from "node:child_process";
import { globSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";

/** Files by what they run against; within a group they share it. What no pattern names is in the last group. */
const groups: readonly (readonly [name: string, files: RegExp])[] = [
  ["prod", /cli\/prod\.test\.ts$/],
  ["dev", /cli\/(dev|wirings)\.test\.ts$/],
  ["cluster", /rehearsal\/cluster\/|providers\/kubernetes|provider\/flux\/flux(Install|Ready|Uninstall)/],
  ["others", /./],
];

const root = resolve(import.meta.dirname, "..");
const summary = /^(\d+) passed, (\d+) failed$/;

interface Counts {
  readonly passed: number;
  readonly failed: number;
}

/** Node keeps what it compiled, for the hundreds of short processes of a run. */
const compiled = mkdtempSync(join(tmpdir(), "compiled-"));

/** Runs a group's files in one process and prints its lines with its name before them. */
function run(name: string, files: readonly string[]): Promise<Counts> {
  const mocha = resolve(root, "node_modules/mocha/bin/mocha.js");
  const path = `${dirname(process.execPath)}:${process.env.PATH ?? ""}`;
  const child = spawn(process.execPath, [mocha, ...files], {
    cwd: root,
    env: { ...process.env, PATH: path, NODE_COMPILE_CACHE: compiled },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let counts: Counts | undefined;
  for (const stream of [child.stdout, child.stderr])
    createInterface({ input: stream }).on("line", (line) => {
      const [, passed, failed] = summary.exec(line) ?? [];
      if (passed !== undefined) counts = { passed: Number(passed), failed: Number(failed) };
      else if (line !== "") console.log(`${name.padEnd(7)} │ ${line}`);
    });
  return new Promise((done) => {
    child.on("close", (code) => {
      if (counts === undefined) console.log(`${name.padEnd(7)} │ ended with ${code} before its tests did`);
      const { passed, failed } = counts ?? { passed: 0, failed: 0 };
      // A run that fails without a failed test is a failure all the same.
      done({ passed, failed: code === 0 ? failed : Math.max(failed, 1) });
    });
  });
}

const files = globSync("tests/**/*.test.ts", { cwd: root }).sort();
const nameOf = (file: string) => groups.find(([, pattern]) => pattern.test(file))?.[0];
const results = await Promise.all(
  groups.map(([name]) =>
    run(
      name,
      files.filter((file) => nameOf(file) === name),
    ),
  ),
);
rmSync(compiled, { recursive: true });
const sum = (key: keyof Counts) => results.reduce((total, counts) => total + counts[key], 0);
process.exitCode = sum("failed") === 0 ? 0 : 1;
console.log(`${sum("passed")} passed, ${sum("failed")} failed`);
