// A commit that waits in a pull request, where the branch takes no push: proposed from a branch of its own, kept as it shall
// be while it is open, and waited for where that is wished.

import { Again, type Clock, retry } from "../../net/retry.ts";
import type { GitBranch, Proposal } from "./git.ts";
import { GitError } from "./gitError.ts";
import type { PullRequest, PullRequestHost, Wish } from "./pullRequestHost.ts";

/** What is proposed, and where. */
export interface Proposing {
  readonly host: PullRequestHost;
  readonly wish: Wish;
  /** Whose it is, as commits tell it. */
  readonly owner: string;
  /** The commit that leads from another one to the goal; undefined where that one is there already. */
  readonly make: (parent: string) => Promise<string | undefined>;
}

/**
 * Opens a pull request with what leads from the branch's head to the goal, or brings the open one there. People's merges of
 * the base into it stay, and with them what reviewers have approved, as long as it still brings what it shall.
 */
export async function propose(remote: GitBranch, head: string, proposing: Proposing): Promise<PullRequest> {
  const { host, wish, owner, make } = proposing;
  const known = await remote.proposal(wish.head, owner);
  const open = known && (await host.find(wish.head, wish.base));
  if (open === undefined || open.conflicts || !(await holds(remote, known, make))) {
    const commit = await make(head);
    if (commit === undefined)
      throw new GitError("race", `branch ${wish.base} of ${remote.url} has come to it meanwhile`);
    await remote.propose(commit, wish.head, known?.tip);
  }
  if (open === undefined) return host.open(wish);
  if (open.title !== wish.title) await host.retitle(open.number, wish.title);
  return open;
}

/** Whether what is proposed is what would be proposed from the same place today, and nothing later undid it. */
async function holds(remote: GitBranch, known: Proposal | undefined, make: Proposing["make"]): Promise<boolean> {
  if (known?.own === undefined) return false;
  const { tip, own } = known;
  try {
    const again = await make(own.parent);
    if (again === undefined || (await remote.treeId(again)) !== (await remote.treeId(own.commit))) return false;
    return (await make(tip)) === undefined;
  } catch (error) {
    // What cannot be made from there is something else.
    if (error instanceof GitError && error.kind !== "other") throw error;
    return false;
  }
}

/** How often a pull request is looked at, in milliseconds. */
const POLL = 15_000;

/** So often the branch may be looked at after a merge before it has to show it. */
const LATE = 4;

/** How a pull request is waited for. */
export interface Waiting {
  readonly host: PullRequestHost;
  readonly minutes: number;
  /** Whether a head of the branch holds all that was proposed. */
  readonly isThere: (head: string) => Promise<boolean>;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/**
 * Waits until a pull request's content is on the branch, however it came there.
 * @returns the branch's head that holds it.
 * @throws GitError where it is closed, or not merged in time.
 */
export async function merged(remote: GitBranch, { number, url }: PullRequest, waiting: Waiting): Promise<string> {
  const { host, minutes, isThere, signal, clock } = waiting;
  let seen: string | undefined;
  let late = 0;
  const look = async (): Promise<string | undefined> => {
    const { state } = await host.get(number);
    const head = await remote.head();
    if (head !== undefined && head !== seen) {
      const fetched = await remote.fetch();
      if (fetched !== undefined && (await isThere(fetched))) return fetched;
      seen = head;
    }
    if (state === "closed")
      throw new GitError(
        "other",
        `${url} was closed and not merged, so what it brings is not on branch ${remote.branch}`,
      );
    if (state === "merged" && ++late > LATE)
      throw new GitError(
        "other",
        `${url} was merged, but branch ${remote.branch} of ${remote.url} holds something else than was wanted: run the same ` +
          "command again, which proposes what lacks",
      );
    return undefined;
  };
  return retry(
    async ({ wait }) => {
      const found = await look().catch((error: Error) => {
        if (error instanceof GitError && error.kind !== "other" && wait !== undefined) return undefined;
        throw error;
      });
      if (found !== undefined) return found;
      if (wait === undefined)
        throw new GitError(
          "other",
          `${url} was not merged within ${minutes} minutes: merge it and run the same command again, which goes on from there`,
        );
      return new Again();
    },
    { waits: () => POLL, within: minutes * 60_000, signal, clock },
  );
}

/** What is said of a pull request that is left to people. */
export function leftMessage(remote: GitBranch, { url }: PullRequest): string {
  return (
    `branch ${remote.branch} of ${remote.url} takes changes by pull request alone: ${url} waits to be merged. Merge it and ` +
    "run the same command again, which goes on from there (flux.commit.pullRequest: wait waits for it)"
  );
}
