// The real `git` as a child process: a temporary bare repository that holds one branch's head, without its blobs and
// without its past. It writes commits as objects, so there is no work tree and nothing half-made anywhere.

import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { mkdtemp, readdir, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findCredential } from "../../net/gitCredential.ts";
import { type GitAccess, signInCredential } from "./gitAccess.ts";
import { gitEnvironment, helperSettings, type SignIn, sshSignIn, writeSigningKey } from "./gitEnvironment.ts";
import { type GitAction, GitError, type GitFault, pushError, remoteError } from "./gitError.ts";

/** An entry of a commit's tree: a file's mode (`100644`, `100755`, `120000`, `160000`) and object id. */
export interface TreeEntry {
  readonly mode: string;
  readonly oid: string;
}

/** Somebody in a commit. */
export interface Person {
  readonly name: string;
  readonly email: string;
}

/** What a commit is made of. */
export interface CommitContent {
  /** Undefined for a branch's first commit. */
  readonly parent: string | undefined;
  readonly message: string;
  /** Whose it is, as a part of an address: the committer's, which tells {@link GitBranch.owners} later. */
  readonly owner: string;
  /** Whose name it bears; default: the program's. */
  readonly author?: Person | undefined;
  /** Who commits it; default: the author. */
  readonly committer?: Person | undefined;
  /** The name of the environment variable with the private SSH key that signs it; default: it is not signed. */
  readonly signingKey?: string | undefined;
  /** Whether the message tells the owner in any case: whoever merges it may commit it anew. */
  readonly named?: boolean | undefined;
  /** Texts by path; they replace whatever file is there. */
  readonly writes: ReadonlyMap<string, string>;
  /** Paths of files. */
  readonly removes: readonly string[];
}

/** Which commits of a branch are newer than one of them, and which are older. */
export interface Descent {
  /** That one itself, and all that it is an ancestor of. */
  readonly later: ReadonlySet<string>;
  /** Its ancestors, as far back as was looked. */
  readonly earlier: ReadonlySet<string>;
}

/** A further branch on which somebody's commit waits for being merged. */
export interface Proposal {
  readonly tip: string;
  /** The newest commit of the owner's on it, with its parent; undefined where there is none among the newest. */
  readonly own?: { readonly commit: string; readonly parent: string };
}

interface Outcome {
  readonly code: number;
  readonly stdout: Buffer;
  readonly stderr: string;
}

/** How the folders of temporary repositories are called. */
const PREFIX = "aks-gitops-git-";

/** After so many milliseconds without a change a temporary repository is nobody's: whoever made it was killed. */
const FORGOTTEN_MS = 60 * 60_000;

