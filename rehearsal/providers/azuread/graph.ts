// Microsoft Graph v1.0 over HTTPS.

import type { EntraTokens } from "../shared/entra.ts";
import { sendJson } from "../shared/http.ts";
import { type Fields, isFields, text } from "../shared/values.ts";

const GRAPH = "https://graph.microsoft.com";

export class Graph {
  readonly #tokens: EntraTokens;

  constructor(tokens: EntraTokens) {
    this.#tokens = tokens;
  }

  /** The address of a directory object, as Graph's references want it. */
  static reference(objectId: unknown): string {
    return `${GRAPH}/v1.0/directoryObjects/${String(objectId)}`;
  }

  /**
   * Sends a request.
   * @param path below `/v1.0`, with a slash in front.
   * @returns undefined for a GET or DELETE of what is not there.
   * @throws Error in Graph's words.
   */
  async send(method: string, path: string, body?: Fields, signal?: AbortSignal): Promise<Fields | undefined> {
    const authorization = `Bearer ${await this.#tokens.token(`${GRAPH}/.default`)}`;
    const response = await sendJson(`${GRAPH}/v1.0${path}`, { method, headers: { authorization }, body, signal });
    if (response.status === 404 && (method === "GET" || method === "DELETE")) return undefined;
    const answer = isFields(response.body) ? response.body : {};
    if (response.status < 300) return answer;
    const error = isFields(answer.error) ? answer.error : {};
    const words = `${text(error.code) ?? ""}: ${text(error.message) ?? response.text}`;
    throw new Error(`${method} ${path}: unexpected status ${response.status} with OData error: ${words}`);
  }
}
