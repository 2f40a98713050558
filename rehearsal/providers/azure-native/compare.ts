// What changed: between a program's old and new inputs, and between Azure and what Pulumi last saw of it.

import { detailedDiff, equal, parsePath } from "../../../plugin/diff.ts";
import type { Diff, DiffKind, Properties } from "../../../plugin/handler.ts";
import { type Fields, isFields } from "../shared/values.ts";
import { type ArmType, pathParameters } from "./armType.ts";
import { CREATE_BEFORE_DELETE } from "./check.ts";

/**
 * The difference of inputs; create-only ones and those in the URL replace the resource.
 * @param state what Azure said last: what was left out and is now given as it is anyway replaces nothing.
 */
export function inputDiff(type: ArmType, old: Properties, next: Properties, state: Properties = {}): Diff {
  const forced = new Set([...pathParameters(type.path), ...(type.forceNew ?? [])]);
  const detailed: Record<string, { kind: DiffKind; inputDiff: boolean }> = {};
  for (const [path, change] of Object.entries(detailedDiff(old, next))) {
    if (path === CREATE_BEFORE_DELETE || meansTheSame(path, old, next)) continue;
    const isSo = change.kind === "add" && path in next && equal(state[path], next[path]);
    const replaces = !isSo && isForced(path, change.kind, forced);
    detailed[path] = replaces ? { ...change, kind: `${change.kind}-replace` as DiffKind } : change;
  }
  const replacing = Object.values(detailed).some(({ kind }) => kind.endsWith("-replace"));
  return {
    changes: Object.keys(detailed).length > 0,
    detailed,
    deleteBeforeReplace: replacing && old[CREATE_BEFORE_DELETE] !== true,
  };
}

/**
 * Below a create-only object a changed value replaces; one that comes or goes does not, nor does any change in a list
 * that is create-only as a whole (azure-native's rule).
 */
function isForced(path: string, kind: DiffKind, forced: ReadonlySet<string>): boolean {
  let at = "";
  const steps = parsePath(path);
  return steps.some((step, index) => {
    at += typeof step === "number" ? "[]" : at === "" ? step : `.${step}`;
    const below = steps[index + 1];
    return forced.has(at) && (below === undefined || (kind === "update" && typeof below === "string"));
  });
}

/** Top-level properties that azure-native knows several spellings of. */
function meansTheSame(path: string, old: Properties, next: Properties): boolean {
  const [top = ""] = parsePath(path);
  const [before, after] = [old[top], next[top]];
  if (top === "location") return normalizedLocation(before) === normalizedLocation(after);
  if (top === "resourceGroupName") return lowerCase(before) === lowerCase(after);
  return top === "sku" && isSameSku(before, after);
}

/** The old and new words of AKS for one tier. */
const SKU_WORDS: Readonly<Record<string, string>> = { Basic: "Base", Paid: "Standard" };

function isSameSku(before: unknown, after: unknown): boolean {
  if (![before, after].every((sku) => isFields(sku) && Object.keys(sku).sort().join() === "name,tier")) return false;
  const [one, other] = [before, after].map((sku) =>
    Object.entries(sku as Fields).map(([part, word]) => [part, SKU_WORDS[String(word)] ?? word]),
  );
  return equal(Object.fromEntries(one ?? []), Object.fromEntries(other ?? []));
}

function lowerCase(value: unknown): unknown {
  return typeof value === "string" ? value.toLowerCase() : value;
}

function normalizedLocation(location: unknown): unknown {
  return typeof location === "string" ? location.replaceAll(" ", "").toLowerCase() : location;
}

/**
 * Inputs after a refresh: most outputs are defaults of the service that no program has set, so only what differs
 * between the outputs then and now goes into the inputs.
 */
export function applyDrift(inputs: Fields, before: Fields, now: Fields): Fields {
  const result: Fields = {};
  for (const [name, value] of Object.entries(inputs)) {
    if (!(name in before && !(name in now))) result[name] = value;
  }
  for (const [name, value] of Object.entries(now)) {
    if (name in before && equal(before[name], value)) continue;
    result[name] = name in inputs && name in before ? applyValue(inputs[name], before[name], value) : value;
  }
  return result;
}

function applyValue(input: unknown, before: unknown, now: unknown): unknown {
  if (isFields(input) && isFields(before) && isFields(now)) return applyDrift(input, before, now);
  if (Array.isArray(input) && Array.isArray(before) && Array.isArray(now)) {
    return now.map((item, at) => {
      if (at >= input.length || at >= before.length) return item;
      return applyValue(input[at], before[at], item);
    });
  }
  return now;
}
