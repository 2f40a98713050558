// One schema a resource: it says what inputs and outputs there are, checks the inputs, and gives the handler its types.
// packageSchema.ts makes of the same schemas what the plugin tells of itself.

import * as z from "zod";
import { equal } from "./diff.ts";
import {
  type CheckFailure,
  type Context,
  type Diff,
  type Existing,
  type Properties,
  type ResourceHandler,
  type Secret,
  UNKNOWN,
} from "./handler.ts";

declare module "zod" {
  interface GlobalMeta {
    /**
     * What is wrong with a faulty value, in words with a remedy that follow the value; one sentence for all that is
     * wrong in it. A function tells all itself. Without it zod's own `error` messages are told.
     */
    fault?: string | ((value: unknown) => string | readonly string[]);
    /** Never shown, and encrypted in the state where the SDK was made from the schema. */
    secret?: boolean;
    /** Never shown though no secret: it may hold one by mistake, or be too long to print. */
    hidden?: boolean;
    /** Whether another value makes another resource. */
    replaceOnChanges?: boolean;
  }
}

/** What there is to say of a resource, or of a function. */
export interface ResourceSchema<I extends z.ZodObject = z.ZodObject, O extends z.ZodObject = z.ZodObject> {
  /** The type token: `gitops:index:ImageImport`. */
  readonly token: string;
  readonly description: string;
  readonly inputs: I;
  /** What the state holds beside the inputs, or instead of an input of that name; what a function gives. */
  readonly outputs: O;
}

/** The inputs of a schema, checked and with their defaults. */
export type Inputs<S extends ResourceSchema> = z.output<S["inputs"]>;

/** The state of a schema. */
export type State<S extends ResourceSchema> = [keyof S["outputs"]["shape"]] extends [never]
  ? Inputs<S>
  : Omit<Inputs<S>, keyof S["outputs"]["shape"]> & z.output<S["outputs"]>;

/** A value as a preview may have it: not known, at any depth. */
export type Unknowable<T> =
  | typeof UNKNOWN
  | (T extends readonly (infer U)[] ? Unknowable<U>[] : T extends object ? { [K in keyof T]: Unknowable<T[K]> } : T);

/** Properties of which some may not be known yet. */
export type Previewed<T> = { readonly [K in keyof T]: Unknowable<T[K]> };

/** Properties of which some are kept secret. */
export type Kept<T> = { readonly [K in keyof T]: T[K] | Secret };

/** A resource as the engine keeps it. */
export interface Known<I, S> extends Existing {
  readonly inputs: I & Properties;
  readonly state: S & Properties;
}

/** A `ResourceHandler` of which the schema does the part that is always the same. */
export interface TypedHandler<I, S> {
  /**
   * The inputs as they are kept, where the handler decides some by what there was before. Default: as they are given.
   * @param old undefined for a new resource; and once more, after the engine has found by a first check that it replaces.
   */
  decided?(inputs: Properties, old: Properties | undefined, context: Context): Properties;
  /**
   * The faults that lie between properties; told beside those of the schema.
   * @param inputs in which a faulty part counts as unknown.
   */
  rules?(inputs: Previewed<I>, old: Previewed<I> | undefined): readonly CheckFailure[];
  /** Default: what differs, and a replacement where the schema says so. */
  diff?(existing: Known<I, S>, inputs: Previewed<I>, context: Context): Promise<Diff>;
  preview?(inputs: Previewed<I>, existing: Known<I, S> | undefined, context: Context): Promise<Previewed<S>>;
  create(inputs: I, context: Context): Promise<{ id: string; state: Kept<S> }>;
  /**
   * What is found need not be what the schema takes.
   * @param known what the engine keeps of it; undefined for an import.
   */
  read?(
    id: string,
    known: Known<I, S> | undefined,
    context: Context,
  ): Promise<{ id: string; inputs: object; state: object } | undefined>;
  update?(existing: Known<I, S>, inputs: I, context: Context): Promise<Kept<S>>;
  /** @param successor what took its place, where the schema's outputs have {@link instance}: what that one owns stays. */
  delete?(existing: Known<I, S>, context: Context, successor?: Known<I, S>): Promise<void>;
}

export interface SchemaHandler extends ResourceHandler {
  readonly schema: ResourceSchema;
}

/** A function of a plugin. */
export interface SchemaFunction {
  readonly schema: ResourceSchema;
  call(args: Properties): Promise<Properties>;
}

/** The schema of a resource of these properties; all others are faults. */
export function resourceSchema<I extends z.ZodRawShape, O extends z.ZodRawShape>({
  token,
  description,
  inputs,
  outputs,
}: {
  readonly token: string;
  readonly description: string;
  readonly inputs: I;
  readonly outputs: O;
}) {
  return { token, description, inputs: z.strictObject(inputs), outputs: z.strictObject(outputs) };
}

