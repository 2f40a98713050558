// Properties as azure-native's SDK has them, to ARM's JSON and back.

import { type Fields, isFields } from "../shared/values.ts";
import type { ArmType, Shape } from "./armType.ts";

/** The request's body of a resource's inputs. */
export function toBody(type: ArmType, inputs: Fields): Fields {
  const known = Object.fromEntries(type.inputs.filter((name) => name in inputs).map((name) => [name, inputs[name]]));
  return toArm(type.shape, known);
}

/** A response's body as outputs: one level flatter where the SDK is, without the id, which Pulumi keeps apart. */
export function toOutputs(type: ArmType, body: Fields): Fields {
  const own = flattens(type) ? flatten(body) : body;
  const { id: _, ...outputs } = own;
  return fromArm(type.shape, outputs);
}

/** The part of outputs that a program may set: what ARM computes is taken out. */
export function toInputs(type: ArmType, outputs: Fields): Fields {
  const known = Object.fromEntries(
    type.inputs.filter((name) => outputs[name] !== undefined).map((name) => [name, structuredClone(outputs[name])]),
  );
  for (const path of type.computed ?? []) visit(known, path.split("."), (parent, name) => delete parent[name]);
  return withSets(type.shape, known);
}

/** Adds what ARM will compute inside of objects that are inputs. */
export function addComputed(type: ArmType, outputs: Fields, value: unknown): Fields {
  const result = clone(outputs) as Fields;
  for (const path of type.computed ?? []) {
    visit(result, path.split("."), (parent, name) => {
      parent[name] ??= value;
    });
  }
  // A list of names becomes a map of what ARM knows of them.
  for (const [name, shape] of Object.entries(type.shape.nested ?? {})) {
    const object = result[name];
    for (const set of shape.sets ?? []) if (isFields(object) && set in object) object[set] = value;
  }
  return result;
}

/** A key's outputs are flat although its inputs are not; see KeyArgs and Key of the SDK. */
function flattens(type: ArmType): boolean {
  return type.shape.beside !== undefined || type.token === "azure-native:keyvault:Key";
}

/** Copies containers only: unknown values and other marks stay the same objects. */
function clone(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(clone);
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, clone(item)]));
}

function isPlain(value: unknown): value is Fields {
  return isFields(value) && Object.getPrototypeOf(value) === Object.prototype;
}

function toArm(shape: Shape, value: unknown): Fields {
  const below: Fields = {};
  const beside: Fields = {};
  for (const [name, item] of Object.entries(isFields(value) ? value : {})) {
    if (item === undefined || item === null) continue;
    const target = shape.beside === undefined || shape.beside.includes(name) ? beside : below;
    target[shape.renamed?.[name] ?? name] = toArmValue(shape, name, item);
  }
  return Object.keys(below).length === 0 ? beside : { ...beside, properties: below };
}

function toArmValue(shape: Shape, name: string, item: unknown): unknown {
  if (shape.sets?.includes(name) && Array.isArray(item)) return Object.fromEntries(item.map((key) => [key, {}]));
  const nested = shape.nested?.[name];
  if (nested === undefined) return item;
  return Array.isArray(item) ? item.map((part) => toArm(nested, part)) : toArm(nested, item);
}

function fromArm(shape: Shape | undefined, fields: Fields): Fields {
  const names = new Map(Object.entries(shape?.renamed ?? {}).map(([sdk, arm]) => [arm, sdk]));
  const result: Fields = {};
  for (const [arm, item] of Object.entries(fields)) {
    if (item === null || item === undefined) continue;
    const name = names.get(arm) ?? arm;
    result[name] = fromArmValue(shape?.nested?.[name], item);
  }
  return result;
}

function fromArmValue(shape: Shape | undefined, item: unknown): unknown {
  if (Array.isArray(item)) return item.map((part) => fromArmValue(shape, part));
  if (!isFields(item)) return item;
  // Every resource within a resource has an id or a name beside its properties.
  const resource = shape?.beside !== undefined || "id" in item || "name" in item;
  return fromArm(shape, resource && isFields(item.properties) ? flatten(item) : item);
}

function flatten(fields: Fields): Fields {
  const { properties, ...beside } = fields;
  return { ...(isFields(properties) ? properties : {}), ...beside };
}

function withSets(shape: Shape, fields: Fields): Fields {
  for (const [name, nested] of Object.entries(shape.nested ?? {})) {
    const object = fields[name];
    for (const set of nested.sets ?? []) {
      if (isFields(object) && isFields(object[set])) object[set] = Object.keys(object[set]);
    }
  }
  return fields;
}

/** Calls back for every object that a path such as `pools[].status` or `addons.*.identity` leads into. */
function visit(value: unknown, path: readonly string[], found: (parent: Fields, name: string) => void): void {
  const [step, ...rest] = path;
  if (step === undefined || !isFields(value)) return;
  const list = step.endsWith("[]");
  const name = list ? step.slice(0, -2) : step;
  if (rest.length === 0) {
    found(value, name);
    return;
  }
  const next = name === "*" ? Object.values(value) : list ? value[name] : [value[name]];
  if (Array.isArray(next)) for (const item of next) visit(item, rest, found);
}
