import pLimit from "p-limit";
import { isMap } from "../net/values.ts";
import type { Candidate } from "./chartValues.ts";
import { valuesFor } from "./chartValues.ts";
import { type Difference, differences, isSum } from "./differences.ts";
import { type ImageField, placeOf } from "./imageFields.ts";
import { pairLines } from "./lines.ts";
import { RenderError, type RenderedObject, type Renderer } from "./render.ts";
import { changedPlaces } from "./restless.ts";
import { formatPath, mergeValues, type Path, valueAt, type YamlMap } from "./tree.ts";
import type { World } from "./worlds.ts";

/** What one value of a chart does, proved by rendering with it changed. */
export interface Effect {
  readonly candidate: Candidate;
  /** With the value `x`, a field says `before + x + after`; by the field's key. */
  readonly fields: ReadonlyMap<string, Part>;
  /** The value also goes into a label or selector, which takes no slash, colon or `@`. */
  readonly inLabels: boolean;
  /** The value also goes into something that is no image and no annotation. */
  readonly elsewhere: boolean;
}

/** What stands in a field before and after a value. */
interface Part {
  readonly before: string;
  readonly after: string;
}

/** What a chart renders with nothing changed, in one world. */
export interface Base {
  readonly world: World;
  readonly objects: readonly RenderedObject[];
  readonly fields: ReadonlyMap<string, ImageField>;
  /** Places that say something else each time: `<object's id> <path>`. */
  readonly restless: ReadonlySet<string>;
}

export interface Effects {
  /** In the candidates' order. */
  readonly effects: readonly Effect[];
  /** What Helm said to values that the chart does not take, each once. */
  readonly refusals: readonly string[];
}

/** Helm spends most of its time on one processor. */
const PARALLEL = 2;

/** How a search goes. */
export interface SearchOptions {
  /** Whether values are changed in groups; else one at a time. @default true */
  readonly together?: boolean | undefined;
  /** The images for which more has to be known. @default all */
  readonly left?: ((effects: readonly Effect[]) => readonly ImageField[]) | undefined;
}

/**
 * The effects of all candidates that have one. Many are changed at once, each to a value of its own: where one shows, its
 * effect is proved. Silence proves nothing, as one value may hide another: what was silent is tried again without those
 * that showed, unless what is known is enough. A group that a chart refuses, or that changes what none of its values
 * explains, is halved, unless the chart names those that it refuses.
 */
export async function findEffects(
  renderer: Renderer,
  values: { readonly given: YamlMap; readonly effective: YamlMap },
  base: Base,
  candidates: readonly Candidate[],
  { together = true, left = () => [...base.fields.values()] }: SearchOptions = {},
): Promise<Effects> {
  const search = new Search(renderer, values, base, candidates);
  if (!together) await search.all(alone(candidates));
  else await search.inGroups(candidates, left);
  return { effects: search.effects(candidates), refusals: [...search.refusals].sort() };
}

class Search {
  readonly found = new Map<Candidate, Effect>();
  readonly refusals = new Set<string>();
  readonly #renderer: Renderer;
  readonly #values: { readonly given: YamlMap; readonly effective: YamlMap };
  readonly #base: Base;
  readonly #limit = pLimit(PARALLEL);
  /** Changed alone, so that nothing hid what it does. */
  readonly #settled = new Set<Candidate>();
  readonly #tried = new Set<Candidate>();
  readonly #candidates: readonly Candidate[];
  #touched: Promise<ReadonlySet<string>> | undefined;

  constructor(
    renderer: Renderer,
    values: { readonly given: YamlMap; readonly effective: YamlMap },
    base: Base,
    candidates: readonly Candidate[],
  ) {
    this.#renderer = renderer;
    this.#values = values;
    this.#base = base;
    this.#candidates = candidates;
  }

  /** Those that say something of an image, in the candidates' order. */
  effects(candidates: readonly Candidate[]): Effect[] {
    return candidates.flatMap((candidate) => this.found.get(candidate) ?? []).filter(({ fields }) => fields.size > 0);
  }

