// Writes a comment on a pull request, and tells what became of it: nothing fails for a comment that could not be written.
import { describe } from "../../net/describe.ts";
import type { Clock } from "../../net/retry.ts";
import { MayNotComment, OVERHEAD, type Words, writeComment } from "./comment.ts";
import type { PullRequest } from "./system.ts";

/**
 * Writes a stack's comment.
 * @param wordsOf what it says, in at most so many characters.
 * @returns what became of it, for whoever looks for it.
 */
export async function commented(
  { name, isFork, board }: PullRequest,
  wordsOf: (limit: number) => Words,
  clock?: Clock,
): Promise<string> {
  const why = isFork ? ": it comes from a fork, whose runs may not" : "";
  if ("unable" in board) return `No comment on pull request ${name}${why || `: ${board.unable}`}.`;
  try {
    const outcome = await writeComment(board, wordsOf(board.limit - OVERHEAD), clock);
    if (outcome.what === "newer")
      return `The comment on pull request ${name} is by a newer run, ${outcome.by.run}: it stays as it is.`;
    if (outcome.what === "none") return `Pull request ${name} has no comment of this stack.`;
    const removed = outcome.removed === 0 ? "" : ` (${outcome.removed} more of the same were removed)`;
    return `Comment on pull request ${name}: ${outcome.url}${removed}`;
  } catch (error) {
    if (error instanceof MayNotComment && isFork) return `No comment on pull request ${name}${why}.`;
    return `No comment on pull request ${name}: ${describe(error)}.`;
  }
}
