// SOPS files for Azure Key Vault, made from the public part of the vault's key: nothing has to be asked of the vault.
// Follows the file format of getsops/sops 3.13: names, order and indentation are what `sops edit` would write again.

import { constants, createCipheriv, createHash, type KeyObject, publicEncrypt, randomBytes } from "node:crypto";
import { stringify } from "yaml";

/** What a document may hold: sops knows strings, whole and broken numbers, booleans, null, lists and maps. */
export type Plain = string | number | boolean | null | readonly Plain[] | { readonly [key: string]: Plain };

/** One version of an RSA key in a vault. */
export interface VaultKey {
  /** `https://<vault>.vault.azure.net`, without a slash at the end. */
  readonly vaultUrl: string;
  readonly name: string;
  /** The concrete version: decrypting asks for exactly this one. */
  readonly version: string;
  readonly publicKey: KeyObject;
}

/** The keys below which every value is encrypted; `encrypted_regex` of the file. */
export const ENCRYPTED_REGEX = "^(data|stringData)$";

/** The release whose files these are; sops only refuses files of a newer major format. */
const SOPS_VERSION = "3.13.2";

const METADATA_KEY = "sops";

/**
 * Encrypts a document and returns the text of its SOPS file.
 *
 * Values below `data` and `stringData` are encrypted, all others stay readable; the message authentication code covers
 * both. Each call makes a new data key, so the same document never gives the same text twice.
 *
 * @param document the whole document; a key `sops` at its top is refused, as sops does
 * @param key wraps the data key with RSA-OAEP-256
 * @param now the time of encryption; the format keeps whole seconds
 * @throws Error when the document is already encrypted or holds a number that sops would write in another way
 */
export function encryptDocument(document: Readonly<Record<string, Plain>>, key: VaultKey, now = new Date()): string {
  if (METADATA_KEY in document) throw new Error("the document has a key `sops`: it is encrypted already");
  const dataKey = randomBytes(32);
  const digest = createHash("sha512");
  const encrypted = encryptMap(document, [], (value, path) => {
    digest.update(leafBytes(value, path));
    return shouldEncrypt(path) ? encryptValue(value, dataKey, `${path.join(":")}:`) : value;
  });
  const modified = `${now.toISOString().slice(0, 19)}Z`;
  const metadata = {
    azure_kv: [
      {
        created_at: modified,
        enc: wrapDataKey(dataKey, key.publicKey),
        name: key.name,
        vault_url: key.vaultUrl,
        version: key.version,
      },
    ],
    encrypted_regex: ENCRYPTED_REGEX,
    lastmodified: modified,
    mac: encryptValue(digest.digest("hex").toUpperCase(), dataKey, modified),
    version: SOPS_VERSION,
  };
  // sops reads by the rules of YAML 1.1 and 1.2 mixed: quotes go wherever one of them sees a number, time or boolean.
  return stringify(
    { ...encrypted, [METADATA_KEY]: metadata },
    { schema: "yaml-1.1", compat: "core", indent: 4, lineWidth: 0 },
  );
}

type Leaf = string | number | boolean;
type OnLeaf = (value: Leaf, path: readonly string[]) => Leaf;

function encryptMap(map: Readonly<Record<string, Plain>>, path: readonly string[], onLeaf: OnLeaf) {
  const entries = Object.entries(map).map(([key, value]) => [key, encryptNode(value, [...path, key], onLeaf)]);
  return Object.fromEntries(entries) as Record<string, Plain>;
}

function encryptNode(value: Plain, path: readonly string[], onLeaf: OnLeaf): Plain {
  if (value === null) return null;
  // Items of a list have the list's own path: sops leaves indices out.
  if (isList(value)) return value.map((item) => encryptNode(item, path, onLeaf));
  return typeof value === "object" ? encryptMap(value, path, onLeaf) : onLeaf(value, path);
}

function isList(value: Plain): value is readonly Plain[] {
  return Array.isArray(value);
}

function shouldEncrypt(path: readonly string[]): boolean {
  const pattern = new RegExp(ENCRYPTED_REGEX);
  return path.some((key) => pattern.test(key));
}

/** A value as sops hashes and encrypts it. */
function leafBytes(value: Leaf, path: readonly string[]): Buffer {
  if (typeof value === "boolean") return Buffer.from(value ? "True" : "False");
  if (typeof value === "string") return Buffer.from(value);
  const text = String(value);
  const exact = Number.isInteger(value) ? Number.isSafeInteger(value) : /^-?\d+\.\d+$/.test(text);
  if (!exact) throw new Error(`${path.join(".")} holds a number that SOPS cannot keep exactly: pass it as a string`);
  return Buffer.from(text);
}

function encryptValue(value: Leaf, dataKey: Buffer, additionalData: string): string {
  if (value === "") return "";
  const iv = randomBytes(32);
  const cipher = createCipheriv("aes-256-gcm", dataKey, iv).setAAD(Buffer.from(additionalData));
  const data = Buffer.concat([cipher.update(leafBytes(value, [])), cipher.final()]);
  const part = (bytes: Buffer) => bytes.toString("base64");
  return `ENC[AES256_GCM,data:${part(data)},iv:${part(iv)},tag:${part(cipher.getAuthTag())},type:${typeName(value)}]`;
}

function typeName(value: Leaf): string {
  if (typeof value === "string") return "str";
  if (typeof value === "boolean") return "bool";
  return Number.isInteger(value) ? "int" : "float";
}

function wrapDataKey(dataKey: Buffer, key: KeyObject): string {
  const options = { key, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: "sha256" };
  return publicEncrypt(options, dataKey).toString("base64url");
}
