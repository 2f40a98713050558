// Checks values of a configuration and keeps every fault it finds, so that one run names them all.

/** One fault of the configuration. */
export interface Fault {
  /** Where: `aks-gitops:cluster.network.vnet`. */
  readonly key: string;
  /** What stands there; `[secret]` for a secret, undefined where nothing does. */
  readonly value: unknown;
  /** What is wrong, as a phrase that follows the key. */
  readonly problem: string;
  /** What to do. */
  readonly remedy: string;
}

/** A place in the configuration, and the faults found so far. */
export class Place {
  readonly key: string;
  readonly faults: Fault[];
  readonly secret: boolean;

  constructor(key: string, faults: Fault[], secret = false) {
    this.key = key;
    this.faults = faults;
    this.secret = secret;
  }

  /** The place of a property or an item below this one. */
  at(part: string | number): Place {
    const key = typeof part === "number" ? `${this.key}[${part}]` : `${this.key}.${part}`;
    return new Place(key, this.faults, this.secret);
  }

  /** Notes a fault; returns undefined, which is what a check gives for a faulty value. */
  fault(value: unknown, problem: string, remedy: string): undefined {
    const shown = value !== undefined && this.secret ? "[secret]" : value;
    this.faults.push({ key: this.key, value: shown, problem, remedy });
    return undefined;
  }
}

/** Gives the value with its defaults, or undefined after noting what is wrong; absent values come as undefined. */
export type Check<T> = (value: unknown, place: Place) => T | undefined;

/** What a check gives when it finds no fault. */
export type Checked<C> = C extends Check<infer T> ? T : never;

const kind = (value: unknown): string =>
  Array.isArray(value)
    ? "a list"
    : typeof value === "object"
      ? "a map"
      : typeof value === "string"
        ? "a text"
        : `a ${typeof value}`;

function typed(value: unknown, place: Place, expected: string, remedy: string): undefined {
  return value === undefined
    ? place.fault(value, "is missing", remedy)
    : place.fault(value, `is ${kind(value)} where ${expected} is expected`, remedy);
}

/**
 * A text.
 * @param form what it has to match, if anything.
 * @param remedy says the form in words, with an example.
 */
export function text(form: RegExp | undefined, remedy: string): Check<string> {
  return (value, place) => {
    if (typeof value !== "string") return typed(value, place, "a text", remedy);
    if (value === "" || form?.test(value) === false) return place.fault(value, "does not have the right form", remedy);
    return value;
  };
}

/** A whole number within limits, both included. */
export function integer(minimum: number, maximum: number): Check<number> {
  const remedy = `write a whole number from ${minimum} to ${maximum}, without quotes`;
  return (value, place) => {
    if (typeof value !== "number") return typed(value, place, "a number", remedy);
    if (!Number.isInteger(value) || value < minimum || value > maximum)
      return place.fault(value, "is not within the limits", remedy);
    return value;
  };
}

/** true or false. */
export const flag: Check<boolean> = (value, place) =>
  typeof value === "boolean" ? value : typed(value, place, "true or false", "write true or false, without quotes");

/** One of some words. */
export function oneOf<const T extends string>(...words: T[]): Check<T> {
  const remedy = `write one of ${words.join(", ")}`;
  return (value, place) => {
    if (typeof value !== "string") return typed(value, place, "a text", remedy);
    const found = words.find((word) => word === value);
    return found ?? place.fault(value, "is not a known word", remedyFor(value, words, remedy));
  };
}

/** A list; every item is checked. */
export function list<T>(item: Check<T>): Check<T[]> {
  return (value, place) => {
    if (!Array.isArray(value)) return typed(value, place, "a list", "write a list: [first, second]");
    return value.map((one, index) => item(one ?? undefined, place.at(index))).filter((one) => one !== undefined);
  };
}

/** A map from names of any number to values of one kind. */
export function record<T>(name: RegExp, remedy: string, item: Check<T>): Check<Record<string, T>> {
  return (value, place) => {
    if (!isMap(value)) return typed(value, place, "a map", "write a map: {name: value}");
    const result: Record<string, T> = {};
    for (const [key, one] of Object.entries(value)) {
      if (!name.test(key)) place.fault(key, "has a name that does not have the right form", remedy);
      const checked = item(one ?? undefined, place.at(key));
      if (checked !== undefined) result[key] = checked;
    }
    return result;
  };
}

/** A map with known properties; an unknown one is a fault. A faulty property is left undefined in the result. */
export function map<F extends Record<string, Check<unknown>>>(fields: F): Check<{ [K in keyof F]: Checked<F[K]> }> {
  const names = Object.keys(fields);
  return (value, place) => {
    if (!isMap(value)) return typed(value, place, "a map", `write a map with ${names.join(", ")}`);
    for (const name of Object.keys(value)) if (!names.includes(name)) unknown(value[name], place.at(name), name, names);
    const entries = Object.entries(fields).map(([name, check]) => [
      name,
      check(value[name] ?? undefined, place.at(name)),
    ]);
    return Object.fromEntries(entries) as { [K in keyof F]: Checked<F[K]> };
  };
}

/** Notes a key that nobody knows, with the nearest known one. */
export function unknown(value: unknown, place: Place, name: string, names: readonly string[]): undefined {
  return place.fault(value, "is not a known key", remedyFor(name, names, `known keys are ${names.join(", ")}`));
}

/** May be absent. */
export function optional<T>(check: Check<T>): Check<T | undefined> {
  return (value, place) => (value === undefined ? undefined : check(value, place));
}

/** Where absent, `value` is taken and checked. */
export function defaulted<T>(check: Check<T>, fallback: unknown): Check<T> {
  return (value, place) => check(value === undefined ? fallback : value, place);
}

/** A check of a value's form followed by another on what it gave. */
export function refined<T>(
  check: Check<T>,
  fault: (value: T) => { problem: string; remedy: string } | undefined,
): Check<T> {
  return (value, place) => {
    const checked = check(value, place);
    const found = checked === undefined ? undefined : fault(checked);
    return found ? place.fault(value, found.problem, found.remedy) : checked;
  };
}

/** A map whose content belongs to somebody else: it is taken as it is, nulls too. */
export const freeMap: Check<Record<string, unknown>> = (value, place) =>
  isMap(value) ? value : typed(value, place, "a map", "write a map: {name: value}");

/** Whether a value is a map of a configuration. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function remedyFor(word: string, words: readonly string[], otherwise: string): string {
  const [nearest] = words
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const near = nearest && nearest.distance <= Math.max(2, Math.floor(nearest.candidate.length / 3));
  return near ? `did you mean ${nearest.candidate}? ${otherwise}` : otherwise;
}

/** How many letters have to be added, removed or replaced (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++) {
      const replaced = (row[j] ?? 0) + (letter === to[j] ? 0 : 1);
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, replaced));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
