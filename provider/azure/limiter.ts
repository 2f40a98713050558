// How many requests of a kind run at once: as many as the service takes. Its limits are not published.

/** Runs tasks with a limit that halves when the service complains and grows again slowly. */
export class Limiter {
  #limit: number;
  readonly #most: number;
  #running = 0;
  #calm = 0;
  readonly #waiting: (() => void)[] = [];

  /** @param start tasks at once in the beginning. @param most tasks at once when all goes well. */
  constructor(start: number, most: number) {
    this.#limit = start;
    this.#most = most;
  }

  /** Tasks that may run at once now. */
  get limit(): number {
    return this.#limit;
  }

  /** Runs a task when there is room, in the order of the calls. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#limit) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#running++;
    try {
      const result = await task();
      this.#succeeded();
      return result;
    } finally {
      this.#running--;
      this.#admit();
    }
  }

  /** The service refused a request for being one too many. */
  throttled(): void {
    this.#limit = Math.max(1, Math.floor(this.#limit / 2));
    this.#calm = 0;
  }

  /** As many successes in a row as the limit is high raise it by one. */
  #succeeded(): void {
    this.#calm++;
    if (this.#calm < this.#limit || this.#limit >= this.#most) return;
    this.#limit++;
    this.#calm = 0;
  }

  #admit(): void {
    while (this.#running < this.#limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#running++;
      next();
    }
  }
}
