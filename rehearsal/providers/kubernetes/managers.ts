// Who manages which field: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management

import { randomBytes } from "node:crypto";
import type { KubeObject } from "../../../net/kubernetesApi.ts";
import type { Properties } from "../../../plugin/handler.ts";
import { type Fields, isFields } from "../shared/values.ts";
import { annotationsOf } from "./replacement.ts";

/** An entry of `metadata.managedFields`. */
interface Managed {
  readonly manager: string;
  readonly operation: string;
  readonly subresource?: string;
  readonly fieldsV1?: Fields;
}

/** Whom the official provider creates objects as; with the first update they become the resource's own manager's. */
export const CREATOR = "pulumi-kubernetes";

/** Managers whose fields an update takes over: those of the provider itself and of `kubectl apply`. */
const TAKEN = new Map([
  [CREATOR, ["Update"]],
  ["kubectl", ["Apply", "Update"]],
  ["before-first-apply", ["Update"]],
]);

/** The field manager of a resource: as annotated, as its state knows, or a new one. */
export function managerOf(inputs: Properties, state: Properties | undefined): string {
  const annotated = annotationsOf(inputs)["pulumi.com/patchFieldManager"];
  if (typeof annotated === "string" && annotated !== "") return annotated;
  const known = state?.__fieldManager;
  return typeof known === "string" ? known : `${CREATOR}-${randomBytes(4).toString("hex")}`;
}

/** Whether the provider created the object, and nobody has updated it since. */
export function isAsCreated(live: KubeObject): boolean {
  return managedFields(live).some(({ manager, operation }) => manager === CREATOR && operation === "Update");
}

/**
 * `metadata.managedFields` after a manager took over what is its own by right.
 * @returns undefined where there is nothing to take over.
 */
export function takenOver(live: KubeObject, manager: string): readonly Managed[] | undefined {
  const isTaken = (one: Managed) => one.subresource === undefined && TAKEN.get(one.manager)?.includes(one.operation);
  const all = managedFields(live);
  const taken = all.filter(isTaken);
  const [first] = taken;
  if (first === undefined) return undefined;
  const own = all.filter((one) => one.manager === manager && one.operation === "Apply");
  const fieldsV1 = [...own, ...taken].map((one) => one.fieldsV1 ?? {}).reduce(union, {});
  const others = all.filter((one) => !taken.includes(one) && !own.includes(one));
  return [...others, { ...first, manager, operation: "Apply", fieldsV1 }];
}

function managedFields({ metadata }: KubeObject): readonly Managed[] {
  return (metadata.managedFields ?? []) as readonly Managed[];
}

function union(one: Fields, other: Fields): Fields {
  const merged: Fields = { ...one };
  for (const [key, value] of Object.entries(other)) {
    const present = merged[key];
    merged[key] = isFields(present) && isFields(value) ? union(present, value) : value;
  }
  return merged;
}
