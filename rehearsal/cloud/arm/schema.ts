// The words in which types/ describes what ARM accepts: small builders, nothing is checked here (validate.ts does that).

/** What can be said of any property. */
export interface Traits {
  readonly required?: true;
  /** Only the service sets it: refused in a request. */
  readonly readOnly?: true;
  /** With readOnly: what a request says of it is forgotten, not refused, as clients send back what they read. */
  readonly forgotten?: true;
  /** Cannot be changed after creation. */
  readonly fixed?: true;
  /** Where a PUT leaves it out, the service keeps what it has instead of falling back to the default. */
  readonly kept?: true;
  /** Accepted but never returned. */
  readonly hidden?: true;
  /** Filled in by the service where a PUT leaves it out. */
  readonly fallback?: unknown;
}

export interface TextRule extends Traits {
  readonly kind: "text";
  /** What the service takes an empty text for; null: for nothing said. */
  readonly emptyAs?: string | null;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
}

/** Documented values, compared without case; kept in the service's spelling. */
export interface ChoiceRule extends Traits {
  readonly kind: "choice";
  readonly values: readonly string[];
}

export interface NumberRule extends Traits {
  readonly kind: "number";
  readonly min?: number;
  readonly max?: number;
}

export interface FlagRule extends Traits {
  readonly kind: "flag";
}

export interface ListRule extends Traits {
  readonly kind: "list";
  readonly item: Rule;
}

/** An object with free keys. */
export interface MapRule extends Traits {
  readonly kind: "map";
  readonly value: Rule;
  /** Where the keys are ids of resources. */
  readonly keys?: ReferenceRule;
}

export interface ObjectRule extends Traits {
  readonly kind: "object";
  /** The service's name of the object's type, used in its errors. */
  readonly name: string;
  readonly properties: Readonly<Record<string, Rule>>;
}

/** The id of another resource that must exist. */
export interface ReferenceRule extends Traits {
  readonly kind: "reference";
  /** Resource types that may be referred to. */
  readonly types: readonly string[];
  /** The action that the caller needs on the resource referred to ("linked access"). */
  readonly action?: string;
}

export type Rule = TextRule | ChoiceRule | NumberRule | FlagRule | ListRule | MapRule | ObjectRule | ReferenceRule;

/** A string; lengths in characters. */
export const text = (limits: { min?: number; max?: number; pattern?: RegExp } = {}): TextRule => ({
  kind: "text",
  ...limits,
});

/** A string whose empty form stands for another one, or (null) for nothing said. */
export const emptyAs = (value: string | null, rule: TextRule): TextRule => ({ ...rule, emptyAs: value });

/** One of the documented values. */
export const choice = (...values: string[]): ChoiceRule => ({ kind: "choice", values });

/** An integer within inclusive limits. */
export const number = (min?: number, max?: number): NumberRule => ({
  kind: "number",
  ...(min === undefined ? {} : { min }),
  ...(max === undefined ? {} : { max }),
});

export const flag = (): FlagRule => ({ kind: "flag" });
export const list = (item: Rule): ListRule => ({ kind: "list", item });

/** Free keys; `keys` where they are ids of resources. */
export const map = (value: Rule, keys?: ReferenceRule): MapRule => ({
  kind: "map",
  value,
  ...(keys === undefined ? {} : { keys }),
});

/** An object of known properties. `name` is what the service calls its type. */
export const object = (name: string, properties: Readonly<Record<string, Rule>>): ObjectRule => ({
  kind: "object",
  name,
  properties,
});

/** The id of a resource of the type; `action` is what the caller must be allowed to do to it. */
export const reference = (type: string | readonly string[], action?: string): ReferenceRule => ({
  kind: "reference",
  types: typeof type === "string" ? [type] : type,
  ...(action === undefined ? {} : { action }),
});

export const required = <R extends Rule>(rule: R): R => ({ ...rule, required: true });
export const readOnly = <R extends Rule>(rule: R): R => ({ ...rule, readOnly: true });
export const forgotten = <R extends Rule>(rule: R): R => ({ ...rule, readOnly: true, forgotten: true });
export const fixed = <R extends Rule>(rule: R): R => ({ ...rule, fixed: true });
export const kept = <R extends Rule>(rule: R): R => ({ ...rule, kept: true });
export const hidden = <R extends Rule>(rule: R): R => ({ ...rule, hidden: true });

/** A property with the service's default; `{}` makes an object appear so that its own defaults are filled in. */
export const or = <R extends Rule>(rule: R, fallback: unknown): R => ({ ...rule, fallback });

export const GUID_PATTERN = /^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/;

/** A GUID, as tenant and object ids are. */
export const guid = (): TextRule => text({ min: 36, max: 36, pattern: GUID_PATTERN });

/** Where resources of a type live. */
export type Home =
  | "subscription"
  | "group"
  /** Below a resource of the type that its name says. */
  | "child"
  /** On any scope: `<scope>/providers/<type>/<name>`. */
  | "extension";

/** One resource type in the one API version that the simulation speaks. */
export interface TypeDefinition {
  /** As Microsoft spells it. */
  readonly type: string;
  readonly version: string;
  readonly home: Home;
  /** The whole body of a PUT. */
  readonly body: ObjectRule;
  readonly name?: RegExp;
  /** Error of a name that does not match: code and sentence (`{name}` stands for the name). */
  readonly nameFault?: readonly [code: string, message: string];
  /** Whether PUT and DELETE are long-running operations. */
  readonly slow?: boolean;
  /** Extension types only: the types on which they may sit; without it any scope. */
  readonly on?: readonly string[];
  /** Methods that the service does not offer. */
  readonly without?: readonly ("PATCH" | "DELETE")[];
  /** Whether the answer carries `systemData`. */
  readonly stamped?: boolean;
}
