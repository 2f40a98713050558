// What a request's body goes through: read() refuses and normalises, complete() fills in what the service fills in,
// changedFixed() finds forbidden changes, shown() is what a GET may tell.
import type { ServiceError } from "../types.ts";
import { armError, badContent } from "./errors.ts";
import type { ObjectRule, ReferenceRule, Rule } from "./schema.ts";

export type Body = Record<string, unknown>;

export const isObject = (value: unknown): value is Body =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const at = (path: string, name: string): string => (path === "" ? name : `${path}.${name}`);

function mismatch(value: unknown, type: string, path: string): ServiceError {
  const what = Array.isArray(value) ? "array" : typeof value;
  return badContent(`Error converting a value of kind ${what} to type '${type}'. Path '${path}'`);
}

function outside(path: string, problem: string): ServiceError {
  return armError(400, "InvalidParameter", `The value of parameter ${path} is invalid. Error details: ${problem}`, {
    target: path,
  });
}

/**
 * The body with documented values in the service's spelling and without nulls (which ARM takes as absent).
 * @throws ServiceError 400 naming the first fault.
 */
export function read(rule: Rule, value: unknown, path: string): unknown {
  switch (rule.kind) {
    case "text":
      return readText(rule, value, path);
    case "choice": {
      if (typeof value !== "string") throw mismatch(value, "System.String", path);
      const known = rule.values.find((one) => one.toLowerCase() === value.toLowerCase());
      if (known === undefined)
        throw outside(path, `'${value}' is not one of the supported values: ${rule.values.join(", ")}.`);
      return known;
    }
    case "number":
      if (typeof value !== "number" || !Number.isInteger(value)) throw mismatch(value, "System.Int32", path);
      if (value < (rule.min ?? value) || value > (rule.max ?? value))
        throw outside(path, `${value} is not within ${rule.min ?? "-∞"} and ${rule.max ?? "∞"}.`);
      return value;
    case "flag":
      if (typeof value !== "boolean") throw mismatch(value, "System.Boolean", path);
      return value;
    case "list":
      if (!Array.isArray(value)) throw mismatch(value, "System.Collections.Generic.List", path);
      return value.map((item, i) => read(rule.item, item, `${path}[${i}]`));
    case "map":
      if (!isObject(value)) throw mismatch(value, "System.Collections.Generic.Dictionary", path);
      return Object.fromEntries(
        present(value).map(([name, item]) => {
          if (rule.keys !== undefined) readReference(name, path);
          return [name, read(rule.value, item, at(path, name))];
        }),
      );
    case "object":
      return readObject(rule, value, path);
    case "reference":
      return readReference(value, path);
  }
}

function readText(rule: Extract<Rule, { kind: "text" }>, value: unknown, path: string): string {
  if (typeof value !== "string") throw mismatch(value, "System.String", path);
  if (value.length < (rule.min ?? 0) || value.length > (rule.max ?? Number.POSITIVE_INFINITY))
    throw outside(path, `its length must be between ${rule.min ?? 0} and ${rule.max ?? "∞"}, it is ${value.length}.`);
  if (rule.pattern !== undefined && !rule.pattern.test(value))
    throw outside(path, `it does not match the pattern ${rule.pattern.source}.`);
  return value;
}

function readReference(value: unknown, path: string): string {
  if (typeof value !== "string") throw mismatch(value, "System.String", path);
  if (!/^\/subscriptions\/[^/]+\/.+/i.test(value))
    throw armError(
      400,
      "LinkedInvalidPropertyId",
      `Property id '${value}' at path '${path}' is invalid. Expect fully qualified resource Id that start with '/subscriptions/{subscriptionId}' or '/providers/{resourceProviderNamespace}/'.`,
    );
  return value;
}

const present = (value: Body): [string, unknown][] =>
  Object.entries(value).filter(([, item]) => item !== undefined && item !== null);

