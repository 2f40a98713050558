// What a resource of a provider is: plain values in, plain values out. server.ts does the talking.

/** Stands for a value that is not known before an update; only seen in previews. */
export const UNKNOWN: unique symbol = Symbol("unknown");

/** A value that the engine must keep secret; only for outputs (inputs arrive plain, the engine marks them again). */
export class Secret {
  readonly value: unknown;
  constructor(value: unknown) {
    this.value = value;
  }
}

/** A property map; values are JSON values, UNKNOWN, Secret (outputs only) or FileAsset/StringAsset of `property.ts`. */
export type Properties = Record<string, unknown>;

/** One fault of an input. The reason names the value and the remedy. */
export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

export interface Context {
  readonly urn: string;
  /** The resource's type token. */
  readonly type: string;
  /** The resource's logical name. */
  readonly name: string;
  readonly preview: boolean;
  /** Aborted when the engine cancels the operation or its timeout ends. */
  readonly signal: AbortSignal;
  /** Shows a message beside the resource in the engine's output. Never pass a secret. */
  log(severity: "debug" | "info" | "warning" | "error", message: string): void;
}

export type DiffKind = "add" | "update" | "delete" | "add-replace" | "update-replace" | "delete-replace";

export interface Diff {
  readonly changes: boolean;
  /** Top-level properties whose change needs a replacement. */
  readonly replaces?: readonly string[];
  readonly deleteBeforeReplace?: boolean;
  /** Property paths such as `a.b[0]["c.d"]` and what happens there; input diffs unless said otherwise. */
  readonly detailed?: Readonly<Record<string, { kind: DiffKind; inputDiff: boolean }>>;
}

/** A resource as the engine keeps it. */
export interface Existing {
  readonly id: string;
  readonly inputs: Properties;
  readonly state: Properties;
}

/** A failure after the resource came into being: the engine keeps id and state and reports the reasons. */
export class PartialFailure extends Error {
  readonly id: string;
  readonly state: Properties;
  readonly reasons: readonly string[];
  constructor(id: string, state: Properties, reasons: readonly string[]) {
    super(reasons.join("; "));
    this.name = "PartialFailure";
    this.id = id;
    this.state = state;
    this.reasons = reasons;
  }
}

export interface ResourceHandler {
  /** Fills in defaults and finds faults. Without it inputs are taken as they are. */
  check?(
    inputs: Properties,
    old: Properties | undefined,
    context: Context,
    randomSeed: Uint8Array,
  ): Promise<{ inputs: Properties; failures?: readonly CheckFailure[] }>;
  /** Without it every changed input is an update. */
  diff?(existing: Existing, inputs: Properties, context: Context): Promise<Diff>;
  /** Outputs of a preview's create or update; unknown ones as UNKNOWN. Without it: the inputs. */
  preview?(inputs: Properties, existing: Existing | undefined, context: Context): Promise<Properties>;
  create(inputs: Properties, context: Context): Promise<{ id: string; state: Properties }>;
  /** The resource as it is, inputs too (for import and refresh); undefined when it is gone. */
  read?(
    id: string,
    inputs: Properties,
    state: Properties,
    context: Context,
  ): Promise<{ id: string; inputs: Properties; state: Properties } | undefined>;
  update?(existing: Existing, inputs: Properties, context: Context): Promise<Properties>;
  /**
   * @param successor what lives under the same URN from now on, where this one was replaced: what that one owns stays.
   * Known only of resources that keep {@link INSTANCE} in their state.
   */
  delete?(existing: Existing, context: Context, successor?: Existing): Promise<void>;
}

/**
 * The property of a state that tells an instance from the one that replaced it: a random text that `create` gives and
 * everything later keeps. Only a resource whose deletion could take away what its successor owns needs it.
 */
export const INSTANCE = "instance";

export interface Provider {
  readonly name: string;
  readonly version: string;
  /** Called once with the provider's configuration before any resource. */
  configure?(config: Properties): Promise<void>;
  /** The package schema in Pulumi's form, see packageSchema.ts; default: nothing but name and version. */
  schema?(): object;
  /** The handler of a type token; undefined for an unknown type. */
  resource(token: string): ResourceHandler | undefined;
  /** A function (invoke) by its token. */
  invoke?(token: string, args: Properties): Promise<Properties>;
}
