// The lock of a rehearsal: what the stack's charts and images resolve to in the simulated upstream.
import { existsSync } from "node:fs";
import { join, relative } from "node:path";
import { type Lock, lockName, readLock } from "../../mirror/lock.ts";
import type { Settings } from "../../settings/settings.ts";
import { must } from "../run.ts";
import { type CloudFile, checkout, control, environment, type Paths } from "../session.ts";

/** The analyses of the Kured chart, so that a newcomer's first run need not have helm; a test holds that helm finds the same. */
const known = join(import.meta.dirname, "../content/kured.lock.json");

/** Said where somebody could think that it is the checkout's lock that is used. */
const ownLock = (stack: string, paths: Paths) =>
  `${lockName(stack)} of the checkout pins what the real registries hold. The rehearsal resolves charts and images in its ` +
  `own, into ${relative(checkout, join(paths.project, lockName(stack)))}.`;

/** The stack's lock, resolved anew by the project's own `mirror update` where there is none that fits. */
export async function ensureLock(
  stack: string,
  paths: Paths,
  cloud: CloudFile,
  settings: Settings,
  print: (line: string) => void,
): Promise<Lock> {
  // Also where the lock fits: an earlier change of the settings may have given a repository another content.
  await control(cloud, "/content", "POST");
  const fitting = await readLock(paths.project, settings).catch(() => undefined);
  if (fitting !== undefined) return fitting;
  if (existsSync(join(checkout, lockName(stack)))) print(`   ${ownLock(stack, paths)}`);
  await must(
    process.execPath,
    [join(checkout, "mirror", "main.ts"), "update", "--stack", stack, "--project", paths.project, "--base", known],
    { cwd: paths.project, env: environment({ paths, cloud }), line: (line) => print(`   ${line}`) },
  );
  return readLock(paths.project, settings);
}
