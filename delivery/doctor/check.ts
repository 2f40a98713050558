// What a check of the doctor is, and what it looks at.

import type { Environment } from "../../net/signIn.ts";
import type { Fault } from "../../settings/errors.ts";
import type { Settings } from "../../settings/types.ts";
import type { Azure } from "./azure.ts";
import type { Plan } from "./program.ts";
import type { Reach } from "./reach.ts";

/** What a check found: where, what is wrong, which value, and what to do. */
export interface Finding extends Omit<Fault, "rule"> {
  /** error: it would stop an update. warning: an update goes on, but something is not as it should be. */
  readonly severity: "error" | "warning";
}

/** Where the doctor looks from, and at which stack. */
export interface Place {
  readonly environment: Environment;
  /** The version of Node.js that runs this. */
  readonly node: string;
  /** The folder of Pulumi.yaml. */
  readonly project: string;
  readonly stack: string;
  /** Whether nobody is there who could sign in with a browser. */
  readonly isPipeline: boolean;
  readonly reach: Reach;
}

/** What most checks need to know first, and what may not come about. */
export interface Known {
  /** The stack's settings, without a fault. */
  readonly settings: Settings;
  /** Azure, signed in. */
  readonly azure: Azure;
  /** What the program would ask for. */
  readonly plan: Plan;
}

export type Need = keyof Known;

/** Something that was tried. */
export type Tried<T> = { readonly value: T } | { readonly error: unknown };

/** How it went with each; each is tried once, when the first check asks. */
export type Attempts = { readonly [K in Need]: () => Promise<Tried<Known[K]>> };

/** What a check looks at. */
export interface Look {
  readonly place: Place;
  readonly attempts: Attempts;
}

/** One check. */
export interface Check {
  /** Unique, in kebab-case. */
  readonly name: string;
  /** What it looks at, as a phrase. */
  readonly about: string;
  /** What it cannot do without. */
  readonly needs: readonly Need[];
  find(look: Look & Known): Promise<readonly Finding[]>;
}

/** A check of what it needs: it is asked only where all of that is there. */
export function check<N extends Need = never>(
  definition: Omit<Check, "needs" | "find"> & {
    readonly needs?: readonly N[];
    readonly find: (look: Look & Pick<Known, N>) => Promise<readonly Finding[]> | readonly Finding[];
  },
): Check {
  const { needs = [], find, ...rest } = definition;
  return { ...rest, needs, find: async (look) => find(look) };
}

type Words = Omit<Finding, "severity" | "value"> & { readonly value?: unknown };

/** Something that would stop an update. */
export const stops = ({ key, value, problem, remedy }: Words): Finding => ({
  severity: "error",
  ...{ key, value, problem, remedy },
});

/** Something that is to be known. */
export const warns = ({ key, value, problem, remedy }: Words): Finding => ({
  severity: "warning",
  ...{ key, value, problem, remedy },
});
