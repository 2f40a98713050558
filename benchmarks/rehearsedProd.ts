// A rehearsal of prod that a benchmark measures in.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { findEngine } from "../rehearsal/cli/pulumi.ts";
import { environment, type Paths, pathsOf, runningCloud } from "../rehearsal/session.ts";

export const checkout = resolve(import.meta.dirname, "..");

export const median = (values: number[]) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

export interface RehearsedProd {
  /** A folder that goes when the benchmark is over. */
  readonly folder: string;
  readonly paths: Paths;
  /** The engine's program. */
  readonly pulumi: string;
  /** What the engine runs in. */
  readonly env: Record<string, string>;
  /** `npm run rehearse -- ...` for it. */
  rehearse(...args: string[]): void;
}

/** Starts a rehearsal of prod, and ends it however the benchmark ends. */
export async function inRehearsedProd(benchmark: (prod: RehearsedProd) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  process.env.AKS_GITOPS_REHEARSALS = folder;
  const script = (file: string, ...args: string[]) => {
    execFileSync(process.execPath, [join(checkout, "rehearsal/cli", file), ...args], { stdio: "ignore" });
  };
  const rehearse = (...args: string[]) => script("rehearse.ts", "--stack", "prod", ...args);
  try {
    script("start.ts", "--stack", "prod", "--keep");
    const cloud = runningCloud("prod");
    if (cloud === undefined) throw new Error("the rehearsal of prod did not stay");
    const paths = pathsOf("prod");
    const { pulumi, path } = await findEngine({});
    await benchmark({ folder, paths, pulumi, env: environment({ paths, cloud, path }), rehearse });
  } finally {
    rehearse("stop");
    rmSync(folder, { recursive: true, force: true });
  }
}
