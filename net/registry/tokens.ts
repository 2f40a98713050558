// Tokens of registries: anonymous ones (https://distribution.github.io/distribution/spec/auth/token/) and those that an
// Azure container registry gives for an Entra token (https://aka.ms/acr/auth/oauth). There one token reads all
// repositories, as Azure's own client asks for it (https://github.com/Azure/acr-cli/blob/main/internal/api/acrsdk.go).

import type { TokenCredential } from "@azure/identity";
import { type Answer, type SendOptions, send } from "../http.ts";
import { isMap } from "../values.ts";
import { RegistryError, refusal } from "./errors.ts";

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
  readonly login?: RegistryLogin | (() => Promise<RegistryLogin | undefined>) | undefined;
  readonly send: SendOptions;
}

/** In a scope, every repository: no more can be asked for, and what the caller may not do anyway is not granted. */
const ALL = "*";
const SCOPE_OF_ALL = `repository:${ALL}:pull`;

const ENTRA_SCOPE = "https://containerregistry.azure.net/.default";

/** How long a token lives, in milliseconds, where nothing is said about it: as long as the specification says. */
const DEFAULT_LIFE = 60_000;

/** How long before its end a token is no longer used, in milliseconds. */
const MARGIN = 10_000;

/** An Azure registry's refresh token lives three hours; this is how long it is used, in milliseconds. */
const REFRESH_LIFE = 3_600_000;

interface Timed {
  readonly value: Promise<string>;
  ends: number;
}

/** What a request shows to be let in. */
export interface Token {
  /** The Authorization header. */
  readonly authorization: string;
  /** Whether it is meant for all repositories of a registry, which may not grant that. */
  readonly isForAll: boolean;
  /** Milliseconds since 1970. */
  readonly ends: number;
}

/** The tokens of one registry, and of those that it sends on to, by host, repository and access. */
export class RegistryTokens {
  readonly #endpoint: string;
  readonly #host: string;
  readonly #credential: TokenCredential | undefined;
  readonly #login: () => Promise<RegistryLogin | undefined>;
  #asked: Promise<RegistryLogin | undefined> | undefined;
  readonly #send: SendOptions;
  readonly #tokens = new Map<string, Token>();
  /** What is being asked for now, under the same keys: who wants the same waits for it. */
  readonly #pending = new Map<string, Promise<Token>>();
  /** Whether the registry gives tokens of single repositories alone: it has permissions of repositories (ABAC). */
  #isPerRepository = false;
  /** How the hosts ask for tokens, by origin. */
  readonly #challenges = new Map<string, string>();
  /** The first request to a host, by origin: the others wait for it, so that one of them is asked for a token and not all. */
  readonly #first = new Map<string, PromiseWithResolvers<void>>();
  #refresh: Timed | undefined;

  /** @param host as in image names; who has neither credential nor login gets anonymous tokens. */
  constructor(host: string, endpoint: string, { credential, login, send }: TokenOptions) {
    this.#host = host;
    this.#endpoint = endpoint;
    this.#credential = credential;
    this.#login = typeof login === "function" ? login : async () => login;
    this.#send = send;
  }

  /** A token that was given before for the host at `origin` and still serves. */
  known(origin: string, repository: string, access: Access): Token | undefined {
    return this.#kept(keyOf(origin, repository, access)) ?? this.#ofAll(origin, access);
  }

  /**
   * The token for the first request to a host: one that still serves, or one of a host that is known to want tokens, for
   * another repository of it.
   */
  async expected(origin: string, repository: string, access: Access): Promise<Token | undefined> {
    const token = this.known(origin, repository, access);
    if (token !== undefined) return token;
    const first = this.#first.get(origin);
    if (first === undefined) this.#first.set(origin, Promise.withResolvers());
    else await first.promise;
    const given = this.known(origin, repository, access);
    const challenge = this.#challenges.get(origin);
    return given ?? (challenge === undefined ? undefined : this.obtain(challenge, origin, repository, access));
  }

  /** The first request to a host is over: what it taught, all that come after it know. */
  met(origin: string): void {
    this.#first.get(origin)?.resolve();
  }

  /** A token of the repository's own let in whom the one for all did not: nobody needs to try that again. */
  keepToRepositories(): void {
    this.#isPerRepository = true;
  }

