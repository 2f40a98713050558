// One way to send a request to a service: a busy server is waited for, a broken connection is tried again, and no
// server can keep a caller for ever or fill its memory.

import { Again, type Clock, retry } from "./retry.ts";

/** An answer, read to its end. */
export interface Answer {
  /** Where it came from in the end: redirects have been followed. */
  readonly url: string;
  readonly status: number;
  readonly statusText: string;
  /** Whether the status is one of success. */
  readonly ok: boolean;
  readonly headers: Headers;
  readonly body: Buffer;
}

export interface BusyOptions {
  readonly signal?: AbortSignal | undefined;
  /** Whether the request may arrive twice. Others are repeated only where the server says it did nothing (429, 503). */
  readonly repeatable: boolean;
  /** Told of every 429 before the wait, to slow down others. */
  readonly throttled?: (() => void) | undefined;
  /** @default the machine's */
  readonly clock?: Clock | undefined;
}

export interface SendOptions extends BusyOptions {
  /** @default {@link LIMITS} */
  readonly limits?: AnswerLimits | undefined;
}

/** What is taken of a server. */
export interface AnswerLimits {
  /** How long it may be silent until its answer begins, in milliseconds. */
  readonly silence: number;
  /** How long `progress` bytes of a body may take, in milliseconds. */
  readonly window: number;
  /** Bytes that have to come in every window. */
  readonly progress: number;
  /** The largest body, unpacked, in bytes. */
  readonly size: number;
}

/** A chart, an index or a manifest comes from anywhere within these. */
export const LIMITS: AnswerLimits = { silence: 60_000, window: 30_000, progress: 16_384, size: 256 * 1024 * 1024 };

/** Tries in all for an answer that asks for another one. */
const TRIES = 8;

/** Tries in all for a connection: a name that is not known here or a firewall will not change soon. */
const CONNECTION_TRIES = 3;

/** The longest wait between two tries, whatever the server asks for, in milliseconds. */
const LONGEST_WAIT = 120_000;

/** Redirects that are followed for one request, as browsers do. */
const REDIRECTS = 20;

/** An answer that is not taken, or no longer waited for, whatever else is tried. */
export class RefusedAnswer extends Error {}

/**
 * Sends a request and reads the answer; see {@link untilAnswered} for what is tried again.
 *
 * Redirects are followed (unless `init.redirect` is `error`), but never from https to something that is not encrypted,
 * and to another host neither with the Authorization header nor with a body.
 * @returns the last answer, whatever its status.
 * @throws Error when no connection comes about, a redirect is refused, or the answer is too slow or too large; the
 *   signal's reason when it is aborted.
 */
export function send(url: string | URL, init: RequestInit, options: SendOptions): Promise<Answer> {
  const { signal, limits = LIMITS } = options;
  return untilAnswered(() => follow(new URL(url), init, signal, limits), options);
}

/**
 * Asks until the answer asks for no other try: 429 and 503 (for repeatable requests 500, 502 and 504 too) are waited for
 * as Retry-After says, else ever longer; a repeatable request is sent again where no answer came.
 * @returns the last answer, whatever its status.
 */
export function untilAnswered<A extends Pick<Answer, "status"> & { headers: HeaderReader }>(
  ask: () => Promise<A>,
  { signal, repeatable, throttled, clock }: BusyOptions,
): Promise<A> {
  return retry<A>(
    async ({ attempt, wait }) => {
      let answer: A;
      try {
        answer = await ask();
      } catch (error) {
        signal?.throwIfAborted();
        if (!repeatable || attempt >= CONNECTION_TRIES || error instanceof RefusedAnswer) throw error;
        return new Again();
      }
      if (answer.status === 429) throttled?.();
      if (wait === undefined || !asksForAnotherTry(answer.status, repeatable)) return answer;
      return new Again(retryAfter(answer));
    },
    { waits: backoff, attempts: TRIES, signal, clock },
  );
}

interface HeaderReader {
  get(name: string): string | null | undefined;
}

