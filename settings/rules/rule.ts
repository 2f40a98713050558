// What a rule between settings is, and what it looks at.
import type { Path } from "../check.ts";
import type { Form } from "../schema/settings.ts";

/** The settings after their form was checked: what was faulty or absent is undefined, at any depth. */
export type Draft = DeepPartial<Form>;

type DeepPartial<T> = T extends readonly (infer I)[]
  ? readonly (DeepPartial<I> | undefined)[]
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> | undefined }
    : T;

/** All that rules look at. */
export interface Facts {
  readonly draft: Draft;
  /** The program's own settings whose form is wrong; in the draft they are as absent. */
  readonly faulty: ReadonlySet<string>;
  /** The configuration's values by whole key, of all namespaces. */
  readonly config: Readonly<Record<string, unknown>>;
  /** Whole keys that hold a secret in plain text. */
  readonly secretKeys: readonly string[];
  /** Whether the configuration is a stack file's own text, where secrets are sealed or not there yet. */
  readonly sealed: boolean;
  readonly project: string;
  /** The stack's name, where it is right. */
  readonly stack: string | undefined;
  /** Azure's region, where it is right. */
  readonly location: string | undefined;
  /**
   * The version of Kubernetes in another stack's file: null where it says none, undefined where there is no such file.
   * Absent where the stacks' folder is not known.
   */
  readonly pinnedIn?: (stack: string) => string | null | undefined;
}

/** What a rule found. */
export interface Finding {
  readonly path: Path;
  /** What stands there; undefined where nothing does. */
  readonly value?: unknown;
  /** What is wrong, as a phrase that follows the key. */
  readonly problem: string;
  /** What to do, where the case allows to say it more exactly than the rule does. */
  readonly remedy?: string;
  /** Which of the subject's things it is about: findings come in this order. Default 0. */
  readonly item?: number;
}

/** A rule between settings: a combination that Azure, Kubernetes or this program would refuse later, or that misses its aim. */
export interface Rule {
  /** Unique, in kebab-case. */
  readonly name: string;
  /** What it is about; rules of one subject stand together, and their findings come thing by thing. */
  readonly subject: string;
  /** error: the settings are refused. warning: they work, but may not do what was meant. */
  readonly severity: "error" | "warning";
  /** What to do. */
  readonly remedy: string;
  /** Where more is said. */
  readonly link: string;
  readonly check: (facts: Facts) => readonly Finding[];
}

/** A check of every one of some things. */
export function each<T>(
  things: (facts: Facts) => readonly T[],
  find: (
    thing: T,
    facts: Facts,
    all: readonly T[],
  ) => Omit<Finding, "item"> | readonly Omit<Finding, "item">[] | undefined,
): Rule["check"] {
  return (facts) =>
    things(facts).flatMap((thing, item, all) =>
      [find(thing, facts, all) ?? []].flat().map((found) => ({ ...found, item })),
    );
}

/** A check of the whole: one finding or none. */
export function whole(find: (facts: Facts) => Finding | undefined): Rule["check"] {
  return (facts) => [find(facts) ?? []].flat();
}
