// One comment a stack on a pull request: found again, changed in place, and never set back by an older run.

import { createHash } from "node:crypto";
import { CLOCK, type Clock } from "../../net/retry.ts";

/** A comment that this run's token may have written. */
export interface Comment {
  readonly id: string;
  readonly body: string;
}

/** The comments of one pull request. */
export interface Board {
  /** The longest comment, in characters. */
  readonly limit: number;
  /** Those that the run's token may have written, the oldest first, from all pages. */
  list(): Promise<readonly Comment[]>;
  /** @param needsSomebody whether a person has to look at it. @returns where it is to be seen. */
  create(body: string, needsSomebody: boolean): Promise<string>;
  /** See `create`. @param isNews whether it says something else than before, but for its commit and time. */
  change(comment: Comment, body: string, needsSomebody: boolean, isNews: boolean): Promise<string>;
  remove(comment: Comment): Promise<void>;
}

/** The run may not comment: no fault of the change, and no reason to fail. The message says what to do. */
export class MayNotComment extends Error {}

/** The service did not do its part this time. */
export class Unavailable extends Error {}

/**
 * A run among others, by two numbers that grow: that of the run, and that of the try. A run that is tried again is of
 * the same commit as before, so it stays older than whatever came after its first try.
 */
export interface RunNumber {
  readonly run: number;
  readonly attempt: number;
}

/** What became of a comment. */
export type Outcome =
  | { readonly what: "written"; readonly url: string; readonly removed: number }
  /** A newer run has written it meanwhile. */
  | { readonly what: "newer"; readonly by: RunNumber }
  /** There is none, and none was to be made. */
  | { readonly what: "none" };

export interface Words {
  /** The first line, by which the comment is found again. */
  readonly marker: string;
  /** All that follows the marker. */
  readonly text: string;
  readonly run: RunNumber;
  /** What it says without its commit and time, whatever the form. */
  readonly substance: string;
  readonly needsSomebody: boolean;
  /** Whether it says nothing to whoever has no comment of the stack before them. @default false */
  readonly onlyChanges?: boolean;
}

/** The second line of a comment. */
const SECOND = /^<!-- run (\d+)\.(\d+) ([0-9a-f]{16}) -->$/;
const lineOf = ({ run, attempt }: RunNumber, digest: string) => `<!-- run ${run}.${attempt} ${digest} -->`;

/** Room that the marker's companions take, in characters. */
export const OVERHEAD = 80;

/** How often the whole is tried where the service is unavailable, and how long it is left alone in between. */
const WAITS: readonly number[] = [2000, 8000];

/**
 * Writes a stack's comment: into the one that is there, else a new one; what older runs have left twice is removed.
 * @throws MayNotComment, or Unavailable after three tries.
 */
export async function writeComment(board: Board, words: Words, clock: Clock = CLOCK): Promise<Outcome> {
  for (let attempt = 0; ; attempt++) {
    try {
      return await write(board, words);
    } catch (error) {
      const wait = WAITS[attempt];
      // It may have been written all the same: so it is looked for anew.
      if (!(error instanceof Unavailable) || wait === undefined) throw error;
      await clock.pause(wait);
    }
  }
}

async function write(board: Board, words: Words): Promise<Outcome> {
  const { marker, text, run, substance, needsSomebody, onlyChanges = false } = words;
  const mine = (await board.list()).filter(({ body }) => linesOf(body)[0] === marker);
  if (mine.length === 0 && onlyChanges) return { what: "none" };
  const newer = mine.map(secondOf).find((second) => second !== undefined && isNewer(second, run));
  if (newer !== undefined) return { what: "newer", by: { run: newer.run, attempt: newer.attempt } };
  const digest = createHash("sha256").update(substance).digest("hex").slice(0, 16);
  const body = `${marker}\n${lineOf(run, digest)}\n${text}`;
  const [first, ...others] = mine;
  const url = first
    ? await board.change(first, body, needsSomebody, secondOf(first)?.digest !== digest)
    : await board.create(body, needsSomebody);
  for (const other of others) await board.remove(other);
  return { what: "written", url, removed: others.length };
}

/** The services change how lines end. */
const linesOf = (body: string) => body.split(/\r?\n/, 2);

function secondOf({ body }: Comment): (RunNumber & { readonly digest: string }) | undefined {
  const [, run, attempt, digest] = SECOND.exec(linesOf(body)[1] ?? "") ?? [];
  return digest === undefined ? undefined : { run: Number(run), attempt: Number(attempt), digest };
}

function isNewer(one: RunNumber, other: RunNumber): boolean {
  return one.run > other.run || (one.run === other.run && one.attempt > other.attempt);
}
