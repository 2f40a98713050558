// Compares a lock with its settings and with what is published now; nothing is written, and no chart is rendered.

import { satisfies } from "../net/versionRange.ts";
import { lookUpChart, newerVersions, type Registry } from "./chartLookup.ts";
import {
  type ChartSource,
  called,
  type Lock,
  LockError,
  type LockedChart,
  type LockedImage,
  loadLock,
  lockedRelease,
  type MirrorList,
  type MirrorSource,
  mirrored,
  readLockOf,
} from "./lock.ts";
import { parseReference } from "./reference.ts";

export interface CheckOptions {
  readonly source: MirrorSource;
  readonly settings: MirrorList;
  /** A client of the registry with this host. */
  readonly registry: (host: string) => Registry;
}

/** What a check found. */
export interface CheckedLock {
  /** None where it is missing or damaged. */
  readonly lock: Lock | undefined;
  /** What does not fit any more, a line each: `!` for what deserves a look. */
  readonly faults: readonly string[];
  /** Newer versions, a line each. */
  readonly news: readonly string[];
}

/** Requests that are under way at once; registries answer bursts with 429. */
const PARALLEL = 4;

/**
 * Compares a lock with its settings, and every chart and image of it with what is published under its name.
 * @throws Error where a registry or repository cannot be asked.
 */
export async function checkLock({ source, settings, registry }: CheckOptions): Promise<CheckedLock> {
  const faults: string[] = [];
  const stale = await readLockOf(source, settings).then(
    () => [],
    (error: unknown) => {
      if (error instanceof LockError) return [error.message];
      throw error;
    },
  );
  const lock = await loadLock(source.lock, `Run: ${source.update}`).catch(() => undefined);
  if (lock === undefined) return { lock, faults: stale, news: [] };
  const charts = mirrored(settings.charts).flatMap((chart) => {
    const locked = lock.charts.find(lockedRelease(chart));
    return locked === undefined ? [] : [{ chart, locked }];
  });
  const news: string[] = [];
  const tasks = [
    ...charts.map(({ chart, locked }) => async () => {
      faults.push(...(await chartFaults(chart, locked, registry)));
      const newer = await newerVersions(chart, locked.version, registry);
      if (newer !== undefined) news.push(newsOf(chart, locked, newer));
    }),
    ...lock.images.map((image) => async () => faults.push(...(await imageFaults(image, registry)))),
  ].values();
  const work = async () => {
    for (const task of tasks) await task();
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return { lock, faults: [...stale, ...faults.sort()], news: news.sort() };
}

function newsOf(chart: ChartSource, { version }: LockedChart, newer: string): string {
  return satisfies(newer, chart.version)
    ? `~ ${called(chart)} ${version}: ${newer} is there, within ${chart.version}; take it: npm run mirror -- update ${chart.release ?? chart.name}`
    : `~ ${called(chart)} ${version}: ${newer} is there, beyond ${chart.version} of the settings`;
}

async function chartFaults(
  chart: ChartSource,
  locked: LockedChart,
  registry: CheckOptions["registry"],
): Promise<string[]> {
  const { version, sha256 } = locked;
  const name = `${called(chart)} ${version}`;
  try {
    const found = await lookUpChart({ ...chart, version }, registry);
    if (found.sha256 === sha256) return [];
    return [`! ${name}: the published archive changed, SHA-256 ${sha256} -> ${found.sha256}`];
  } catch (error) {
    return [`! ${name} is gone: ${(error as Error).message}`];
  }
}

async function imageFaults(
  { source, digest, tag }: LockedImage,
  registry: CheckOptions["registry"],
): Promise<string[]> {
  const reference = parseReference(source);
  if (reference === undefined) return [];
  const client = registry(reference.host);
  const now = await client.head(reference.repository, tag ?? digest);
  if (now?.digest === digest) return [];
  const isThere = tag === undefined ? undefined : await client.head(reference.repository, digest);
  const left = isThere ? "" : `, and ${digest} is gone`;
  if (now === undefined) return [`! image ${source} is gone${isThere ? `, though not ${digest}` : left}`];
  return [`! image ${source}: the tag moved, ${digest} -> ${now.digest}${left}`];
}
