// Checks a configuration's form and keeps every fault, so that one run names them all; and the place of each.

import type * as z from "zod/mini";
import { isMap } from "../net/values.ts";
import type { Fault } from "./errors.ts";
import { isTelling, redacted, redactedAddress, redactedText } from "./redact.ts";
import { kind, nearest, remedyFor } from "./words.ts";

/** The program's namespace of configuration keys. */
export const NAMESPACE = "aks-gitops";
/** The token that reads the repository; must be a secret. */
export const GIT_TOKEN = `${NAMESPACE}:gitToken`;
/** The private key that reads it; must be a secret too. */
export const GIT_KEY = `${NAMESPACE}:gitKey`;

/** What signs in at registries; its passwords must be secrets. */
export const IMAGE_SOURCE_CREDENTIALS = `${NAMESPACE}:imageSourceCredentials`;

/** Where a value stands: its whole key, then properties and indexes below it. */
export type Path = readonly [string, ...(string | number)[]];

/** A value's path below the program's own namespace. */
export const own = (name: string, ...path: (string | number)[]): Path => [`${NAMESPACE}:${name}`, ...path];

/** Whole keys that may hold secrets; no other of the program's may. */
export const SECRET_KEYS = [GIT_TOKEN, GIT_KEY, `${NAMESPACE}:secrets`, IMAGE_SOURCE_CREDENTIALS];
// Whoever pastes the private half of a key shall not see it in a log.
const PUBLIC_KEY = "publicKey";

/** Makes faults of one configuration, showing nothing that may be a secret. */
export class Faults {
  readonly #secretKeys: readonly string[];

  /** @param secretKeys whole keys that hold a secret in plain text. */
  constructor(secretKeys: readonly string[]) {
    this.#secretKeys = [...secretKeys, ...SECRET_KEYS];
  }

  /** A fault of what stands at a path; undefined as value where nothing does. */
  at(path: Path, value: unknown, problem: string, remedy: string): Fault {
    return { key: keyOf(path), value: this.#shown(path, value), problem, remedy };
  }

  /** The faults of a form, in the form's order; unknown keys before the known ones of the same map. */
  ofIssues(issues: readonly z.core.$ZodRawIssue[], at: (path: readonly PropertyKey[]) => Path): Fault[] {
    return inOrder(issues, 0).flatMap((issue) => {
      const path = at(issue.path ?? []);
      const remedy = remedyOf(issue);
      if (issue.code === "unrecognized_keys") {
        const names = Object.keys((issue.inst as z.ZodMiniObject)._zod.def.shape);
        return issue.keys.map((key) =>
          this.#unknown(at([...(issue.path ?? []), key]), issue.input, key, names, remedy),
        );
      }
      if (issue.code === "invalid_key") {
        const problem = "has a name that does not have the right form";
        return [this.at(path.slice(0, -1) as unknown as Path, issue.input, problem, remedy)];
      }
      return [this.at(path, issue.input, problemOf(issue), remedyWith(issue, remedy))];
    });
  }

  #unknown(path: Path, input: unknown, name: string, names: readonly string[], remedy: string): Fault {
    const value = isMap(input) ? input[name] : undefined;
    const near = nearest(name, names);
    const isSecret = near !== undefined && SECRET_KEYS.includes(keyOf([`${path[0].split(":")[0]}:${near}`]));
    const hidden =
      path.length === 1 && isSecret
        ? "[secret]"
        : isTelling(name) && typeof value !== "boolean"
          ? "[hidden]"
          : undefined;
    const fault = this.at(path, value, "is not a known key", remedyFor(name, names, remedy));
    return hidden === undefined || [undefined, "[secret]"].includes(fault.value as string)
      ? fault
      : { ...fault, value: hidden };
  }

  #shown(path: Path, value: unknown): unknown {
    if (value === undefined) return undefined;
    if (this.#secretKeys.includes(path[0]) || path.at(-1) === PUBLIC_KEY) return "[secret]";
    if (value === "[secret]") return value;
    // A chart's values may hold anything, and stand in the wrong place.
    if (path[0] === `${NAMESPACE}:charts` && (isMap(value) || path.length < 3)) return "[hidden]";
    if (typeof value === "string" && path.at(-1) === "repository") return redactedAddress(value);
    return redacted(value);
  }
}

