// What is known of a stack after a run, for all who judge it.
import type { Lock } from "../../mirror/lock.ts";
import type { Inspection } from "../world/inspection.ts";
import type { Expected } from "./expected.ts";
import type { SecretInGit } from "./secretsInGit.ts";
import type { Failures } from "./settle.ts";

/** What is known after a run. */
export interface Facts {
  readonly inspection: Inspection;
  /** The look before Flux was asked for anything. */
  readonly before: Inspection;
  readonly lock: Pick<Lock, "charts" | "images">;
  readonly inGit: readonly SecretInGit[];
  readonly expected: Expected;
  /** The branch's head; undefined where there is none. */
  readonly head?: string | undefined;
  /** Those revisions that are the head or newer. */
  readonly atHead: ReadonlySet<string>;
  readonly failures: Failures;
}

/** Things of one kind that were looked for. */
export interface LookedAt {
  readonly kind: string;
  /** Their names, those that are wrong too. */
  readonly names: readonly string[];
  /** How many of them are as they shall be. */
  readonly right: number;
  /** How they shall be, in a word or two. */
  readonly state: string;
}
