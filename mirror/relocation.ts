import type { Effect } from "./canary.ts";
import type { ImageField } from "./imageFields.ts";
import { nameOf, sourceOf } from "./reference.ts";
import type { Path } from "./tree.ts";

/** Stands for the target registry while a chart is rendered; the domain `.invalid` is nobody's (RFC 2606). */
export const TARGET = "relocated.invalid";
/** Stands for digests while a chart is rendered. */
const DIGEST_MARK = /\{digest:([^{}]+)\}/g;

/** Where an image's digest will be, once it is resolved. */
export function digestMark(source: string): string {
  return `{digest:${source}}`;
}

/** A text with every digest's mark replaced. */
export function fillDigests(text: string, digestOf: (source: string) => string): string {
  return text.replace(DIGEST_MARK, (_mark, source: string) => digestOf(source));
}

/** A value to set, and what it must be. */
interface Assignment {
  readonly effect: Effect;
  readonly value: string;
}

/** The value with which a field, being `before + x + after`, becomes what it must be; undefined where none does. */
type Solver = (field: ImageField, before: string, after: string) => string | undefined;

/**
 * The values that move images into the target registry, as far as values reach them.
 * @param fields the images of the chart, by key.
 * @param pin whether to pin digests through values too.
 * @returns what to set each path to; digests are marks.
 */
export function relocatingValues(
  fields: ReadonlyMap<string, ImageField>,
  effects: readonly Effect[],
  pin: boolean,
): Map<Path, string> {
  const chosen = new Map<Effect, string>();
  const names: Solver = (field, before, after) => nameValue(field, before, after, pin);
  const options = [...fields].map(([key, field]) => ({
    names: effects.filter((effect) => effect.fields.has(key)).flatMap((effect) => assignment(fields, effect, names)),
    pins: pin && field.reference.digest === undefined ? pins(fields, effects, key) : [],
  }));
  // Images that only one value reaches come first, so that the others can share it.
  for (const { names, pins } of options.sort((a, b) => a.names.length - b.names.length)) {
    for (const list of [names, pins]) {
      if (list.some(({ effect }) => chosen.has(effect))) continue;
      const [best] = list.sort(bySpecificity);
      if (best !== undefined) chosen.set(best.effect, best.value);
    }
  }
  return new Map(
    [...chosen].map(([{ candidate }, value]) => [candidate.path, candidate.before + value + candidate.after]),
  );
}

function pins(fields: ReadonlyMap<string, ImageField>, effects: readonly Effect[], key: string): Assignment[] {
  // A tag that is also a label or an argument must stay a tag.
  const free = effects.filter((effect) => effect.fields.has(key) && !effect.elsewhere);
  return free.flatMap((effect) => assignment(fields, effect, pinValue));
}

/** The one value that is right for every image that it reaches; none when they need different ones. */
function assignment(fields: ReadonlyMap<string, ImageField>, effect: Effect, solve: Solver): Assignment[] {
  if (effect.inLabels) return [];
  const values = new Set<string | undefined>();
  for (const [key, { before, after }] of effect.fields) {
    const field = fields.get(key);
    values.add(field === undefined ? undefined : solve(field, before, after));
  }
  const [value] = values;
  return values.size === 1 && value !== undefined ? [{ effect, value }] : [];
}

/** For the beginning of an image's text: the name in the target registry. */
function nameValue(field: ImageField, before: string, after: string, pin: boolean): string | undefined {
  const suffix = suffixOf(field);
  const target = `${TARGET}/${nameOf(field.reference)}`;
  if (before !== "") return undefined;
  // The value is the whole image.
  if (after === "") return target + (pin ? pinnedSuffix(field) : suffix);
  if (!after.endsWith(suffix)) return undefined;
  const rest = after.slice(0, after.length - suffix.length);
  return target.endsWith(rest) ? target.slice(0, target.length - rest.length) : undefined;
}

/** For the end of an image's text: the tag with its digest, or the digest. */
function pinValue(field: ImageField, before: string, after: string): string | undefined {
  const name = field.written.slice(0, field.written.length - suffixOf(field).length);
  if (!before.startsWith(name)) return undefined;
  const lead = before.slice(name.length);
  for (const wanted of [pinnedSuffix(field), `@${digestMark(sourceOf(field.reference))}`]) {
    if (lead !== "" && wanted.startsWith(lead) && wanted.endsWith(after)) {
      return wanted.slice(lead.length, wanted.length - after.length);
    }
  }
  return undefined;
}

/** What follows an image's name as it is written: tag, digest, both or nothing. */
export function suffixOf({ reference: { tag, digest } }: ImageField): string {
  return (tag === undefined ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
}

function pinnedSuffix(field: ImageField): string {
  if (field.reference.digest !== undefined) return suffixOf(field);
  return `${suffixOf(field)}@${digestMark(sourceOf(field.reference))}`;
}

/** First the value that reaches the fewest images, then a digest's own value, then the deepest path. */
function bySpecificity(a: Assignment, b: Assignment): number {
  const rank = ({ effect, value }: Assignment) => [
    effect.fields.size,
    value.startsWith("{digest:") ? 0 : 1,
    -effect.candidate.path.length,
  ];
  const [left, right] = [rank(a), rank(b)];
  for (const [index, number] of left.entries()) {
    const difference = number - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
