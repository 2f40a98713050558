// VaultKey: an RSA key of a vault, made by ARM where it is not there yet and taken over where it is.
// ARM makes a key and never writes or deletes one:
// https://learn.microsoft.com/rest/api/keyvault/keyvault/keys/create-if-not-exist

import * as z from "zod";
import { detailedDiff, equal } from "../../plugin/diff.ts";
import { type CheckFailure, type Context, type Diff, UNKNOWN } from "../../plugin/handler.ts";
import {
  handlerOf,
  type Inputs,
  type Known,
  matching,
  type Previewed,
  resourceSchema,
  type SchemaHandler,
  type State,
} from "../../plugin/schema.ts";
import { ArmError } from "./armClient.ts";
import { armGet, azure, type Cloud } from "./cloud.ts";
import * as forms from "./forms.ts";
import { renamed } from "./names.ts";

const API_VERSION = "2024-11-01";

const OPERATIONS = ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"] as const;

/** The schema of `gitops:index:VaultKey`. */
export const VAULT_KEY = resourceSchema({
  token: "gitops:index:VaultKey",
  description:
    "An RSA key of a key vault, made through Azure Resource Manager: that needs no right in the vault's data plane and " +
    "no network path to it. A key that is there already is taken over. Deleting it deletes nothing, since what it " +
    "encrypted could never be read again: the key goes with its vault.\n\n" +
    "Imported into a stack by the key's ARM id: `<vault's ARM id>/keys/<name>`.",
  inputs: {
    vaultId: forms.vaultId
      .describe("The vault's ARM id. Another one makes another key.")
      .meta({ replaceOnChanges: true }),
    name: matching(/^[a-zA-Z0-9-]{1,127}$/, "a key's name: 1 to 127 letters, digits and hyphens")
      .describe("The key's name in the vault. Another one makes another key.")
      .meta({ replaceOnChanges: true }),
    kty: z
      .enum(["RSA", "RSA-HSM"])
      .describe("What the key is, and whether a hardware module keeps it. Cannot be changed.")
      .meta({ fault: 'is neither "RSA" nor "RSA-HSM"' }),
    keySize: z
      .int()
      .refine((bits) => [2048, 3072, 4096].includes(bits))
      .describe("The key's length in bits: 2048, 3072 or 4096. Cannot be changed.")
      .meta({ fault: "is no length of an RSA key: 2048, 3072 or 4096" }),
    keyOps: z
      .array(z.enum(OPERATIONS))
      .describe(`What may be done with it, of ${OPERATIONS.join(", ")}. Cannot be changed.`)
      .meta({ fault: `is not a list of ${OPERATIONS.join(", ")}` }),
    tags: z
      .record(z.string(), z.string())
      .describe("Tags that it is made with; a change of them changes nothing. Default: none.")
      .meta({ fault: "is not a map of texts" })
      .exactOptional(),
  },
  outputs: {
    keyUri: z.string().describe("`https://<vault>.vault.azure.net/keys/<name>`."),
    keyUriWithVersion: z.string().describe("The same with the newest version, when it was made or read last."),
  },
});

type VaultKeyInputs = Inputs<typeof VAULT_KEY>;
type VaultKeyState = State<typeof VAULT_KEY>;

interface ArmKey {
  readonly properties: Pick<VaultKeyInputs, "kty" | "keySize" | "keyOps"> & {
    readonly keyUri: string;
    readonly keyUriWithVersion: string;
  };
}

/** The handler of `gitops:index:VaultKey` in a cloud. */
export function vaultKeyIn(cloud: Cloud): SchemaHandler {
  return handlerOf(VAULT_KEY, {
    rules: (next, old) => (old === undefined || isAnother(old, next).length > 0 ? [] : refusals(old, next)),
    diff: async ({ inputs: old }, next) => diff(old, next),
    preview: async (inputs, existing) => ({ ...(existing?.state ?? UNMADE), ...inputs }),
    create: (inputs, context) => create(cloud, inputs, context),
    // What could be changed is refused or means nothing.
    update: async ({ state }, inputs) => ({ ...state, ...inputs }),
    read: (id, known, context) => read(cloud, id, known, context),
    // It goes with its vault.
    async delete() {},
  });
}

/** The handler of `gitops:index:VaultKey`. */
export const vaultKey = vaultKeyIn(azure);

