// Azure Resource Manager as a client sees it: requests, long-running operations, errors.

import { STATUS_CODES } from "node:http";
import type { TokenCredential } from "@azure/core-auth";
import type { PipelineResponse } from "@azure/core-rest-pipeline";
import { cloudOf } from "../../net/azureCloud.ts";
import { retryAfter } from "../../net/http.ts";
import { Again, type Clock, retry } from "../../net/retry.ts";
import { credential } from "./credential.ts";
import { busyPolicy, createTransport, type Transport } from "./pipeline.ts";

export { credential } from "./credential.ts";

/** An answer of ARM that is an error, in ARM's own words. */
export class ArmError extends Error {
  readonly status: number;
  /** ARM's code, for example `AuthorizationFailed`; empty when it gave none. */
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(message);
    this.name = "ArmError";
    this.status = status;
    this.code = code;
  }
}

export interface ArmRequestOptions {
  readonly signal?: AbortSignal;
  /** Asked at every poll of a running operation; `true` ends the waiting as a success. */
  readonly settled?: () => Promise<boolean>;
  /** How long a running operation is waited for, in milliseconds; default one hour. */
  readonly patience?: number;
  /** Told of every 429. */
  readonly throttled?: () => void;
}

type Json = Record<string, unknown>;

type Method = "GET" | "PUT" | "PATCH" | "POST" | "DELETE" | "HEAD";

/** How often a running operation is asked for when ARM does not say, in milliseconds: first and longest wait. */
const FIRST_POLL = 1000;
const LONGEST_POLL = 10_000;
const HOUR = 3_600_000;

/** Talks to ARM with an Entra token. */
export class ArmClient {
  readonly #endpoint: string;
  readonly #credential: TokenCredential;
  readonly #clock: Clock | undefined;
  readonly #silence: number | undefined;
  #transport: Promise<Transport> | undefined;

  /**
   * @param options `endpoint` is an origin without a slash at its end, default that of the cloud in the environment;
   *   `clock` the time that waits take; `silence` how long one answer may take, in milliseconds.
   */
  constructor(options: { credential?: TokenCredential; endpoint?: string; clock?: Clock; silence?: number } = {}) {
    this.#endpoint = options.endpoint ?? cloudOf(process.env).resourceManager;
    this.#credential = options.credential ?? credential();
    this.#clock = options.clock;
    this.#silence = options.silence;
  }

  /**
   * Sends one request and waits for the operation that it starts.
   * @param path begins with a slash, without the api-version.
   * @returns the body of the answer; undefined where there is none.
   * @throws ArmError naming method and path where ARM refuses or the operation fails, is cancelled or hangs.
   */
  async request<T = Json>(
    method: Method,
    path: string,
    apiVersion: string,
    body?: unknown,
    options: ArmRequestOptions = {},
  ): Promise<T | undefined> {
    const url = `${this.#endpoint}${path}${path.includes("?") ? "&" : "?"}api-version=${apiVersion}`;
    const what = `${method} ${path}`;
    const response = await this.#send(method, url, body, options);
    const answer = read(response, what);
    const operation = response.headers.get("azure-asyncoperation");
    const location = response.headers.get("location");
    if (
      method !== "GET" &&
      (response.status === 202 || operation !== undefined) &&
      (operation ?? location) !== undefined
    ) {
      const result = await this.#wait(response, what, options);
      // A PUT's or PATCH's result is the resource itself, which the operation does not give.
      if (method === "PUT" || method === "PATCH") return this.request<T>("GET", path, apiVersion, undefined, options);
      return result as T | undefined;
    }
    return answer as T | undefined;
  }

