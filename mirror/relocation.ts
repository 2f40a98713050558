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
export interface Assignment {
  readonly effect: Effect;
  readonly value: string;
}

/** Values to set: those that move images, and those that pin what was moved. */
export interface Relocation {
  readonly names: readonly Assignment[];
  readonly pins: readonly Assignment[];
}

/** The value with which a field, being `before + x + after`, becomes what it must be; undefined where none does. */
type Solver = (field: ImageField, before: string, after: string) => string | undefined;

/**
 * The values that move images into the target registry, as far as values reach them.
 * @param fields the images of the chart, by key.
 * @param pins what follows an image's name when it is pinned; undefined where it need not be.
 * @returns what to set; digests are marks.
 */
export function relocatingValues(
  fields: ReadonlyMap<string, ImageField>,
  effects: readonly Effect[],
  pins: (field: ImageField, key: string) => readonly string[] | undefined,
): Relocation {
  const options = [...fields].map(([key, field]) => ({
    key,
    field,
    names: optionsOf(fields, effects, key, nameValue),
  }));
  // Images that only one value reaches come first, so that the others can share it.
  options.sort((a, b) => a.names.length - b.names.length);
  const names = chosen(options.map(({ names }) => names));
  const moved = new Set(names.flatMap(({ effect }) => [...effect.fields.keys()]));
  const suffixes = new Map([...fields].map(([key, field]) => [field, pins(field, key)]));
  // A tag that is also a label or an argument must stay a tag; and of what stays elsewhere only its name would move later.
  const free = effects.filter(
    ({ elsewhere, fields }) => !elsewhere && [...fields.keys()].every((key) => moved.has(key)),
  );
  const pinned = chosen(
    options.map(({ key }) => optionsOf(fields, free, key, (...args) => pinValue(suffixes.get(args[0]), ...args))),
  );
  // Where a value is a whole image, its pin is in the same value.
  const whole = names.flatMap(({ effect }) => {
    const together = assignment(fields, effect, (...args) => wholeValue(suffixes.get(args[0]), ...args));
    return together.filter(({ value }) => !names.some((name) => name.effect === effect && name.value === value));
  });
  return { names, pins: [...whole, ...pinned] };
}

/**
 * The images that no known value moves, or that are to be pinned and nothing does: no known value, and no post-renderer
 * either.
 */
export function leftBy(
  fields: ReadonlyMap<string, ImageField>,
  effects: readonly Effect[],
  pins: (field: ImageField, key: string) => readonly string[] | undefined,
): ImageField[] {
  const found = relocatingValues(fields, effects, pins);
  const reached = (assignments: readonly Assignment[]) =>
    new Set(assignments.flatMap(({ effect }) => [...effect.fields.keys()]));
  const [moved, pinned] = [reached(found.names), reached(found.pins)];
  const isPinned = (key: string, field: ImageField) =>
    pinned.has(key) || field.kustomizable || pins(field, key) === undefined;
  return [...fields].filter(([key, field]) => !moved.has(key) || !isPinned(key, field)).map(([, field]) => field);
}

/** The values of assignments, the later ones over the earlier. */
export function changesOf(assignments: readonly Assignment[]): Map<Path, string> {
  return new Map(
    assignments.map(({ effect: { candidate }, value }) => [candidate.path, candidate.before + value + candidate.after]),
  );
}

function chosen(options: readonly Assignment[][]): Assignment[] {
  const chosen = new Map<Effect, string>();
  for (const list of options) {
    if (list.some(({ effect }) => chosen.has(effect))) continue;
    const [best] = [...list].sort(bySpecificity);
    if (best !== undefined) chosen.set(best.effect, best.value);
  }
  return [...chosen].map(([effect, value]) => ({ effect, value }));
}

function optionsOf(fields: ReadonlyMap<string, ImageField>, effects: readonly Effect[], key: string, solve: Solver) {
  return effects.filter((effect) => effect.fields.has(key)).flatMap((effect) => assignment(fields, effect, solve));
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
function nameValue(field: ImageField, before: string, after: string): string | undefined {
  const suffix = suffixOf(field);
  const target = targetOf(field);
  if (before !== "") return undefined;
  // The value is the whole image.
  if (after === "") return target + suffix;
  if (!after.endsWith(suffix)) return undefined;
  const rest = after.slice(0, after.length - suffix.length);
  return target.endsWith(rest) ? target.slice(0, target.length - rest.length) : undefined;
}

/** For the whole of an image's text: its name in the target registry, pinned. */
function wholeValue(pins: readonly string[] | undefined, field: ImageField, before: string, after: string) {
  return before === "" && after === ""
    ? targetOf(field) + (pins?.[0] ?? suffixOf(field))
    : nameValue(field, before, after);
}

/** For the end of an image's text: the tag with its digest, or the digest. */
function pinValue(pins: readonly string[] = [], field: ImageField, before: string, after: string): string | undefined {
  const name = nameWritten(field);
  if (!before.startsWith(name)) return undefined;
  const lead = before.slice(name.length);
  for (const wanted of pins) {
    if (lead !== "" && wanted.startsWith(lead) && wanted.endsWith(after)) {
      return wanted.slice(lead.length, wanted.length - after.length);
    }
  }
  return undefined;
}

/** An image's name in the target registry. */
export function targetOf({ reference }: Pick<ImageField, "reference">): string {
  return `${TARGET}/${nameOf(reference)}`;
}

/** An image's name as it is written, without tag and digest. */
export function nameWritten(field: ImageField): string {
  return field.written.slice(0, field.written.length - suffixOf(field).length);
}

/** What follows an image's name as it is written: tag, digest, both or nothing. */
export function suffixOf({ reference: { tag, digest } }: ImageField): string {
  return (tag === undefined ? "" : `:${tag}`) + (digest === undefined ? "" : `@${digest}`);
}

/** The ways to write what follows a pinned image's name: the tag with the digest, or the digest alone. */
export function pinnedSuffixes(field: ImageField): readonly string[] | undefined {
  if (field.reference.digest !== undefined) return undefined;
  const mark = `@${digestMark(sourceOf(field.reference))}`;
  return [suffixOf(field) + mark, mark];
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
