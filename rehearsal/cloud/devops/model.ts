// What the simulated Azure DevOps holds.

/** Somebody who calls: a person, or the build service of a project, as which jobs run. */
export interface Identity {
  readonly id: string;
  readonly displayName: string;
  /** Whether it has the permission "Contribute to pull requests". */
  readonly contributes: boolean;
}

/** A property as the service keeps it. */
export interface Property {
  readonly $type: string;
  readonly $value: unknown;
}

export interface ThreadComment {
  readonly id: number;
  readonly author: Identity;
  content: string;
  readonly commentType: string;
  isDeleted: boolean;
  readonly publishedDate: string;
  lastUpdatedDate: string;
}

/** A thread of a pull request. */
export interface Thread {
  readonly id: number;
  status: string;
  readonly properties: Record<string, Property>;
  readonly comments: ThreadComment[];
  readonly publishedDate: string;
}

export interface PullRequest {
  readonly id: number;
  title: string;
  readonly description: string;
  /** The branches that it leads from and to. */
  readonly source: string;
  readonly target: string;
  status: "active" | "abandoned" | "completed";
  /** In the order in which they were made. */
  readonly threads: Thread[];
}

/** A Git repository of a project. */
export interface Repository {
  readonly id: string;
  readonly name: string;
  readonly project: { readonly id: string; readonly name: string };
  readonly pullRequests: PullRequest[];
  /** Branches with a policy, which take changes by pull request alone. */
  readonly policies: Set<string>;
}