/** What an answer's Retry-After asks for, in milliseconds; undefined without one. */
export function retryAfter(answer: { readonly headers: HeaderReader }): number | undefined {
  const value = answer.headers.get("retry-after");
  if (!value || value.trim() === "") return undefined;
  const seconds = Number(value);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(wait) ? Math.min(Math.max(wait, 0), LONGEST_WAIT) : undefined;
}

/** Doubles from half a second to 30 s, with up to a quarter more so that many callers do not come back together. */
function backoff(attempt: number): number {
  return Math.min(500 * 2 ** (attempt - 1), 30_000) * (1 + Math.random() / 4);
}

function asksForAnotherTry(status: number, repeatable: boolean): boolean {
  return status === 429 || status === 503 || (repeatable && (status === 500 || status === 502 || status === 504));
}

async function follow(url: URL, init: RequestInit, signal: AbortSignal | undefined, limits: AnswerLimits) {
  let request: RequestInit = { ...init, redirect: "manual" };
  let at = url;
  for (let redirects = 0; ; redirects++) {
    const answer = await exchange(at, request, signal, limits);
    const location = answer.headers.get("location");
    if (location === null || ![301, 302, 303, 307, 308].includes(answer.status)) return answer;
    if (redirects === REDIRECTS) throw new RefusedAnswer(`${url.origin} sends on more than ${REDIRECTS} times`);
    const next = new URL(location, at);
    if (init.redirect === "error") throw new RefusedAnswer(`${at.host} sends on to ${next.host}: not followed`);
    request = redirected(request, answer.status, at, next);
    at = next;
  }
}

/** The request for the place that an answer sends on to. @throws Error where it must not go there. */
function redirected(request: RequestInit, status: number, from: URL, to: URL): RequestInit {
  if (!/^https?:$/.test(to.protocol) || (from.protocol === "https:" && to.protocol !== "https:"))
    throw new RefusedAnswer(`${from.host} sends on to ${to.protocol}//${to.host}, which is not encrypted: refused`);
  const { body, method = "GET", ...rest } = request;
  const becomesGet = (status === 303 && method !== "HEAD") || (status < 303 && method === "POST");
  const next: RequestInit = { ...rest, method: becomesGet ? "GET" : method };
  if (!becomesGet && body != null) next.body = body;
  if (to.origin === from.origin) return next;
  if (next.body !== undefined)
    throw new RefusedAnswer(`${from.host} sends a ${method} on to another host, ${to.host}: refused`);
  const headers = new Headers(rest.headers);
  headers.delete("authorization");
  return { ...next, headers };
}

async function exchange(url: URL, init: RequestInit, signal: AbortSignal | undefined, limits: AnswerLimits) {
  const watch = new AbortController();
  const refuse = (what: string) => watch.abort(new RefusedAnswer(`${url.origin} ${what}`));
  // An upload takes its time before a server can answer.
  const upload = init.body instanceof Uint8Array ? (init.body.byteLength / limits.progress) * limits.window : 0;
  const patience = limits.silence + upload;
  const silent = setTimeout(() => refuse(`has not answered for ${Math.round(patience / 1000)} s`), patience);
  let slow: NodeJS.Timeout | undefined;
  try {
    const signals = signal === undefined ? [watch.signal] : [watch.signal, signal];
    const response = await fetch(url, { ...init, signal: AbortSignal.any(signals) });
    clearTimeout(silent);
    const chunks: Uint8Array[] = [];
    let size = 0;
    let before = 0;
    slow = setInterval(() => {
      const came = size - before;
      before = size;
      if (came < limits.progress) refuse(`sends too slowly: ${came} bytes in ${limits.window / 1000} s`);
    }, limits.window);
    for await (const chunk of response.body ?? []) {
      size += chunk.byteLength;
      if (size > limits.size)
        throw new RefusedAnswer(`${url.origin} sends more than ${limits.size} bytes: not read on`);
      chunks.push(chunk);
    }
    const { status, statusText, ok, headers } = response;
    return { url: url.href, status, statusText, ok, headers, body: Buffer.concat(chunks) };
  } catch (error) {
    watch.signal.throwIfAborted();
    throw error;
  } finally {
    clearTimeout(silent);
    clearInterval(slow);
  }
}
