// Tokens of registries: anonymous ones (https://distribution.github.io/distribution/spec/auth/token/) and those that an
// Azure container registry gives for an Entra token (https://aka.ms/acr/auth/oauth).

import type { TokenCredential } from "@azure/identity";
import { type Answer, type SendOptions, send } from "../http.ts";
import { refusal } from "./errors.ts";

export type Access = "pull" | "pull,push";

/** A user name and a password, or a token in the place of one, of a registry. */
export interface RegistryLogin {
  readonly username: string;
  readonly password: string;
}

/** Who asks for tokens, and how. */
export interface TokenOptions {
  /** Entra's, of an Azure container registry. */
  readonly credential?: TokenCredential | undefined;
  /** Of a registry that knows its users by a password. */
  readonly login?: RegistryLogin | undefined;
  readonly send: SendOptions;
}

const ENTRA_SCOPE = "https://containerregistry.azure.net/.default";

/** How long a token serves, in milliseconds, where nothing is said about it: the specification's 60 s, less a margin. */
const DEFAULT_LIFE = 50_000;

/** An Azure registry's refresh token lives three hours; this is how long it is used, in milliseconds. */
const REFRESH_LIFE = 3_600_000;

interface Timed {
  readonly value: Promise<string>;
  ends: number;
}

/** The tokens of one registry, and of those that it sends on to, by host, repository and access. */
export class RegistryTokens {
  readonly #endpoint: string;
  readonly #host: string;
  readonly #credential: TokenCredential | undefined;
  readonly #login: RegistryLogin | undefined;
  readonly #send: SendOptions;
  readonly #tokens = new Map<string, { authorization: string; ends: number }>();
  #refresh: Timed | undefined;

  /** @param host as in image names; who has neither credential nor login gets anonymous tokens. */
  constructor(host: string, endpoint: string, { credential, login, send }: TokenOptions) {
    this.#host = host;
    this.#endpoint = endpoint;
    this.#credential = credential;
    this.#login = login;
    this.#send = send;
  }

  /** The Authorization header of a token that was given before for the host at `origin` and still serves. */
  known(origin: string, repository: string, access: Access): string | undefined {
    const token = this.#tokens.get(`${origin} ${repository} ${access}`);
    return token !== undefined && token.ends > Date.now() ? token.authorization : undefined;
  }

  /**
   * Gets a token as a 401 asks for it.
   * @param challenge the WWW-Authenticate header.
   * @param origin of the host that asks; only there the token is to be sent.
   * @returns the Authorization header; undefined where the registry does not want a bearer token.
   * @throws RegistryError when the token is refused.
   */
  async obtain(
    challenge: string | null,
    origin: string,
    repository: string,
    access: Access,
  ): Promise<string | undefined> {
    // Behind a redirect stands another registry, which these credentials are not for.
    const isOwn = origin === new URL(this.#endpoint).origin;
    const basic = isOwn && this.#login ? basicOf(this.#login) : undefined;
    const wanted = parseChallenge(challenge);
    if (wanted === undefined) {
      if (basic === undefined || !/^basic\b/i.test(challenge ?? "")) return undefined;
      this.#keep(origin, repository, access, { authorization: basic, ends: Number.POSITIVE_INFINITY });
      return basic;
    }
    // There the repository may have another name too, which only the host knows.
    const scope = (isOwn ? undefined : wanted.scope) ?? `repository:${repository}:${access}`;
    const body =
      this.#credential && basic === undefined
        ? await this.#exchange(wanted, scope)
        : await this.#byRealm(wanted, scope, origin, basic);
    const token = body.access_token ?? body.token;
    if (token === undefined) throw new Error(`${wanted.realm} gave no token for ${scope}`);
    const life = body.expires_in === undefined ? DEFAULT_LIFE : (body.expires_in - 10) * 1000;
    const authorization = `Bearer ${token}`;
    this.#keep(origin, repository, access, { authorization, ends: Date.now() + life });
    return authorization;
  }

  #keep(origin: string, repository: string, access: Access, token: { authorization: string; ends: number }): void {
    this.#tokens.set(`${origin} ${repository} ${access}`, token);
  }

