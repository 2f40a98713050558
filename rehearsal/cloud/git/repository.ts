// Bare repositories, made and read with git itself.
import { execFile, spawn } from "node:child_process";
import { mkdir } from "node:fs/promises";

/** What git processes get of the environment: nothing of the user's own configuration. */
export const gitEnvironment: NodeJS.ProcessEnv = {
  PATH: process.env.PATH,
  LC_ALL: "C",
  GIT_CONFIG_NOSYSTEM: "1",
  GIT_CONFIG_GLOBAL: process.platform === "win32" ? "NUL" : "/dev/null",
};

export interface Commit {
  readonly sha: string;
  readonly parents: readonly string[];
  readonly author: { readonly name: string; readonly email: string; readonly date: string };
  readonly message: string;
}

/**
 * Makes a bare repository that takes pushes over HTTP.
 * @param whole whether it gives whole branches alone: no part of one, and no object by its id.
 */
export async function initialise(folder: string, { whole = false } = {}): Promise<void> {
  await mkdir(folder, { recursive: true });
  await git(folder, "init", "--quiet", "--bare", "--initial-branch=main", ".");
  const settings: [string, string][] = [
    ["http.receivepack", "true"],
    ["uploadpack.allowFilter", String(!whole)],
    ["uploadpack.allowAnySHA1InWant", String(!whole)],
    // Housekeeping would leave processes behind.
    ["receive.autogc", "false"],
    ["gc.auto", "0"],
    ["maintenance.auto", "false"],
  ];
  for (const [name, value] of settings) await git(folder, "config", "--add", name, value);
}

/** Commits files to the branch main, as its first commit. */
export async function commitFiles(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const quote = (path: string) => `"${path.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
  const stream = [
    "commit refs/heads/main\n",
    `committer GitHub <noreply@github.com> ${Math.floor(Date.now() / 1000)} +0000\n`,
    data("Initial commit"),
    ...Object.entries(files).map(([path, text]) => `M 100644 inline ${quote(path)}\n${data(text)}`),
  ];
  await gitWithInput(folder, ["fast-import", "--quiet"], stream.join(""));
}

/** @returns undefined where the revision does not lead to a commit. */
export async function readCommit(folder: string, revision: string): Promise<Commit | undefined> {
  const format = "--format=%H%x00%P%x00%an%x00%ae%x00%aI%x00%B";
  try {
    const text = await git(folder, "show", "--no-patch", format, "--end-of-options", `${revision}^{commit}`);
    const [sha = "", parents = "", name = "", email = "", date = "", message = ""] = text.split("\0");
    const { length } = parents;
    return {
      sha,
      parents: length > 0 ? parents.split(" ") : [],
      author: { name, email, date },
      message: message.trimEnd(),
    };
  } catch {
    return undefined;
  }
}

/** The refs that begin with a prefix such as `refs/heads/`, with what they point at. */
export async function listRefs(folder: string, prefix: string): Promise<{ ref: string; sha: string }[]> {
  const text = await git(folder, "for-each-ref", "--format=%(refname) %(objectname)");
  const lines = text.split("\n").filter((line) => line.startsWith(prefix));
  return lines.map((line) => ({ ref: line.split(" ")[0] ?? "", sha: line.split(" ")[1] ?? "" }));
}

/** The commits of one branch that another has not. */
export async function commitsBetween(folder: string, base: string, head: string): Promise<number> {
  return Number(await git(folder, "rev-list", "--count", `refs/heads/${base}..refs/heads/${head}`));
}

/** What two branches make together; undefined where they cannot be merged without a hand. */
async function mergedTree(folder: string, base: string, head: string): Promise<string | undefined> {
  try {
    return (await git(folder, "merge-tree", "--write-tree", `refs/heads/${base}`, `refs/heads/${head}`)).trim();
  } catch {
    return undefined;
  }
}

export async function canMerge(folder: string, base: string, head: string): Promise<boolean> {
  return (await mergedTree(folder, base, head)) !== undefined;
}

/**
 * Merges one branch into another, as the host itself.
 * @param squash whether all of it becomes one commit with one parent.
 * @returns the commit; undefined where they cannot be merged without a hand.
 */
export async function mergeBranches(
  folder: string,
  { base, head, message, squash }: { base: string; head: string; message: string; squash: boolean },
): Promise<string | undefined> {
  const tree = await mergedTree(folder, base, head);
  if (tree === undefined) return undefined;
  const parents = [base, ...(squash ? [] : [head])].flatMap((branch) => ["-p", `refs/heads/${branch}`]);
  const host = ["-c", "user.name=Host", "-c", "user.email=noreply@host.example"];
  const commit = (await git(folder, ...host, "commit-tree", tree, ...parents, "-m", message)).trim();
  await git(folder, "update-ref", `refs/heads/${base}`, commit);
  return commit;
}

function git(folder: string, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile("git", args, { cwd: folder, env: gitEnvironment, maxBuffer: 16 * 1024 * 1024 }, (error, stdout) =>
      error ? reject(error) : resolve(stdout),
    );
  });
}

function gitWithInput(folder: string, args: readonly string[], input: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("git", args, { cwd: folder, env: gitEnvironment, stdio: ["pipe", "ignore", "pipe"] });
    let errors = "";
    child.stderr.on("data", (chunk) => {
      errors += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => (code === 0 ? resolve() : reject(new Error(`git ${args.join(" ")}: ${errors}`))));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}
