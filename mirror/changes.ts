import type { AttachedManifest, Lock, LockedChart, LockedFlux, LockedImage } from "./lock.ts";
import { called, canonicalJson } from "./lock.ts";
import { formatPath, type Path } from "./tree.ts";

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
  const details = [...imageMoves(before, after), ...valueChanges(before, after)];
  const relocation = ({ values, postRender, patches, images }: LockedChart) =>
    // Digests are told with their images.
    canonicalJson({ values, postRender, patches, images }).replaceAll(/sha256:[0-9a-f]{64}/g, "");
  // Beside another version it is what was to be expected, and the details say it.
  if (relocation(before) !== relocation(after) && before.version === after.version)
    lines.push(`~ ${chart}: other images or relocating values`);
  return [...lines, ...details.map((line) => `    ${line}`)];
}

/** The images of a chart that are the same in another version. */
function imageMoves(before: LockedChart, after: LockedChart): string[] {
  const gone = before.images.filter((image) => !after.images.includes(image));
  const come = after.images.filter((image) => !before.images.includes(image));
  return come.flatMap((source) => {
    const { name, rest } = partsOf(source);
    const old = gone.map(partsOf).filter((one) => one.name === name);
    return old.length === 1 && old[0] ? [`image ${name} ${old[0].rest} -> ${rest}`] : [];
  });
}

function partsOf(source: string): { name: string; rest: string } {
  const [, name = source, rest = ""] = /^(.*?)[:@]([^/]*)$/.exec(source) ?? [];
  return { name, rest };
}

/** How many values a review names. */
const NAMED = 5;

/** The relocating values that are others, but for digests, which are told with their images. */
function valueChanges(before: LockedChart, after: LockedChart): string[] {
  const [old, now] = [leavesOf(before.values), leavesOf(after.values)];
  const changed = [...new Set([...old.keys(), ...now.keys()])].filter((path) => old.get(path) !== now.get(path)).sort();
  if (changed.length === 0) return [];
  const more = changed.length > NAMED ? ", ..." : "";
  return [`${changed.length} value${changed.length === 1 ? "" : "s"}: ${changed.slice(0, NAMED).join(", ")}${more}`];
}

function leavesOf(value: unknown, path: Path = []): Map<string, string> {
  if (typeof value !== "object" || value === null)
    return new Map([[formatPath(path), JSON.stringify(value).replaceAll(/@?sha256:[0-9a-f]{64}/g, "")]]);
  const entries = Array.isArray(value) ? [...value.entries()] : Object.entries(value);
  return new Map(entries.flatMap(([key, item]) => [...leavesOf(item, [...path, key])]));
}

/** Signatures and the like come and go while an image stays. */
function attachedChanges({ attached: old = [] }: LockedImage, { source, attached = [] }: LockedImage): string[] {
  const lines = (sign: string, all: readonly AttachedManifest[], others: readonly AttachedManifest[]) =>
    all
      .filter((one) => !others.some(({ digest }) => digest === one.digest))
      .map(({ digest, tag }) => `${sign} of image ${source}: ${tag === undefined ? "" : `${tag} `}${digest}`);
  return [...lines("+", attached, old), ...lines("-", old, attached)];
}

function fluxChanges(before: LockedFlux, after: LockedFlux): string[] {
  if (before.version !== after.version) return [`~ Flux ${before.version} -> ${after.version}`];
  return before.manifests === after.manifests ? [] : [`~ Flux ${after.version}: other manifests`];
}

/** A lock may have been made before platforms were kept. */
const platformChanges = ({ platforms: before }: LockedImage, { source, platforms }: LockedImage): string[] =>
  before === undefined && platforms !== undefined ? [`~ image ${source}: it runs on ${platforms.join(", ")}`] : [];

function imageChanges(before: LockedImage, after: LockedImage): string[] {
  if (before.digest === after.digest) return [...platformChanges(before, after), ...attachedChanges(before, after)];
  return [`! image ${after.source}: the tag moved, ${before.digest} -> ${after.digest}`];
}