  /** @param basic the Authorization header that proves who asks; anonymous without. */
  async #byRealm(wanted: Challenge, scope: string, origin: string, basic: string | undefined): Promise<TokenBody> {
    const url = realmOf(wanted, origin);
    if (wanted.service !== undefined) url.searchParams.set("service", wanted.service);
    url.searchParams.set("scope", scope);
    const init = basic === undefined ? {} : { headers: { authorization: basic } };
    const response = await send(url, init, this.#send);
    return this.#read(response, `${url.host}: no ${basic === undefined ? "anonymous " : ""}token for ${scope}`);
  }

  async #exchange(wanted: Challenge, scope: string): Promise<TokenBody> {
    const realm = realmOf(wanted, this.#endpoint);
    // The Entra token goes to the registry itself and nowhere else.
    if (realm.origin !== this.#endpoint)
      throw new Error(`${this.#endpoint} sends for tokens to ${realm.origin}: refused`);
    const service = wanted.service ?? realm.host;
    const refresh_token = await this.#refreshToken(service);
    return this.#post("/oauth2/token", { grant_type: "refresh_token", service, scope, refresh_token });
  }

  #refreshToken(service: string): Promise<string> {
    if (this.#refresh === undefined || this.#refresh.ends < Date.now()) {
      const value = this.#newRefreshToken(service);
      const entry: Timed = { value, ends: Date.now() + REFRESH_LIFE };
      this.#refresh = entry;
      value.catch(() => {
        if (this.#refresh === entry) this.#refresh = undefined;
      });
    }
    return this.#refresh.value;
  }

  async #newRefreshToken(service: string): Promise<string> {
    const entra = await this.#credential?.getToken(ENTRA_SCOPE);
    if (!entra) throw new Error(`no Entra token for ${ENTRA_SCOPE}`);
    const form = { grant_type: "access_token", service, access_token: entra.token };
    const { refresh_token } = await this.#post("/oauth2/exchange", form);
    if (refresh_token === undefined) throw new Error(`${this.#endpoint} gave no token for the Entra token`);
    return refresh_token;
  }

  async #post(path: string, form: Record<string, string>): Promise<TokenBody> {
    const init = { method: "POST", body: new URLSearchParams(form) };
    const response = await send(`${this.#endpoint}${path}`, init, this.#send);
    return this.#read(response, `${new URL(this.#endpoint).host}: ${path} refused`);
  }

  #read(response: Answer, what: string): TokenBody {
    if (!response.ok) throw refusal(response, what, this.#host);
    return JSON.parse(response.body.toString()) as TokenBody;
  }
}

function basicOf({ username, password }: RegistryLogin): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

/** @throws Error for a realm that is reached without TLS, unless the host that asks is too. */
function realmOf(wanted: Challenge, origin: string): URL {
  const url = new URL(wanted.realm);
  if (url.protocol === "https:" || url.protocol === new URL(origin).protocol) return url;
  throw new Error(`${origin} sends for tokens to ${wanted.realm}, which is not https: refused`);
}

interface TokenBody {
  readonly token?: string;
  readonly access_token?: string;
  readonly refresh_token?: string;
  /** Seconds. */
  readonly expires_in?: number;
}

interface Challenge {
  readonly realm: string;
  readonly service: string | undefined;
  readonly scope: string | undefined;
}

function parseChallenge(header: string | null): Challenge | undefined {
  if (header === null || !/^bearer\s/i.test(header)) return undefined;
  const parameters = new Map<string, string>();
  for (const [, key, value] of header.matchAll(/([a-z_]+)="([^"]*)"/gi)) {
    if (key !== undefined && value !== undefined) parameters.set(key.toLowerCase(), value);
  }
  const realm = parameters.get("realm");
  if (realm === undefined) return undefined;
  return { realm, service: parameters.get("service"), scope: parameters.get("scope") };
}