/** The handler of a schema's resource. */
export function handlerOf<S extends ResourceSchema>(
  schema: S,
  { decided, rules, read, ...operations }: TypedHandler<Inputs<S>, State<S>>,
): SchemaHandler {
  return {
    schema,
    check: async (given, old, context) => {
      const all = withDefaults(schema, given);
      const inputs = decided?.(all, old, context) ?? all;
      const { failures, draft } = faultsOf(schema, inputs);
      const between = rules?.(draft as Previewed<Inputs<S>>, old as Previewed<Inputs<S>> | undefined) ?? [];
      return { inputs, failures: [...failures, ...between.map((fault) => failureOf(schema, fault))] };
    },
    diff: async ({ inputs: old }, next) => changes(schema, old, next),
    // The engine passes on nothing but inputs that were checked, and states that were made of them.
    ...(operations as unknown as ResourceHandler),
    ...(read && {
      read: async (id, inputs, state, context) => {
        const isImport = Object.keys(inputs).length === 0;
        const known = { id, inputs, state } as unknown as Known<Inputs<S>, State<S>>;
        const found = await read(id, isImport ? undefined : known, context);
        return found && { id: found.id, inputs: { ...found.inputs }, state: { ...found.state } };
      },
    }),
  };
}

/** The function of a schema; what the schema does not take it refuses. */
export function functionOf<S extends ResourceSchema>(
  schema: S,
  call: (args: Inputs<S>) => Promise<z.output<S["outputs"]>>,
): SchemaFunction {
  return {
    schema,
    async call(given) {
      const args = withDefaults(schema, given);
      const { failures } = faultsOf(schema, args);
      if (failures.length > 0)
        throw new Error(failures.map(({ property, reason }) => `${property} ${reason}`.trim()).join("; "));
      return { ...(await call(args as Inputs<S>)) };
    },
  };
}

/** Which properties differ, and which of them make another resource. */
export function changes(schema: ResourceSchema, old: Properties, next: Properties): Diff & { replaces: string[] } {
  const changed = [...new Set([...Object.keys(old), ...Object.keys(next)])].filter(
    (property) => !equal(old[property], next[property]),
  );
  return { changes: changed.length > 0, replaces: changed.filter((property) => isIdentity(schema, property)) };
}

function isIdentity({ inputs }: ResourceSchema, property: string): boolean {
  const one = inputs.shape[property];
  return one !== undefined && factsOf(one).replaceOnChanges === true;
}

/** A text of a form. @param name of the form and an example, such as `a digest: sha256:<64 hex digits>`. */
export function matching(pattern: RegExp, name: string) {
  return z
    .string()
    .regex(pattern)
    .meta({ fault: `is not ${name}` });
}

/** A text that is not empty. */
export const someText = z
  .string()
  .min(1)
  .meta({ fault: () => "must be a text" });

/** The output that `ResourceHandler.delete` tells a successor by; it is called as {@link INSTANCE} says. */
export const instance = z
  .string()
  .describe("Tells this resource from one that took its place; random.")
  .exactOptional();

export const flag = z.boolean().meta({ fault: "is neither true nor false" });

/** What a schema says of a value, whether it may be left out or not. */
function factsOf(schema: z.core.$ZodType): z.GlobalMeta {
  return { ...(isWrapper(schema) ? factsOf(schema.unwrap()) : {}), ...z.globalRegistry.get(schema) };
}

function isWrapper(schema: z.core.$ZodType): schema is z.ZodOptional | z.ZodExactOptional | z.ZodDefault {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodExactOptional || schema instanceof z.ZodDefault;
}

/** Null is how a program says that it leaves something out. */
function withDefaults({ inputs }: ResourceSchema, given: Properties): Properties {
  const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== null));
  for (const [property, one] of Object.entries(inputs.shape)) {
    const absent = present[property] === undefined && z.safeParse(one, undefined);
    if (absent && absent.data !== undefined) present[property] = absent.data;
  }
  return present;
}

/** Every fault of the inputs, and the inputs with all that is faulty as unknown. */
function faultsOf(schema: ResourceSchema, inputs: Properties) {
  const { shape } = schema.inputs;
  const names = Object.keys(shape);
  const failures: CheckFailure[] = Object.keys(inputs)
    .filter((property) => !Object.hasOwn(shape, property))
    .map((property) => ({ property, reason: `there is no such property; there are ${names.join(", ")}` }));
  const draft = { ...inputs };
  for (const [property, one] of Object.entries(shape)) {
    const value = inputs[property];
    if (value === undefined && one._zod.optin === "optional") continue;
    const issues = z.safeParse(one, value, { error: otherFault }).error?.issues ?? [];
    const reasons = reasonsOf(one, value, issues, !isHidden(one));
    failures.push(...reasons.map((reason) => failureOf(schema, { property, reason })));
    for (const { path } of issues) draft[property] = blanked(draft[property], path);
  }
  return { failures, draft };
}

