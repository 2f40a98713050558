// The keys of all vaults: real RSA and EC keys, kept by the ARM id of the key.
import { constants, generateKeyPair, type KeyObject, privateDecrypt, publicEncrypt, randomBytes } from "node:crypto";
import { promisify } from "node:util";
import type { ArmResource } from "../types.ts";
import { badParameter, keyVaultError } from "./errors.ts";

const generate = promisify(generateKeyPair);

/** The hash of each algorithm that encrypts or wraps with an RSA key. */
const oaepHashes: Readonly<Record<string, string>> = { "RSA-OAEP": "sha1", "RSA-OAEP-256": "sha256" };

export interface KeyVersion {
  readonly version: string;
  readonly kty: string;
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
  /** Seconds since 1970. */
  readonly created: number;
}

export interface Key {
  readonly name: string;
  /** The vault's URL without a trailing slash. */
  readonly vaultUrl: string;
  readonly versions: KeyVersion[];
  operations: readonly string[];
  tags: Readonly<Record<string, string>> | undefined;
  enabled: boolean;
  /** Seconds since 1970, as the two next ones. */
  updated: number;
  notBefore: number | undefined;
  expires: number | undefined;
  recoveryLevel: string;
  /** When it was deleted in the data plane; it stays recoverable. */
  deleted: number | undefined;
}

/** A new key pair as ARM's properties of a key ask for it. */
export async function newVersion(properties: Readonly<Record<string, unknown>>): Promise<KeyVersion> {
  const kty = String(properties.kty);
  const pair = kty.startsWith("EC")
    ? await generate("ec", { namedCurve: ecCurve(String(properties.curveName ?? "P-256")) })
    : await generate("rsa", { modulusLength: Number(properties.keySize ?? 2048) });
  const created = Math.floor(Date.now() / 1000);
  return { version: randomBytes(16).toString("hex"), kty, created, ...pair };
}

function ecCurve(name: string): string {
  return name === "P-256K" ? "secp256k1" : name;
}

/** Takes over what ARM says of a key beside its material. */
export function describe(key: Key, { properties, tags }: ArmResource): void {
  const attributes = (properties.attributes ?? {}) as Record<string, unknown>;
  const seconds = (value: unknown) => (typeof value === "number" ? value : undefined);
  key.operations = (properties.keyOps as string[] | undefined) ?? [];
  key.tags = tags;
  key.enabled = attributes.enabled !== false;
  key.notBefore = seconds(attributes.nbf);
  key.expires = seconds(attributes.exp);
  key.recoveryLevel = String(attributes.recoveryLevel ?? "Recoverable+Purgeable");
}

/** The URL of a key's version. */
export function kid(key: Key, { version }: KeyVersion): string {
  return `${key.vaultUrl}/keys/${key.name}/${version}`;
}

/** A version as the data plane shows it. */
export function keyBundle(key: Key, version: KeyVersion): Record<string, unknown> {
  const jwk = version.publicKey.export({ format: "jwk" });
  return {
    key: { ...jwk, kid: kid(key, version), kty: version.kty, key_ops: key.operations },
    attributes: attributesOf(key, version),
    ...(key.tags ? { tags: key.tags } : {}),
  };
}

/** The attributes of a version as the data plane shows them. */
export function attributesOf(key: Key, version: KeyVersion): Record<string, unknown> {
  return {
    enabled: key.enabled,
    ...(key.notBefore === undefined ? {} : { nbf: key.notBefore }),
    ...(key.expires === undefined ? {} : { exp: key.expires }),
    created: version.created,
    updated: key.updated,
    recoveryLevel: key.recoveryLevel,
    exportable: false,
  };
}

export type Operation = "encrypt" | "decrypt" | "wrapKey" | "unwrapKey";

/** Runs an operation on a value. @throws ServiceError where the key's attributes or operations forbid it. */
export function operate(key: Key, version: KeyVersion, operation: Operation, algorithm: string, value: Buffer): Buffer {
  demandUsable(key, operation);
  const oaepHash = oaepHashes[algorithm];
  if (oaepHash === undefined || !version.kty.startsWith("RSA")) {
    throw badParameter(
      `Key and encryption algorithm are incompatible. Key ${kid(key, version)} is of type '${version.kty}', and the ` +
        `algorithm is '${algorithm}'; RSA keys take ${Object.keys(oaepHashes).join(" and ")} here.`,
    );
  }
  const options = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash };
  try {
    return operation === "encrypt" || operation === "wrapKey"
      ? publicEncrypt({ ...options, key: version.publicKey }, value)
      : privateDecrypt({ ...options, key: version.privateKey }, value);
  } catch {
    // Key Vault does not say more of a value that is too long or was encrypted otherwise.
    throw badParameter("The parameter is incorrect.\r\n");
  }
}

function demandUsable(key: Key, operation: Operation): void {
  const forbid = (word: string, inner: string) =>
    keyVaultError(403, "Forbidden", `Operation ${operation} is not ${word}.`, inner);
  if (!key.enabled) throw forbid("allowed on a disabled key", "KeyDisabled");
  if (!key.operations.includes(operation)) throw forbid("permitted on this key", "KeyOperationForbidden");
  // What was encrypted once can be read after the key's time, too.
  if (operation === "decrypt" || operation === "unwrapKey") return;
  const now = Date.now() / 1000;
  if (key.expires !== undefined && key.expires <= now) throw forbid("allowed on an expired key", "KeyExpired");
  if (key.notBefore !== undefined && key.notBefore > now)
    throw forbid("allowed on a not yet valid key", "KeyNotYetValid");
}
