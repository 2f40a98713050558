// A GitHub App's way to a token: a JSON Web Token that its key signs, for a token of the installation that sees a repository.
// https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app

import { createHash, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { describe } from "./describe.ts";
import { GITHUB_HEADERS, gitHubApi, gitHubNames } from "./gitHubApi.ts";
import { type Answer, send } from "./http.ts";

/** A GitHub App where it may be installed. */
export interface GitHubApp {
  /** Its id. */
  readonly id: string;
  /** The installation; undefined for the one that the repository belongs to. */
  readonly installationId?: string | undefined;
}

/** What a token is asked for. */
export interface TokenWish {
  readonly app: GitHubApp;
  /** The repository's, over HTTPS; the token is for it alone. */
  readonly url: string;
  /** In PEM. */
  readonly privateKey: string;
  /** Where the key comes from, for whoever reads an error. */
  readonly source: string;
  readonly signal: AbortSignal;
}

interface InstallationToken {
  readonly token: string;
  /** In milliseconds since 1970. */
  readonly ends: number;
}

/** A token with less than this left, in milliseconds, is not given any more: GitHub's live for an hour. */
const SPARE = 10 * 60_000;

/** How long a JSON Web Token is good for, in seconds, of the 600 that GitHub takes; it begins earlier, for clocks that go after. */
const JWT = { before: 60, after: 480 };

/** Tokens of this process, by all that decides about them. */
const kept = new Map<string, Promise<InstallationToken>>();

/**
 * A token of the App's installation, for one repository; the same one until it is about to end.
 * @throws Error that says what is wrong with the App, its key or its installation, without any of it that is secret.
 */
export async function installationToken(wish: TokenWish, now = Date.now): Promise<string> {
  const { app, url, privateKey } = wish;
  const parts = [app.id, app.installationId ?? "", url, privateKey];
  const key = createHash("sha256").update(JSON.stringify(parts)).digest("hex");
  const known = kept.get(key);
  const found = known && (await known.catch(() => undefined));
  if (found !== undefined && found.ends - now() > SPARE) return found.token;
  const renewed = newToken(wish, now);
  kept.set(key, renewed);
  renewed.catch(() => kept.delete(key));
  return (await renewed).token;
}

async function newToken(wish: TokenWish, now: () => number): Promise<InstallationToken> {
  const { app, url, signal } = wish;
  const api = gitHubApi(url);
  const { owner, name } = gitHubNames(url);
  const authorization = `Bearer ${jsonWebToken(wish, now())}`;
  const ask = async (method: string, path: string, body?: object) => {
    const init = { method, headers: { ...GITHUB_HEADERS, authorization }, ...(body && { body: JSON.stringify(body) }) };
    const answer = await send(`${api}${path}`, init, { signal, repeatable: true });
    if (!answer.ok) throw new Error(refusal(wish, answer, `${owner}/${name}`));
    return JSON.parse(answer.body.toString()) as { id?: number; token?: string; expires_at?: string };
  };
  const id = app.installationId ?? String((await ask("GET", `/repos/${owner}/${name}/installation`)).id);
  const { token, expires_at } = await ask("POST", `/app/installations/${id}/access_tokens`, { repositories: [name] });
  const ends = Date.parse(expires_at ?? "");
  if (!token || Number.isNaN(ends)) throw new Error(`${api} gives no token of GitHub App ${app.id}`);
  return { token, ends };
}

/** https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app */
function jsonWebToken({ app, privateKey, source }: TokenWish, now: number): string {
  const seconds = Math.floor(now / 1000);
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = { iat: seconds - JWT.before, exp: seconds + JWT.after, iss: app.id };
  const content = `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}`;
  const problem = appKeyProblem(privateKey);
  if (problem !== undefined) throw new Error(`the key of GitHub App ${app.id} in ${source} ${problem}`);
  return `${content}.${sign("sha256", Buffer.from(content), privateKey).toString("base64url")}`;
}

/** Why a text is no private key of a GitHub App; undefined where it is one. */
export function appKeyProblem(text: string): string | undefined {
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch {
    return "is no private key in PEM without a passphrase, as GitHub gives it";
  }
  return key.asymmetricKeyType === "rsa" ? undefined : "is no RSA key, and GitHub gives no others to Apps";
}

function refusal({ app, source }: TokenWish, answer: Answer, repository: string): string {
  const what = `GitHub App ${app.id}`;
  const said = `${answer.status} ${wordsOf(answer)}`.trim();
  const installation =
    app.installationId === undefined ? `on ${repository}` : `as ${app.installationId}, or not on ${repository}`;
  if (answer.status === 401)
    return `${new URL(answer.url).host} does not take the key in ${source} for ${what}: is it this App's, and this machine's clock right? (${said})`;
  if (answer.status === 404 || answer.status === 422)
    return `${what} is not installed ${installation}: install it there, with the right Contents (${said})`;
  return `${new URL(answer.url).host} gives no token of ${what}: ${said}`;
}

function wordsOf({ body }: Answer): string {
  try {
    return String((JSON.parse(body.toString()) as { message?: unknown }).message ?? "").slice(0, 300);
  } catch (error) {
    return describe(error);
  }
}
