// The lock of a rehearsal: what the stack's charts and images resolve to in the simulated upstream.
import { join } from "node:path";
import { type Lock, readLock } from "../../mirror/lock.ts";
import type { Settings } from "../../settings/settings.ts";
import { must } from "../run.ts";
import { type CloudFile, checkout, control, environment, type Paths } from "../session.ts";

/** The analyses of the Kured chart, so that a newcomer's first run need not have helm; a test holds that helm finds the same. */
const known = join(import.meta.dirname, "../content/kured.lock.json");

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
  await must(
    process.execPath,
    [join(checkout, "mirror", "main.ts"), "update", "--stack", stack, "--project", paths.project, "--base", known],
    { cwd: paths.project, env: environment({ paths, cloud }), line: (line) => print(`   ${line}`) },
  );
  return readLock(paths.project, settings);
}
