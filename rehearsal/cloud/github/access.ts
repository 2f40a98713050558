// GitHub's tokens: who they belong to and what they may do.
import { createHash, randomBytes } from "node:crypto";

/** What a token may do with a repository; `metadata` is to know that it is there, which every other right includes. */
export type Right = "metadata" | "read" | "write" | "admin";

export interface TokenOptions {
  /** Default: a new one. */
  readonly token?: string;
  /** The user it belongs to; default `rehearsal`. */
  readonly login?: string;
  /** What it may do with repositories, by `owner/name`. */
  readonly repositories: Readonly<Record<string, Right>>;
  /** Organisations, and the user itself, in which it may make repositories; default none. */
  readonly creates?: readonly string[];
  /**
   * What it may do with pull requests and their comments; default as with the repository. `write` alone is a workflow's
   * permission `pull-requests: write`, `read` what the token of a fork's run has.
   */
  readonly pullRequests?: "read" | "write";
  /** Whose it is: a user's, or an installation's of a GitHub App, as that of a workflow is; default `user`. */
  readonly of?: "user" | "app";
  /** When it ends, in milliseconds since 1970; default never. */
  readonly ends?: number;
}

export interface Token {
  readonly login: string;
  readonly isApp: boolean;
  readonly pullRequests: "read" | "write" | undefined;
  readonly rights: Map<string, Right>;
  readonly ends: number;
  /** In lower case. */
  readonly creates: readonly string[];
  /** Requests of the current hour, and when it ends in milliseconds since 1970. */
  used: number;
  reset: number;
}

const order: readonly Right[] = ["metadata", "read", "write", "admin"];

/** The tokens of one GitHub; only their hashes are kept. */
export class Tokens {
  readonly #tokens = new Map<string, Token>();

  /** @returns the token's text. */
  add({
    token = `github_pat_${randomBytes(41).toString("hex")}`,
    login = "rehearsal",
    repositories,
    creates = [],
    pullRequests,
    of = "user",
    ends = Number.POSITIVE_INFINITY,
  }: TokenOptions): string {
    const rights = new Map(Object.entries(repositories).map(([name, right]) => [name.toLowerCase(), right]));
    this.#tokens.set(hash(token), {
      login,
      isApp: of === "app",
      pullRequests,
      ends,
      rights,
      creates: creates.map((name) => name.toLowerCase()),
      used: 0,
      reset: 0,
    });
    return token;
  }

  /** Forgets a token. @returns what it was; undefined where there is none. */
  remove(token: string): Token | undefined {
    const key = hash(token);
    const known = this.#tokens.get(key);
    this.#tokens.delete(key);
    return known;
  }

  /** The token in an Authorization header: Bearer, token, or the password of Basic. */
  find(authorization: string): Token | undefined {
    const [scheme = "", value = ""] = authorization.split(/ +/);
    const password = () =>
      Buffer.from(value, "base64")
        .toString()
        .replace(/^[^:]*:/, "");
    const text = scheme.toLowerCase() === "basic" ? password() : value;
    const found = this.#tokens.get(hash(text));
    return found !== undefined && found.ends > Date.now() ? found : undefined;
  }
}

/** Whether a token may do something with a repository. @param fullName `owner/name` */
export function may(token: Token | undefined, right: Right, fullName: string): boolean {
  const granted = token?.rights.get(fullName.toLowerCase());
  return granted !== undefined && order.indexOf(granted) >= order.indexOf(right);
}

/** Whether a token may write comments on a repository's pull requests. @param fullName `owner/name` */
export function mayComment(token: Token | undefined, fullName: string): boolean {
  return token?.pullRequests === undefined ? may(token, "write", fullName) : token.pullRequests === "write";
}

function hash(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
