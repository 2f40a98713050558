// How many requests of a kind run at once: as many as the service takes. Its limits are not published.

import pLimit, { type LimitFunction } from "p-limit";

/** Runs tasks with a limit that halves when the service complains and grows again slowly. */
export class Limiter {
  readonly #tasks: LimitFunction;
  readonly #most: number;
  #calm = 0;

  /** @param start tasks at once in the beginning. @param most tasks at once when all goes well. */
  constructor(start: number, most: number) {
    this.#tasks = pLimit(start);
    this.#most = most;
  }

  /** Tasks that may run at once now. */
  get limit(): number {
    return this.#tasks.concurrency;
  }

  /** Runs a task when there is room, in the order of the calls. */
  run<T>(task: () => Promise<T>): Promise<T> {
    return this.#tasks(async () => {
      const result = await task();
      this.#succeeded();
      return result;
    });
  }

  /** The service refused a request for being one too many. */
  throttled(): void {
    this.#tasks.concurrency = Math.max(1, Math.floor(this.limit / 2));
    this.#calm = 0;
  }

  /** As many successes in a row as the limit is high raise it by one. */
  #succeeded(): void {
    this.#calm++;
    if (this.#calm < this.limit || this.limit >= this.#most) return;
    this.#tasks.concurrency++;
    this.#calm = 0;
  }
}
