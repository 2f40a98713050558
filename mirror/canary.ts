import { isMap } from "../net/values.ts";
import type { Candidate } from "./chartValues.ts";
import { valuesFor } from "./chartValues.ts";
import { composedImage, type ImageField } from "./imageFields.ts";
import { RenderError, type RenderedObject, type Renderer } from "./render.ts";
import { formatPath, mergeValues, type Path, valueAt, walk, type YamlMap } from "./tree.ts";

/** What one value of a chart does, proved by changing it alone and rendering. */
export interface Effect {
  readonly candidate: Candidate;
  /** With the value `x`, a field says `before + x + after`; by the field's key. */
  readonly fields: ReadonlyMap<string, { readonly before: string; readonly after: string }>;
  /** The value also goes into a label or selector, which takes no slash, colon or `@`. */
  readonly inLabels: boolean;
  /** The value also goes into something that is no image and no annotation. */
  readonly elsewhere: boolean;
}

/** Two renderings run at once: Helm spends most of its time on one processor. */
const PARALLEL = 2;

/** The effects of all candidates that have one, in the candidates' order. */
export async function effects(
  renderer: Renderer,
  values: { readonly given: YamlMap; readonly effective: YamlMap },
  base: { readonly objects: readonly RenderedObject[]; readonly fields: ReadonlyMap<string, ImageField> },
  candidates: readonly Candidate[],
): Promise<Effect[]> {
  const results: (Effect | undefined)[] = [];
  const queue = candidates.entries();
  const work = async () => {
    for (const [index, candidate] of queue) {
      const { path, before, after, canary } = candidate;
      const change = valuesFor(values.effective, new Map([[path, before + canary + after]]));
      try {
        const objects = await renderer.render(mergeValues(values.given, change));
        results[index] = compare(candidate, base, objects);
      } catch (error) {
        // A chart may refuse a value that looks odd to it: then it stays as it is.
        if (!(error instanceof RenderError)) throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return results.filter((effect) => effect !== undefined && effect.fields.size > 0) as Effect[];
}

function compare(
  candidate: Candidate,
  base: { readonly objects: readonly RenderedObject[]; readonly fields: ReadonlyMap<string, ImageField> },
  objects: readonly RenderedObject[],
): Effect {
  const fields = new Map<string, { before: string; after: string }>();
  let inLabels = false;
  let elsewhere = false;
  const changed = new Map(objects.map((object) => [object.id, object]));
  for (const old of base.objects) {
    const now = changed.get(old.id);
    if (now?.text === old.text) continue;
    const own = [...base.fields].filter(([, field]) => field.object === old.id);
    for (const difference of differences(old.body, now?.body, own)) {
      const touched = effectsOn(difference, candidate.canary, own);
      for (const [key, effect] of touched) fields.set(key, effect);
      if (touched.length > 0 || difference.path.includes("annotations")) continue;
      elsewhere = true;
      if (difference.path.some((part) => /labels$|selector$/i.test(String(part)))) inLabels = true;
    }
  }
  return { candidate, fields, inLabels, elsewhere };
}

interface Difference {
  readonly path: Path;
  readonly old: string;
  /** Undefined where nothing stands there any more. */
  readonly now: string | undefined;
}

function differences(old: YamlMap, now: YamlMap | undefined, fields: readonly [string, ImageField][]): Difference[] {
  const found: Difference[] = [];
  const composed = new Set(fields.map(([, { path }]) => formatPath(path)));
  walk(old, (value, path) => {
    const other = valueAt(now, path);
    if (isMap(value) && composed.has(formatPath(path))) {
      const [a, b] = [composedImage(value, path), isMap(other) ? composedImage(other, path) : undefined];
      if (a !== undefined && a !== b) found.push({ path, old: a, now: b });
      return false;
    }
    if (typeof value === "object" && value !== null) return true;
    if (value !== other) found.push({ path, old: String(value), now: other === undefined ? undefined : String(other) });
    return true;
  });
  return found;
}

function effectsOn(
  { path, old, now }: Difference,
  canary: string,
  fields: readonly [string, ImageField][],
): [string, { before: string; after: string }][] {
  const pieces = now?.split(canary) ?? [];
  if (pieces.length < 2) return [];
  const place = formatPath(path);
  const here = fields.filter(([, field]) => formatPath(field.path) === place);
  const regions = regionsOf(old, pieces);
  return here.flatMap(([key, field]) => {
    const effect = regions === undefined ? inserted(old, pieces, field) : replaced(old, regions, field);
    return effect === undefined ? [] : [[key, effect] as [string, { before: string; after: string }]];
  });
}

/** Where the value stood in the old text, if the new one differs in nothing but the value. */
function regionsOf(old: string, pieces: readonly string[]): { start: number; end: number }[] | undefined {
  const count = pieces.length - 1;
  const length = (old.length - pieces.reduce((sum, piece) => sum + piece.length, 0)) / count;
  if (!Number.isInteger(length) || length < 1) return undefined;
  const start = pieces[0]?.length ?? 0;
  if (pieces.join(old.slice(start, start + length)) !== old) return undefined;
  let offset = 0;
  return pieces.slice(0, -1).map((piece, index) => {
    const at = offset + piece.length + index * length;
    offset += piece.length;
    return { start: at, end: at + length };
  });
}

function replaced(old: string, regions: readonly { start: number; end: number }[], field: ImageField) {
  const inside = regions.filter(({ start, end }) => start >= field.start && end <= field.end);
  const [region] = inside;
  if (region === undefined || inside.length > 1) return undefined;
  return { before: old.slice(field.start, region.start), after: old.slice(region.end, field.end) };
}

/** A value that was empty brings its own separator, or takes another part's place. */
function inserted(old: string, pieces: readonly string[], field: ImageField) {
  const [before = "", after = "", more] = pieces;
  const [head, tail] = [old.slice(0, field.start), old.slice(field.end)];
  if (more !== undefined || !before.startsWith(head) || !after.endsWith(tail)) return undefined;
  return { before: before.slice(head.length), after: after.slice(0, after.length - tail.length) };
}
