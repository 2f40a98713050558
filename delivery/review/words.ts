// The words that a review is made of, before they have a look.
import type { Danger } from "./model.ts";

/** Words of this program, a name or value as it is, or a foreign text that is read as prose. */
export type Part = string | { readonly code: string } | { readonly said: string };
export type Line = readonly Part[];

/** A name or value as it is. */
export const code = (text: string): Part => ({ code: text });

/** A foreign text. */
export const said = (text: string): Part => ({ said: text });

/** A number with its noun. */
export const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

/** What becomes of a resource. */
export const fate = ({ operation }: Pick<Danger, "operation">, isUp: boolean) =>
  `${isUp ? "was" : "is"} ${operation === "replace" ? "replaced" : "deleted"}`;
