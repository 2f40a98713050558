// EncryptedSecret: a Kubernetes Secret as a SOPS file. It has nothing in the cloud; its ciphertext lives in the state
// and changes only with an input, because every encryption gives another text and Git would see a change each time.

import { equal } from "../../plugin/diff.ts";
import {
  type CheckFailure,
  type Context,
  type Diff,
  type Existing,
  type Properties,
  type ResourceHandler,
  Secret,
  UNKNOWN,
} from "../../plugin/handler.ts";
import { keyUrl, parseKeyUrl, parsePublicKey, readKey } from "./keyVault.ts";
import { encryptDocument, type VaultKey } from "./sops.ts";

interface Inputs {
  readonly name: string;
  readonly namespace: string;
  readonly type: string;
  readonly stringData: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly keyUrl: string;
  readonly publicKey?: string;
}

/** The handler of `gitops:index:EncryptedSecret`. */
export const encryptedSecret: ResourceHandler = { check, diff, preview, create, update };

async function check(inputs: Properties) {
  const withDefaults: Properties = { type: "Opaque", ...inputs };
  return { inputs: withDefaults, failures: faults(withDefaults) };
}

async function diff(existing: Existing, inputs: Properties): Promise<Diff> {
  const moved = ["name", "namespace"].filter((key) => !equal(existing.inputs[key], inputs[key]));
  return { changes: !equal(existing.inputs, inputs), replaces: moved };
}

async function preview(inputs: Properties): Promise<Properties> {
  const url = inputs.keyUrl;
  const concrete = typeof url === "string" && parseKeyUrl(url)?.version !== undefined;
  return { ...inputs, content: UNKNOWN, keyUrl: concrete ? url : UNKNOWN };
}

async function create(properties: Properties, context: Context) {
  const inputs = properties as unknown as Inputs;
  return { id: `${inputs.namespace}/${inputs.name}`, state: await encrypt(inputs, context) };
}

async function update(_existing: Existing, inputs: Properties, context: Context): Promise<Properties> {
  return encrypt(inputs as unknown as Inputs, context);
}

async function encrypt(inputs: Inputs, context: Context): Promise<Properties> {
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
async function resolveKey(inputs: Inputs, context: Context): Promise<VaultKey> {
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

const NO_KEY_URL = "is no key of a vault: it reads https://<vault>.vault.azure.net/keys/<name>[/<version>]";

// The order in which the engine hands a map over says nothing: sorted, a diff of two ciphertexts is as short as can be.
function sorted(map: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

// Kubernetes' own rules (apimachinery's validation and IsConfigMapKey), so that a mistake shows before it is in Git.
const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;
const DNS_SUBDOMAIN = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const DATA_KEY = /^(?!\.$|\.\.)[-._a-zA-Z0-9]{1,253}$/;
const LABEL_NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/;
const MAXIMUM_BYTES = 1024 * 1024;

const PROPERTIES = ["name", "namespace", "type", "stringData", "labels", "keyUrl", "publicKey"];

function faults(inputs: Properties): CheckFailure[] {
  return [
    ...Object.keys(inputs)
      .filter((property) => !PROPERTIES.includes(property))
      .map((property) => ({ property, reason: `there is no such property; there are ${PROPERTIES.join(", ")}` })),
    ...stringFault(inputs, "name", (value) =>
      DNS_SUBDOMAIN.test(value) ? "" : "is no name of a Secret: lower-case letters, digits, `-` and `.`, at most 253",
    ),
    ...stringFault(inputs, "namespace", (value) =>
      DNS_LABEL.test(value) ? "" : "is no name of a namespace: lower-case letters, digits and `-`, at most 63",
    ),
    ...stringFault(inputs, "type", (value) => (value ? "" : "is no type of a Secret: leave it out for Opaque")),
    ...stringFault(inputs, "keyUrl", (value) => (parseKeyUrl(value) ? "" : NO_KEY_URL)),
    ...publicKeyFaults(inputs.publicKey),
    ...stringDataFaults(inputs.stringData),
    ...labelFaults(inputs.labels),
  ];
}

function stringFault(inputs: Properties, property: string, fault: (value: string) => string): CheckFailure[] {
  const value = inputs[property];
  if (value === UNKNOWN) return [];
  if (typeof value !== "string") return [{ property, reason: `${property} must be a string` }];
  const problem = fault(value);
  return problem ? [{ property, reason: `${property} ${JSON.stringify(value)} ${problem}` }] : [];
}

// Of no property: it may be a private key, and the engine prints the value of a property that is named.
function publicKeyFaults(value: unknown): CheckFailure[] {
  if (value === undefined || value === UNKNOWN) return [];
  const property = "";
  if (typeof value !== "string") return [{ property, reason: "publicKey must be a string in PEM form" }];
  try {
    parsePublicKey(value);
    return [];
  } catch (error) {
    return [{ property, reason: `publicKey: ${(error as Error).message}` }];
  }
}

// Of no property: the engine prints the value of the one that is named.
function stringDataFaults(value: unknown): CheckFailure[] {
  const property = "";
  if (value === UNKNOWN) return [];
  if (!isMap(value)) return [{ property, reason: "stringData must be a map of strings" }];
  const reasons = Object.entries(value).flatMap(([key, text]) => [
    ...(DATA_KEY.test(key) ? [] : [`has the key ${JSON.stringify(key)}: use letters, digits, \`-\`, \`_\` and \`.\``]),
    ...(isText(text) ? [] : [`holds something other than a string at ${JSON.stringify(key)}: make it a string`]),
  ]);
  const bytes = Object.values(value).reduce((sum: number, text) => sum + byteLength(text), 0);
  if (bytes > MAXIMUM_BYTES) reasons.push(`holds ${bytes} bytes: Kubernetes takes ${MAXIMUM_BYTES}, split the Secret`);
  return reasons.map((reason) => ({ property, reason: `stringData ${reason}` }));
}

function labelFaults(value: unknown): CheckFailure[] {
  const property = "labels";
  if (value === undefined || value === UNKNOWN) return [];
  if (!isMap(value)) return [{ property, reason: "labels must be a map of strings" }];
  return Object.entries(value)
    .filter(([key, text]) => !(isLabelKey(key) && isLabelValue(text)))
    .map(([key, text]) => ({
      property,
      reason: `labels has ${JSON.stringify(key)}: ${JSON.stringify(text)}, which Kubernetes refuses: at most 63 letters, digits, \`-\`, \`_\` and \`.\` each, a DNS name and \`/\` before the key if wanted`,
    }));
}

function isLabelKey(key: string): boolean {
  const [name = "", prefix, ...more] = key.split("/").reverse();
  return more.length === 0 && LABEL_NAME.test(name) && (prefix === undefined || DNS_SUBDOMAIN.test(prefix));
}

function isLabelValue(value: unknown): boolean {
  return value === UNKNOWN || (typeof value === "string" && (value === "" || LABEL_NAME.test(value)));
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isText(value: unknown): boolean {
  return value === UNKNOWN || typeof value === "string";
}

function byteLength(value: unknown): number {
  return typeof value === "string" ? Buffer.byteLength(value) : 0;
}
