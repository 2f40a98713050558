// What GitHub says of a push to a branch that takes changes by pull request alone.

import type { Refusal } from "../git/receive.ts";
import type { Repository } from "./model.ts";

const RULE = "- Changes must be made through a pull request.";

/** Why a branch takes no push: by its protection, or by a ruleset; undefined where it takes them. */
export function refusalOf({ owner, name, ...repository }: Repository, branch: string): Refusal | undefined {
  const ref = `refs/heads/${branch}`;
  if (repository.protectedBranches.includes(branch))
    return {
      reason: "protected branch hook declined",
      lines: [`error: GH006: Protected branch update failed for ${ref}.`, "", RULE],
    };
  if (repository.ruledBranches?.includes(branch))
    return {
      reason: "push declined due to repository rule violations",
      lines: [
        `error: GH013: Repository rule violations found for ${ref}.`,
        `Review all repository rules at https://github.com/${owner}/${name}/rules?ref=${encodeURIComponent(ref)}`,
        ...["", RULE, ""],
      ],
    };
  return undefined;
}