const UNMADE = { keyUri: UNKNOWN, keyUriWithVersion: UNKNOWN } as const;

/** What makes it another key. */
function isAnother(old: Previewed<VaultKeyInputs>, next: Previewed<VaultKeyInputs>) {
  return renamed(["vaultId", "name"], old, next);
}

function diff(old: VaultKeyInputs, next: Previewed<VaultKeyInputs>): Diff {
  const replaces = isAnother(old, next);
  const detailed = detailedDiff(
    Object.fromEntries(replaces.map((property) => [property, old[property]])),
    Object.fromEntries(replaces.map((property) => [property, next[property]])),
  );
  return { changes: replaces.length > 0, replaces, detailed };
}

/** What the key is not and can never be. */
function refusals(actual: Previewed<VaultKeyInputs> | ArmKey["properties"], wanted: Previewed<VaultKeyInputs>) {
  return (["kty", "keySize", "keyOps"] as const)
    .filter((property) => wanted[property] !== UNKNOWN && !equal(sorted(actual[property]), sorted(wanted[property])))
    .map((property): CheckFailure => {
      const [is, shall] = [actual[property], wanted[property]].map((value) => JSON.stringify(value));
      const way =
        property === "keyOps"
          ? `set them in the vault itself (\`az keyvault key set-attributes --name ${String(wanted.name)} --ops ...\`), and refresh`
          : "give the key, or its vault, another name: then a new key is made";
      return {
        property,
        reason: `of the key ${String(wanted.name)} is ${is} and not ${shall}, and Azure Resource Manager changes no key. Take the old value back, or ${way}`,
      };
    });
}

function sorted(value: unknown): unknown {
  return Array.isArray(value) ? [...value].sort() : value;
}

/** @throws Error when the key that is there is another one, or when ARM refuses. */
async function create(cloud: Cloud, inputs: VaultKeyInputs, context: Context) {
  const { vaultId, name, kty, keySize, keyOps, tags } = inputs;
  const id = `${vaultId}/keys/${name}`;
  const body = { properties: { kty, keySize, keyOps }, ...(tags ? { tags } : {}) };
  const key = await put(cloud, id, body, context);
  const faults = refusals(key.properties, inputs);
  if (faults.length > 0) throw new Error(faults.map(({ property, reason }) => `${property} ${reason}`).join("; "));
  return { id, state: stateOf(inputs, key) };
}

async function put(cloud: Cloud, id: string, body: object, { signal }: Context): Promise<ArmKey> {
  try {
    const key = await cloud.arm().request<ArmKey>("PUT", id, API_VERSION, body, { signal });
    if (key === undefined) throw new Error(`PUT ${id}: the answer is empty`);
    return key;
  } catch (error) {
    if (!(error instanceof ArmError && error.status === 409)) throw error;
    const [vault, , name] = id.split("/").slice(-3);
    throw new Error(
      `${error.message} Where the key was deleted it can be recovered: ` +
        `\`az keyvault key recover --vault-name ${vault} --name ${name}\`; then run \`pulumi up\` again`,
      { cause: error },
    );
  }
}

const ID = /^(\/subscriptions\/[^?#]+\/vaults\/[^/?#]+)\/keys\/([^/?#]+)$/i;

async function read(
  cloud: Cloud,
  id: string,
  known: Known<VaultKeyInputs, VaultKeyState> | undefined,
  context: Context,
) {
  const [, vaultId, name] = ID.exec(id) ?? [];
  if (vaultId === undefined || name === undefined)
    throw new Error(`"${id}" is not the ARM id of a key: <ARM id of the vault>/keys/<name>`);
  const key = await armGet<ArmKey>(cloud, id, API_VERSION, context.signal);
  if (key === undefined) return undefined;
  const { kty, keySize, keyOps } = key.properties;
  const given = known?.inputs ?? { vaultId, name };
  // The order of a list of operations says nothing.
  const operations = known && equal(sorted(known.inputs.keyOps), sorted(keyOps)) ? known.inputs.keyOps : keyOps;
  const inputs = { ...given, kty, keySize, keyOps: operations };
  return { id, inputs, state: stateOf(inputs, key) };
}

function stateOf<T extends object>(inputs: T, { properties: { keyUri, keyUriWithVersion } }: ArmKey) {
  return { ...inputs, keyUri, keyUriWithVersion };
}
