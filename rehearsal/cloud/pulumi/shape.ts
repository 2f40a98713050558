// The form of a request's body: strict, so that a field that the real service does not know is seen here.
import { fault } from "./faults.ts";

export type Json = Record<string, unknown>;

/** What a value has to be. */
export type Shape =
  | "string"
  | "boolean"
  | "integer"
  /** A text, or `{secret}` to be kept as ciphertext, or `{ciphertext}` that was kept before. */
  | "secret"
  | { readonly oneOf: readonly string[] }
  | { readonly list: Shape }
  | { readonly map: Shape }
  | { readonly fields: Readonly<Record<string, Shape>>; readonly required?: readonly string[] };

/** Whether a value is a JSON object. */
export const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Checks a value.
 * @param nulls whether null stands for "take it away".
 * @throws ServiceError 400 naming the place.
 */
export function check(value: unknown, shape: Shape, at: string, nulls = false): void {
  if (nulls && value === null) return;
  const wrong = (expected: string) => fault(400, `Bad Request: ${at || "the body"} must be ${expected}`);
  if (shape === "string" || shape === "boolean") {
    if (typeof value !== shape) throw wrong(`a ${shape}`);
    return;
  }
  if (shape === "integer") {
    if (!Number.isInteger(value)) throw wrong("an integer");
    return;
  }
  if (shape === "secret") {
    if (typeof value === "string") return;
    if (!isObject(value)) throw wrong("a string or a secret");
    check(value, { fields: { secret: "string", ciphertext: "string" } }, at);
    return;
  }
  if ("oneOf" in shape) {
    if (!shape.oneOf.includes(String(value))) throw wrong(`one of ${shape.oneOf.join(", ")}`);
    return;
  }
  if ("list" in shape) {
    if (!Array.isArray(value)) throw wrong("a list");
    for (const [index, item] of value.entries()) check(item, shape.list, `${at}[${index}]`);
    return;
  }
  if (!isObject(value)) throw wrong("an object");
  const below = (name: string) => (at === "" ? name : `${at}.${name}`);
  if ("map" in shape) {
    for (const [name, item] of Object.entries(value)) check(item, shape.map, below(name), nulls);
    return;
  }
  for (const [name, item] of Object.entries(value)) {
    const field = shape.fields[name];
    if (field === undefined) throw fault(400, `Bad Request: unknown field ${below(name)}`);
    check(item, field, below(name), nulls);
  }
  for (const name of shape.required ?? [])
    if (value[name] === undefined) throw fault(400, `Bad Request: ${below(name)} is required`);
}
