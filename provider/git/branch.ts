// A branch of the GitOps repository, read as the program reads it: its head alone, and of its files only those that are asked for.

import { GitBranch, type TreeEntry } from "./git.ts";
import type { GitAccess } from "./gitAccess.ts";

/** Where a branch is, as the program's commit says it. */
export interface BranchPlace {
  readonly url: string;
  readonly branch: string;
  readonly access?: GitAccess | undefined;
}

/** The files of a branch's head. */
export interface BranchFiles {
  /** Of all files that are no links. */
  readonly paths: readonly string[];
  /** The texts of files, fetched in one go; by path. */
  texts(paths: readonly string[]): Promise<ReadonlyMap<string, string>>;
}

/**
 * Looks at a branch with the environment's credential; one that is not there has no files.
 * @throws GitError in words that name the place, the cause and the remedy.
 */
export async function readBranch<T>(
  { url, branch, access }: BranchPlace,
  signal: AbortSignal,
  look: (files: BranchFiles) => Promise<T>,
): Promise<T> {
  const remote = await GitBranch.open(url, branch, signal, access);
  try {
    const head = await remote.fetch();
    const tree = head === undefined ? new Map<string, TreeEntry>() : await remote.tree(head);
    const files = [...tree].filter(([, { mode }]) => mode.startsWith("100"));
    return await look({
      paths: files.map(([path]) => path),
      texts: async (paths) => {
        const wanted = files.filter(([path]) => paths.includes(path));
        const texts = await remote.texts(wanted.map(([, { oid }]) => oid));
        return new Map(wanted.map(([path, { oid }]) => [path, texts.get(oid) ?? ""]));
      },
    });
  } finally {
    await remote.close();
  }
}
