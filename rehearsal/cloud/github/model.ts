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
  readonly title: string;
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
  readonly protectedBranches: readonly string[];
  readonly createdAt: string;
  /** The bare repository. */
  folder: string;
  readonly deployKeys: DeployKey[];
  readonly pullRequests: PullRequest[];
  /** What somebody set through the REST API, by GitHub's names: `archived`, `description` and others. */
  readonly settings: Record<string, unknown>;
}