/** One branch of a remote repository, seen through a temporary local one. Close it when done. */
export class GitBranch {
  static readonly #open = new Set<GitBranch>();
  static {
    // A process that ends while git runs, as a plugin does without its engine, leaves neither git nor folders behind.
    process.on("exit", () => {
      for (const branch of GitBranch.#open) {
        for (const child of branch.#running) killGroup(child);
        rmSync(branch.#folder, { recursive: true, force: true, maxRetries: 3 });
      }
    });
  }

  readonly url: string;
  readonly branch: string;
  readonly #folder: string;
  readonly #access: GitAccess;
  #signIn: SignIn;
  readonly #signal: AbortSignal;
  readonly #running = new Set<ChildProcess>();
  #commits = 0;

  private constructor(url: string, branch: string, folder: string, signal: AbortSignal, access: GitAccess) {
    this.url = url;
    this.branch = branch;
    this.#folder = folder;
    this.#access = access;
    const found = findCredential(url, access);
    // An App's key is no credential of git's.
    const credential = found && access.githubApp !== undefined ? { ...found, token: "" } : found;
    this.#signIn = { credential, sshOptions: "" };
    this.#signal = signal;
  }

  /**
   * Prepares the temporary repository; nothing is asked of the remote yet.
   *
   * @param signal ends a running git
   * @param access how the remote is signed in to
   * @throws GitError when git is missing or older than 2.30, or the credential is none
   */
  static async open(url: string, branch: string, signal: AbortSignal, access: GitAccess = {}): Promise<GitBranch> {
    await removeForgotten(tmpdir());
    const folder = await mkdtemp(join(tmpdir(), PREFIX));
    const opened = new GitBranch(url, branch, folder, signal, access);
    GitBranch.#open.add(opened);
    try {
      checkVersion(await opened.#text(["version"]));
      await opened.#text(["init", "--quiet", "--bare", "--template=", folder]);
      await opened.#text(["remote", "add", "origin", url]);
      opened.#signIn = await sshSignIn(folder, url, opened.#signIn.credential, access);
    } catch (error) {
      await opened.close();
      throw error;
    }
    return opened;
  }

  /** Removes the temporary repository. */
  async close(): Promise<void> {
    await rm(this.#folder, { recursive: true, force: true, maxRetries: 3 });
    GitBranch.#open.delete(this);
  }

  /** The branch's newest commit; undefined when the remote has no such branch. */
  async head(): Promise<string | undefined> {
    const ref = `refs/heads/${this.branch}`;
    const lines = (await this.#ask("read", ["ls-remote", "origin", ref])).split("\n");
    // The remote matches by the end of a name: `x/refs/heads/main` comes too.
    return lines.map((line) => line.split("\t")).find(([, name]) => name === ref)?.[0];
  }

  /** The names of all branches of the remote. */
  async branches(): Promise<string[]> {
    const lines = (await this.#ask("read", ["ls-remote", "--heads", "origin"])).split("\n").filter(Boolean);
    return lines.map((line) => line.slice(line.indexOf("refs/heads/") + "refs/heads/".length));
  }

  /** Brings the branch's head and its trees here and returns its id; undefined when there is no such branch. */
  async fetch(): Promise<string | undefined> {
    if ((await this.head()) === undefined) return undefined;
    const refspec = `+refs/heads/${this.branch}:refs/remotes/origin/head`;
    const options = ["--quiet", "--depth=1", "--filter=blob:none", "--no-tags", "--no-auto-maintenance"];
    await this.#ask("read", ["fetch", ...options, "origin", refspec]);
    return (await this.#text(["rev-parse", "refs/remotes/origin/head"])).trim();
  }

  /**
   * Which of the branch's commits descend from one of them, as git sees it. Neither trees nor blobs are fetched, and no more
   * than the newest commits unless the one is older than these.
   * @returns the commit alone where the branch has it not, or so far back that nobody looks.
   */
  async descent(commit: string): Promise<Descent> {
    const ref = "refs/remotes/origin/descent";
    const options = ["--quiet", "--filter=tree:0", "--no-tags", "--no-auto-maintenance"];
    for (const depth of [KNOWN_PAST, FURTHEST_PAST]) {
      await this.#ask("read", ["fetch", ...options, `--depth=${depth}`, "origin", `+refs/heads/${this.branch}:${ref}`]);
      // Not asked for by its id: where it is not here, git would fetch it.
      const commits = (await this.#text(["rev-list", ref])).split("\n").filter(Boolean);
      if (commits.includes(commit)) {
        const list = async (...args: string[]) => (await this.#text(["rev-list", ...args])).split("\n").filter(Boolean);
        const later = await list("--ancestry-path", ref, `^${commit}`);
        const earlier = await list(`${commit}^@`);
        return { later: new Set([commit, ...later]), earlier: new Set(earlier) };
      }
      if (commits.length < depth) break;
    }
    return { later: new Set([commit]), earlier: new Set() };
  }

  /** Every file of a commit by its path. */
  async tree(commit: string): Promise<Map<string, TreeEntry>> {
    const entries = (await this.#text(["ls-tree", "-r", "-z", "--full-tree", commit])).split("\0").filter(Boolean);
    return new Map(
      entries.map((entry) => {
        const [, mode = "", oid = "", path = ""] = /^(\d+) \w+ (\w+)\t(.*)$/s.exec(entry) ?? [];
        return [path, { mode, oid }];
      }),
    );
  }

  /** A commit's own message. */
  async message(commit: string): Promise<string> {
    return (await this.#text(["show", "--no-patch", "--format=%B", commit])).trim();
  }

  /**
   * Whose commits made files of a commit what they are there, by path; without those that others committed, or so long ago
   * that the newest commits do not tell.
   */
  async owners(commit: string, paths: readonly string[]): Promise<Map<string, string>> {
    const options = ["--quiet", `--depth=${KNOWN_PAST}`, "--filter=blob:none", "--no-tags", "--no-auto-maintenance"];
    await this.#ask("read", ["fetch", ...options, "origin", `+refs/heads/${this.branch}:refs/remotes/origin/past`]);
    // Where the past that is known begins, all files seem to be new.
    const oldest = (await this.#text(["rev-list", "--max-parents=0", commit])).split("\n");
    const isWhole = (await this.#text(["rev-parse", "--is-shallow-repository"])).trim() === "false";
    const found = await Promise.all(
      paths.map(async (path) => {
        const format = `--format=%H %ce %(trailers:key=${OWNER_TRAILER},valueonly,separator=%x20)`;
        const last = await this.#text(["log", "-1", format, commit, "--", `:(literal)${path}`]);
        const [id = "", address = "", named] = last.trim().split(" ");
        const owner = OWNER.exec(address)?.[1] ?? named;
        return isWhole || !oldest.includes(id) ? [path, owner] : [path, undefined];
      }),
    );
    return new Map(found.filter((one): one is [string, string] => one[1] !== undefined));
  }

  /** What waits on another branch of the remote, with its trees; undefined where there is no such branch. */
  async proposal(branch: string, owner: string): Promise<Proposal | undefined> {
    const ref = "refs/remotes/origin/proposal";
    const options = ["--quiet", `--depth=${KNOWN_PAST}`, "--filter=blob:none", "--no-tags", "--no-auto-maintenance"];
    if (!(await this.branches()).includes(branch)) return undefined;
    await this.#ask("read", ["fetch", ...options, "origin", `+refs/heads/${branch}:${ref}`]);
    const format = `--format=%H %P %ce %(trailers:key=${OWNER_TRAILER},valueonly,separator=%x20)`;
    const lines = (await this.#text(["log", "--first-parent", "--no-merges", format, ref])).split("\n");
    const tip = (await this.#text(["rev-parse", ref])).trim();
    const own = lines.map((line) => line.trim().split(" ")).find((words) => words.at(-1) === owner);
    const [commit, parent] = own ?? [];
    return { tip, ...(commit !== undefined && parent !== undefined && { own: { commit, parent } }) };
  }

  /** The id of a commit's tree. */
  async treeId(commit: string): Promise<string> {
    return (await this.#text(["rev-parse", `${commit}^{tree}`])).trim();
  }

  /** The texts of files by their object ids, fetched in one go. */
  async texts(oids: readonly string[]): Promise<Map<string, string>> {
    const wanted = [...new Set(oids)];
    const texts = new Map<string, string>();
    if (wanted.length === 0) return texts;
    await this.#fetchObjects(wanted);
    let rest = (await this.#run(["cat-file", "--batch"], `${wanted.join("\n")}\n`)).stdout;
    for (const oid of wanted) {
      const [, type, size] = rest.subarray(0, rest.indexOf("\n")).toString().split(" ");
      if (type !== "blob") throw new GitError("other", `${this.url} did not give the object ${oid}`);
      const start = rest.indexOf("\n") + 1;
      texts.set(oid, rest.subarray(start, start + Number(size)).toString());
      rest = rest.subarray(start + Number(size) + 1);
    }
    return texts;
  }

  // Without this, reading would fetch each object in a request of its own.
  async #fetchObjects(oids: readonly string[]): Promise<void> {
    const options = ["--quiet", "--no-tags", "--filter=blob:none", "--no-auto-maintenance", "--no-write-fetch-head"];
    const quick = ["-c", "fetch.negotiationAlgorithm=noop"];
    await this.#ask("read", [...quick, "fetch", ...options, "--stdin", "origin"], `${oids.join("\n")}\n`);
  }

  /**
   * Writes a commit here; undefined when it would not differ from its parent.
   *
   * @throws GitError where it is to be signed and cannot be
   */
  async commit(content: CommitContent): Promise<string | undefined> {
    const ref = `refs/aks-gitops/${++this.#commits}`;
    await this.#text(["fast-import", "--quiet", "--done"], importStream(ref, content));
    const trees = content.parent === undefined ? [`${ref}^{tree}`] : [`${ref}^{tree}`, `${content.parent}^{tree}`];
    const [commit, own, before] = (await this.#text(["rev-parse", ref, ...trees])).split("\n");
    if (own === before || own === undefined) return undefined;
    return content.signingKey === undefined ? commit : this.#signed(content, content.signingKey, own);
  }

  /** The commit anew, signed: fast-import signs nothing. */
  async #signed(content: CommitContent, variable: string, tree: string): Promise<string> {
    const key = await writeSigningKey(this.#folder, variable);
    const parents = content.parent === undefined ? [] : ["-p", content.parent];
    const settings = ["-c", "gpg.format=ssh", "-c", `user.signingKey=${key}`];
    const [author, committer] = [authorOf(content), committerOf(content)];
    const { code, stdout, stderr } = await this.#run(
      [...settings, "commit-tree", "-S", tree, ...parents, "-F", "-"],
      messageOf(content),
      {
        ...{ GIT_AUTHOR_NAME: author.name, GIT_AUTHOR_EMAIL: author.email },
        ...{ GIT_COMMITTER_NAME: committer.name, GIT_COMMITTER_EMAIL: committer.email },
      },
    );
    if (code === 0) return stdout.toString().trim();
    throw new GitError(
      "other",
      `git could not sign with the key in ${variable} (git 2.34 and ssh-keygen do): ${stderr.trim()}`,
    );
  }

  /**
   * Makes the commit the branch's head. A plain push: the remote takes it only as a child of its present head.
   *
   * @throws GitError `race` when somebody else pushed meanwhile
   */
  async push(commit: string): Promise<void> {
    await this.#push([`${commit}:refs/heads/${this.branch}`], this.branch);
  }

  /**
   * Makes the commit another branch's head, whatever that holds, unless it is not what it was any more.
   *
   * @param tip the branch's present head; undefined where there is to be none
   * @throws GitError `race` when somebody else pushed meanwhile
   */
  async propose(commit: string, branch: string, tip: string | undefined): Promise<void> {
    const ref = `refs/heads/${branch}`;
    await this.#push([`--force-with-lease=${ref}:${tip ?? ""}`, `${commit}:${ref}`], branch);
  }

  async #push(what: readonly string[], branch: string): Promise<void> {
    await this.#renew();
    const [options, refspec] = [what.slice(0, -1), what.slice(-1)];
    const args = ["push", "--quiet", "--porcelain", "--no-verify", ...options, "origin", ...refspec];
    const { code, stdout, stderr } = await this.#run(this.#authenticated(args), undefined);
    if (code !== 0) throw pushError({ ...this.#fault("push", `${stdout.toString()}\n${stderr}`), branch });
  }

  /** The credential anew, where what it is for ends before all is done. */
  async #renew(): Promise<void> {
    if (this.#access.githubApp === undefined) return;
    const credential = await signInCredential(this.url, this.#access, this.#signal);
    this.#signIn = { ...this.#signIn, credential };
  }

  async #ask(action: GitAction, args: readonly string[], input?: string): Promise<string> {
    await this.#renew();
    const { code, stdout, stderr } = await this.#run(this.#authenticated(args), input);
    if (code !== 0) throw remoteError(this.#fault(action, stderr));
    return stdout.toString();
  }

  #fault(action: GitAction, output: string): GitFault {
    const { url, branch } = this;
    return { action, url, branch, output, access: this.#access, credential: this.#signIn.credential };
  }

  #authenticated(args: readonly string[]): string[] {
    return [...helperSettings(this.url, this.#signIn.credential), ...args];
  }

  async #text(args: readonly string[], input?: string): Promise<string> {
    const { code, stdout, stderr } = await this.#run(args, input);
    if (code !== 0) throw new GitError("other", `git ${args[0]} failed: ${stderr.trim()}`);
    return stdout.toString();
  }

  #run(args: readonly string[], input?: string, more: NodeJS.ProcessEnv = {}): Promise<Outcome> {
    const signal = this.#signal;
    signal.throwIfAborted();
    const env = { ...gitEnvironment(this.#folder, this.#signIn), ...more };
    // A process group of its own, because a killed git leaves its helpers talking to the remote.
    const child = spawn("git", args, { cwd: this.#folder, env, detached: process.platform !== "win32" });
    this.#running.add(child);
    const kill = () => killGroup(child);
    signal.addEventListener("abort", kill);
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    child.stdout.on("data", (data: Buffer) => output.stdout.push(data));
    child.stderr.on("data", (data: Buffer) => output.stderr.push(data));
    // A git that ends early says why itself; that nobody read its input says nothing more.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
    const outcome = new Promise<Outcome>((resolve, reject) => {
      child.on("error", (error: NodeJS.ErrnoException) => {
        reject(error.code === "ENOENT" ? new GitError("other", MISSING) : error);
      });
      child.on("close", (code) => {
        const [stdout, stderr] = [Buffer.concat(output.stdout), Buffer.concat(output.stderr).toString()];
        if (signal.aborted) reject(signal.reason);
        else resolve({ code: code ?? 1, stdout, stderr });
      });
    });
    return outcome.finally(() => {
      signal.removeEventListener("abort", kill);
      this.#running.delete(child);
    });
  }
}

/** Removes what processes that were killed have left, as far as it may. */
async function removeForgotten(parent: string): Promise<void> {
  const names = (await readdir(parent)).filter((name) => name.startsWith(PREFIX));
  await Promise.all(
    names.map(async (name) => {
      const folder = join(parent, name);
      const changed = (await stat(folder).catch(() => undefined))?.mtimeMs;
      if (changed === undefined || Date.now() - changed < FORGOTTEN_MS) return;
      await rm(folder, { recursive: true, force: true }).catch(() => {});
    }),
  );
}

function killGroup(child: ChildProcess): void {
  if (child.pid === undefined || process.platform === "win32") {
    child.kill();
    return;
  }
  try {
    process.kill(-child.pid, "SIGTERM");
  } catch {
    // All of them have ended already.
  }
}

const MISSING = "git is not on the PATH: install git 2.30 or newer";

function checkVersion(text: string): void {
  const [, major = 0, minor = 0] = (/(\d+)\.(\d+)/.exec(text) ?? []).map(Number);
  if (major > 2 || (major === 2 && minor >= 30)) return;
  throw new GitError("other", `${text.trim()} is too old: install git 2.30 or newer`);
}

/** So many of a branch's newest commits tell who wrote what. */
const KNOWN_PAST = 200;

/** Nobody looks further back for a commit that was made a moment ago. */
const FURTHEST_PAST = 5000;

/** The program's, whoever runs it; the address is nobody's (RFC 2606). */
const AUTHOR: Person = { name: "aks-gitops", email: "noreply@aks-gitops.invalid" };

const authorOf = ({ author = AUTHOR }: CommitContent): Person => author;

const committerOf = ({ author, committer, owner }: CommitContent): Person =>
  committer ?? author ?? { name: "aks-gitops", email: `noreply+${owner}@aks-gitops.invalid` };

/** Where the committer's address does not tell whose a commit is, its message does. */
const OWNER_TRAILER = "Aks-Gitops-Owner";

function messageOf(content: CommitContent): string {
  const text = content.message.trim();
  return content.committer === undefined && content.author === undefined && !content.named
    ? `${text}\n`
    : `${text}\n\n${ownerLine(content.owner)}\n`;
}

/** The line of a message that tells whose a commit is. */
export const ownerLine = (owner: string): string => `${OWNER_TRAILER}: ${owner}`;

const OWNER = /^noreply\+(\w+)@aks-gitops\.invalid$/;

/** The commit in the language of git fast-import; lengths are in bytes. */
function importStream(ref: string, content: CommitContent): string {
  const { parent, writes, removes } = content;
  const person = ({ name, email }: Person) => `${name} <${email}>`;
  const data = (text: string) => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const time = `${Math.floor(Date.now() / 1000)} +0000`;
  return [
    `commit ${ref}\nauthor ${person(authorOf(content))} ${time}\n`,
    `committer ${person(committerOf(content))} ${time}\n${data(messageOf(content))}`,
    parent === undefined ? "" : `from ${parent}\n`,
    ...removes.map((path) => `D ${path}\n`),
    ...[...writes].map(([path, text]) => `M 100644 inline ${path}\n${data(text)}`),
    "done\n",
  ].join("");
}
