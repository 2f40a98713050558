// Words for values, and the word that was probably meant.

import { isMap } from "../net/values.ts";

/** A value's kind, as a fault says it. */
export function kind(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  return typeof value === "string" ? "a text" : `a ${typeof value}`;
}

/** Whether a value is a secret's ciphertext, as a stack file holds it. */
export function isSealed(value: unknown): value is { secure: string } {
  return isMap(value) && Object.keys(value).join() === "secure" && typeof value.secure === "string";
}

/** The one of some words that is so near to a word that it was probably meant; undefined where none is. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const [best] = words
    .map((candidate) => ({ candidate, distance: distance(word.toLowerCase(), candidate.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const isNear = best && best.distance <= Math.max(2, Math.floor(best.candidate.length / 3));
  return isNear ? best.candidate : undefined;
}

/** A remedy that begins with the word that was probably meant. */
export function remedyFor(word: string, words: readonly string[], otherwise: string): string {
  const near = nearest(word, words);
  return near === undefined ? otherwise : `did you mean ${near}? ${otherwise}`;
}

/** How many letters have to be added, removed or replaced (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...from].entries()) {
    const next = [i + 1];
    for (let j = 0; j < to.length; j++) {
      const replaced = (row[j] ?? 0) + (letter === to[j] ? 0 : 1);
      next.push(Math.min((row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1, replaced));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
