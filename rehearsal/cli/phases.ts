// The steps of a run: what is under way, and how long each took.

export interface Phase {
  readonly name: string;
  /** Wall time, seconds with one decimal. */
  readonly seconds: number;
}

export class Phases {
  readonly done: Phase[] = [];
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** Runs a step and notes its time; a failure is passed on. */
  async run<T>(name: string, step: () => Promise<T>): Promise<T> {
    this.#print(`\n== ${name}`);
    const start = performance.now();
    try {
      return await step();
    } finally {
      const seconds = Math.round((performance.now() - start) / 100) / 10;
      this.done.push({ name, seconds });
      this.#print(`   ${seconds} s`);
    }
  }
}
