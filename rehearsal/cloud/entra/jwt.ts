// JSON Web Tokens (RFC 7519) as Entra and its federated issuers sign them: RSA with SHA-2 only.
import { createPublicKey, type JsonWebKey, type KeyObject, sign, verify } from "node:crypto";

/** A JSON Web Key as far as it is used here. */
export type Jwk = JsonWebKey & { readonly kid?: string };

export interface Jwt {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
  readonly signed: string;
  readonly signature: Buffer;
}

/** The digest of each signature algorithm that Entra accepts in a client assertion. */
export const algorithms: Readonly<Record<string, string>> = { RS256: "sha256", RS384: "sha384", RS512: "sha512" };

/** Signs claims with RS256. */
export function signJwt(header: Record<string, unknown>, claims: Record<string, unknown>, key: KeyObject): string {
  const signed = [{ typ: "JWT", alg: "RS256", ...header }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${signed}.${sign("sha256", Buffer.from(signed), key).toString("base64url")}`;
}

/** @returns the token's parts, not yet verified; undefined where it is no JWT. */
export function parseJwt(token: string): Jwt | undefined {
  const parts = token.split(".");
  const [header, claims, signature] = parts;
  if (parts.length !== 3 || !header || !claims || signature === undefined) return undefined;
  const decoded = [header, claims].map(parseObject);
  if (!decoded[0] || !decoded[1]) return undefined;
  return {
    header: decoded[0],
    claims: decoded[1],
    signed: `${header}.${claims}`,
    signature: Buffer.from(signature, "base64url"),
  };
}

/** Whether this key signed the token, with an algorithm of `algorithms`. */
export function isSignedBy(jwt: Jwt, key: KeyObject | Jwk): boolean {
  const digest = algorithms[String(jwt.header.alg)];
  if (digest === undefined) return false;
  const publicKey = "type" in key ? (key as KeyObject) : createPublicKey({ key: key, format: "jwk" });
  if (publicKey.asymmetricKeyType !== "rsa") return false;
  return verify(digest, Buffer.from(jwt.signed), publicKey, jwt.signature);
}

function parseObject(part: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, "base64url").toString());
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
