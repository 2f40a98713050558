// What GitCommit does where the branch takes changes by pull request alone: on GitHub by protection and by a ruleset, and at
// Azure DevOps by a policy.
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, it } from "mocha";
import { CLOCK, type Clock } from "../../../net/retry.ts";
import type { Context, Existing, Properties } from "../../../plugin/handler.ts";
import { gitCommitWith } from "../../../provider/git/gitCommit.ts";
import { AzureDevOps } from "../../../rehearsal/cloud/devops/service.ts";
import { GitHub } from "../../../rehearsal/cloud/github/service.ts";
import { setEnvironment } from "../../support/environment.ts";
import { devOpsHost, type GitHost, gitHubHost } from "../../support/gitHosts.ts";

const run = promisify(execFile);
const BRANCH = "aks-gitops/prod";
const FILES = { "README.md": "theirs\n", ".sops.yaml": "creation_rules:\n  - path_regex: ^x\n    age: a\n" };

/** A host whose branch main takes no push, and what people do there. */
interface Protected {
  readonly host: GitHost;
  readonly url: string;
  readonly folder: string;
  /** Numbers and titles of the open ones. */
  readonly open: () => { number: number; title: string; body: string }[];
  readonly all: () => number;
  readonly merge: (number: number, squash: boolean) => Promise<string>;
  readonly close: (number: number) => void;
  /** The address of one for people. */
  readonly address: (number: number) => RegExp;
  /** A token that may push and open none; what is said then. */
  readonly powerless: () => { token: string; message: RegExp };
}

async function onGitHub(root: string, options: object): Promise<Protected & { token: string }> {
  const gitHub = new GitHub({ root });
  const fleet = await gitHub.createRepository("acme", "fleet", { files: FILES, ...options });
  const repositories = { "acme/fleet": "write" } as const;
  const host = await gitHubHost(gitHub);
  return {
    ...{ host, folder: fleet.folder, url: `${host.origin}/acme/fleet`, token: gitHub.addToken({ repositories }) },
    open: () => fleet.pullRequests.filter(({ state }) => state === "open"),
    all: () => fleet.pullRequests.length,
    merge: (number, squash) => gitHub.mergePullRequest(fleet, number, squash ? "squash" : "merge"),
    close: (number) => Object.assign(fleet.pullRequests[number - 1] ?? {}, { state: "closed" }),
    address: (number) => new RegExp(`https://github\\.com/acme/fleet/pull/${number}\\b`),
    powerless: () => ({
      token: gitHub.addToken({ repositories, pullRequests: "read" }),
      message:
        /may not open pull requests in .*: it needs the right \(on GitHub: Pull requests, read and write\): 403 Res/,
    }),
  };
}

async function atDevOps(root: string): Promise<Protected & { token: string }> {
  const devOps = new AzureDevOps("acme", { root });
  const fleet = await devOps.createGitRepository("My Platform", "fleet", { files: FILES });
  devOps.protect(fleet, "main");
  const repositories = { "My Platform/fleet": "contribute" } as const;
  const host = await devOpsHost(devOps);
  return {
    host,
    folder: devOps.git?.folder(fleet) ?? "",
    url: `${host.origin}/acme/My%20Platform/_git/fleet`,
    token: devOps.git?.addUser({ displayName: "Ada", repositories }) ?? "",
    open: () =>
      fleet.pullRequests
        .filter(({ status }) => status === "active")
        .map(({ id, title, description }) => ({ number: id, title, body: description })),
    all: () => fleet.pullRequests.length,
    merge: (number, squash) => devOps.completePullRequest(fleet, number, { squash }),
    close: (number) => Object.assign(fleet.pullRequests[number - 1] ?? {}, { status: "abandoned" }),
    address: (number) => new RegExp(`/acme/My%20Platform/_git/fleet/pullrequest/${number}\\b`),
    powerless: () => ({
      token: devOps.git?.addUser({ displayName: "Bo", repositories, pullRequests: false }) ?? "",
      message: /may not open pull requests in .*; the permission Contribute to pull requests\): 403 TF401027/,
    }),
  };
}

/** The hosts, each with the way that it keeps a branch from being pushed to. */
const HOSTS = {
  "a ruleset of GitHub's": (root: string) => onGitHub(root, { ruledBranches: ["main"] }),
  "GitHub's branch protection": (root: string) => onGitHub(root, { protectedBranches: ["main"] }),
  "a policy of Azure DevOps'": atDevOps,
};

/** What is shown: that its words are known; what depends on the host; and all that does not. */
type Part = "words" | "host" | "rest";

