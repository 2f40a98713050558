// A look that a refresh or a preview takes: short, and what cannot be seen counts as known. And what becomes of what was
// found wrong, in the state of what waits for Flux.

import { describe } from "../../net/describe.ts";
import { CLOCK, type Clock } from "../../net/retry.ts";
import { type Context, type Diff, PartialFailure } from "../../plugin/handler.ts";
import { lineOf, type Problem, UnsettledError } from "./fluxCluster.ts";

/**
 * What a look gives, if it does so within so many milliseconds; a token may be slow to come by too, which no signal ends.
 * @throws Error as `late` makes it, when the time is over.
 */
export async function inTime<T>(
  { clock, within, late }: { readonly clock: Clock; readonly within: number; readonly late: () => Error },
  signal: AbortSignal,
  look: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const end = new AbortController();
  const both = AbortSignal.any([signal, end.signal]);
  const over = clock.pause(within, both).then(() => {
    throw late();
  });
  try {
    return await Promise.race([look(both), over]);
  } finally {
    end.abort();
  }
}

/**
 * What a look gives, within so many milliseconds.
 * @returns undefined where there was nothing to be seen: that is a warning, for whoever may preview need not see this.
 */
export async function glanced<T>(
  context: Context,
  within: number,
  look: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const late = () => new Error(`no answer within ${within / 1000} s`);
  try {
    return await inTime({ clock: CLOCK, within, late }, context.signal, look);
  } catch (error) {
    context.signal.throwIfAborted();
    context.log(
      "warning",
      `what Flux made of the commit was not looked at, so it counts as before: ${describe(error)}`,
    );
    return undefined;
  }
}

/** Tells what is wrong beside the resource. @returns each problem in one line. */
export function told(problems: readonly Problem[], context: Context): string[] {
  const lines = problems.map(lineOf);
  if (lines.length > 0) {
    const what = "not all that was committed is well in the cluster; `pulumi up` asks Flux for it and waits";
    context.log("warning", [`${what}:`, ...lines].join("\n  "));
  }
  return lines;
}

/** A preview's answer where no input asks for anything. @param wrong what the look found. */
export function changesBy(wrong: readonly string[]): Diff {
  if (wrong.length === 0) return { changes: false, replaces: [] };
  return { changes: true, replaces: [], detailed: { wrong: { kind: "update", inputDiff: false } } };
}

/** A resource as a refresh leaves it. @param found what the look found wrong; undefined where nothing was to be seen. */
export function seen<I extends object, S extends { readonly wrong?: readonly string[] }>(
  { id, inputs, state: { wrong: before, ...state } }: { readonly id: string; readonly inputs: I; readonly state: S },
  found: readonly string[] | undefined,
) {
  const wrong = found ?? before ?? [];
  return { id, inputs, state: wrong.length > 0 ? { ...state, wrong } : state };
}

/** What a wait that came to nothing leaves: the next update, and every look until then, knows of it. */
export function inVain(id: string, inputs: object, error: unknown, reason: string): PartialFailure {
  const wrong = error instanceof UnsettledError ? [...error.lines] : [describe(error)];
  return new PartialFailure(id, { ...inputs, wrong }, [reason]);
}
