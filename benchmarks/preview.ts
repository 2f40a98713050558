// How long a preview of prod takes, and how much memory, against an empty program in the same engine: the part of both
// that is this program's. And with the policy pack: what the guard rails add. Run it with: npm run bench
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { family } from "../rehearsal/descendants.ts";
import { must, run } from "../rehearsal/run.ts";
import { checkout, inRehearsedProd, median } from "./rehearsedProd.ts";

const ROUNDS = 5;

interface Sample {
  readonly seconds: number;
  /** The most that all processes of the run held at one time, in MB; undefined where the system does not tell. */
  readonly megabytes: number | undefined;
}

/** What a process and its descendants hold in memory, in MB. */
function held(pid: number): number | undefined {
  if (!existsSync("/proc/self/status")) return undefined;
  const kilobytes = family(pid).map((member) => {
    try {
      return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${member}/status`, "utf8"))?.[1] ?? 0);
    } catch {
      return 0; // it has just ended
    }
  });
  return kilobytes.reduce((sum, value) => sum + value, 0) / 1024;
}

async function preview(
  pulumi: string,
  cwd: string,
  env: Record<string, string>,
  more: readonly string[],
): Promise<Sample> {
  const start = performance.now();
  let most: number | undefined;
  let timer: NodeJS.Timeout | undefined;
  const { code, stdout, stderr } = await run(pulumi, ["preview", "--non-interactive", "--expect-no-changes", ...more], {
    cwd,
    env,
    started: (pid) => {
      timer = setInterval(() => {
        const now = held(pid);
        if (now !== undefined) most = Math.max(most ?? 0, now);
      }, 100);
    },
  });
  clearInterval(timer);
  if (code !== 0) throw new Error(`pulumi preview in ${cwd} ended with ${code}:\n${stdout}\n${stderr}`);
  return { seconds: (performance.now() - start) / 1000, megabytes: most };
}

/** A project whose program does nothing, with the packages of this one. */
function emptyProject(folder: string): string {
  const project = join(folder, "empty");
  mkdirSync(project);
  symlinkSync(join(checkout, "node_modules"), join(project, "node_modules"));
  writeFileSync(join(project, "package.json"), '{ "type": "module" }\n');
  writeFileSync(join(project, "index.ts"), "export {};\n");
  const runtime = "runtime: {name: nodejs, options: {typescript: false, packagemanager: npm}}";
  writeFileSync(join(project, "Pulumi.yaml"), `name: empty\n${runtime}\nmain: index.ts\n`);
  return project;
}

await inRehearsedProd(async ({ folder, paths, pulumi, env }) => {
  const empty = emptyProject(folder);
  await must(pulumi, ["stack", "init", "empty", "--non-interactive"], { cwd: empty, env });
  await must(pulumi, ["up", "--yes", "--skip-preview", "--non-interactive"], { cwd: empty, env });
  const samples: Record<"prod" | "guarded" | "empty", Sample[]> = { prod: [], guarded: [], empty: [] };
  // The first of each warms the caches; then in turn, so that a machine that slows down slows both.
  for (let round = 0; round <= ROUNDS; round++)
    for (const [name, cwd, more] of [
      ["prod", paths.project, []],
      ["guarded", paths.project, ["--policy-pack", "policy"]],
      ["empty", empty, []],
    ] as const) {
      const sample = await preview(pulumi, cwd, env, more);
      if (round > 0) samples[name].push(sample);
    }
  const of = (name: keyof typeof samples, figure: keyof Sample) =>
    median(samples[name].map((sample) => sample[figure] ?? 0));
  for (const [figure, unit] of [
    ["seconds", "s"],
    ["megabytes", "MB"],
  ] as const) {
    for (const [name, other, otherName] of [
      ["prod", "empty", "empty program"],
      ["guarded", "prod", "without its policy pack"],
    ] as const) {
      const [value, floor] = [of(name, figure), of(other, figure)];
      console.log(
        `preview, ${figure}: ${name} ${value.toFixed(1)} ${unit}, ${otherName} ${floor.toFixed(1)} ${unit}, ratio ${(value / floor).toFixed(2)} (medians of ${ROUNDS})`,
      );
    }
  }
});