/** What a form makes of a value: faulty and absent properties are undefined in the draft, at any depth. */
export function inspect<T extends z.ZodMiniType>(
  form: T,
  value: unknown,
): { draft: unknown; issues: z.core.$ZodRawIssue[] } {
  const { value: draft, issues } = form._zod.run({ value: filled(form, value), issues: [] }, {}) as z.core.ParsePayload;
  for (const { code, path = [] } of issues)
    if (code !== "unrecognized_keys" && code !== "invalid_key") clear(draft, path);
  return {
    draft: issues.some(({ path = [], code }) => path.length === 0 && code !== "unrecognized_keys") ? undefined : draft,
    issues,
  };
}

/** A value with every known property there, so that absent, empty and null say the same. */
function filled(schema: z.core.$ZodType, value: unknown): unknown {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "optional":
    case "default":
      return value === undefined || value === null ? undefined : filled(def.innerType, value);
    case "prefault":
      return filled(def.innerType, value ?? {});
    case "object":
      if (!isMap(value)) return value ?? undefined;
      return {
        ...value,
        ...Object.fromEntries(Object.entries(def.shape).map(([name, field]) => [name, filled(field, value[name])])),
      };
    case "union": {
      const form = def.options.find(
        (option) => isMap(value) && (option as z.core.$ZodTypes)._zod.def.type === "object",
      );
      return form === undefined ? (value ?? undefined) : filled(form, value);
    }
    case "array":
      return Array.isArray(value) ? value.map((item) => filled(def.element, item)) : (value ?? undefined);
    case "record":
      if (!isMap(value) || (def.valueType as z.core.$ZodTypes)._zod.def.type === "unknown") return value ?? undefined;
      return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, filled(def.valueType, item)]));
    default:
      return value ?? undefined;
  }
}

function clear(draft: unknown, path: readonly PropertyKey[]): void {
  const parent = path
    .slice(0, -1)
    .reduce<unknown>((at, part) => (at as Record<PropertyKey, unknown> | undefined)?.[part], draft);
  const last = path.at(-1);
  if (last !== undefined && typeof parent === "object" && parent !== null)
    (parent as Record<PropertyKey, unknown>)[last] = undefined;
}

// zod names unknown keys last.
function inOrder(issues: readonly z.core.$ZodRawIssue[], depth: number): z.core.$ZodRawIssue[] {
  const here = issues.filter(({ path = [] }) => path.length <= depth);
  const parts = new Map(
    issues.filter(({ path = [] }) => path.length > depth).map(({ path = [] }) => [path[depth], true]),
  );
  const below = [...parts.keys()].map((part) =>
    issues.filter(({ path = [] }) => path.length > depth && path[depth] === part),
  );
  return [...here, ...below.flatMap((group) => inOrder(group, depth + 1))];
}

const EXPECTED: Record<string, string> = {
  string: "a text",
  number: "a number",
  int: "a number",
  boolean: "true or false",
  array: "a list",
  object: "a map",
  record: "a map",
};

function problemOf(issue: z.core.$ZodRawIssue): string {
  const { code, input } = issue;
  if (code === "custom") return String(issue.params?.problem);
  if (code === "invalid_union") return "is not a text";
  if (input === undefined) return "is missing";
  if (code === "invalid_value")
    return typeof input === "string" ? "is not a known word" : `is ${kind(input)} where a text is expected`;
  if (typeof input === "number" && (code !== "invalid_type" || ["number", "int"].includes(issue.expected)))
    return "is not within the limits";
  if (code === "invalid_type") return `is ${kind(input)} where ${EXPECTED[issue.expected]} is expected`;
  return "does not have the right form";
}

/** What the form says to do: the error that form.ts gave it. */
function remedyOf(issue: z.core.$ZodRawIssue): string {
  const error = issue.message ?? issue.inst?._zod.def.error?.(issue as never);
  return String(typeof error === "object" ? error?.message : error);
}

function remedyWith(issue: z.core.$ZodRawIssue, remedy: string): string {
  return issue.code === "invalid_value" && typeof issue.input === "string"
    ? remedyFor(issue.input, issue.values.map(String), remedy)
    : remedy;
}

/** A path as one writes it: `aks-gitops:charts[0].name`. */
function keyOf([key, ...parts]: Path): string {
  return [key, ...parts.map((part) => (typeof part === "number" ? `[${part}]` : `.${redactedText(part)}`))].join("");
}
