// What changed: between a program's old and new inputs, and between Azure and what Pulumi last saw of it.

import { detailedDiff, equal, parsePath } from "../../../plugin/diff.ts";
import type { Diff, DiffKind, Properties } from "../../../plugin/handler.ts";
import { type Fields, isFields } from "../shared/values.ts";
import { type ArmType, pathParameters } from "./armType.ts";
import { CREATE_BEFORE_DELETE } from "./check.ts";

/** The difference of inputs; create-only ones and those in the URL replace the resource. */
export function inputDiff(type: ArmType, old: Properties, next: Properties): Diff {
  const forced = new Set([...pathParameters(type.path), ...(type.forceNew ?? [])]);
  const detailed: Record<string, { kind: DiffKind; inputDiff: boolean }> = {};
  for (const [path, change] of Object.entries(detailedDiff(old, next))) {
    if (path === CREATE_BEFORE_DELETE) continue;
    if (path === "location" && normalizedLocation(old.location) === normalizedLocation(next.location)) continue;
    const replaces = isForced(path, change.kind, forced);
    detailed[path] = replaces ? { ...change, kind: `${change.kind}-replace` as DiffKind } : change;
  }
  const replacing = Object.values(detailed).some(({ kind }) => kind.endsWith("-replace"));
  return {
    changes: Object.keys(detailed).length > 0,
    detailed,
    deleteBeforeReplace: replacing && old[CREATE_BEFORE_DELETE] !== true,
  };
}

/** Below a create-only object a changed value replaces; one that comes or goes does not (azure-native's rule). */
function isForced(path: string, kind: DiffKind, forced: ReadonlySet<string>): boolean {
  let at = "";
  const steps = parsePath(path);
  return steps.some((step, index) => {
    at += typeof step === "number" ? "[]" : at === "" ? step : `.${step}`;
    return forced.has(at) && (index === steps.length - 1 || kind === "update");
  });
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
      return equal(before[at], item) ? input[at] : applyValue(input[at], before[at], item);
    });
  }
  return now;
}
