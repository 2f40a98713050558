// Access tokens: made and verified with the tenant's signing key.
import { createHash, generateKeyPair, type KeyObject, randomUUID } from "node:crypto";
import { promisify } from "node:util";
import type { Principal } from "../types.ts";
import { TokenError } from "./errors.ts";
import { isSignedBy, type Jwk, type Jwt, parseJwt, signJwt } from "./jwt.ts";

const generate = promisify(generateKeyPair);

/** Seconds that an access token lives. */
export const TOKEN_LIFETIME = 3600;

/** The services that a token can be for: application id, then identifier URIs without a trailing slash. */
const resources: readonly (readonly string[])[] = [
  ["797f4846-ba00-4fd7-ba43-dac1f8f63013", "https://management.azure.com", "https://management.core.windows.net"],
  ["00000003-0000-0000-c000-000000000000", "https://graph.microsoft.com"],
  ["cfa8b339-82a2-471a-a3c9-0fc0be7a4093", "https://vault.azure.net"],
  ["6a0ec4d3-30cb-4a83-91c0-ae56bc0e3d26", "https://containerregistry.azure.net"],
  ["e406a681-f3d4-42a8-90b6-c2b029497af1", "https://storage.azure.com"],
  // AKS' server application, known by its id alone.
  ["6dae42f8-4368-4678-94ff-3960e28e3630"],
  // Azure DevOps
  ["499b84ac-1321-427f-aa17-267ca6975798", "https://app.vssps.visualstudio.com"],
];

/**
 * The application id of a service.
 * @param resource its id or an identifier URI; a trailing slash does not matter.
 */
export function resourceId(resource: string): string | undefined {
  const plain = resource.replace(/\/$/, "").toLowerCase();
  return resources.find((names) => names.includes(plain))?.[0];
}

/** Issues and verifies access tokens of one tenant. */
export class TokenIssuer {
  /** The signing key's public part, as the discovery keys show it. */
  readonly jwk: Jwk;
  readonly #tenantId: string;
  readonly #privateKey: KeyObject;
  readonly #publicKey: KeyObject;
  readonly #now: () => Date;

  private constructor(tenantId: string, publicKey: KeyObject, privateKey: KeyObject, now: () => Date) {
    this.#tenantId = tenantId;
    this.#publicKey = publicKey;
    this.#privateKey = privateKey;
    this.#now = now;
    const spki = publicKey.export({ type: "spki", format: "der" });
    const kid = createHash("sha1").update(spki).digest("base64url");
    this.jwk = { ...publicKey.export({ format: "jwk" }), use: "sig", alg: "RS256", kid };
  }

  static async create(tenantId: string, now: () => Date): Promise<TokenIssuer> {
    const { publicKey, privateKey } = await generate("rsa", { modulusLength: 2048 });
    return new TokenIssuer(tenantId, publicKey, privateKey, now);
  }

  /**
   * A token for an application or managed identity.
   * @param audience the resource as it was asked for; it becomes `aud`.
   * @param how `1` with a secret, `2` with an assertion.
   * @param roles application permissions at the resource.
   */
  issue(principal: Principal, audience: string, how: "1" | "2", roles: readonly string[]): string {
    const now = Math.floor(this.#now().getTime() / 1000);
    const issuer = `https://sts.windows.net/${this.#tenantId}/`;
    const claims = {
      aud: audience,
      iss: issuer,
      iat: now,
      nbf: now,
      exp: now + TOKEN_LIFETIME,
      aio: randomUUID(),
      appid: principal.clientId,
      appidacr: how,
      idp: issuer,
      idtyp: "app",
      oid: principal.objectId,
      ...(roles.length > 0 ? { roles } : {}),
      sub: principal.objectId,
      tid: this.#tenantId,
      uti: randomUUID(),
      ver: "1.0",
      ...(principal.identityId === undefined ? {} : { xms_mirid: principal.identityId }),
    };
    return signJwt({ kid: this.jwk.kid, x5t: this.jwk.kid }, claims, this.#privateKey);
  }

  /** Signs claims of another kind of token for five minutes: Azure DevOps has the tenant sign those of its connections. */
  sign(claims: Readonly<Record<string, unknown>>): string {
    const now = Math.floor(this.#now().getTime() / 1000);
    return signJwt({ kid: this.jwk.kid }, { iat: now, nbf: now, exp: now + 300, ...claims }, this.#privateKey);
  }

  /**
   * The object id of a bearer token's principal.
   * @param authorization the Authorization header.
   * @throws TokenError
   */
  verify(authorization: string | undefined, audience: string): string {
    const jwt = this.#bearer(authorization);
    if (!isSignedBy(jwt, this.#publicKey))
      throw this.#fault("InvalidAuthenticationToken", "The access token is invalid.");
    const { aud, exp, oid } = jwt.claims;
    const now = this.#now();
    if (Number(exp) * 1000 <= now.getTime()) {
      const expiry = new Date(Number(exp) * 1000).toISOString();
      throw this.#fault(
        "ExpiredAuthenticationToken",
        `The access token expiry UTC time '${expiry}' is earlier than current UTC time '${now.toISOString()}'.`,
      );
    }
    if (!isSameAudience(String(aud), audience)) {
      throw this.#fault(
        "InvalidAuthenticationTokenAudience",
        `The access token has been obtained for wrong audience or resource '${aud}'. ` +
          `It should exactly match with one of the allowed audiences '${audience}','${audience}/'.`,
      );
    }
    return String(oid);
  }

  #bearer(authorization: string | undefined): Jwt {
    if (!authorization) {
      throw this.#fault("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.");
    }
    const token = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
    if (token === undefined) {
      throw this.#fault(
        "AuthenticationFailed",
        "Authentication failed. The 'Authorization' header is provided in an invalid format.",
      );
    }
    const jwt = parseJwt(token);
    if (!jwt) throw this.#fault("InvalidAuthenticationToken", "The access token is invalid.");
    return jwt;
  }

  #fault(code: ConstructorParameters<typeof TokenError>[0], message: string): TokenError {
    return new TokenError(code, message, this.#tenantId);
  }
}

function isSameAudience(actual: string, expected: string): boolean {
  const id = resourceId(expected);
  return id === undefined ? actual.replace(/\/$/, "") === expected : resourceId(actual) === id;
}
