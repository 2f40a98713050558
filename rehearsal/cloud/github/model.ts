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
  /** What somebody set through the REST API, by GitHub's names: `archived`, `description` and others. */
  readonly settings: Record<string, unknown>;
}
