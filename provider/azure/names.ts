// Names and ids of Azure mean the same in any letters.

import { UNKNOWN } from "../../plugin/handler.ts";

/** Whether two names or ids of Azure mean the same; one that is not known yet is another one. */
export function sameName(one: unknown, other: unknown): boolean {
  return one !== UNKNOWN && other !== UNKNOWN && String(one).toLowerCase() === String(other).toLowerCase();
}

/** Those of some properties, all of them names or ids of Azure, that are another one. */
export function renamed<K extends string>(
  properties: readonly K[],
  old: { readonly [P in K]?: unknown },
  next: { readonly [P in K]?: unknown },
): K[] {
  return properties.filter((property) => !sameName(old[property], next[property]));
}
