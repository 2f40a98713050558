// A look that a refresh or a preview takes: short, and what cannot be seen counts as known.

import { describe } from "../../net/describe.ts";
import type { Context } from "../../plugin/handler.ts";
import { lineOf, type Problem } from "./fluxCluster.ts";

/**
 * What a look gives, within so many milliseconds.
 * @returns undefined where there was nothing to be seen: that is a warning, for whoever may preview need not see this.
 */
export async function glanced<T>(
  context: Context,
  within: number,
  look: (signal: AbortSignal) => Promise<T>,
): Promise<T | undefined> {
  const timeout = AbortSignal.timeout(within);
  const ended = new Promise<never>((_, reject) => {
    const late = new Error(`no answer within ${within / 1000} s`);
    timeout.addEventListener("abort", () => reject(late));
  });
  try {
    // A token may be slow to come by too.
    return await Promise.race([look(AbortSignal.any([context.signal, timeout])), ended]);
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
