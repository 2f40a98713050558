// What else changes in a chart's objects when values move its images.
import { differences, isSum } from "./differences.ts";
import type { ImageField } from "./imageFields.ts";
import { pairLines } from "./lines.ts";
import { TARGET } from "./relocation.ts";
import type { RenderedObject } from "./render.ts";
import { formatPath } from "./tree.ts";

/** As many are named. */
const MOST = 5;

/**
 * What changes beside the images, for people to read.
 * @param fields the images of the first rendering.
 * @param restless the places that say something else each time: `<object's id> <path>`.
 */
export function sideEffects(
  before: readonly RenderedObject[],
  after: readonly RenderedObject[],
  fields: readonly (readonly [string, ImageField])[],
  restless: ReadonlySet<string>,
): string[] {
  const found: string[] = [];
  const now = new Map(after.map((object) => [object.id, object]));
  const known = new Set(before.map(({ id }) => id));
  for (const { id, text, body } of before) {
    const other = now.get(id);
    if (other === undefined) found.push(`${id} is gone`);
    if (other === undefined || other.text === text) continue;
    const own = fields.filter(([, { object }]) => object === id);
    for (const { path, old, now: told } of differences(body, other.body, own)) {
      const field = formatPath(path);
      if (restless.has(`${id} ${field}`)) continue;
      const lines = pairLines(old, told ?? "").map((pair) => ({
        old: pair.old,
        now: told === undefined ? undefined : pair.now,
      }));
      const others = lines.filter((line) => !isOfImages(line.old, line.now, own));
      for (const { old, now } of others) {
        // Of values that are written down, the maps around those that were set.
        const isAround = others.length < lines.length && [old, now].every((line) => isEmpty(line));
        if (!isAround && !isSum(old ?? "", now)) found.push(`${id}, ${field}: ${wordsFor(old, now)}`);
      }
    }
  }
  for (const { id } of after) if (!known.has(id)) found.push(`${id} is new`);
  return found;
}

/** Whether a line changed as it should: it names an image, or a registry or a digest of one. */
function isOfImages(
  old: string | undefined,
  now: string | undefined,
  fields: readonly (readonly [string, ImageField])[],
): boolean {
  if (now?.includes(TARGET) || now?.includes("sha256:")) return true;
  return old !== undefined && fields.some(([, { written }]) => old.includes(written));
}

/** Whether a line of JSON or YAML holds no value, but begins or ends a map. */
function isEmpty(line = ""): boolean {
  return /^\s*("?[\w./-]+"?:)?\s*[{}[\],]*\s*$/.test(line);
}

function wordsFor(old: string | undefined, now: string | undefined): string {
  if (now === undefined) return `${JSON.stringify(old?.trim())} is gone`;
  if (!old) return `${JSON.stringify(now.trim())} is new`;
  return `${JSON.stringify(old.trim())} becomes ${JSON.stringify(now.trim())}`;
}

/** One warning of what changes; none where nothing does. */
export function warningOf(effects: readonly string[]): string[] {
  if (effects.length === 0) return [];
  const more = effects.length - MOST;
  const named = `${effects.slice(0, MOST).join("; ")}${more > 0 ? `; and ${more} more` : ""}`;
  return [
    `the values that move its images change more than images: ${named}. Set in the chart's values what it is to be ` +
      "(Helm may take a default of null otherwise as soon as a value beside it is set).",
  ];
}
