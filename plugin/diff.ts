// The difference of two property maps, path by path, in the engine's notation: `a.b[0]["c.d"]`.

import { type Diff, type DiffKind, type Properties, Secret, UNKNOWN } from "./handler.ts";
import { Archive, Asset } from "./property.ts";

type Step = string | number;
type Detailed = Record<string, { kind: DiffKind; inputDiff: boolean }>;

/** Every path at which two property maps differ; arrays compare by index, null and absent are the same. */
export function detailedDiff(old: Properties, next: Properties): Detailed {
  const found: Detailed = {};
  compareObjects(old, next, [], (path, kind) => {
    found[formatPath(path)] = { kind, inputDiff: true };
  });
  return found;
}

/** The difference that some top-level properties make, each of which needs a replacement; none where there are none. */
export function replacement(replaces: readonly string[]): Diff {
  return {
    changes: replaces.length > 0,
    replaces,
    detailed: Object.fromEntries(replaces.map((name) => [name, { kind: "update-replace", inputDiff: true }])),
  };
}

/** Whether two property values are the same; an unknown one differs from everything. */
export function equal(old: unknown, next: unknown): boolean {
  let same = true;
  compare(old, next, [], () => {
    same = false;
  });
  return same;
}

/**
 * What the engine is told: a handler's answer, completed. Where it gives no detail the inputs' difference is the
 * detail, what it replaces is marked so, and changes below ignored paths are dropped.
 * @param ignored property paths of the resource's `ignoreChanges`, where `*` stands for any step.
 */
export function completeDiff(answer: Diff, old: Properties, next: Properties, ignored: readonly string[]): Diff {
  if (!answer.changes) return { changes: false };
  const ignoredPaths = ignored.map(parsePath);
  const isIgnored = (path: string) => ignoredPaths.some((prefix) => covers(prefix, parsePath(path)));
  const given = Object.entries(answer.detailed ?? detailedDiff(old, next));
  const kept = given.filter(([path]) => !isIgnored(path));
  const replaces = new Set((answer.replaces ?? []).filter((property) => !isIgnored(formatPath([property]))));
  if (given.length > 0 && kept.length === 0 && replaces.size === 0) return { changes: false };
  const detailed: Detailed = {};
  for (const [path, { kind, inputDiff }] of kept) {
    const top = String(parsePath(path)[0]);
    if (kind.endsWith("-replace")) replaces.add(top);
    detailed[path] = { kind: replaces.has(top) ? asReplacement(kind) : kind, inputDiff };
  }
  return {
    changes: true,
    replaces: [...replaces],
    detailed,
    ...(answer.deleteBeforeReplace === undefined ? {} : { deleteBeforeReplace: answer.deleteBeforeReplace }),
  };
}

/** The steps of a property path. */
export function parsePath(path: string): Step[] {
  const steps: Step[] = [];
  for (const match of path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+|\*)\]|([^.[\]]+)/g)) {
    const [, quoted, index, plain] = match;
    if (quoted !== undefined) steps.push(quoted.replace(/\\(.)/g, "$1"));
    else if (index !== undefined) steps.push(index === "*" ? "*" : Number(index));
    else if (plain !== undefined) steps.push(plain);
  }
  return steps;
}

/** A property path of its steps. */
export function formatPath(steps: readonly Step[]): string {
  let path = "";
  for (const step of steps) {
    if (typeof step === "number") path += `[${step}]`;
    else if (!/^[A-Za-z_$][\w$-]*$/.test(step)) path += `["${step.replace(/["\\]/g, "\\$&")}"]`;
    else path += path === "" ? step : `.${step}`;
  }
  return path;
}

function covers(prefix: readonly Step[], path: readonly Step[]): boolean {
  return prefix.length <= path.length && prefix.every((step, at) => step === "*" || step === path[at]);
}

function asReplacement(kind: DiffKind): DiffKind {
  return kind.endsWith("-replace") ? kind : (`${kind}-replace` as DiffKind);
}

type Report = (path: readonly Step[], kind: DiffKind) => void;

function compareObjects(old: Properties, next: Properties, path: readonly Step[], report: Report): void {
  for (const key of new Set([...Object.keys(old), ...Object.keys(next)])) {
    compare(own(old, key), own(next, key), [...path, key], report);
  }
}

function own(object: Properties, key: string): unknown {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

function compare(old: unknown, next: unknown, path: readonly Step[], report: Report): void {
  const before = plain(old);
  const after = plain(next);
  if (after === UNKNOWN || before === UNKNOWN) {
    report(path, before === null ? "add" : "update");
  } else if (before === null || after === null) {
    if (before !== after) report(path, before === null ? "add" : "delete");
  } else if (Array.isArray(before) && Array.isArray(after)) {
    for (let index = 0; index < Math.max(before.length, after.length); index++) {
      if (index >= before.length) report([...path, index], "add");
      else if (index >= after.length) report([...path, index], "delete");
      else compare(before[index], after[index], [...path, index], report);
    }
  } else if (before instanceof Asset && after instanceof Asset) {
    if (!sameAsset(before, after)) report(path, "update");
  } else if (isObject(before) && isObject(after)) {
    compareObjects(before, after, path, report);
  } else if (before !== after) {
    report(path, "update");
  }
}

function plain(value: unknown): unknown {
  if (value instanceof Secret) return plain(value.value);
  return value === undefined ? null : value;
}

function isObject(value: unknown): value is Properties {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof Asset);
}

/** The engine gives every asset's hash; a file and a text of the same content are the same. */
function sameAsset(before: Asset, after: Asset): boolean {
  if (before instanceof Archive !== after instanceof Archive) return false;
  return before.hash !== undefined && before.hash === after.hash;
}
