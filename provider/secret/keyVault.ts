// Keys of Azure Key Vault: their URLs, and their public part over the vault's data plane (ARM does not give it).

import { createPublicKey, type KeyObject } from "node:crypto";
import type { TokenCredential } from "@azure/identity";
import { send } from "../../net/http.ts";
import { Again, retry } from "../../net/retry.ts";
import { credential as environmentCredential } from "../azure/armClient.ts";
import { ROLE_WAITS } from "../azure/patience.ts";
import type { VaultKey } from "./sops.ts";

/** Where a key is: its vault, name and, unless the newest is meant, version. */
export interface KeyLocation {
  readonly vaultUrl: string;
  readonly name: string;
  readonly version?: string;
}

/** The data planes of Azure's clouds; a token is sent to no other host. */
const VAULT_DOMAINS = ["vault.azure.net", "vault.azure.cn", "vault.usgovcloudapi.net", "managedhsm.azure.net"];

const KEY_URL = /^(https:\/\/[a-z0-9-]{3,24}\.([a-z.]+))\/keys\/([A-Za-z0-9-]{1,127})(?:\/([A-Za-z0-9]{1,64}))?\/?$/i;

/** Takes `https://<vault>.vault.azure.net/keys/<name>[/<version>]` apart; undefined when it is no such URL. */
export function parseKeyUrl(url: string): KeyLocation | undefined {
  const [, vaultUrl, domain, name, version] = KEY_URL.exec(url) ?? [];
  if (!vaultUrl || !domain || !name || !VAULT_DOMAINS.includes(domain.toLowerCase())) return undefined;
  return { vaultUrl, name, ...(version ? { version } : {}) };
}

/** What tells keys apart, whatever their versions: `https://<vault>/keys/<name>` in lower case, as Azure takes any. */
export function keyAddress({ vaultUrl, name }: Pick<KeyLocation, "vaultUrl" | "name">): string {
  return `${vaultUrl}/keys/${name}`.toLowerCase();
}

/** The URL of a key version, as ARM and SOPS write it. */
export function keyUrl(key: Pick<VaultKey, "vaultUrl" | "name" | "version">): string {
  return `${key.vaultUrl}/keys/${key.name}/${key.version}`;
}

/**
 * Reads a public key in PEM form.
 *
 * @throws Error when it is no RSA public key of at least 2048 bits; a private key is refused and never shown
 */
export function parsePublicKey(pem: string): KeyObject {
  if (pem.includes("PRIVATE KEY")) throw new Error("this is a private key: give the public part only");
  let key: KeyObject;
  try {
    key = createPublicKey(pem);
  } catch {
    throw new Error("this is no public key in PEM form: it starts with -----BEGIN PUBLIC KEY-----");
  }
  return rsaKey(key);
}

function rsaKey(key: KeyObject): KeyObject {
  const bits = key.asymmetricKeyDetails?.modulusLength ?? 0;
  if (key.asymmetricKeyType === "rsa" && bits >= 2048) return key;
  throw new Error(`SOPS needs an RSA key of at least 2048 bits, this is ${key.asymmetricKeyType} of ${bits} bits`);
}

/** How `readKey` asks. */
export interface ReadKeyOptions {
  readonly signal: AbortSignal;
  /** Told why a try is repeated. */
  readonly log: (message: string) => void;
  /** Default: that of the environment. */
  readonly credential?: TokenCredential;
  /** Waits between tries in seconds. Default: ten minutes in all, which a new role assignment may need. */
  readonly waits?: readonly number[];
}

/**
 * Reads a key's concrete version and public part (the right `Microsoft.KeyVault/vaults/keys/read`).
 *
 * @throws Error naming the key and the remedy when the vault refuses, cannot be reached or has no such key
 */
export async function readKey(location: KeyLocation, options: ReadKeyOptions): Promise<VaultKey> {
  const waits = options.waits?.map((seconds) => seconds * 1000) ?? ROLE_WAITS;
  return retry<VaultKey>(
    async ({ wait }) => {
      const answer = await getKey(location, options);
      if ("key" in answer) return answer.key;
      if (wait === undefined || !answer.again) throw new Error(answer.problem);
      options.log(`${answer.problem} Trying again in ${wait / 1000} s.`);
      return new Again();
    },
    { waits, signal: options.signal },
  );
}

type Answer = { key: VaultKey } | { problem: string; again: boolean };

async function getKey(location: KeyLocation, { signal, credential = environmentCredential() }: ReadKeyOptions) {
  const { vaultUrl, name, version } = location;
  const where = `key ${name} of ${vaultUrl}`;
  const scope = `https://${new URL(vaultUrl).hostname.split(".").slice(1).join(".")}/.default`;
  const token = await credential.getToken(scope, { abortSignal: signal });
  const init: RequestInit = { headers: { authorization: `Bearer ${token?.token}` }, redirect: "error" };
  const url = `${vaultUrl}/keys/${name}${version ? `/${version}` : ""}?api-version=7.4`;
  const response = await send(url, init, { signal, repeatable: true }).catch((error: Error) => {
    signal.throwIfAborted();
    throw new Error(`${where} cannot be reached. ${PIN}`, { cause: error });
  });
  const body = response.body.toString();
  return response.ok ? { key: parseKey(location, body) } : refusal(where, response.status, body);
}

const PIN =
  "Run this where the vault's network lets it in, or pin the key's public part (setting `sops.publicKey`, argument `publicKey`).";

function refusal(where: string, status: number, body: string): Answer {
  const { code, message } = parseError(body);
  const said = `the vault answered ${status} for ${where}${code ? ` (${code})` : ""}: ${message}`;
  if (status === 404) return { problem: `${said} Check the key's URL.`, again: false };
  if (status !== 403) return { problem: said, again: false };
  if (code === "ForbiddenByFirewall" || code === "ForbiddenByConnection")
    return { problem: `${said} ${PIN}`, again: false };
  return { problem: `${said} The caller needs a role with keys/read on it, such as Key Vault Reader.`, again: true };
}

/** The first line of a data plane's error and its innermost code. */
function parseError(body: string): { code?: string; message: string } {
  try {
    const { error } = JSON.parse(body) as {
      error: { code?: string; message?: string; innererror?: { code?: string } };
    };
    const code = error.innererror?.code ?? error.code;
    return { message: error.message?.split(/\r?\n/)[0] ?? "", ...(code ? { code } : {}) };
  } catch {
    return { message: "no reason given." };
  }
}

function parseKey(location: KeyLocation, body: string): VaultKey {
  const { key } = JSON.parse(body) as { key: { kid: string; kty: string; n: string; e: string } };
  const version = parseKeyUrl(key.kid)?.version;
  if (!version) throw new Error(`the vault gave a key without a version: ${key.kid}`);
  const jwk = { kty: "RSA", n: key.n, e: key.e };
  if (!key.kty.startsWith("RSA")) throw new Error(`${key.kid} is a key of type ${key.kty}: SOPS needs RSA`);
  const publicKey = rsaKey(createPublicKey({ key: jwk, format: "jwk" }));
  return { vaultUrl: location.vaultUrl, name: location.name, version, publicKey };
}
