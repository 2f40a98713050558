// HTTPS with JSON, with the retries that the clients of Azure's SDK for Go do (sdk/azcore/runtime/policy_retry.go).

import { setTimeout as sleep } from "node:timers/promises";

export interface JsonRequest {
  readonly method: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON, or as a form where it is URLSearchParams. */
  readonly body?: unknown;
  readonly signal?: AbortSignal | undefined;
}

export interface JsonResponse {
  readonly status: number;
  readonly headers: Headers;
  /** The parsed body; undefined where it is empty or no JSON. */
  readonly body: unknown;
  readonly text: string;
}

const RETRIED = new Set([408, 429, 500, 502, 503, 504]);
const MAX_RETRIES = 3;
/** Milliseconds before the first retry where the service names no time; each later one waits longer. */
const RETRY_DELAY = 20_000;
const MAX_RETRY_DELAY = 120_000;

/**
 * Sends one request.
 * @param retry tells whether an answer beside the usual statuses is worth another try.
 * @throws Error where no answer comes; statuses are the caller's to judge.
 */
export async function sendJson(
  url: string,
  request: JsonRequest,
  retry: (response: JsonResponse) => boolean = () => false,
): Promise<JsonResponse> {
  for (let attempt = 0; ; attempt++) {
    const response = await send(url, request);
    if (attempt === MAX_RETRIES || !(RETRIED.has(response.status) || retry(response))) return response;
    const backoff = Math.min(RETRY_DELAY * (2 ** (attempt + 1) - 1), MAX_RETRY_DELAY);
    await sleep(retryAfter(response.headers) ?? backoff, undefined, { signal: request.signal });
  }
}

/** What Retry-After asks for in milliseconds: whole seconds or an HTTP date; undefined where it is absent or neither. */
export function retryAfter(headers: Headers): number | undefined {
  const value = headers.get("retry-after")?.trim();
  if (value === undefined || value === "") return undefined;
  if (/^\d+$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) || /^[\d.]+$/.test(value) ? undefined : Math.max(0, date - Date.now());
}

async function send(url: string, { method, headers, body, signal }: JsonRequest): Promise<JsonResponse> {
  const form = body instanceof URLSearchParams;
  const init: RequestInit = {
    method,
    headers: {
      accept: "application/json",
      ...(body === undefined || form ? {} : { "content-type": "application/json" }),
      ...headers,
    },
  };
  if (body !== undefined) init.body = form ? body : JSON.stringify(body);
  if (signal !== undefined) init.signal = signal;
  let response: Response;
  try {
    response = await fetch(url, init);
  } catch (cause) {
    const { origin, pathname } = new URL(url);
    throw new Error(`${method} ${origin}${pathname} failed`, { cause });
  }
  const content = await response.text();
  return { status: response.status, headers: response.headers, body: parse(content), text: content };
}

function parse(content: string): unknown {
  try {
    return JSON.parse(content);
  } catch {
    return undefined;
  }
}