  async #send(
    method: Method,
    url: string,
    body: unknown,
    { signal, throttled }: ArmRequestOptions,
  ): Promise<PipelineResponse> {
    this.#transport ??= createTransport(this.#endpoint, () => this.#authorization());
    const { pipeline, client } = await this.#transport;
    const { createHttpHeaders, createPipelineRequest } = await import("@azure/core-rest-pipeline");
    const request = createPipelineRequest({
      method,
      url,
      headers: createHttpHeaders({
        accept: "application/json",
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      }),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      allowInsecureConnection: this.#endpoint.startsWith("http:"),
    });
    const repeatable = method !== "POST" && method !== "PATCH";
    const own = pipeline.clone();
    own.addPolicy(busyPolicy({ signal, repeatable, throttled, clock: this.#clock }, this.#silence), { phase: "Retry" });
    return own.sendRequest(client, request);
  }

  async #authorization(): Promise<string> {
    const scope = `${this.#endpoint}/.default`;
    const token = await this.#credential.getToken(scope);
    if (token === null) throw new Error(`no Entra token for ${scope}: log in with \`az login\` or set ARM_CLIENT_ID`);
    return `Bearer ${token.token}`;
  }

  /** Polls Azure-AsyncOperation (its body has the status) or Location (202 as long as it runs). */
  async #wait(started: PipelineResponse, what: string, options: ArmRequestOptions): Promise<Json | undefined> {
    const patience = options.patience ?? HOUR;
    let last = started;
    let url = this.#pollUrl(started, undefined);
    return retry<Json | undefined>(
      async ({ attempt, wait }) => {
        if (attempt > 1) {
          last = await this.#send("GET", url, undefined, options);
          const answer = read(last, `${what} (operation)`);
          const status = typeof answer?.status === "string" ? answer.status.toLowerCase() : undefined;
          if (status === "failed" || status === "canceled") throw operationError(what, status, last.status, answer);
          const running = status === undefined || status === "succeeded" ? last.status === 202 : true;
          if (!running) return answer;
          if (await options.settled?.()) return undefined;
          url = this.#pollUrl(last, url);
        }
        if (wait === undefined) throw hangs(what, patience);
        return new Again(retryAfter(last));
      },
      {
        waits: (attempt) => Math.min(FIRST_POLL * 2 ** (attempt - 1), LONGEST_POLL),
        within: patience,
        signal: options.signal,
        clock: this.#clock,
      },
    );
  }

  /** @throws Error for a URL at another host: the token must not go there. */
  #pollUrl(response: PipelineResponse, before: string | undefined): string {
    const given = response.headers.get("azure-asyncoperation") ?? response.headers.get("location") ?? before ?? "";
    const url = new URL(given, this.#endpoint);
    const own = new URL(this.#endpoint);
    const isOwn = url.protocol === own.protocol && (url.host === own.host || url.hostname.endsWith(`.${own.hostname}`));
    if (!isOwn) throw new Error(`ARM sent an operation's URL at another host, ${url.host}: not followed`);
    return url.href;
  }
}

function read({ status, bodyAsText }: PipelineResponse, what: string): Json | undefined {
  const text = bodyAsText ?? "";
  const body = parseJson(text);
  if (status >= 200 && status < 300) return body;
  const error = (body?.error ?? body) as { code?: string; message?: string } | undefined;
  const code = error?.code ?? "";
  const words = error?.message ?? (text.slice(0, 300) || STATUS_CODES[status]);
  throw new ArmError(status, code, `${what}: ${status}${code && ` ${code}`}: ${words}`);
}

function hangs(what: string, patience: number): ArmError {
  const minutes = Math.round(patience / 60_000);
  return new ArmError(504, "OperationHangs", `${what}: the operation still runs after ${minutes} min; try again later`);
}

function operationError(what: string, outcome: string, status: number, answer: Json | undefined): ArmError {
  const error = answer?.error as { code?: string; message?: string } | undefined;
  const code = error?.code ?? "";
  return new ArmError(
    status,
    code,
    `${what}: the operation ${outcome}${code && ` (${code})`}: ${error?.message ?? ""}`,
  );
}

function parseJson(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Json) : undefined;
  } catch {
    return undefined;
  }
}