function isHidden(one: z.core.$ZodType): boolean {
  const { secret, hidden } = factsOf(one);
  return secret === true || hidden === true;
}

/** The engine prints the value of the property that a failure names: the hidden ones are named by the reason alone. */
function failureOf({ inputs }: ResourceSchema, { property, reason }: CheckFailure): CheckFailure {
  const one = inputs.shape[property];
  if (one === undefined || !isHidden(one)) return { property, reason };
  return { property: "", reason: `${property}${/^[[:.]/.test(reason) ? "" : " "}${reason}` };
}

type Issue = Pick<z.core.$ZodIssue, "code" | "path" | "message"> & { readonly keys?: readonly string[] };

/** Where a schema has no words of its own. Tells no value: it may be part of a secret. */
function otherFault(issue: z.core.$ZodRawIssue): string | undefined {
  if (issue.code === "invalid_key") return issue.issues[0]?.message;
  return issue.code === "invalid_type" ? `must be of type ${issue.expected}` : undefined;
}

/** What is wrong with a value, each with its place in it; nothing with what is not known. */
function reasonsOf(schema: z.core.$ZodType, value: unknown, issues: readonly Issue[], isShown: boolean): string[] {
  if (value === UNKNOWN || issues.length === 0) return [];
  const inner = isWrapper(schema) ? schema.unwrap() : schema;
  const { fault } = factsOf(schema);
  const isInside = ({ path }: Issue) => path.length > 0;
  const insides = Map.groupBy(issues.filter(isInside), ({ path }) => path[0] as string | number);
  const steps = [...insides.keys()].sort((a, b) => (typeof a === "number" && typeof b === "number" ? a - b : 0));
  const inside = steps.flatMap((step) => {
    const child = childOf(inner, step);
    const below = (insides.get(step) ?? []).map((issue) => ({ ...issue, path: issue.path.slice(1) }));
    const ofKey = below.filter(({ code, path }) => code === "invalid_key" && path.length === 0);
    const reasons =
      ofKey.length > 0
        ? ofKey.map(({ message }) => message)
        : reasonsOf(child.schema, partOf(value, step), below, isShown);
    return reasons.map((reason) => child.placed(reason));
  });
  const own = issues.filter((issue) => !isInside(issue));
  if (fault === undefined) return [...own.flatMap((issue) => messagesOf(inner, issue)), ...inside];
  if (own.length === 0 && inside.length === 0) return [];
  if (value === undefined) return ["is missing"];
  if (typeof fault === "function") return [fault(value)].flat();
  return [isShown ? `${JSON.stringify(value)} ${fault}` : fault];
}

function messagesOf(schema: z.core.$ZodType, { keys, message }: Issue): string[] {
  if (keys === undefined || !(schema instanceof z.ZodObject)) return [message];
  const names = Object.keys(schema.shape).join(", ");
  return keys.map((key) => `has ${JSON.stringify(key)}, which is none of ${names}`);
}

/** A part of a schema, and how a reason tells where it lies. A property without a `fault` names itself in its message. */
function childOf(schema: z.core.$ZodType, step: string | number) {
  const inBrackets = (reason: string) => `[${JSON.stringify(step)}]${/^[[.]/.test(reason) ? "" : " "}${reason}`;
  if (schema instanceof z.ZodArray) return { schema: schema.element, placed: inBrackets };
  if (schema instanceof z.ZodRecord) return { schema: schema.valueType, placed: inBrackets };
  const part = schema instanceof z.ZodObject ? schema.shape[step] : undefined;
  if (part === undefined)
    throw new Error(`a schema has no part ${JSON.stringify(step)}; this is a fault of the plugin`);
  const isNamed = factsOf(part).fault !== undefined;
  return { schema: part, placed: (reason: string) => (isNamed ? `.${step} ${reason}` : reason) };
}

function partOf(value: unknown, step: string | number): unknown {
  return typeof value === "object" && value !== null ? (value as Properties)[step] : undefined;
}

/** A value in which one place is not known. */
function blanked(value: unknown, [step, ...path]: readonly PropertyKey[]): unknown {
  if (step === undefined || typeof value !== "object" || value === null) return UNKNOWN;
  if (Array.isArray(value)) return value.map((item, index) => (index === step ? blanked(item, path) : item));
  return { ...value, [step]: blanked((value as Properties)[String(step)], path) };
}
