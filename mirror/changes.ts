import type { Lock, LockedChart, LockedFlux, LockedImage } from "./lock.ts";
import { called, canonicalJson } from "./lock.ts";

/**
 * What is new in a lock, one line each, for a person: `+` added, `-` removed, `~` changed, and `!` for what was
 * published anew under the same name, which deserves a look.
 */
export function describeChanges(old: Lock | undefined, now: Lock): string[] {
  return [
    ...compare(old?.charts ?? [], now.charts, called, describeChart, chartChanges),
    ...compare(
      [old?.flux ?? []].flat(),
      [now.flux ?? []].flat(),
      () => "flux",
      ({ version }) => `Flux ${version}`,
      fluxChanges,
    ),
    ...compare(old?.images ?? [], now.images, ({ source }) => source, describeImage, imageChanges),
  ];
}

function compare<T>(
  old: readonly T[],
  now: readonly T[],
  key: (item: T) => string,
  describe: (item: T) => string,
  changes: (before: T, after: T) => string[],
): string[] {
  const before = new Map(old.map((item) => [key(item), item]));
  const after = new Set(now.map(key));
  const lines = now.flatMap((item) => {
    const previous = before.get(key(item));
    return previous === undefined ? [`+ ${describe(item)}`] : changes(previous, item);
  });
  return [...lines, ...old.filter((item) => !after.has(key(item))).map((item) => `- ${describe(item)}`)];
}

function describeChart(chart: LockedChart): string {
  return `${called(chart)} ${chart.version} (${chart.url})`;
}

function describeImage({ source, digest }: LockedImage): string {
  return `image ${source} ${digest}`;
}

function chartChanges(before: LockedChart, after: LockedChart): string[] {
  const chart = called(after);
  const lines: string[] = [];
  if (before.version !== after.version) lines.push(`~ ${chart} ${before.version} -> ${after.version}`);
  else if (before.sha256 !== after.sha256) {
    lines.push(
      `! ${chart} ${after.version}: the published archive changed, SHA-256 ${before.sha256} -> ${after.sha256}`,
    );
  }
  if (before.url !== after.url && before.version === after.version) {
    lines.push(`~ ${chart} moved: ${before.url} -> ${after.url}`);
  }
  const relocation = ({ values, postRender, patches, images }: LockedChart) =>
    // Digests are told with their images.
    canonicalJson({ values, postRender, patches, images }).replaceAll(/sha256:[0-9a-f]{64}/g, "");
  if (relocation(before) !== relocation(after)) lines.push(`~ ${chart}: other images or relocating values`);
  return lines;
}

function fluxChanges(before: LockedFlux, after: LockedFlux): string[] {
  if (before.version !== after.version) return [`~ Flux ${before.version} -> ${after.version}`];
  return before.manifests === after.manifests ? [] : [`~ Flux ${after.version}: other manifests`];
}

function imageChanges(before: LockedImage, after: LockedImage): string[] {
  if (before.digest === after.digest) return [];
  return [`! image ${after.source}: the tag moved, ${before.digest} -> ${after.digest}`];
}
