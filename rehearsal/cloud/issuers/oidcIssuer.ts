// An issuer of OpenID Connect: signs claims, and tells its keys below its own address as discovery wants it.
import { createHash, generateKeyPair, type KeyObject, randomUUID } from "node:crypto";
import { promisify } from "node:util";
import { type Jwk, signJwt } from "../entra/jwt.ts";
import type { CloudRequest, CloudResponse } from "../types.ts";

const generate = promisify(generateKeyPair);

/** Who a token is about and for whom, and whatever else its issuer says. */
export interface TokenClaims {
  readonly sub: string;
  readonly aud: string;
  readonly [claim: string]: unknown;
}

export class OidcIssuer {
  /** Its `iss`, without a slash at its end. */
  readonly url: string;
  /** The public half of its key. */
  readonly jwk: Jwk;
  readonly #key: KeyObject;
  readonly #now: () => Date;

  private constructor(url: string, jwk: Jwk, key: KeyObject, now: () => Date) {
    this.url = url;
    this.jwk = jwk;
    this.#key = key;
    this.#now = now;
  }

  /** An issuer with a key of its own. @param now the time; default: now. */
  static async create(url: string, now: () => Date = () => new Date()): Promise<OidcIssuer> {
    const { publicKey, privateKey } = await generate("rsa", { modulusLength: 2048 });
    const spki = publicKey.export({ type: "spki", format: "der" });
    const kid = createHash("sha1").update(spki).digest("hex").toUpperCase();
    return new OidcIssuer(
      url,
      { ...publicKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid },
      privateKey,
      now,
    );
  }

  /** All its public keys. */
  get keys(): readonly Jwk[] {
    return [this.jwk];
  }

  /** A signed token. @param lifetime in seconds; default 300. */
  sign(claims: TokenClaims, lifetime = 300): string {
    const now = Math.floor(this.#now().getTime() / 1000);
    const all = { jti: randomUUID(), iss: this.url, iat: now, nbf: now - 5, exp: now + lifetime, ...claims };
    return signJwt({ kid: this.jwk.kid }, all, this.#key);
  }

  /** Answers for discovery and keys; undefined for every other address. */
  answer({ method, url }: Pick<CloudRequest, "method" | "url">): CloudResponse | undefined {
    if (method !== "GET") return undefined;
    const jwks = `${this.url}/.well-known/jwks`;
    const address = `${url.origin}${url.pathname}`;
    if (address === jwks) return { status: 200, body: { keys: this.keys } };
    if (address !== `${this.url}/.well-known/openid-configuration`) return undefined;
    const body = {
      issuer: this.url,
      jwks_uri: jwks,
      subject_types_supported: ["public", "pairwise"],
      response_types_supported: ["id_token"],
      claims_supported: ["sub", "aud", "exp", "iat", "iss", "jti", "nbf"],
      id_token_signing_alg_values_supported: ["RS256"],
      scopes_supported: ["openid"],
    };
    return { status: 200, body };
  }
}
