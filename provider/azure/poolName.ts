// The names of agent pools that take one another's place: both are there for a while, so they cannot have the same.

import { createHash } from "node:crypto";
import { type Properties, UNKNOWN } from "../../plugin/handler.ts";
import { FIXED, fixedIn } from "./poolProperties.ts";

/** Azure's limit of a Linux pool's name is 12. */
const [KEPT, DIGITS] = [8, 4];

/** What of a pool is to be another one that Azure never changes, and is known by now. */
export const changedForGood = (next: Properties, old: Properties): string[] =>
  fixedIn(next, old).filter((property) => next[property] !== UNKNOWN);

/**
 * The name of a pool in Azure: the one that the program gives at first; where only another pool can be what is wanted, the
 * first letters of that and four digits, which are the same whenever the same is wanted, so that an update which was
 * interrupted finds what it made. From then on the name stays.
 */
export function nameInAzure(next: Properties, old: Properties | undefined): unknown {
  const { name, mode } = next;
  if (old === undefined || mode !== "User" || typeof name !== "string" || next.clusterId !== old.clusterId) return name;
  if (!isNamedAfter(old.name, name)) return name;
  if (changedForGood(next, old).length === 0) return old.name;
  const wanted = FIXED.map((property) => next[property] ?? null);
  const digits = createHash("sha256")
    .update(JSON.stringify([name, ...wanted]).toLowerCase())
    .digest("hex")
    .slice(0, DIGITS);
  return `${name.slice(0, KEPT)}${digits}`;
}

function isNamedAfter(name: unknown, given: string): boolean {
  if (typeof name !== "string") return false;
  return (
    name === given ||
    (name.startsWith(given.slice(0, KEPT)) && /^[0-9a-f]{4}$/.test(name.slice(given.slice(0, KEPT).length)))
  );
}
