// What a commit has to change so that a branch holds what a GitCommit wants. Pure: a tree in, a plan out.

import { createHash } from "node:crypto";
import type { TreeEntry } from "./git.ts";

export interface PlanOptions {
  /** The files of the branch's head. */
  readonly tree: ReadonlyMap<string, TreeEntry>;
  /** The owned files as they shall be. */
  readonly files: Readonly<Record<string, string>>;
  /** The object ids of the owned files as they were left; undefined where that is not known. */
  readonly previous: ReadonlyMap<string, string | undefined>;
  readonly seeds: Readonly<Record<string, string>>;
  readonly adopt: boolean;
}

export interface Plan {
  readonly writes: Map<string, string>;
  readonly removes: string[];
  /** Owned paths where somebody else changed or removed something since. */
  readonly drifted: string[];
  /** Wanted paths where somebody else's content stands. */
  readonly conflicts: string[];
}

/** Compares by object ids, so no file has to be downloaded. */
export function plan({ tree, files, previous, seeds, adopt }: PlanOptions): Plan {
  const result: Plan = { writes: new Map(), removes: [], drifted: [], conflicts: [] };
  for (const [path, oid] of previous) {
    const entry = tree.get(path);
    const goal = files[path];
    const settled = goal === undefined ? entry === undefined : holds(entry, goal);
    if (!settled && oid !== undefined && !isFile(entry, oid)) result.drifted.push(path);
    // What became a seed stays where it is, from now on its editors' own.
    if (entry && !(path in files) && !(path in seeds)) result.removes.push(path);
  }
  const removed = new Set(result.removes);
  const remaining = [...tree.keys()].filter((path) => !removed.has(path));
  const folders = new Set(remaining.flatMap(parents));
  const blocked = (path: string) =>
    folders.has(path) || parents(path).some((parent) => tree.has(parent) && !removed.has(parent));
  for (const [path, text] of Object.entries(files)) {
    const entry = tree.get(path);
    if (holds(entry, text)) continue;
    // The same bytes, only executable, are nobody else's content.
    const isSame = entry?.mode === "100755" && entry.oid === blobId(text);
    if (blocked(path) || (entry && !previous.has(path) && !adopt && !isSame)) result.conflicts.push(path);
    else result.writes.set(path, text);
  }
  for (const [path, text] of Object.entries(seeds)) {
    if (!tree.has(path) && !blocked(path) && !hides(tree, seeds, path)) result.writes.set(path, text);
  }
  return result;
}

/** Whether a seed is a kustomization.yaml beside files of people's own, which Flux would apply no more. */
function hides(tree: PlanOptions["tree"], seeds: PlanOptions["seeds"], path: string): boolean {
  const [, folder] = /^(.*\/)?kustomization\.yaml$/.exec(path) ?? [];
  return folder !== undefined && [...tree.keys()].some((other) => other.startsWith(folder) && !(other in seeds));
}

/** Whether no file can be at a path without doing away with others: a folder is there, or a file where its folder is. */
export function isBlocked(tree: ReadonlyMap<string, TreeEntry>, path: string): boolean {
  const isAbove = [...tree.keys()].some((other) => other.startsWith(`${path}/`));
  return isAbove || parents(path).some((parent) => tree.has(parent));
}

/** Whether an entry is a plain file with this text. */
export function holds(entry: TreeEntry | undefined, text: string): boolean {
  return isFile(entry, blobId(text));
}

function isFile(entry: TreeEntry | undefined, oid: string): boolean {
  return entry?.mode === "100644" && entry.oid === oid;
}

/** The folders above a path. */
function parents(path: string): string[] {
  const steps = path.split("/");
  return steps.slice(1).map((_, index) => steps.slice(0, index + 1).join("/"));
}

/** The object id that git gives a text. */
export function blobId(text: string): string {
  const bytes = Buffer.from(text);
  return createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
}
