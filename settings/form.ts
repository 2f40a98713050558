// What settings are made of: zod schemas whose error says what to do. What is wrong, check.ts tells from zod's issue.
import type * as zod from "zod/mini";
import { isMap } from "../net/values.ts";
import { z } from "./zod.ts";

/** What an editor and the reference say of a setting, beside its form. */
type About = {
  /** What it is, as a sentence or two; units and limits that the form does not say. */
  readonly description: string;
  readonly examples?: unknown[];
};

/** A setting: a form, its description, and examples where the form alone leaves doubt. */
export function setting<T extends zod.core.$ZodType>(schema: T, description: string, ...examples: unknown[]): T {
  const about: About = { description, ...(examples.length > 0 ? { examples } : {}) };
  z.globalRegistry.add(schema, { ...z.globalRegistry.get(schema), ...about });
  return schema;
}

/** Says to editors, in words of JSON Schema, what a schema checks by code. */
export function forEditors<T extends zod.core.$ZodType>(schema: T, keywords: Record<string, unknown>): T {
  z.globalRegistry.add(schema, keywords);
  return schema;
}

/**
 * A text.
 * @param form what it has to match, if anything.
 * @param remedy says the form in words, with an example.
 */
export function text(form: RegExp | undefined, remedy: string): zod.ZodMiniString {
  const whole = form ? z.regex(form, { error: remedy, abort: true }) : z.minLength(1, { error: remedy, abort: true });
  return z.string({ error: remedy }).check(whole);
}

/** A whole number within limits, both included. */
export function integer(minimum: number, maximum: number) {
  const error = `write a whole number from ${minimum} to ${maximum}, without quotes`;
  return z.int({ error }).check(z.gte(minimum, { error, abort: true }), z.lte(maximum, { error }));
}

/** true or false. */
export const flag = z.boolean({ error: "write true or false, without quotes" });

/** One of some words. */
export function oneOf<const T extends readonly [string, ...string[]]>(...words: T) {
  // Without quotes YAML reads a number.
  const written = words.map((word) => (/^\d/.test(word) ? `"${word}"` : word));
  return z.enum(words, { error: `write one of ${written.join(", ")}` });
}

/** A list; every item is checked. */
export function list<T extends zod.core.$ZodType>(item: T) {
  return z.array(item, { error: "write a list: [first, second]" });
}

/** A map with known properties; an unknown one is a fault. */
export function map<F extends Record<string, zod.core.$ZodType>>(fields: F) {
  const names = Object.keys(fields).join(", ");
  return z.strictObject(fields, {
    error: ({ code }) => (code === "unrecognized_keys" ? `known keys are ${names}` : `write a map with ${names}`),
  });
}

/** A map whose absence says the same as an empty one. */
export const section = <F extends Record<string, zod.core.$ZodType>>(fields: F) => z.prefault(map(fields), {} as never);

/** One of some words, or a map that says more. */
export function wordOr<W extends Record<string, string>, F extends zod.ZodMiniObject>(
  word: zod.ZodMiniEnum<W>,
  form: F,
) {
  const either = z.union([word, form]);
  // zod would tell of both; the value says which one was meant.
  const parse: typeof either._zod.parse = (payload, context) =>
    (isMap(payload.value) ? form : word)._zod.run(payload as never, context) as never;
  either._zod.parse = parse;
  either._zod.run = parse;
  return either;
}

/**
 * A map from names of any number to values of one kind.
 * @param remedy says in words what a name has to match.
 */
export function record<T extends zod.core.$ZodType>(name: RegExp, remedy: string, item: T) {
  return z.record(text(name, remedy), item, {
    error: ({ code }) => (code === "invalid_key" ? remedy : "write a map: {name: value}"),
  });
}

/** A map whose content belongs to somebody else: it is taken as it is, nulls too. */
export const freeMap = () => z.record(z.string(), z.unknown(), { error: "write a map: {name: value}" });

/** May be absent. */
export const optional = z.optional;

/** Where absent, `value` is taken. */
export const defaulted = z._default;

/** A schema that looks at a value of the right form once more. */
export function refined<T extends zod.ZodMiniType>(
  schema: T,
  fault: (value: zod.output<T>) => { problem: string; remedy: string } | undefined,
): T {
  return schema.check((payload) => {
    const found = fault(payload.value);
    if (!found) return;
    const { problem, remedy: message } = found;
    payload.issues.push({ code: "custom", input: payload.value, message, params: { problem } });
  });
}
