// Pulumi Cloud's REST API, as the official provider asks it.

import { sendJson } from "../shared/http.ts";
import { type Fields, isFields, text } from "../shared/values.ts";

/** A stack by its whole name. */
export interface StackName {
  readonly organization: string;
  readonly project: string;
  readonly stack: string;
}

/** The path of a stack's things. */
export const below = ({ organization, project, stack }: StackName, path: string): string =>
  `stacks/${[organization, project, stack].map(encodeURIComponent).join("/")}/${path}`;

export class PulumiApi {
  readonly #base: string;
  readonly #token: string;

  /** @param base without a slash at its end, `https://api.pulumi.com`. */
  constructor(base: string, token: string) {
    this.#base = base;
    this.#token = token;
  }

  /**
   * Sends a request.
   * @param path below `/api/`.
   * @returns the answer's object, empty where it is none; undefined for a GET of what is not there.
   * @throws Error in the service's words.
   */
  async send(method: string, path: string, body?: Fields, signal?: AbortSignal): Promise<Fields | undefined> {
    const url = `${this.#base}/api/${path}`;
    const headers = {
      accept: "application/vnd.pulumi+9",
      authorization: `token ${this.#token}`,
      "content-type": "application/json",
      "x-pulumi-source": "provider",
    };
    const response = await sendJson(url, { method, headers, body, signal });
    if (response.status === 404 && method === "GET") return undefined;
    const answer = isFields(response.body) ? response.body : {};
    if (response.status >= 300)
      throw new Error(`${method} ${url}: ${response.status} ${text(answer.message) ?? response.text}`);
    return answer;
  }
}
