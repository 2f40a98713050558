// Where the command runs, and what that place offers: a log with commands, a summary, a pull request's comments.

import type { Board, RunNumber } from "./comment.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** The pull request that a run is for. */
export interface PullRequest {
  /** As people write it: `#12`. */
  readonly name: string;
  /** Whether it comes from another repository, whose runs get neither secrets nor a token that may write. */
  readonly isFork: boolean;
  /** Its comments, or why they are out of reach and what to do. */
  readonly board: Board | { readonly unable: string };
}

/** A system that runs pipelines. */
export interface System {
  readonly name: "GitHub Actions" | "Azure Pipelines" | "Pulumi Deployments" | "terminal";
  /** Whether nobody is there to be asked. */
  readonly isPipeline: boolean;
  /** The commit that is reviewed: a pull request's head, not what it was merged to for the run. */
  readonly commit?: string | undefined;
  readonly run: RunNumber;
  /** Where the run is to be seen. */
  readonly url?: string | undefined;
  readonly pullRequest?: PullRequest | undefined;
  /** Lines that begin and end a part of the log which is shown folded. */
  readonly fold?: (title: string) => readonly [begin: string, end: string];
  /** The line that puts a fault or warning where people look first. */
  readonly annotation?: (severity: "error" | "warning", text: string) => string;
  readonly summary?: Summary;
}

/** The page of a run that takes Markdown. */
export interface Summary {
  /** The most that it takes, in bytes of UTF-8. */
  readonly limit: number;
  /** Adds a text. @returns a line for the log, where that is how it is handed over. */
  add(markdown: string): Promise<string | undefined>;
}
