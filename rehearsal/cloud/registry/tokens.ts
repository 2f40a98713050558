// A registry's own tokens: JSON Web Tokens signed with a key of this process, opaque to everybody else.
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from "node:crypto";

/** One entry of an access token: what it allows, and where. */
export interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** Claims of a token; `exp` and its kin are seconds since 1970. */
export interface Claims {
  readonly aud: string;
  readonly sub: string;
  readonly grant_type: "refresh_token" | "access_token";
  readonly exp: number;
  readonly access?: readonly Access[];
  readonly groups?: readonly string[];
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

/** Makes and checks tokens. */
export class TokenMint {
  readonly #key = randomBytes(32);
  readonly #issuer: string;
  readonly #now: () => number;

  /** @param now milliseconds since 1970. */
  constructor(issuer: string, now: () => number) {
    this.#issuer = issuer;
    this.#now = now;
  }

  /** @param lifetime seconds. */
  issue(claims: Omit<Claims, "exp">, lifetime: number): string {
    const iat = Math.floor(this.#now() / 1000);
    const header = encode({ alg: "HS256", typ: "JWT" });
    const payload = encode({
      jti: randomUUID(),
      iss: this.#issuer,
      iat,
      nbf: iat,
      exp: iat + lifetime,
      version: "1.0",
      ...claims,
    });
    return `${header}.${payload}.${this.#sign(`${header}.${payload}`)}`;
  }

  /** The claims of a token of this mint for this service; undefined when it is forged, expired or for something else. */
  read(token: string, service: string, grantType: Claims["grant_type"]): Claims | undefined {
    const [header, payload, signature] = token.split(".");
    if (!header || !payload || !signature || !this.#signed(`${header}.${payload}`, signature)) return undefined;
    const claims = JSON.parse(Buffer.from(payload, "base64url").toString("utf8")) as Claims;
    const fits = claims.aud === service && claims.grant_type === grantType && claims.exp * 1000 > this.#now();
    return fits ? claims : undefined;
  }

  #sign(text: string): string {
    return createHmac("sha256", this.#key).update(text).digest("base64url");
  }

  #signed(text: string, signature: string): boolean {
    const [expected, given] = [Buffer.from(this.#sign(text)), Buffer.from(signature)];
    return expected.length === given.length && timingSafeEqual(expected, given);
  }
}

/** The entries of one or several `scope` parameters such as `repository:a/b:pull,push`; undefined when one is malformed. */
export function parseScopes(scopes: readonly string[]): Access[] | undefined {
  const entries = scopes.flatMap((scope) => scope.split(" ")).filter((scope) => scope !== "");
  const parsed = entries.map((entry) => /^([a-z]+):(.+):([a-z_*,]+)$/.exec(entry));
  if (parsed.some((match) => match === null)) return undefined;
  return parsed.map((match) => ({
    type: match?.[1] ?? "",
    name: match?.[2] ?? "",
    actions: (match?.[3] ?? "").split(","),
  }));
}
