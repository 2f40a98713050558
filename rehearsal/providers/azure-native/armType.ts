// How a resource type of azure-native stands to ARM: where its URL comes from, what its body looks like.

/** How an object's properties stand in ARM's JSON. */
export interface Shape {
  /** Where given: every other property stands below `properties`, only these stand beside it. */
  readonly beside?: readonly string[];
  /** Shapes of objects, or of an array's items, by the property's name in the SDK. */
  readonly nested?: Readonly<Record<string, Shape>>;
  /** ARM's names of properties that the SDK calls otherwise. */
  readonly renamed?: Readonly<Record<string, string>>;
  /** Lists of the SDK that are maps in ARM: each item is a key with an empty object. */
  readonly sets?: readonly string[];
}

/** What the value of a name in the path must be; from ARM's published types. */
export interface NameRule {
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly pattern?: RegExp;
}

export interface ArmType {
  /** For example `azure-native:keyvault:Vault`. */
  readonly token: string;
  /** ARM's path; its parameters are inputs of the same name, but for `subscriptionId`. */
  readonly path: string;
  readonly apiVersion: string;
  readonly names?: Readonly<Record<string, NameRule>>;
  /** The inputs that go into the body. */
  readonly inputs: readonly string[];
  readonly shape: Shape;
  /** Outputs that are objects or lists of the SDK only in parts: paths of nested properties that ARM fills in. */
  readonly computed?: readonly string[];
  /** Inputs whose change replaces the resource, beside the path's parameters: `sku`, `networkProfile.podCidr`. */
  readonly forceNew?: readonly string[];
  /**
   * Lists of child resources that are resources of their own too, by their path in ARM's body. A PUT that leaves them
   * out would delete the children, so what is there is sent along.
   */
  readonly children?: readonly (readonly string[])[];
}

/** A path's parameters in order. */
export function pathParameters(path: string): string[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
}

/** How a resource is named whose program gives no name; `pulumi.autonaming` is not mirrored. */
export type AutoName = "random" | "copy" | "uuid";

/**
 * The rule of azure-native: types of their own get random digits, children copy the logical name, role assignments have
 * UUIDs.
 */
export function autoName(path: string): AutoName {
  if (path.endsWith("{roleAssignmentName}")) return "uuid";
  const parts = path.toLowerCase().split("microsoft.");
  const below = parts.at(-1) ?? "";
  return parts.length === 1 || below.split("{").length === 2 ? "random" : "copy";
}

/** The path with its parameters filled in. `scope` and `resourceUri` hold whole ids and are not escaped. */
export function resourceId(path: string, values: Readonly<Record<string, unknown>>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (typeof value !== "string") throw new Error(`the path parameter ${name} of ${path} must be a string`);
    return WHOLE_IDS.has(name) ? value.replace(/^\/+|\/+$/g, "") : encodeURIComponent(value);
  });
}

const WHOLE_IDS = new Set(["scope", "resourceUri"]);

/** The path's parameters as an id has them. @throws Error where the id is of another type. */
export function parseId(path: string, id: string): Record<string, string> {
  const names = pathParameters(path);
  const pattern = path
    .replace(/[.]/g, "\\.")
    .replace(/\{(\w+)\}/g, (_, name) => (WHOLE_IDS.has(name) ? "(.+)" : "([^/]+)"));
  const match = new RegExp(`^${pattern}$`, "i").exec(id);
  if (match === null) throw new Error(`${id} is no id of the form ${path}`);
  return Object.fromEntries(names.map((name, at) => [name, decodeURIComponent(match[at + 1] ?? "")]));
}
