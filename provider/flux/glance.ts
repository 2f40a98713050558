// A look that a refresh or a preview takes: short, and what cannot be seen counts as known.

import { describe } from "../../net/describe.ts";
import { CLOCK, type Clock } from "../../net/retry.ts";
import type { Context } from "../../plugin/handler.ts";
import { lineOf, type Problem } from "./fluxCluster.ts";

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
