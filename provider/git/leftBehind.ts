// What a GitCommit that was replaced at its place leaves behind there. Pure.

import type { GitCommitInputs } from "./gitCommitInputs.ts";
import { type KustomizationEntries, LISTS } from "./kustomizationFile.ts";
import type { SopsRule } from "./sopsRules.ts";

/** All that is somebody's on a branch. */
export interface Owned {
  /** The object ids of files as they were left, by path; undefined where that is not known. */
  readonly files: ReadonlyMap<string, string | undefined>;
  readonly sopsRules: readonly SopsRule[];
  readonly kustomizations: Readonly<Record<string, KustomizationEntries>>;
}

/** What no successor at the same place owns, nor writes for others; all of it where there is none. */
export function leftBehind(owned: Owned, successor: GitCommitInputs | undefined): Owned {
  if (successor === undefined) return owned;
  const { files, fluxComponents, seeds, sopsRules, kustomizations } = successor;
  const whole = { ...files, ...fluxComponents };
  const written = { ...whole, ...seeds, ...kustomizations };
  const isTheirs = (rule: SopsRule) => sopsRules.some(({ path_regex }) => path_regex === rule.path_regex);
  const entries = Object.entries(owned.kustomizations)
    .filter(([path]) => !Object.hasOwn(whole, path))
    .map(([path, ours]) => [path, without(ours, kustomizations[path] ?? {})] as const)
    .filter(([, left]) => Object.keys(left).length > 0);
  return {
    files: new Map([...owned.files].filter(([path]) => !Object.hasOwn(written, path))),
    sopsRules: owned.sopsRules.filter((rule) => !isTheirs(rule)),
    kustomizations: Object.fromEntries(entries),
  };
}

function without(ours: KustomizationEntries, theirs: KustomizationEntries): KustomizationEntries {
  const lists = LISTS.map(
    (list) => [list, (ours[list] ?? []).filter((entry) => !theirs[list]?.includes(entry))] as const,
  );
  return Object.fromEntries(lists.filter(([, left]) => left.length > 0));
}
