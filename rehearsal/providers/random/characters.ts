// Strings of random characters with the arguments of RandomPassword and RandomString.

import { randomInt } from "node:crypto";
import type { CheckFailure } from "../../../plugin/handler.ts";
import type { Fields } from "../shared/values.ts";

/** The classes in the order of the provider's documentation: switch, minimum, characters. */
const CLASSES = [
  { on: "special", least: "minSpecial", characters: "!@#$%&*()-_=+[]{}<>:?" },
  { on: "numeric", least: "minNumeric", characters: "0123456789" },
  { on: "lower", least: "minLower", characters: "abcdefghijklmnopqrstuvwxyz" },
  { on: "upper", least: "minUpper", characters: "ABCDEFGHIJKLMNOPQRSTUVWXYZ" },
] as const;

/** The provider's defaults. `number` is an old name of `numeric`. */
export const CHARACTER_DEFAULTS: Fields = {
  special: true,
  lower: true,
  upper: true,
  minSpecial: 0,
  minNumeric: 0,
  minLower: 0,
  minUpper: 0,
};

/** Both names of the switch for digits, whichever is given. */
export function withNumeric(inputs: Fields): Fields {
  const numeric = inputs.numeric ?? inputs.number ?? true;
  return { ...inputs, numeric, number: numeric };
}

/** Faults of the arguments together. Unknown ones are judged when they are known. */
export function characterFaults(inputs: Fields): CheckFailure[] {
  const given = withNumeric(inputs);
  if (Object.values(given).some((value) => typeof value === "symbol")) return [];
  const length = Number(given.length);
  const failures: CheckFailure[] = [];
  const least = CLASSES.reduce((sum, { least }) => sum + Number(given[least]), 0);
  if (!Number.isInteger(length) || length < 1 || length < least) {
    const reason = `length is ${String(given.length)}; it must be a whole number of at least ${Math.max(1, least)}, the sum of the minimums`;
    failures.push({ property: "length", reason });
  }
  if (!CLASSES.some(({ on }) => given[on] === true)) {
    failures.push({ property: "special", reason: "special, numeric, lower and upper are all off; switch one on" });
  }
  return failures;
}

/** Draws a string: the minimum of each class, then any of the classes that are on, shuffled. */
export function draw(inputs: Fields): string {
  const given = withNumeric(inputs);
  const override =
    typeof given.overrideSpecial === "string" && given.overrideSpecial !== "" ? given.overrideSpecial : undefined;
  const drawn: string[] = [];
  let all = "";
  for (const { on, least, characters } of CLASSES) {
    const own = on === "special" ? (override ?? characters) : characters;
    if (given[on] === true) all += own;
    for (let count = Number(given[least]); count > 0; count--) drawn.push(pick(own));
  }
  while (drawn.length < Number(given.length)) drawn.push(pick(all));
  for (let at = drawn.length - 1; at > 0; at--) {
    const other = randomInt(at + 1);
    [drawn[at], drawn[other]] = [drawn[other] as string, drawn[at] as string];
  }
  return drawn.join("");
}

function pick(characters: string): string {
  return characters.charAt(randomInt(characters.length));
}
