// The lock of a rehearsal: what the stack's charts and images resolve to in the simulated upstream.
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Settings } from "../components/settings.ts";
import { type Lock, readLock } from "../mirror/lock.ts";
import { must } from "./run.ts";
import { type CloudFile, checkout, control, environment, type Paths } from "./session.ts";

/** Analyses of charts that a rehearsal often serves, so that it need not render them with helm. */
const known = (stack: string) => join(checkout, "rehearsal", "content", "locks", `mirror.${stack}.lock.json`);

/** The stack's lock, resolved anew by the project's own `mirror update` where there is none that fits. */
export async function ensureLock(
  stack: string,
  paths: Paths,
  cloud: CloudFile,
  settings: Settings,
  print: (line: string) => void,
): Promise<Lock> {
  const fitting = await readLock(paths.project, settings).catch(() => undefined);
  if (fitting !== undefined) return fitting;
  await control(cloud, "/content", "POST");
  const base = existsSync(known(stack)) ? ["--base", known(stack)] : [];
  await must(
    process.execPath,
    [join(checkout, "mirror", "main.ts"), "update", "--stack", stack, "--project", paths.project, ...base],
    { cwd: paths.project, env: environment({ paths, cloud }), line: (line) => print(`   ${line}`) },
  );
  return readLock(paths.project, settings);
}
