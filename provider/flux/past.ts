// How old commits of a branch are beside the one that is waited for, as git sees it.

import { describe } from "../../net/describe.ts";
import { type Descent, GitBranch } from "../git/git.ts";
import type { GitAccess } from "../git/gitAccess.ts";

/** What of a branch descends from a commit. */
export type DescentOf = (
  url: string,
  branch: string,
  commit: string,
  signal: AbortSignal,
  access?: GitAccess,
) => Promise<Descent>;

/** A commit that is waited for, and where it is. */
export interface Awaited {
  readonly url: string;
  readonly branch: string;
  readonly commit: string;
  readonly access?: GitAccess;
}

/** How old commits are beside the one that is waited for. Git is asked only for those that nobody has asked for. */
export class Past {
  readonly #descent: DescentOf;
  readonly #awaited: Awaited;
  readonly #signal: AbortSignal;
  readonly #ages: Map<string, "later" | "earlier" | undefined>;

  constructor(descent: DescentOf, awaited: Awaited, signal: AbortSignal) {
    this.#descent = descent;
    this.#awaited = awaited;
    this.#signal = signal;
    this.#ages = new Map([[awaited.commit, "later"]]);
  }

  /** The one that is waited for is as late as those that descend from it. */
  ageOf(commit: string) {
    return this.#ages.get(commit);
  }

  /**
   * Learns how old commits are.
   * @param synced that of the source: git is asked for it again, as a host may tell of a new one a moment later.
   * @returns why git could not be asked.
   */
  async learn(synced: string | undefined, applied: readonly string[] = []): Promise<string | undefined> {
    const isKnown = synced === undefined || this.#ages.get(synced) !== undefined;
    if (isKnown && applied.every((commit) => this.#ages.has(commit))) return undefined;
    const { commit, url, branch, access } = this.#awaited;
    try {
      const { later, earlier } = await this.#descent(url, branch, commit, this.#signal, access);
      for (const one of [...applied, ...(synced === undefined ? [] : [synced])]) this.#ages.set(one, undefined);
      for (const one of earlier) this.#ages.set(one, "earlier");
      for (const one of later) this.#ages.set(one, "later");
      return undefined;
    } catch (error) {
      this.#signal.throwIfAborted();
      return describe(error);
    }
  }
}

/** As git itself tells it. */
export async function descent(...[url, branch, commit, signal, access]: Parameters<DescentOf>): Promise<Descent> {
  const remote = await GitBranch.open(url, branch, signal, access);
  try {
    return await remote.descent(commit);
  } finally {
    await remote.close();
  }
}