  /**
   * Gets a token as a 401 asks for it.
   * @param challenge the WWW-Authenticate header.
   * @param origin of the host that asks; only there the token is to be sent.
   * @param refused what was shown to this host in vain. After a token for all repositories comes the repository's own.
   * @returns undefined where the registry does not want a bearer token.
   * @throws RegistryError when the token is refused.
   */
  async obtain(
    challenge: string | null,
    origin: string,
    repository: string,
    access: Access,
    refused?: Token,
  ): Promise<Token | undefined> {
    this.#forget(refused);
    // Somebody else may have got another one meanwhile.
    const known = refused?.isForAll ? this.#kept(keyOf(origin, repository, access)) : undefined;
    if (known !== undefined) return known;
    // Behind a redirect stands another registry, which these credentials are not for.
    const isOwn = origin === new URL(this.#endpoint).origin;
    this.#asked ??= this.#login();
    const login = isOwn ? await this.#asked : undefined;
    const basic = login && basicOf(login);
    const wanted = parseChallenge(challenge);
    if (wanted === undefined) {
      if (basic === undefined || !/^basic\b/i.test(challenge ?? "")) return undefined;
      const token = { authorization: basic, isForAll: false, ends: Number.POSITIVE_INFINITY };
      this.#tokens.set(keyOf(origin, repository, access), token);
      return token;
    }
    const learn = () => isOwn && challenge !== null && this.#challenges.set(origin, challenge);
    const isEntras = isOwn && this.#credential !== undefined && basic === undefined;
    if (isEntras && access === "pull" && !this.#isPerRepository && !refused?.isForAll) {
      const token = await this.#forAll(wanted, origin);
      learn();
      if (token !== undefined) return token;
    }
    // There the repository may have another name too, which only the host knows.
    const scope = (isOwn ? undefined : wanted.scope) ?? `repository:${repository}:${access}`;
    const token = await this.#shared(keyOf(origin, repository, access), async () => {
      const body = isEntras ? await this.#exchange(wanted, scope) : await this.#byRealm(wanted, scope, origin, basic);
      return tokenOf(body, wanted, scope);
    });
    learn();
    // Whether all have to ask for their own is not known before it has let somebody in.
    if (!refused?.isForAll) this.met(origin);
    return token;
  }

  /** A token that reads all repositories; undefined where the registry does not give any. */
  async #forAll(wanted: Challenge, origin: string): Promise<Token | undefined> {
    // Who gets no token at all for his Entra token gets none for a single repository either.
    await this.#refreshToken(this.#serviceOf(wanted));
    try {
      return await this.#shared(keyOf(origin, ALL, "pull"), async () =>
        tokenOf(await this.#exchange(wanted, SCOPE_OF_ALL), wanted, SCOPE_OF_ALL),
      );
    } catch (error) {
      if (!(error instanceof RegistryError) || (error.status !== 400 && error.status !== 401)) throw error;
      this.#isPerRepository = true;
      return undefined;
    }
  }

  #ofAll(origin: string, access: Access): Token | undefined {
    return access === "pull" && !this.#isPerRepository ? this.#kept(keyOf(origin, ALL, "pull")) : undefined;
  }

  #kept(key: string): Token | undefined {
    const token = this.#tokens.get(key);
    return token !== undefined && token.ends > Date.now() ? token : undefined;
  }

  #forget(refused: Token | undefined): void {
    for (const [key, token] of this.#tokens) if (token === refused) this.#tokens.delete(key);
  }

  /** Asks for a token and keeps it; who wants the same meanwhile gets the same. */
  #shared(key: string, ask: () => Promise<Token>): Promise<Token> {
    const pending = this.#pending.get(key);
    if (pending !== undefined) return pending;
    const asked = ask()
      .then((token) => {
        this.#tokens.set(key, token);
        return token;
      })
      .finally(() => this.#pending.delete(key));
    this.#pending.set(key, asked);
    return asked;
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
    const service = this.#serviceOf(wanted);
    const refresh_token = await this.#refreshToken(service);
    return this.#post("/oauth2/token", { grant_type: "refresh_token", service, scope, refresh_token });
  }

  /** @throws Error for a registry that sends for tokens to somebody else: the Entra token goes to itself and nowhere else. */
  #serviceOf(wanted: Challenge): string {
    const realm = realmOf(wanted, this.#endpoint);
    if (realm.origin === this.#endpoint) return wanted.service ?? realm.host;
    throw new Error(`${this.#endpoint} sends for tokens to ${realm.origin}: refused`);
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

const keyOf = (origin: string, repository: string, access: Access) => `${origin} ${repository} ${access}`;

function tokenOf(body: TokenBody, { realm }: Challenge, scope: string): Token {
  const token = body.access_token ?? body.token;
  if (token === undefined) throw new Error(`${realm} gave no token for ${scope}`);
  const life = body.expires_in === undefined ? (lifeOf(token) ?? DEFAULT_LIFE) : body.expires_in * 1000;
  const isForAll = scope === SCOPE_OF_ALL;
  return { authorization: `Bearer ${token}`, isForAll, ends: Date.now() + life - MARGIN };
}

/**
 * How long a token lives that is a JSON Web Token, in milliseconds. An Azure registry does not say it elsewhere, and its
 * clock is not this one.
 */
function lifeOf(token: string): number | undefined {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString());
    if (!isMap(claims) || typeof claims.exp !== "number" || typeof claims.iat !== "number") return undefined;
    return (claims.exp - claims.iat) * 1000;
  } catch {
    return undefined;
  }
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