  async inGroups(candidates: readonly Candidate[], left: NonNullable<SearchOptions["left"]>): Promise<void> {
    const images = () => left(this.effects(candidates));
    const isDone = () => images().length === 0;
    let unclear = new Set<Candidate>();
    // What is named for images first: what else an image's name has in it is seldom needed, and often refused.
    for (const some of [
      () => candidates.filter(({ named }) => named),
      () => candidates.filter(({ named, value }) => !named && images().some(({ written }) => written.includes(value))),
    ]) {
      if (isDone()) return;
      let more = await this.all(groupsOf(some()));
      // Beside no part of another kind most are clear.
      if (more.size > 0 && !isDone()) more = await this.all(byKind([...more]));
      unclear = unclear.union(more);
    }
    while (!isDone()) {
      const silent = candidates.filter(
        (one) => this.#tried.has(one) && !this.#shows(one) && !this.#settled.has(one) && !unclear.has(one),
      );
      const before = this.effects(candidates).length;
      // All at once: nearly always they are silent again.
      const again = await this.all([...(silent.length > 0 ? [silent] : []), ...alone([...unclear])]);
      if (this.effects(candidates).length === before && again.size === 0) return;
      unclear = again;
    }
  }

  /** Whether a value is known to be in an image's name. */
  #shows(candidate: Candidate): boolean {
    return (this.found.get(candidate)?.fields.size ?? 0) > 0;
  }

  /** Tries groups side by side. @returns the candidates that showed, but beside another, so that it is not clear what they do. */
  async all(groups: readonly (readonly Candidate[])[]): Promise<Set<Candidate>> {
    const unclear = await Promise.all(groups.map((group) => this.#try(group)));
    return new Set(unclear.flat());
  }

  async #try(group: readonly Candidate[]): Promise<Candidate[]> {
    for (const candidate of group) this.#tried.add(candidate);
    let objects: RenderedObject[];
    try {
      objects = await this.#rendered(
        group.map(({ path, before, canary, after }) => [path, before + canary + after] as const),
      );
    } catch (error) {
      // A chart may refuse a value that looks odd to it: then it stays as it is.
      if (!(error instanceof RenderError)) throw error;
      const blamed = group.filter(({ mark }) => error.message.includes(mark));
      const others = group.filter((candidate) => !blamed.includes(candidate));
      if (blamed.length > 0 && others.length > 0)
        return (await Promise.all([this.#try(blamed), this.#try(others)])).flat();
      if (group.length > 1 && !(others.length === 0 && this.#namesNoOther(error.message, group)))
        return this.#halves(group);
      for (const candidate of group) this.#settled.add(candidate);
      this.refusals.add(withoutCanaries(error.message, group));
      return [];
    }
    let seen = new Comparison(this.#base, objects, group);
    if (seen.unexplained && group.length > 1) {
      const touched = await this.#whatIsTouched();
      if (touched.size > 0)
        seen = new Comparison({ ...this.#base, restless: this.#base.restless.union(touched) }, objects, group);
      if (seen.unexplained) return this.#halves(group);
    }
    const [only, ...more] = group;
    if (only !== undefined && more.length === 0) this.#settled.add(only);
    const unclear = group.filter((candidate) => seen.unclear.has(candidate));
    for (const candidate of group) {
      const effect = seen.effectOf(candidate);
      if (effect !== undefined && !seen.unclear.has(candidate)) this.found.set(candidate, effect);
    }
    return unclear;
  }

  #rendered(changes: readonly (readonly [Path, unknown])[]): Promise<RenderedObject[]> {
    const values = mergeValues(this.#values.given, valuesFor(this.#values.effective, new Map(changes)));
    return this.#limit(() => this.#renderer.render(values, this.#base.world));
  }

  /**
   * The places that say something else as soon as the values are given at all, be it as they are: Helm takes a default of
   * `null` for one thing where nobody gives a value beside it and for another where somebody does.
   */
  #whatIsTouched(): Promise<ReadonlySet<string>> {
    this.#touched ??= (async () => {
      const { effective } = this.#values;
      const same = this.#candidates.flatMap(({ path, value }) =>
        value === "" ? [] : [[path, valueAt(effective, path)] as const],
      );
      try {
        return changedPlaces(this.#base.objects, await this.#rendered(same));
      } catch (error) {
        if (!(error instanceof RenderError)) throw error;
        return new Set<string>();
      }
    })();
    return this.#touched;
  }

  /** Whether a chart that names values in its refusal says nothing of images that are as they were: so it does not name all. */
  #namesNoOther(words: string, group: readonly Candidate[]): boolean {
    const place = ({ path }: Candidate) => formatPath(path.slice(0, -1));
    const places = new Set(group.map(place));
    const beside = this.#candidates.filter((one) => places.has(place(one))).map(({ value }) => value);
    const others = this.#candidates
      .filter((one) => one.kind === "name" && one.value.length > 5 && !places.has(place(one)))
      .filter(({ value }) => !beside.some((each) => each.includes(value)));
    return others.length > 0 && others.every(({ value }) => !words.includes(value));
  }

  async #halves(group: readonly Candidate[]): Promise<Candidate[]> {
    const middle = Math.ceil(group.length / 2);
    const halves = [group.slice(0, middle), group.slice(middle)];
    return (await Promise.all(halves.map((half) => this.#try(half)))).flat();
  }
}

/** Parts of images' names of one kind: each image's own ones, or those for all. */
type NamePart = `${"own" | "shared"} ${"name" | "tag" | "digest"}`;

/** What would hide each other: a digest hides a tag, what is for all images is hidden by each one's own. */
const HIDING: readonly (readonly [NamePart, NamePart])[] = [
  ["own name", "shared name"],
  ["own tag", "shared tag"],
  ["own digest", "shared digest"],
  ["own digest", "own tag"],
  ["own digest", "shared tag"],
  ["shared digest", "own tag"],
  ["shared digest", "shared tag"],
];

const ORDER: readonly NamePart[] = ["own name", "own digest", "shared name", "own tag", "shared tag", "shared digest"];

function partOfName({ kind, shared }: Candidate): NamePart {
  return `${shared ? "shared" : "own"} ${kind === "tag" || kind === "digest" ? kind : "name"}`;
}

/** As few groups as there can be in which nothing hides another. */
function groupsOf(candidates: readonly Candidate[]): Candidate[][] {
  const groups: { parts: NamePart[]; members: Candidate[] }[] = [];
  for (const part of ORDER) {
    const members = candidates.filter((candidate) => partOfName(candidate) === part);
    if (members.length === 0) continue;
    const hides = (other: NamePart) =>
      HIDING.some(([one, two]) => (one === part && two === other) || (two === part && one === other));
    const group = groups.find(({ parts }) => !parts.some(hides));
    group?.parts.push(part);
    group?.members.push(...members);
    if (group === undefined) groups.push({ parts: [part], members });
  }
  return groups.map(({ members }) => members);
}

function byKind(candidates: readonly Candidate[]): Candidate[][] {
  const kinds = Map.groupBy(candidates, ({ kind, shared }) => `${kind} ${shared}`);
  return [...kinds.values()];
}

function alone(candidates: readonly Candidate[]): Candidate[][] {
  return candidates.map((candidate) => [candidate]);
}

/** What Helm says, as it would be of any other value. */
function withoutCanaries(message: string, group: readonly Candidate[]): string {
  let text = message;
  for (const { canary } of group) text = text.replaceAll(canary, "<another value>");
  return text;
}

/** A rendering with some values changed beside the one with none. */
class Comparison {
  /** Something changed that holds none of the new values. */
  unexplained = false;
  /** Candidates that stand beside others, so that their parts cannot be told apart. */
  readonly unclear = new Set<Candidate>();
  readonly #effects = new Map<Candidate, { fields: Map<string, Part>; inLabels: boolean; elsewhere: boolean }>();
  readonly #group: readonly Candidate[];

  constructor(base: Base, objects: readonly RenderedObject[], group: readonly Candidate[]) {
    this.#group = group;
    const changed = new Map(objects.map((object) => [object.id, object]));
    const known = new Set(base.objects.map(({ id }) => id));
    // A value may be in an object's name.
    const renamed = new Map(objects.filter(({ id }) => !known.has(id)).map((object) => [object.place, object]));
    const matched = new Set<RenderedObject>();
    for (const old of base.objects) {
      const now = changed.get(old.id) ?? renamed.get(old.place);
      if (now?.text === old.text) continue;
      if (now !== undefined) matched.add(now);
      const own = [...base.fields].filter(([, field]) => field.object === old.id);
      for (const difference of differences(old.body, now?.body, own)) {
        if (!base.restless.has(`${old.id} ${formatPath(difference.path)}`)) this.#add(difference, own);
        else if (this.#present(difference.now ?? "").length > 0) this.#add(difference, own);
      }
    }
    for (const object of objects)
      if (!known.has(object.id) && !matched.has(object)) this.#anew(object.text, isLabelled(object.body));
  }

  effectOf(candidate: Candidate): Effect | undefined {
    const found = this.#effects.get(candidate);
    if (found === undefined) return undefined;
    // Alone it is the one that changed whatever changed.
    const alone = this.unexplained && this.#group.length === 1;
    return { candidate, ...found, elsewhere: found.elsewhere || alone };
  }

  #present(text: string): Candidate[] {
    return this.#group.filter(({ mark }) => text.includes(mark));
  }

  #noted(candidate: Candidate) {
    const effect = this.#effects.get(candidate) ?? { fields: new Map(), inLabels: false, elsewhere: false };
    this.#effects.set(candidate, effect);
    return effect;
  }

  /** An object that was not there before. */
  #anew(text: string, inLabels: boolean): void {
    const present = this.#present(text);
    if (present.length === 0) this.unexplained = true;
    for (const candidate of present) {
      const effect = this.#noted(candidate);
      effect.elsewhere = true;
      effect.inLabels ||= inLabels;
    }
  }

  #add({ path, place, old, now }: Difference, fields: readonly [string, ImageField][]): void {
    const isAnnotation = path.includes("annotations");
    const inLabels = path.some((part) => /labels$|selector$/i.test(String(part)));
    const here = fields.filter(([, field]) => placeOf(field) === place);
    for (const pair of pairLines(old, now ?? "")) {
      const line = now === undefined ? undefined : pair.now;
      const present = this.#present(line ?? "");
      if (present.length === 0) {
        if (!isAnnotation && !isSum(pair.old ?? "", line)) this.unexplained = true;
        continue;
      }
      const end = pair.start + (pair.old?.length ?? 0);
      const inLine = here.filter(([, { start, end: last }]) => start >= pair.start && last <= end);
      if (present.length > 1) {
        const [only, ...more] = inLine;
        const parts =
          only === undefined || more.length > 0
            ? undefined
            : partsOf(pair.old ?? "", line ?? "", present, shifted(only[1], pair.start));
        for (const candidate of present) {
          const part = parts?.get(candidate);
          if (only === undefined || part === undefined) this.unclear.add(candidate);
          else this.#noted(candidate).fields.set(only[0], part);
        }
        continue;
      }
      for (const candidate of present) {
        const effect = this.#noted(candidate);
        const touched = inLine.flatMap(([key, field]) => {
          const part = partOf(pair.old ?? "", line ?? "", candidate.canary, shifted(field, pair.start));
          return part === undefined ? [] : [[key, part] as const];
        });
        for (const [key, part] of touched) effect.fields.set(key, part);
        if (touched.length > 0 || isAnnotation) continue;
        effect.elsewhere = true;
        effect.inLabels ||= inLabels;
      }
    }
  }
}

function isLabelled({ metadata }: YamlMap): boolean {
  return isMap(metadata) && isMap(metadata.labels);
}

interface Region {
  readonly written: string;
  readonly start: number;
  readonly end: number;
}

function shifted({ written, start, end }: ImageField, by: number): Region {
  return { written, start: start - by, end: end - by };
}

/** What stands around a value in an image, as a line and the same line with the canary in it show. */
function partOf(old: string, now: string, canary: string, field: Region): Part | undefined {
  const pieces = now.split(canary);
  if (pieces.length < 2) return undefined;
  const regions = regionsOf(old, pieces);
  const part = regions === undefined ? inserted(old, pieces, field) : replaced(old, regions, field);
  return part ?? word(now, canary, field);
}

/** What stands around each of several values in one image, where those that are known tell where the others stood. */
function partsOf(
  old: string,
  now: string,
  candidates: readonly Candidate[],
  { written, start, end }: Region,
): Map<Candidate, Part> | undefined {
  const [head, tail] = [old.slice(0, start), old.slice(end)];
  if (!now.startsWith(head) || !now.endsWith(tail) || now.length < head.length + tail.length) return undefined;
  const image = now.slice(head.length, now.length - tail.length);
  const order = [...candidates].sort((a, b) => image.indexOf(a.canary) - image.indexOf(b.canary));
  const pieces: string[] = [];
  let rest = image;
  for (const { canary } of order) {
    const [piece = "", ...after] = rest.split(canary);
    // Each stands there whole and once.
    if (after.length !== 1) return undefined;
    pieces.push(piece);
    rest = after[0] ?? "";
  }
  const last = order.at(-1);
  if (last?.kind === "digest" && last.value === "" && rest === "") {
    // Where there was no digest it takes the tag's place, or comes behind it.
    const lead = pieces.pop() ?? "";
    const others = order.slice(0, -1);
    const ends = lead.endsWith("@")
      ? regionsIn(written, others, [...pieces, lead.slice(0, -1)], "(?:[:@].*)?")
      : undefined;
    if (ends === undefined) return undefined;
    const end = (ends.at(-1)?.end ?? 0) + lead.length - 1;
    return new Map([...around(written, others, ends), [last, { before: `${written.slice(0, end)}@`, after: "" }]]);
  }
  const regions = regionsIn(written, order, [...pieces, rest]);
  if (regions !== undefined) return new Map(around(written, order, regions));
  const [first, ...more] = order;
  const [lead = "", separator = ""] = [...pieces, rest];
  // A registry where there was none.
  if (first === undefined || first.value !== "" || lead !== "" || !separator.startsWith("/")) return undefined;
  const behind = regionsIn(written, more, [
    separator.slice(1),
    ...pieces.slice(2),
    ...(pieces.length > 1 ? [rest] : []),
  ]);
  if (behind === undefined) return undefined;
  return new Map([[first, { before: "", after: `/${written}` }], ...around(written, more, behind)]);
}

function around(written: string, candidates: readonly Candidate[], regions: readonly Span[]): [Candidate, Part][] {
  return candidates.map((candidate, index) => {
    const { start = 0, end = 0 } = regions[index] ?? {};
    return [candidate, { before: written.slice(0, start), after: written.slice(end) }];
  });
}

interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * Where values stand in an image, between these texts; undefined where that is not certain.
 * @param end what may follow, as a regular expression.
 */
function regionsIn(
  written: string,
  candidates: readonly Candidate[],
  texts: readonly string[],
  end = "",
): Span[] | undefined {
  const places = (unknown: string) => {
    const pattern = texts.map((text, index) => {
      const candidate = candidates[index];
      return escaped(text) + (candidate === undefined ? "" : `(${escaped(candidate.value) || unknown})`);
    });
    return new RegExp(`^${pattern.join("")}${end}$`, "d").exec(written)?.indices?.slice(1);
  };
  // What is unknown must be the same, as long and as short as it can be.
  const [long, short] = [places(".+"), places(".+?")];
  if (long === undefined || JSON.stringify(long) !== JSON.stringify(short)) return undefined;
  return long.map(([start = 0, last = 0] = [0, 0]) => ({ start, end: last }));
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
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

function replaced(old: string, regions: readonly { start: number; end: number }[], field: Region): Part | undefined {
  const inside = regions.filter(({ start, end }) => start >= field.start && end <= field.end);
  const [region] = inside;
  if (region === undefined || inside.length > 1) return undefined;
  return { before: old.slice(field.start, region.start), after: old.slice(region.end, field.end) };
}

/** A value that was empty brings its own separator, or takes another part's place. */
function inserted(old: string, pieces: readonly string[], field: Region): Part | undefined {
  const [before = "", after = "", more] = pieces;
  const [head, tail] = [old.slice(0, field.start), old.slice(field.end)];
  if (more !== undefined || !before.startsWith(head) || !after.endsWith(tail)) return undefined;
  return { before: before.slice(head.length), after: after.slice(0, after.length - tail.length) };
}

/** In a line that changed elsewhere too: the word around the value, if its ends are those of the image. */
function word(now: string, canary: string, { written }: Region): Part | undefined {
  const at = now.indexOf(canary);
  const before = /[\w./:@+-]*$/.exec(now.slice(0, at))?.[0] ?? "";
  const after = /^[\w./:@+-]*/.exec(now.slice(at + canary.length))?.[0] ?? "";
  const isPart = written.startsWith(before) && written.endsWith(after) && before.length + after.length < written.length;
  return isPart ? { before, after } : undefined;
}
