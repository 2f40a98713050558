// Trying again: the one loop of all that wait between tries.

import { setTimeout as delay } from "node:timers/promises";

/** Time, as a test may replace it. */
export interface Clock {
  /** Milliseconds since some moment; never goes back. */
  now(): number;
  /** Waits so many milliseconds; rejects with the signal's reason when it is aborted. */
  pause(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** The waits between tries and when they end. */
export interface RetryPlan {
  /** In milliseconds: a list, which ends the tries when it is used up, or the wait after the try of a number. */
  readonly waits: readonly number[] | ((attempt: number) => number);
  /** Tries in all. @default as many as the waits allow */
  readonly attempts?: number | undefined;
  /** No try begins when so many milliseconds have passed since the first one began. @default no limit */
  readonly within?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** @default the machine's */
  readonly clock?: Clock | undefined;
}

/** One of several tries. */
export interface Try {
  /** From 1. */
  readonly attempt: number;
  /** The wait in milliseconds until the next try may begin; undefined when this is the last one. */
  readonly wait: number | undefined;
}

/** What a task returns to be run again. */
export class Again {
  /** A wait in milliseconds instead of the plan's. */
  readonly wait: number | undefined;
  constructor(wait?: number) {
    this.wait = wait;
  }
}

export const CLOCK: Clock = { now: () => performance.now(), pause };

/**
 * Runs a task until it returns something else than {@link Again}; what it throws is thrown.
 * @throws Error when the last try, which is told so, asks for another one; the signal's reason when it is aborted.
 */
export async function retry<T>(task: (current: Try) => Promise<T | Again>, plan: RetryPlan): Promise<T> {
  const { signal, clock = CLOCK } = plan;
  const started = clock.now();
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted();
    const current = new Current(attempt, () => waitAfter(attempt, plan, clock.now() - started));
    const result = await task(current);
    if (!(result instanceof Again)) return result;
    if (current.wait === undefined) throw new Error(`no try is left after ${attempt}`);
    await clock.pause(result.wait ?? current.wait, signal);
  }
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

/** Time passes in a task: whether it is the last one counts when it asks, and does not change after that. */
class Current implements Try {
  readonly attempt: number;
  readonly #ask: () => number | undefined;
  #answer: { readonly wait: number | undefined } | undefined;

  constructor(attempt: number, ask: () => number | undefined) {
    this.attempt = attempt;
    this.#ask = ask;
  }

  get wait(): number | undefined {
    this.#answer ??= { wait: this.#ask() };
    return this.#answer.wait;
  }
}

function waitAfter(attempt: number, plan: RetryPlan, passed: number): number | undefined {
  const { waits, attempts = Number.POSITIVE_INFINITY, within = Number.POSITIVE_INFINITY } = plan;
  if (attempt >= attempts || passed >= within) return undefined;
  return typeof waits === "function" ? waits(attempt) : waits[attempt - 1];
}