function readObject(rule: ObjectRule, value: unknown, path: string): Body {
  if (!isObject(value)) throw mismatch(value, rule.name, path);
  const result: Body = {};
  for (const [name, item] of present(value)) {
    const property = Object.hasOwn(rule.properties, name) ? rule.properties[name] : undefined;
    if (property === undefined)
      throw badContent(`Could not find member '${name}' on object of type '${rule.name}'. Path '${at(path, name)}'`);
    if (property.forgotten) continue;
    if (property.readOnly) throw badContent(`The property '${at(path, name)}' is read-only and cannot be set`);
    const given = item === "" && property.kind === "text" && property.emptyAs !== undefined ? property.emptyAs : item;
    if (given !== null) result[name] = read(property, given, at(path, name));
  }
  for (const [name, property] of Object.entries(rule.properties)) {
    if (property.required && !property.readOnly && !(name in result))
      throw badContent(`Required property '${name}' not found in JSON. Path '${path}'`);
  }
  return result;
}

/** The value with what the service keeps from `old` and what it fills in by default. */
export function complete(rule: Rule, value: unknown, old: unknown): unknown {
  if (rule.kind === "list" && Array.isArray(value)) return value.map((item) => complete(rule.item, item, undefined));
  if (rule.kind === "map" && isObject(value)) {
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [
        name,
        complete(rule.value, item, isObject(old) ? old[name] : undefined),
      ]),
    );
  }
  if (rule.kind !== "object" || !isObject(value)) return value;
  const whole: Body = {};
  for (const [name, property] of Object.entries(rule.properties)) {
    const before = isObject(old) ? old[name] : undefined;
    const given = value[name] ?? (property.kept || property.readOnly ? before : undefined) ?? property.fallback;
    const completed = complete(property, given, before);
    if (completed !== undefined) whole[name] = structuredClone(completed);
  }
  return whole;
}

/** The path of the first property that was changed although it cannot be; undefined where there is none. */
export function changedFixed(rule: Rule, value: unknown, old: unknown, path: string): string | undefined {
  if (rule.fixed && old !== undefined && !equal(value, old)) return path;
  if (rule.kind !== "object" || !isObject(value) || !isObject(old)) return undefined;
  for (const [name, property] of Object.entries(rule.properties)) {
    const found = changedFixed(property, value[name], old[name], at(path, name));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Whether two JSON values are the same, whatever the order of their keys. */
export function equal(a: unknown, b: unknown): boolean {
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => equal(item, b[i]));
  if (!isObject(a) || !isObject(b)) return a === b;
  const names = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...names].every((name) => equal(a[name], b[name]));
}

/** The value without what is never returned. */
export function shown(rule: Rule, value: unknown): unknown {
  if (rule.kind === "list" && Array.isArray(value)) return value.map((item) => shown(rule.item, item));
  if (rule.kind === "map" && isObject(value))
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, shown(rule.value, item)]));
  if (rule.kind !== "object" || !isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([name]) => !rule.properties[name]?.hidden)
      .map(([name, item]) => {
        const property = rule.properties[name];
        return [name, property === undefined ? item : shown(property, item)];
      }),
  );
}

/** A reference to another resource found in a body. */
export interface Found {
  readonly path: string;
  readonly id: string;
  readonly rule: ReferenceRule;
}

/** Every reference in a body. */
export function references(rule: Rule, value: unknown, path = ""): Found[] {
  if (rule.kind === "reference" && typeof value === "string") return [{ path, id: value, rule }];
  if (rule.kind === "list" && Array.isArray(value))
    return value.flatMap((item, i) => references(rule.item, item, `${path}[${i}]`));
  if (rule.kind === "map" && isObject(value)) {
    return Object.entries(value).flatMap(([name, item]) => [
      ...(rule.keys === undefined ? [] : [{ path, id: name, rule: rule.keys }]),
      ...references(rule.value, item, at(path, name)),
    ]);
  }
  if (rule.kind !== "object" || !isObject(value)) return [];
  return Object.entries(rule.properties).flatMap(([name, property]) =>
    property.readOnly ? [] : references(property, value[name], at(path, name)),
  );
}

/** A plain object at a path such as `properties.networkProfile`; an empty one where there is none. */
export function part(value: unknown, path: string): Body {
  let current = value;
  for (const name of path.split(".")) current = isObject(current) ? current[name] : undefined;
  return isObject(current) ? current : {};
}
