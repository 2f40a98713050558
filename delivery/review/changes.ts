// The engine's events as changes of resources: one of each resource, with its properties.
import type { EngineEvent, PropertyDiff, StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import type { Cause, Counts, Operation, ResourceChange, ResourceName, Reviewable } from "./model.ts";
import { isSecret, type Mask } from "./secrets.ts";
import { change, changesBetween, isUnknown, newValues, type PropertyChange, pathKeys, valueAt } from "./values.ts";

type Inputs = Readonly<Record<string, unknown>>;

/** A resource that changes, and what its events hold. */
export interface Changed {
  readonly resource: ResourceChange;
  readonly old: Inputs;
  readonly new: Inputs;
  /** The properties that make it another resource. */
  readonly replacing: readonly Replacing[];
  /** It is only forgotten: what it stands for stays. */
  readonly retained: boolean;
}

/** A property that makes another resource. */
export interface Replacing {
  readonly change: PropertyChange;
  /** The resource's own property that it is in. */
  readonly property: string;
  /** Whether its value is not known before the update. */
  readonly isUnknown: boolean;
}

/** The resource that keeps files in the GitOps repository. */
export const GIT_COMMIT = "gitops:index:GitCommit";

const OPERATIONS: Readonly<Record<string, Operation>> = {
  create: "create",
  update: "update",
  replace: "replace",
  "create-replacement": "replace",
  "delete-replaced": "replace",
  "import-replacement": "replace",
  "discard-replaced": "replace",
  delete: "delete",
  discard: "forget",
  read: "read",
  "read-replacement": "read",
  "read-discard": "forget",
  import: "import",
  refresh: "refresh",
};

/** A resource's type and name as its URN has them. */
export function nameOf(urn: string): ResourceName {
  const [, , types = "", ...name] = urn.split("::");
  return { type: types.split("$").at(-1) ?? types, name: name.join("::"), urn };
}

/** Whether a resource is something outside of the engine: no component, no provider and not the stack. */
const isReal = ({ urn, type, old, new: next }: StepEventMetadata): boolean =>
  !type.startsWith("pulumi:") && !urn.startsWith("pulumi:") && (next ?? old)?.custom === true;

/** The resources that change, in the engine's order. */
export function changesIn(events: readonly EngineEvent[], operation: Reviewable, mask: Mask): Changed[] {
  const steps = events.flatMap(({ resourcePreEvent }) => (resourcePreEvent ? [resourcePreEvent.metadata] : []));
  // What an earlier update replaced and could not delete has the URN of what took its place.
  const keyOf = ({ urn, op, old }: StepEventMetadata) => (op === "delete" && old?.delete ? `${urn} leftover` : urn);
  const byKey = Map.groupBy(
    // Drift is what an update would put back, and not that a resource was looked at.
    steps.filter((step) => isReal(step) && step.op in OPERATIONS && !(operation === "drift" && step.op === "refresh")),
    keyOf,
  );
  const finished = new Set(
    events.flatMap(({ resOutputsEvent: event }) => (event ? [`${event.metadata.op} ${event.metadata.urn}`] : [])),
  );
  const isFinished = ({ op, urn }: StepEventMetadata) => operation !== "up" || finished.has(`${op} ${urn}`);
  return [...byKey.values()].map((all) => changed(all, all.every(isFinished), mask));
}

/** How many resources have which fate. */
export function countsOf(events: readonly EngineEvent[], changes: readonly Changed[]): Counts {
  const count = (...wanted: Operation[]) =>
    changes.filter(({ resource }) => wanted.includes(resource.operation) && !resource.unfinished).length;
  const same = events.filter(
    ({ resourcePreEvent: event }) => event?.metadata.op === "same" && isReal(event.metadata),
  ).length;
  return {
    create: count("create"),
    update: count("update"),
    replace: count("replace"),
    delete: count("delete"),
    other: count("read", "import", "refresh", "forget"),
    unchanged: same,
  };
}

function changed(steps: readonly StepEventMetadata[], isFinished: boolean, mask: Mask): Changed {
  // That of a replacement which has both states tells the difference.
  const step = steps.find(({ op }) => op === "replace") ?? steps.find(({ op }) => op !== "delete-replaced") ?? steps[0];
  if (step === undefined) throw new Error("a resource without a step");
  const { old, new: next } = step;
  const retained = step.op === "delete" && old?.retainOnDelete === true;
  const operation = retained ? "forget" : (OPERATIONS[step.op] ?? "update");
  const [before, after] = [old?.inputs ?? {}, next?.inputs ?? {}];
  const details = operation === "replace" || operation === "update" ? detailsOf(step) : [];
  const properties =
    operation === "create" ? newValues(after, mask) : details.flatMap((detail) => differences(detail, step, mask));
  const order = steps.map(({ op }) => op);
  const deletedFirst = order.includes("delete-replaced") && order.indexOf("delete-replaced") < order.indexOf("replace");
  return {
    resource: {
      ...nameOf(step.urn),
      name: mask.text(nameOf(step.urn).name),
      operation,
      properties,
      ...(deletedFirst && { deletedFirst: true }),
      ...(old?.protect && (operation === "delete" || operation === "replace") && { protected: true }),
      ...(step.op === "delete" && old?.delete && { leftover: true }),
      ...(!isFinished && { unfinished: true }),
    },
    old: before,
    new: after,
    replacing: operation === "replace" ? details.flatMap((detail) => replacingIn(detail, step, mask)) : [],
    retained,
  };
}

type Detail = readonly [path: string, diff: PropertyDiff | { readonly diffKind: string; readonly inputDiff: boolean }];

/** Which properties differ, by path. Providers without details tell the top ones alone. */
function detailsOf({ detailedDiff, diffs, keys, old, new: next }: StepEventMetadata): Detail[] {
  if (detailedDiff && Object.keys(detailedDiff).length > 0) return Object.entries(detailedDiff);
  const names = new Set([...(diffs ?? []), ...(keys ?? [])]);
  const different =
    names.size > 0 ? [...names] : [...new Set([...Object.keys(old?.inputs ?? {}), ...Object.keys(next?.inputs ?? {})])];
  return different.map((name) => [
    name,
    { diffKind: (keys ?? []).includes(name) ? "update-replace" : "update", inputDiff: true },
  ]);
}

/** The two values at a path that differs. */
function valuesAt([path, { diffKind, inputDiff }]: Detail, { old, new: next }: StepEventMetadata): [unknown, unknown] {
  const keys = pathKeys(path);
  const before = inputDiff ? old?.inputs : (old?.outputs ?? old?.inputs);
  const from = diffKind.startsWith("add") ? undefined : valueAt(before, keys);
  const to = diffKind.startsWith("delete") ? undefined : valueAt(next?.inputs, keys);
  return [from, to];
}

function differences(detail: Detail, step: StepEventMetadata, mask: Mask): PropertyChange[] {
  const [path, { diffKind }] = detail;
  const [from, to] = valuesAt(detail, step);
  if (from === undefined && to === undefined) return [];
  const keys = pathKeys(path);
  const replaces = diffKind.endsWith("-replace") ? { replaces: true as const } : {};
  const found = changesBetween(keys, from, to, mask);
  // The provider sees a difference where none can be shown: in a secret, or in what Azure made of the value.
  const all = found.length > 0 || !(isSecret(from) || isSecret(to)) ? found : [change(keys, from, to, mask)];
  return all.map((one) => ({ ...one, ...replaces }));
}

function replacingIn(detail: Detail, step: StepEventMetadata, mask: Mask): Replacing[] {
  const [path, { diffKind }] = detail;
  if (!diffKind.endsWith("-replace")) return [];
  const [, to] = valuesAt(detail, step);
  const [property = path] = pathKeys(path);
  const shown = differences(detail, step, mask);
  const changes = shown.length > 0 ? shown : [{ path: mask.text(path), replaces: true as const }];
  return changes.map((one) => ({ change: one, property, isUnknown: isUnknown(to) }));
}

/** A cause with the resources that its value comes from. */
export const causeOf = ({ change: { path, from, to } }: Replacing, comesFrom: readonly ResourceName[]): Cause => ({
  path,
  ...(from !== undefined && { from }),
  ...(to !== undefined && { to }),
  replaces: true,
  ...(comesFrom.length > 0 && { comesFrom }),
});
