// The form as a JSON Schema of a whole stack file, for editors: schema/settings.json.
import type * as zod from "zod/mini";
import { NAMESPACE } from "./check.ts";
import { setting } from "./form.ts";
import { form, owner, region } from "./schema/settings.ts";
import { z } from "./zod.ts";

type Schema = Record<string, unknown>;

const converted = (schema: zod.core.$ZodType): Schema => {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { target: "draft-7", io: "input", override: improve });
  return rest;
};

function improve({ zodSchema, jsonSchema }: { zodSchema: zod.core.$ZodTypes; jsonSchema: Schema }): void {
  const { def } = zodSchema._zod;
  // An absent map is an empty one: that is no value to propose.
  if (def.type === "prefault") delete jsonSchema.default;
  if (def.type === "string" && jsonSchema.pattern !== undefined) jsonSchema.patternErrorMessage = remedyOf(def);
}

const remedyOf = ({ error }: zod.core.$ZodTypeDef) => String(error?.({} as never));

/** A value that Pulumi encrypted, wherever it stands. */
const sealed: Schema = converted(
  setting(
    z.strictObject({ secure: setting(z.string(), "Ciphertext; `pulumi config set --secret` writes it.") }),
    "A value that Pulumi encrypted.",
  ),
);

/** Keys of Pulumi's own beside the configuration (https://www.pulumi.com/docs/iac/concepts/projects/stack-settings-file/). */
const PULUMI: Record<string, Schema> = {
  secretsprovider: { type: "string", description: "What Pulumi encrypts the stack's secrets with." },
  encryptedkey: { type: "string", description: "The key of the stack's secrets, encrypted by secretsprovider." },
  encryptionsalt: { type: "string", description: "The salt of the passphrase that encrypts the stack's secrets." },
  environment: { type: ["array", "object"], description: "Environments of Pulumi ESC that the stack imports." },
};

/** The JSON Schema of `Pulumi.<stack>.yaml`. */
export function stackFileSchema(): Schema {
  const { properties } = converted(form) as { properties: Record<string, Schema> };
  const settings = Object.entries(properties).map(([name, schema]) => [
    `${NAMESPACE}:${name}`,
    fromConfig(name, schema),
  ]);
  const names = Object.keys(properties).join("|");
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Settings of aks-gitops",
    description: "A stack's file, Pulumi.<stack>.yaml.",
    type: "object",
    additionalProperties: false,
    properties: {
      config: {
        type: ["object", "null"],
        description: "The stack's configuration, by whole key.",
        properties: {
          "azure-native:location": converted(region),
          "github:owner": converted(owner),
          ...Object.fromEntries(settings),
        },
        // Other namespaces belong to others.
        patternProperties: { [`^${NAMESPACE}:(?!(${names})$)`]: false },
      },
      ...PULUMI,
    },
  };
}

/** What may stand in the file beside what the form says. */
function fromConfig(name: string, schema: Schema): Schema {
  const { description, default: preset, examples, ...form } = schema;
  const about = {
    description,
    ...(preset === undefined ? {} : { default: preset }),
    ...(examples ? { examples } : {}),
  };
  // In plain text it would be a fault.
  if (name === "gitToken" || name === "gitKey") return { ...sealed, ...about };
  if (name === "secrets" || name === "imageSourceCredentials") return { ...about, anyOf: [form, sealed] };
  // `pulumi config set` writes a text.
  if (form.type === "boolean") return { ...about, enum: [true, false, "true", "false"] };
  return schema;
}
