// Small things that every stand-in does with property values.

import { createHash, randomBytes } from "node:crypto";
import { createRequire } from "node:module";

/** A JSON object or a property map. */
export type Fields = Record<string, unknown>;

/** Whether a value is a plain object: no array, no null. */
export function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A string property's value; undefined for anything else. */
export function text(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** The map without the properties that are null or undefined, which to a provider are the same as absent. */
export function present(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== null));
}

/** The failures of arguments that are required and not there, in the words of Terraform's bridge. */
export function missing(inputs: Fields, names: readonly string[]) {
  return names
    .filter((name) => inputs[name] === undefined)
    .map((property) => ({ property, reason: `Missing required argument: ${property}` }));
}

/**
 * Hexadecimal digits for names. The engine gives the same seed for a preview and the update after it, so both show the
 * same name.
 * @param count how many digits, at most 64.
 */
export function hexDigits(seed: Uint8Array, count: number): string {
  const bytes = seed.length > 0 ? createHash("sha256").update(seed).digest() : randomBytes(32);
  return bytes.toString("hex").slice(0, count);
}

/** The version of an installed SDK package: a stand-in has the version that its SDK asks the engine for. */
export function sdkVersion(name: string): string {
  const { version } = createRequire(import.meta.url)(`@pulumi/${name}/package.json`) as { version: string };
  return version;
}
