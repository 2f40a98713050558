// EncryptedSecret: a Kubernetes Secret as a SOPS file. It has nothing in the cloud; its ciphertext lives in the state
// and changes only with an input, because every encryption gives another text and Git would see a change each time.

import * as z from "zod";
import { isMap } from "../../net/values.ts";
import { type CheckFailure, type Context, Secret, UNKNOWN } from "../../plugin/handler.ts";
import { handlerOf, type Inputs, type Kept, type Previewed, resourceSchema, type State } from "../../plugin/schema.ts";
import { type KeyLocation, keyAddress, keyUrl, parseKeyUrl, parsePublicKey, readKey } from "./keyVault.ts";
import { encryptDocument, type VaultKey } from "./sops.ts";

// Kubernetes' own rules (apimachinery's validation and IsConfigMapKey), so that a mistake shows before it is in Git.
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const DATA_KEY = /^(?!\.$|\.\.)[-._a-zA-Z0-9]{1,253}$/;
const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const MAXIMUM_BYTES = 1024 * 1024;

const NO_KEY_URL = "is no key of a vault: it reads https://<vault>.vault.azure.net/keys/<name>[/<version>]";

/** The schema of `gitops:index:EncryptedSecret`. */
export const ENCRYPTED_SECRET = resourceSchema({
  token: "gitops:index:EncryptedSecret",
  description:
    "A Kubernetes Secret encrypted whole as a SOPS file for Azure Key Vault; encrypted anew only when an input changes.",
  inputs: {
    name: named("name", DNS_SUBDOMAIN, "is no name of a Secret: lower-case letters, digits, `-` and `.`, at most 253")
      .describe("The Secret's name. Another name makes another Secret.")
      .meta({ replaceOnChanges: true }),
    namespace: named(
      "namespace",
      DNS_LABEL,
      "is no name of a namespace: lower-case letters, digits and `-`, at most 63",
    )
      .describe("The namespace it will stand in. Another one makes another Secret.")
      .meta({ replaceOnChanges: true }),
    type: named("type", /./, "is no type of a Secret: leave it out for Opaque")
      .describe("The Secret's type. Default: Opaque.")
      .default("Opaque"),
    stringData: z
      .record(z.string().regex(DATA_KEY), z.string())
      .refine((values) => !isMap(values) || bytesOf(values) <= MAXIMUM_BYTES, { when: () => true })
      .describe("Plain values by key; always treated as secret.")
      .meta({ secret: true, fault: stringDataFaults }),
    labels: z
      .record(z.string().refine(isLabelKey), z.string().refine(isLabelValue))
      .describe("Labels; they stay readable in Git.")
      .meta({ fault: labelFaults })
      .exactOptional(),
    keyUrl: z
      .string({ error: "keyUrl must be a string" })
      .refine((value) => parseKeyUrl(value) !== undefined, {
        error: ({ input }) => `keyUrl ${JSON.stringify(input)} ${NO_KEY_URL}`,
      })
      .describe(
        "`https://<vault>.vault.azure.net/keys/<name>/<version>`, an RSA key. Without the version the newest one is " +
          "read from the vault once; a later rotation changes nothing until another input changes.",
      ),
    publicKey: z
      .string({ error: "must be a string in PEM form" })
      .superRefine((value, context) => {
        const fault = publicKeyFault(value);
        if (fault !== undefined) context.addIssue(`: ${fault}`);
      })
      .describe(
        "The key's public part (PEM). With it and a version in `keyUrl` the vault is not asked, so the caller needs " +
          "neither a right on it nor a network path to it. Default: read from the vault.",
      )
      // It may be a private key by mistake.
      .meta({ hidden: true })
      .exactOptional(),
  },
  outputs: {
    content: z.string().describe("The YAML text of the SOPS file; no secret, made to be committed."),
    keyUrl: z.string().describe("The URL of the key version that the file names."),
  },
});

type SecretInputs = Inputs<typeof ENCRYPTED_SECRET>;
type SecretState = State<typeof ENCRYPTED_SECRET>;

/** The handler of `gitops:index:EncryptedSecret`. */
export const encryptedSecret = handlerOf(ENCRYPTED_SECRET, {
  rules: stalePublicKey,
  preview,
  async create(inputs, context) {
    return { id: `${inputs.namespace}/${inputs.name}`, state: await encrypt(inputs, context) };
  },
  update: (_existing, inputs, context) => encrypt(inputs, context),
});

/** Nobody could decrypt what is encrypted with the public part of one key in the name of another. */
function stalePublicKey(
  { keyUrl: url, publicKey }: Previewed<SecretInputs>,
  old: Previewed<SecretInputs> | undefined,
): CheckFailure[] {
  const before = old?.keyUrl;
  if (before === undefined || before === UNKNOWN || url === UNKNOWN || publicKey === undefined) return [];
  if (publicKey !== old?.publicKey || isSameKey(parseKeyUrl(before), parseKeyUrl(url))) return [];
  const remedy = "give that of the new key, or leave publicKey out: then it is read from the vault";
  return [{ property: "publicKey", reason: `is still that of ${before}, while keyUrl is ${url}: ${remedy}` }];
}

