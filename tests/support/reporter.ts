// Mocha's own report, closed by one line that a machine can read; below tests/run.ts every outcome goes to that instead.
import Mocha from "mocha";

/** What became of a test, or of a hook around tests. */
export interface Outcome {
  readonly kind: "test" | "hook";
  /** With the titles of the suites around it. */
  readonly title: string;
  /** Absolute. */
  readonly file: string;
  /** In milliseconds. */
  readonly duration: number;
}

/** How many tests came to what; a hook that fails counts as a failed test. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
}

/** A test or hook that failed. */
export interface Failure {
  /** With the titles of the suites around it. */
  readonly title: string;
  /** What failed and where: head and end of the error's stack, which may hold a whole program's output. */
  readonly error: string;
}

export type Message = { readonly outcome: Outcome } | { readonly counts: Counts } | { readonly failure: Failure };

/** How many lines of an error are told once more, at its head and at its end: an engine says last why it failed. */
const ERROR_LINES = { head: 6, end: 40 };

/** The line that closes a run. */
export function closingLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`;
}

function shortened(lines: readonly string[]): string {
  const { head, end } = ERROR_LINES;
  const left = lines.length - head - end;
  if (left <= 1) return lines.join("\n");
  return [...lines.slice(0, head), `... ${left} lines ...`, ...lines.slice(-end)].join("\n");
}

export default class Reporter extends Mocha.reporters.Spec {
  constructor(runner: Mocha.Runner, options?: Mocha.MochaOptions) {
    super(runner, options);
    const tell = (message: Message) => process.send?.(message);
    const ended = (kind: Outcome["kind"]) => (ran: Mocha.Runnable) => {
      // A hook of the root belongs to no file.
      const file = ran.file ?? ran.parent?.file ?? "";
      tell({ outcome: { kind, title: ran.fullTitle(), file, duration: ran.duration ?? 0 } });
    };
    runner.on("test end", ended("test"));
    runner.on("hook end", ended("hook"));
    runner.on("fail", (ran: Mocha.Runnable, error: Error) => {
      tell({ failure: { title: ran.fullTitle(), error: shortened((error.stack ?? String(error)).split("\n")) } });
    });
    runner.once("end", () => {
      const { passes: passed, failures: failed, pending: skipped } = this.stats;
      const counts = { passed, failed, skipped };
      if (process.send) tell({ counts });
      // After Spec's own summary, which listens to the same event.
      else process.once("exit", () => process.stdout.write(`${closingLine(counts)}\n`));
    });
  }
}
