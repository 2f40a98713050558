// What every command of a pipeline does at its ends.
import { describe } from "../net/describe.ts";

/** Runs a command; what it gives is the exit status, and an error is told in its words and ends with 1. */
export async function runCommand(main: () => Promise<number>): Promise<void> {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(`${describe(error)}\n`);
    process.exitCode = 1;
  }
}

/** Says how a command is used, after what was wrong. @returns the exit status of that. */
export function misused(problem: string, usage: string): 2 {
  process.stderr.write(`${problem}\n\n${usage}\n`);
  return 2;
}