/** Shows parts of what GitCommit does behind a host's rule. */
export function showPullRequests(name: keyof typeof HOSTS, ...parts: readonly Part[]): void {
  const start = HOSTS[name];
  describe(`GitCommit behind ${name}`, () => {
    let root: string;
    let at: Protected;
    let token: string;
    let logs: string[];
    let restore: () => void;
    /** Called whenever somebody waits. */
    let whileWaiting: () => Promise<unknown>;

    beforeEach(async () => {
      root = await mkdtemp(join(tmpdir(), "pull-requests-"));
      const started = await start(root);
      ({ token } = started);
      at = started;
      restore = setEnvironment({ GIT_TOKEN: token, GITHUB_TOKEN: undefined });
      logs = [];
      whileWaiting = async () => {};
    });
    afterEach(async () => {
      restore();
      await at.host.close();
      await rm(root, { recursive: true, force: true });
    });

    let passed = 0;
    const clock: Clock = {
      now: () => passed,
      pause: async (milliseconds) => {
        passed += milliseconds;
        // Tries after a failure wait for less, and nobody does anything meanwhile.
        if (milliseconds >= 10_000) await whileWaiting();
        else await CLOCK.pause(1);
      },
    };
    const handler = gitCommitWith(clock);
    const context = (): Context => ({
      ...{ urn: "urn:pulumi:prod::aks-gitops::gitops:index:GitCommit::fleet", type: "gitops:index:GitCommit" },
      ...{ name: "fleet", preview: false, signal: new AbortController().signal },
      log: (severity, message) => logs.push(`${severity}: ${message}`),
    });
    const inputs = (more: Properties): Properties => ({
      ...{ url: at.url, branch: "main", message: "Update stack prod", files: { "a.yaml": "a\n" } },
      ...{ pullRequest: { branch: BRANCH }, ...more },
    });
    const create = async (more: Properties = {}): Promise<Existing> => {
      const given = inputs(more);
      return { ...(await handler.create(given, context())), inputs: given };
    };
    const update = async (existing: Existing, more: Properties) => handler.update?.(existing, inputs(more), context());
    const git = async (...args: string[]) => (await run("git", args, { cwd: at.folder })).stdout.trim();
    const head = (branch = "main") => git("rev-parse", branch);
    const paths = async (branch = "main") => (await git("ls-tree", "-r", "--name-only", branch)).split("\n");
    /** Somebody else's commit on a branch. */
    const commit = async (branch: string, path: string, text: string) => {
      const data = (content: string) => `data ${Buffer.byteLength(content)}\n${content}\n`;
      const parent = await head(branch);
      const stream = `commit refs/heads/${branch}\ncommitter A <a@b> 1700000000 +0000\n${data("Else")}from ${parent}\nM 100644 inline ${path}\n${data(text)}`;
      const running = run("git", ["fast-import", "--quiet"], { cwd: at.folder });
      running.child.stdin?.end(stream);
      await running;
    };

    if (parts.includes("words")) {
      it("opens a pull request, names it and fails; the next one after the merge goes on, without a commit", async () => {
        const before = await head();
        await assert.rejects(create(), (error: Error) => {
          assert.match(
            error.message,
            /^branch main of .* takes changes by pull request alone: .* waits to be merged\. Merge/,
          );
          assert.match(error.message, at.address(1));
          assert.doesNotMatch(error.message, new RegExp(token));
          return true;
        });
        assert.equal(await head(), before);
        assert.equal(await git("rev-parse", `${BRANCH}^`), before);
        assert.deepEqual(await paths(BRANCH), [".sops.yaml", "README.md", "a.yaml"]);
        assert.deepEqual(
          at.open().map(({ number, title }) => [number, title]),
          [[1, "Update stack prod"]],
        );
        assert.match(at.open()[0]?.body ?? "", /^aks-gitops proposes this[\s\S]*\n\nAks-Gitops-Owner: \w{16}$/);
        const merged = await at.merge(1, true);
        const { state } = await create();
        assert.equal(state.commit, merged);
        assert.equal(await head(), merged);
        assert.equal(at.all(), 1);
      });
    }

    if (parts.includes("host")) {
      it("brings the open one to what is wanted now, whatever others did to it", async () => {
        await assert.rejects(create({ files: { "a.yaml": "a\n", "old.yaml": "o\n" } }), at.address(1));
        await assert.rejects(create({ files: { "a.yaml": "new\n" }, message: "Update it" }), at.address(1));
        assert.deepEqual(await paths(BRANCH), [".sops.yaml", "README.md", "a.yaml"]);
        assert.equal(await git("show", `${BRANCH}:a.yaml`), "new");
        await commit(BRANCH, "a.yaml", "somebody's\n");
        await assert.rejects(create({ files: { "a.yaml": "new\n" }, message: "Update it" }), at.address(1));
        assert.equal(await git("show", `${BRANCH}:a.yaml`), "new");
        assert.deepEqual(
          at.open().map(({ number, title }) => [number, title]),
          [[1, "Update it"]],
        );
      });

      it("goes on where it was interrupted: before it was opened, and before that was told", async () => {
        const isOpening = ({ method, path }: { method: string; path: string }) =>
          method === "POST" && /\/pull(s|requests)(\?|$)/.test(path);
        at.host.before = (request) => (isOpening(request) ? { status: 500 } : undefined);
        await assert.rejects(create(), /refuses a pull request: 500/);
        assert.deepEqual([at.all(), await git("show", `${BRANCH}:a.yaml`)], [0, "a"]);
        at.host.before = (request) => (isOpening(request) ? "lost" : undefined);
        await assert.rejects(create(), /refuses a pull request: 502/);
        at.host.before = undefined;
        await assert.rejects(create(), at.address(1));
        assert.equal(at.all(), 1);
      });

      it("names the right that lacks to open one", async () => {
        const { token: other, message } = at.powerless();
        process.env.GIT_TOKEN = other;
        await assert.rejects(create(), message);
        assert.equal(at.all(), 0);
      });

      it("waits until it is merged, by one commit or as it is, and gives the commit that holds it", async () => {
        for (const [number, squash] of [true, false].entries()) {
          const files = { "a.yaml": `${number}\n` };
          let looks = 0;
          whileWaiting = async () => {
            if (++looks === 2) await at.merge(number + 1, squash);
          };
          const { state } = await create({ files, adopt: true, pullRequest: { branch: BRANCH, waitMinutes: 60 } });
          assert.equal(state.commit, await head());
          assert.equal(await git("show", "main:a.yaml"), String(number));
          assert.match(logs.at(-1) ?? "", /^info: waits for up to 60 minutes until http.*\/\d is merged$/);
        }
      });
    }

    if (parts.includes("rest")) {
      it("opens no second one, and leaves the open one as it is where it brings what is wanted", async () => {
        await assert.rejects(create(), at.address(1));
        const proposed = await head(BRANCH);
        await assert.rejects(create(), at.address(1));
        // A button of the host's merges the base into it.
        await commit("main", "other.yaml", "o\n");
        const tree = await git("merge-tree", "--write-tree", BRANCH, "main");
        const person = ["-c", "user.name=a", "-c", "user.email=a@b"];
        const updated = await git(...person, "commit-tree", tree, "-p", BRANCH, "-p", "main", "-m", "Merge main");
        await git("update-ref", `refs/heads/${BRANCH}`, updated);
        await assert.rejects(create(), at.address(1));
        assert.equal(await head(BRANCH), updated);
        assert.equal(await git("rev-parse", `${BRANCH}^`), proposed);
        assert.equal(at.all(), 1);
      });

      it("makes it anew where the branch went on in its way", async () => {
        const rules = (vault: string) => ({
          sopsRules: [{ path_regex: "^prod/", azure_keyvault: `https://${vault}.vault.azure.net/keys/sops/1` }],
        });
        await assert.rejects(create(rules("kv")), at.address(1));
        await commit("main", ".sops.yaml", "creation_rules:\n  - path_regex: ^y\n    age: b\n");
        await assert.rejects(create(rules("kv")), at.address(1));
        assert.match(await git("show", `${BRANCH}:.sops.yaml`), /\^y[\s\S]*\^prod\//);
        await at.merge(1, false);
        assert.equal((await create(rules("kv"))).state.commit, await head());
        assert.equal(at.all(), 1);
      });

      it("does not open one where none is wished, and says that it could", async () => {
        await assert.rejects(
          create({ pullRequest: undefined }),
          /refuses a push to branch main .*: let it take pull requests \(flux\.commit\.pullRequest\), or let the token's owner/,
        );
        assert.equal(at.all(), 0);
      });

      it("waits no longer than it may, nor for what was closed", async () => {
        const waiting = { pullRequest: { branch: BRANCH, waitMinutes: 2 } };
        const start = passed;
        await assert.rejects(
          create(waiting),
          /was not merged within 2 minutes: merge it and run the same command again/,
        );
        assert.ok(passed - start >= 120_000 && passed - start < 150_000);
        whileWaiting = async () => at.close(1);
        await assert.rejects(create(waiting), /was closed and not merged, so what it brings is not on branch main/);
        await assert.rejects(create(), at.address(2));
      });

      it("keeps the state at what is on the branch, until the merge brings the new", async () => {
        await assert.rejects(create(), at.address(1));
        await at.merge(1, true);
        const first = await create();
        const files = { "b.yaml": "b\n" };
        await assert.rejects(update(first, { files }), at.address(2));
        const merged = await at.merge(2, true);
        assert.deepEqual(await paths(), [".sops.yaml", "README.md", "b.yaml"]);
        const state = await update(first, { files });
        assert.deepEqual([state?.commit, state?.files], [merged, files]);
      });

      it("takes its files away by a pull request too", async () => {
        await assert.rejects(create(), at.address(1));
        await at.merge(1, true);
        const made = await create();
        await assert.rejects(async () => handler.delete?.(made, context()), at.address(2));
        assert.equal(at.open()[0]?.title, "Remove the files of fleet");
        await at.merge(2, true);
        await handler.delete?.(made, context());
        assert.deepEqual(await paths(), [".sops.yaml", "README.md"]);
        assert.equal(at.all(), 2);
      });

      it("knows as its own what a merge made one commit of, though the state was lost", async () => {
        await assert.rejects(create(), at.address(1));
        await at.merge(1, true);
        await assert.rejects(create({ files: { "a.yaml": "next\n" } }), at.address(2));
      });
    }
  });
}
