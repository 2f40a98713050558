// What a repository of the simulated GitHub is.

import type { Token } from "./access.ts";

export interface DeployKey {
  readonly id: number;
  readonly key: string;
  readonly title: string;
  readonly readOnly: boolean;
  readonly createdAt: string;
  readonly addedBy: string;
  /** The token that it was made with, and dies with. */
  readonly madeWith: Token | undefined;
}

/** A comment on a pull request, which is one on the issue that the pull request is too. */
export interface IssueComment {
  readonly id: number;
  readonly author: string;
  readonly authorIsApp: boolean;
  body: string;
  readonly createdAt: string;
  updatedAt: string;
}

export interface PullRequest {
  readonly number: number;
  title: string;
  body: string;
  /** The login of whoever opened it. */
  readonly author: string;
  /** The branches that it leads from and to. */
  readonly head: string;
  readonly base: string;
  state: "open" | "closed";
  /** Undefined where it was not merged. */
  mergedAt: string | undefined;
  /** Nobody but collaborators may comment. */
  locked: boolean;
  /** The oldest first. */
  readonly comments: IssueComment[];
}

export interface Repository {
  readonly id: number;
  readonly owner: string;
  name: string;
  private: boolean;
  /** Branches that take changes by pull request alone, as branch protection has it. */
  readonly protectedBranches: readonly string[];
  /** The same, as a ruleset has it. */
  readonly ruledBranches?: readonly string[];
  readonly createdAt: string;
  /** The bare repository. */
  folder: string;
  readonly deployKeys: DeployKey[];
  readonly pullRequests: PullRequest[];
  /** What somebody set through the REST API, by GitHub's names: `archived`, `description` and others. */
  readonly settings: Record<string, unknown>;
}
