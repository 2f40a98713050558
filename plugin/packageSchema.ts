// What a plugin tells of itself: the schemas of its resources in Pulumi's own form, from which SDKs and documents are made.
// The form: https://www.pulumi.com/docs/iac/guides/building-extending/packages/schema/

import * as z from "zod";
import type { ResourceSchema } from "./schema.ts";

/** The parts of a package schema that there are here. */
export interface PackageSchema {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly resources: Readonly<Record<string, ResourceSpec>>;
  readonly functions?: Readonly<Record<string, FunctionSpec>>;
  readonly types: Readonly<Record<string, ObjectSpec>>;
}

export interface ResourceSpec extends ObjectSpec {
  readonly inputProperties: Readonly<Record<string, PropertySpec>>;
  readonly requiredInputs: readonly string[];
}

export interface FunctionSpec {
  readonly description: string;
  readonly inputs: ObjectSpec;
  readonly outputs: ObjectSpec;
}

/** An object's properties; a resource's are its outputs. */
export interface ObjectSpec {
  readonly type?: "object";
  readonly description?: string;
  readonly properties: Readonly<Record<string, PropertySpec>>;
  readonly required: readonly string[];
}

export interface TypeSpec {
  readonly type?: string;
  readonly $ref?: string;
  readonly items?: TypeSpec;
  readonly additionalProperties?: TypeSpec;
}

export interface PropertySpec extends TypeSpec {
  readonly description?: string;
  readonly default?: unknown;
  readonly const?: unknown;
  readonly secret?: true;
  /** For documents: it is the plugin that decides, since another spelling may name the same thing. */
  readonly willReplaceOnChanges?: true;
}

type Json = z.core.JSONSchema.BaseSchema;

/**
 * The package schema of a plugin's resources and functions.
 * @throws Error for a part of a schema that has no place in Pulumi's form, such as an object without an `id`.
 */
export function packageSchema(
  about: Pick<PackageSchema, "name" | "version" | "description">,
  schemas: readonly ResourceSchema[],
  functions: readonly ResourceSchema[] = [],
): PackageSchema {
  const types: Record<string, ObjectSpec> = {};
  const objectOf = (schema: z.ZodObject, io: "input" | "output") => {
    const { $defs = {}, ...object } = z.toJSONSchema(schema, { io });
    for (const [id, definition] of Object.entries($defs))
      types[typeToken(about.name, id)] = { type: "object", ...objectSpec(about.name, definition) };
    return objectSpec(about.name, object);
  };
  const resources = schemas.map(({ token, description, inputs, outputs }): [string, ResourceSpec] => {
    const given = objectOf(inputs, "input");
    const state = objectOf(inputs.extend(outputs.shape), "output");
    return [token, { description, ...state, inputProperties: given.properties, requiredInputs: given.required }];
  });
  const calls = functions.map(({ token, description, inputs, outputs }): [string, FunctionSpec] => {
    const [given, answer] = [objectOf(inputs, "input"), objectOf(outputs, "output")];
    return [token, { description, inputs: given, outputs: answer }];
  });
  return {
    ...about,
    resources: Object.fromEntries(resources),
    ...(calls.length > 0 && { functions: Object.fromEntries(calls) }),
    types,
  };
}

function typeToken(name: string, id: string): string {
  return `${name}:index:${id}`;
}

function objectSpec(name: string, { description, properties = {}, required = [] }: Json): ObjectSpec {
  const specs = Object.entries(properties).map(([property, json]) => [property, propertySpec(name, json as Json)]);
  return { ...(description && { description }), properties: Object.fromEntries(specs), required };
}

function propertySpec(name: string, json: Json): PropertySpec {
  return {
    ...typeSpec(name, json),
    ...(json.description && { description: json.description }),
    ...(json.default !== undefined && { default: json.default }),
    ...(json.const !== undefined && { const: json.const }),
    ...(json.secret === true && { secret: true }),
    ...(json.replaceOnChanges === true && { willReplaceOnChanges: true }),
  };
}

function typeSpec(name: string, json: Json): TypeSpec {
  const { $ref, type, items, additionalProperties } = json;
  // Anything at all.
  if (type === undefined && Object.keys(json).length === 0) return { $ref: "pulumi.json#/Any" };
  if ($ref !== undefined) return { $ref: `#/types/${typeToken(name, $ref.replace("#/$defs/", ""))}` };
  if (type === "array") return { type, items: typeSpec(name, items as Json) };
  if (type === "object" && typeof additionalProperties === "object")
    return { type, additionalProperties: typeSpec(name, additionalProperties) };
  if (type === "string" || type === "boolean" || type === "number" || type === "integer") return { type };
  throw new Error(`a schema has a part that Pulumi's form has no place for: ${JSON.stringify(json)}`);
}
