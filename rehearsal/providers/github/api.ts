// GitHub's REST API.

import { sendJson } from "../shared/http.ts";
import { type Fields, isFields, text } from "../shared/values.ts";

const VERSION = "2022-11-28";

/** A refusal, in GitHub's words. */
export class GitHubError extends Error {
  readonly status: number;
  constructor(method: string, url: string, status: number, message: string) {
    super(`${method} ${url}: ${status} ${message}`);
    this.name = "GitHubError";
    this.status = status;
  }
}

export interface Answer {
  readonly body: Fields;
  readonly etag: string;
}

export class GitHubApi {
  readonly #base: string;
  readonly #token: string | undefined;
  readonly #configuredOwner: string | undefined;
  #owner: Promise<string> | undefined;

  /** @param base with a slash at its end, `https://api.github.com/`. */
  constructor(base: string, token: string | undefined, owner: string | undefined) {
    this.#base = base;
    this.#token = token;
    this.#configuredOwner = owner;
  }

  /** Whose repositories these are: the configured owner, else the token's user. */
  owner(): Promise<string> {
    this.#owner ??= this.#findOwner();
    return this.#owner;
  }

  async #findOwner(): Promise<string> {
    if (this.#configuredOwner) return this.#configuredOwner;
    const user = await this.send("GET", "user");
    const login = text(user?.body.login);
    if (login === undefined) throw new Error("GitHub tells no user of this token; set `github:owner`");
    return login;
  }

  /**
   * Sends a request.
   * @param path below the base, without a slash in front.
   * @returns undefined for a GET or DELETE of what is not there.
   */
  async send(method: string, path: string, body?: Fields, signal?: AbortSignal): Promise<Answer | undefined> {
    const headers: Record<string, string> = {
      accept: "application/vnd.github+json",
      "x-github-api-version": VERSION,
      "user-agent": "pulumi-resource-github",
    };
    if (this.#token) headers.authorization = `Bearer ${this.#token}`;
    const url = `${this.#base}${path}`;
    const response = await sendJson(url, { method, headers, body, signal });
    if (response.status === 404 && (method === "GET" || method === "DELETE")) return undefined;
    const answer = isFields(response.body) ? response.body : {};
    if (response.status >= 300) throw new GitHubError(method, url, response.status, describe(answer, response.text));
    return { body: answer, etag: response.headers.get("etag") ?? "" };
  }
}

function describe(answer: Fields, whole: string): string {
  const errors = Array.isArray(answer.errors) ? ` ${JSON.stringify(answer.errors)}` : "";
  return (text(answer.message) ?? whole) + errors;
}
