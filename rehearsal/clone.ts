// A work tree of the GitOps repository, kept level with the simulated GitHub, to read and to work in.
import { existsSync } from "node:fs";
import { must, run } from "./run.ts";
import { type CloudFile, environment, type Paths } from "./session.ts";

/**
 * Clones the repository, or brings the clone up to the branch's head where nobody has work of their own in it.
 * @returns the head's commit.
 */
export async function updateClone(paths: Paths, cloud: CloudFile, url: string, branch: string): Promise<string> {
  const credential = {
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: "credential.helper",
    // The helper reads the token from its environment, so it stands in no argument and in no file.
    GIT_CONFIG_VALUE_0:
      '!f() { test "$1" = get && printf "username=x-access-token\\npassword=%s\\n" "$GITHUB_TOKEN"; }; f',
  };
  const env = { ...environment({ paths, cloud }), ...credential };
  const git = (args: string[], cwd: string) => must("git", args, { cwd, env });
  if (!existsSync(paths.clone)) await git(["clone", "--quiet", "--branch", branch, url, paths.clone], paths.dir);
  else {
    await git(["fetch", "--quiet", "origin", branch], paths.clone);
    const clean = (await git(["status", "--porcelain"], paths.clone)).stdout === "";
    if (clean) await run("git", ["merge", "--quiet", "--ff-only", "FETCH_HEAD"], { cwd: paths.clone, env });
  }
  return (await git(["rev-parse", `origin/${branch}`], paths.clone)).stdout.trim();
}
