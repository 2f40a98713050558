// A work tree of the GitOps repository, kept level with the simulated GitHub, to read and to work in.
import { existsSync } from "node:fs";
import { must, type Ran, run } from "../run.ts";
import { type CloudFile, environment, type Paths } from "../session.ts";
import { signIn } from "./gitSettings.ts";

/** Where the repository stands: the branch's commit, or else what is not there, in words. */
export type Head = { readonly commit: string } | { readonly missing: string };

/**
 * Clones the repository, or brings the clone up to the branch's head where nobody has work of their own in it.
 * @returns what is missing where the stack has yet to make the repository, or its branch; then nothing was changed.
 * @throws Error as git fails otherwise.
 */
export async function updateClone(paths: Paths, cloud: CloudFile, url: string, branch: string): Promise<Head> {
  const env = gitEnvironment(paths, cloud);
  const git = (args: string[], cwd: string) => must("git", args, { cwd, env });
  const remote = await run("git", ["ls-remote", "--exit-code", url, `refs/heads/${branch}`], { cwd: paths.dir, env });
  const missing = absence(remote, url, branch);
  if (missing !== undefined) return { missing };
  if (!existsSync(paths.clone)) await git(["clone", "--quiet", "--branch", branch, url, paths.clone], paths.dir);
  else {
    await git(["fetch", "--quiet", "origin", branch], paths.clone);
    const clean = (await git(["status", "--porcelain"], paths.clone)).stdout === "";
    if (clean) await run("git", ["merge", "--quiet", "--ff-only", "FETCH_HEAD"], { cwd: paths.clone, env });
  }
  return { commit: (await git(["rev-parse", `origin/${branch}`], paths.clone)).stdout.trim() };
}

/**
 * Gives another rehearsal the repository as this one's clone has it: stacks of one repository find each other's files.
 * @param place where the other one's settings have it.
 */
export async function handOver(
  { clone }: Paths,
  { repository, branch }: { readonly repository: string; readonly branch: string },
  paths: Paths,
  cloud: CloudFile,
): Promise<void> {
  if (!existsSync(clone)) return; // The first one failed before there was any.
  const env = gitEnvironment(paths, cloud);
  await must("git", ["push", "--quiet", "--force", repository, `origin/${branch}:refs/heads/${branch}`], {
    cwd: clone,
    env,
  });
}

/** What `git ls-remote --exit-code` did not find. Where it failed otherwise, so will whoever needs the repository. */
function absence({ code, stderr }: Ran, url: string, branch: string): string | undefined {
  if (code === 2) return `the GitOps repository ${url} has no branch ${branch}`;
  return /^fatal: repository '.*' not found$/m.test(stderr) ? `there is no GitOps repository ${url}` : undefined;
}

/** What git says is read here; a server that is silent for half a minute is one that cannot be reached. */
const gitEnvironment = (paths: Paths, cloud: CloudFile) => ({
  ...environment({ paths, cloud }),
  ...signIn,
  LC_ALL: "C",
  GIT_HTTP_LOW_SPEED_LIMIT: "1",
  GIT_HTTP_LOW_SPEED_TIME: "30",
});

/** Whether a commit of a branch comes after another one that the clone has. */
export async function isAfter(
  paths: Paths,
  cloud: CloudFile,
  branch: string,
  earlier: string,
  later: string,
): Promise<boolean> {
  const git = (...args: string[]) => run("git", args, { cwd: paths.clone, env: gitEnvironment(paths, cloud) });
  // Somebody may have pushed it since.
  if ((await git("cat-file", "-e", `${later}^{commit}`)).code !== 0) await git("fetch", "--quiet", "origin", branch);
  return (await git("merge-base", "--is-ancestor", earlier, later)).code === 0;
}

/** When a commit of the clone was made, in ISO 8601. */
export async function commitTime(paths: Paths, cloud: CloudFile, commit: string): Promise<string> {
  const env = gitEnvironment(paths, cloud);
  const { stdout } = await run("git", ["show", "--no-patch", "--format=%ct", commit], { cwd: paths.clone, env });
  return new Date(Number(stdout.trim()) * 1000).toISOString();
}
