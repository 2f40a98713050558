// One way to send a request to a cloud service: a busy server is waited for, a broken connection is tried again.

import { setTimeout as delay } from "node:timers/promises";

export interface SendOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether the request may arrive twice. Others are repeated only where the server says it did nothing (429, 503). */
  readonly repeatable: boolean;
  /** Told of every 429 before the wait, to slow down others. */
  readonly throttled?: (() => void) | undefined;
}

/** Tries in all for an answer that asks for another one. */
const TRIES = 8;

/** Tries in all for a connection: a name that is not known here or a firewall will not change soon. */
const CONNECTION_TRIES = 3;

/** The longest wait between two tries, whatever the server asks for, in milliseconds. */
const LONGEST_WAIT = 120_000;

/**
 * Sends a request; answers 429 and 503 (for repeatable requests 500, 502 and 504 too) are waited for as Retry-After
 * says, else ever longer.
 * @returns the last answer, whatever its status.
 * @throws the error of `fetch` when no connection comes about, and the signal's reason when it is aborted.
 */
export async function send(url: string | URL, init: RequestInit, options: SendOptions): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    options.signal?.throwIfAborted();
    let response: Response;
    try {
      response = await fetch(url, { ...init, signal: options.signal ?? null });
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!options.repeatable || attempt >= CONNECTION_TRIES) throw error;
      await pause(backoff(attempt), options.signal);
      continue;
    }
    if (response.status === 429) options.throttled?.();
    if (attempt >= TRIES || !asksForAnotherTry(response.status, options.repeatable)) return response;
    await response.body?.cancel();
    await pause(retryAfter(response) ?? backoff(attempt), options.signal);
  }
}

/** What a response's Retry-After asks for, in milliseconds; undefined without one. */
export function retryAfter(response: Response): number | undefined {
  const value = response.headers.get("retry-after");
  if (value === null || value.trim() === "") return undefined;
  const seconds = Number(value);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(wait) ? Math.min(Math.max(wait, 0), LONGEST_WAIT) : undefined;
}

/** Waits; rejects with the signal's reason when it is aborted. */
export async function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  }
}

/** Doubles from half a second to 30 s, with up to a quarter more so that many callers do not come back together. */
function backoff(attempt: number): number {
  return Math.min(500 * 2 ** (attempt - 1), 30_000) * (1 + Math.random() / 4);
}

function asksForAnotherTry(status: number, repeatable: boolean): boolean {
  return status === 429 || status === 503 || (repeatable && (status === 500 || status === 502 || status === 504));
}
