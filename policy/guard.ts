// What a guard rail is, and what it looks at.
import { type PolicyConfigSchema, UnknownValueError } from "@pulumi/policy";
import type * as pulumi from "@pulumi/pulumi";

/** The kinds of resources that guards are about, whatever package makes them. */
export type Kind = "cluster" | "pool" | "registry" | "vault" | "roleAssignment" | "diagnostics" | "commit" | "flux";

/** A resource of a stack. Reading a value of it that a preview does not know yet throws UnknownValueError. */
export interface Seen {
  readonly type: string;
  readonly name: string;
  readonly urn: string;
  /** Its inputs; for a guard of the whole stack what came of them. */
  readonly props: Readonly<Record<string, unknown>>;
  /** Its properties without secrets and without what is not known yet; undefined where nobody can tell them apart. */
  readonly open?: unknown;
  /** The URNs of what it depends on; only for a guard of the whole stack. */
  readonly dependencies?: readonly string[];
}

export interface Facts {
  /** Whether the stack is one of production. */
  readonly isProduction: boolean;
  /** Today, as `YYYY-MM-DD`. */
  readonly today: string;
  /** The guard's own configuration. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** What a guard found: a sentence without its full stop. */
export interface Finding {
  readonly problem: string;
  /** Whose fault it is, where the guard looked at the whole stack. @default the resource that it looked at */
  readonly urn?: string;
}

interface Described {
  /** Unique, in kebab-case. */
  readonly name: string;
  /** What is guarded, as a sentence. */
  readonly description: string;
  /** mandatory: the operation is refused. advisory: it is told. */
  readonly level: "mandatory" | "advisory";
  /** Whether it holds for stacks of production only. */
  readonly production?: true;
  /** What to do: what to write in `Pulumi.<stack>.yaml`, or in a program of one's own. */
  readonly remedy: string;
  /** Where Microsoft, or whoever made the thing, says more. */
  readonly link: string;
  readonly configSchema?: PolicyConfigSchema;
}

/** A guard of single resources, asked before each is made or changed. */
export interface ResourceGuard extends Described {
  /** What it looks at; every resource without. */
  readonly kinds?: readonly Kind[];
  readonly find: (seen: Seen, facts: Facts) => readonly Finding[];
}

/** A guard of the stack as a whole, asked at the end of a preview or an update. */
export interface StackGuard extends Described {
  readonly findInStack: (all: readonly Seen[], facts: Facts) => readonly Finding[];
}

export type Guard = ResourceGuard | StackGuard;

/** What azure-native takes, when all of it is known; a program may have left out anything. */
export type Given<Args> = DeepPartial<pulumi.Unwrap<Args>>;

type DeepPartial<T> = T extends readonly (infer I)[]
  ? readonly DeepPartial<I>[]
  : T extends object
    ? { readonly [K in keyof T]?: DeepPartial<T[K]> | undefined }
    : T;

// azure-native's types have a version in them where a program asks for one: `azure-native:keyvault/v20230701:Vault`.
const TYPES: Readonly<Record<string, Kind>> = {
  "gitops:index:ManagedCluster": "cluster",
  "gitops:index:AgentPool": "pool",
  "gitops:index:GitCommit": "commit",
  "gitops:index:FluxInstall": "flux",
  "azure-native:containerservice:ManagedCluster": "cluster",
  "azure-native:containerservice:AgentPool": "pool",
  "azure-native:containerregistry:Registry": "registry",
  "azure-native:keyvault:Vault": "vault",
  "azure-native:authorization:RoleAssignment": "roleAssignment",
  "azure-native:monitor:DiagnosticSetting": "diagnostics",
  "azure-native:insights:DiagnosticSetting": "diagnostics",
};

/** A resource's type without the version of Azure's API: that of the module, or of a package generated for it. */
export const typeOf = (type: string): string =>
  type.replace(/^azure-native(?:_[^:]*)?:([^:/]+)(?:\/[^:]*)?:/, "azure-native:$1:");

/** What a resource is; undefined for all that no guard has a word for. */
export const kindOf = ({ type }: Pick<Seen, "type">): Kind | undefined => TYPES[typeOf(type)];

/** What a guard finds in a resource: nothing, where it depends on what is not known yet. */
export function findIn(guard: ResourceGuard, seen: Seen, facts: Facts): readonly Finding[] {
  const kind = kindOf(seen);
  if (guard.production && !facts.isProduction) return [];
  if (guard.kinds && (kind === undefined || !guard.kinds.includes(kind))) return [];
  return known(() => guard.find(seen, facts)) ?? [];
}

/** What a guard finds in a stack. */
export function findInStack(guard: StackGuard, all: readonly Seen[], facts: Facts): readonly Finding[] {
  if (guard.production && !facts.isProduction) return [];
  return known(() => guard.findInStack(all, facts)) ?? [];
}

/** What reading gives; undefined where it comes upon a value that is not known yet. */
export function known<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UnknownValueError) return undefined;
    throw error;
  }
}

/** Findings in each of some things, those left out that are not known yet. */
export const each = <T>(things: readonly T[], find: (thing: T) => string | undefined): Finding[] =>
  Array.from({ length: things.length }, (_, index) => known(() => find(things[index] as T))).flatMap((problem) =>
    problem === undefined ? [] : [{ problem }],
  );

/** A text; undefined where something else stands there, which is the provider's to refuse. */
export const text = (value: unknown): string | undefined => (typeof value === "string" ? value : undefined);

/** A region by the name that Azure's API has for it: `West Europe` is `westeurope`. */
export const regionOf = (location: unknown): string | undefined => text(location)?.toLowerCase().replaceAll(" ", "");

/** One finding, or none. */
export const found = (problem: string | false | undefined): Finding[] => (problem ? [{ problem }] : []);

/** What is told of a finding. */
export const messageOf = ({ remedy, link }: Pick<Described, "remedy" | "link">, { problem }: Finding): string =>
  `${problem}. What to do: ${remedy}. ${link}`;
