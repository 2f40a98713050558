// The lock of a rehearsal: what the stack's charts and images resolve to in the simulated upstream.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { analysisHash } from "../../mirror/analysis.ts";
import { type Lock, lockName, mirrored, type PinnedCluster, pinnedMinor, readLock, sha256 } from "../../mirror/lock.ts";
import type { Settings } from "../../settings/settings.ts";
import { findTool } from "../../tools/findTool.ts";
import { servedChart } from "../content/upstream.ts";
import { must } from "../run.ts";
import { type CloudFile, checkout, control, environment, type Paths, stackFiles } from "../session.ts";

/** The analyses of the Kured chart, so that a newcomer's first run need not have helm; a test holds that helm finds the same. */
const known = join(import.meta.dirname, "../content/kured.lock.json");

/** Said where somebody could think that it is the checkout's lock that is used. */
const ownLock = (stack: string, paths: Paths) =>
  `${lockName(stack)} of the checkout pins what the real registries hold. The rehearsal resolves charts and images in its ` +
  `own, into ${relative(checkout, join(paths.project, lockName(stack)))}.`;

/** Whether a chart has to be rendered, for no lock has its analysis. */
export function needsHelm(
  settings: Pick<Settings, "charts"> & Partial<Pick<Settings, "ignoreImages" | "acceptForeign">> & PinnedCluster,
  bases: readonly Pick<Lock, "charts">[],
): boolean {
  const analyses = new Set(bases.flatMap(({ charts }) => charts.map(({ analysis }) => analysis)));
  return mirrored(settings.charts).some((chart) => {
    const { name, release = name, namespace, values } = chart;
    return !analyses.has(
      analysisHash({
        sha256: sha256(servedChart(chart).tgz),
        name: release,
        namespace,
        values: { ...values },
        ignoreImages: settings.ignoreImages,
        acceptForeign: settings.acceptForeign,
        kubeVersion: pinnedMinor(settings),
      }),
    );
  });
}

/** A lock whatever the settings are; undefined where there is none that can be read. */
async function someLock(path: string): Promise<Lock | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Lock;
  } catch {
    return undefined; // It is made anew.
  }
}

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
  if (existsSync(join(stackFiles(), lockName(stack)))) print(`   ${ownLock(stack, paths)}`);
  const bases = await Promise.all([known, join(paths.project, lockName(stack))].map(someLock));
  const log = (line: string) => print(`   ${line}`);
  // Here, for behind the rehearsal's door there is nothing to download.
  if (
    needsHelm(
      settings,
      bases.filter((lock) => lock !== undefined),
    )
  )
    await findTool("helm", { log });
  await must(
    process.execPath,
    [join(checkout, "mirror", "main.ts"), "update", "--stack", stack, "--project", paths.project, "--base", known],
    { cwd: paths.project, env: environment({ paths, cloud }), line: log },
  );
  return readLock(paths.project, settings);
}