/** A URL without a version may be of any. */
function isSameKey(one: KeyLocation | undefined, other: KeyLocation | undefined): boolean {
  const [a, b] = [one, other].map((key) => key && keyAddress(key));
  return a === b && (one?.version ?? other?.version) === (other?.version ?? one?.version);
}

async function preview(inputs: Previewed<SecretInputs>): Promise<Previewed<SecretState>> {
  const url = inputs.keyUrl;
  const concrete = url !== UNKNOWN && parseKeyUrl(url)?.version !== undefined;
  return { ...inputs, content: UNKNOWN, keyUrl: concrete ? url : UNKNOWN };
}

async function encrypt(inputs: SecretInputs, context: Context): Promise<Kept<SecretState>> {
  const key = await resolveKey(inputs, context);
  const labels = inputs.labels ? { labels: sorted(inputs.labels) } : {};
  const document = {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: inputs.name, namespace: inputs.namespace, ...labels },
    type: inputs.type,
    stringData: sorted(inputs.stringData),
  };
  const content = encryptDocument(document, key);
  return { ...inputs, stringData: new Secret(inputs.stringData), content, keyUrl: keyUrl(key) };
}

/** The pinned key where URL and key say all; else the vault is asked, and a pinned key must be the vault's. */
async function resolveKey(inputs: SecretInputs, context: Context): Promise<VaultKey> {
  const location = parseKeyUrl(inputs.keyUrl);
  if (!location) throw new Error(`keyUrl ${JSON.stringify(inputs.keyUrl)} ${NO_KEY_URL}`);
  const pinned = inputs.publicKey === undefined ? undefined : parsePublicKey(inputs.publicKey);
  const { vaultUrl, name, version } = location;
  if (pinned && version) return { vaultUrl, name, version, publicKey: pinned };
  const log = (message: string) => context.log("info", message);
  const key = await readKey(location, { signal: context.signal, log });
  if (pinned && !pinned.equals(key.publicKey)) {
    throw new Error(`publicKey is not the public part of ${keyUrl(key)}: pin that version's key, or leave it out`);
  }
  return key;
}

// The order in which the engine hands a map over says nothing: sorted, a diff of two ciphertexts is as short as can be.
function sorted(map: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** A text whose faults name the property themselves. */
function named(property: string, pattern: RegExp, problem: string) {
  return z
    .string({ error: `${property} must be a string` })
    .regex(pattern, { error: ({ input }) => `${property} ${JSON.stringify(input)} ${problem}` });
}

function publicKeyFault(value: string): string | undefined {
  try {
    parsePublicKey(value);
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

function stringDataFaults(value: unknown): string[] {
  if (!isMap(value)) return ["must be a map of strings"];
  const reasons = Object.entries(value).flatMap(([key, text]) => [
    ...(DATA_KEY.test(key) ? [] : [`has the key ${JSON.stringify(key)}: use letters, digits, \`-\`, \`_\` and \`.\``]),
    ...(isText(text) ? [] : [`holds something other than a string at ${JSON.stringify(key)}: make it a string`]),
  ]);
  const bytes = bytesOf(value);
  if (bytes > MAXIMUM_BYTES) reasons.push(`holds ${bytes} bytes: Kubernetes takes ${MAXIMUM_BYTES}, split the Secret`);
  return reasons;
}

function labelFaults(value: unknown): string[] {
  if (!isMap(value)) return ["labels must be a map of strings"];
  return Object.entries(value)
    .filter(([key, text]) => !(isLabelKey(key) && (text === UNKNOWN || isLabelValue(text))))
    .map(
      ([key, text]) =>
        `labels has ${JSON.stringify(key)}: ${JSON.stringify(text)}, which Kubernetes refuses: at most 63 letters, digits, \`-\`, \`_\` and \`.\` each, a DNS name and \`/\` before the key if wanted`,
    );
}

function isLabelKey(key: string): boolean {
  const [name = "", prefix, ...more] = key.split("/").reverse();
  return more.length === 0 && LABEL_NAME.test(name) && (prefix === undefined || DNS_SUBDOMAIN.test(prefix));
}

function isLabelValue(value: unknown): boolean {
  return typeof value === "string" && (value === "" || LABEL_NAME.test(value));
}

function isText(value: unknown): boolean {
  return value === UNKNOWN || typeof value === "string";
}

function bytesOf(values: object): number {
  return Object.values(values).reduce(
    (sum: number, text) => sum + (typeof text === "string" ? Buffer.byteLength(text) : 0),
    0,
  );
}
