// GitCommit under the real engine where the branch takes changes by pull request alone: made, changed and destroyed, at
// GitHub and Azure DevOps, the first left to people and the second waited for.
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import { AzureDevOps } from "../../../rehearsal/cloud/devops/service.ts";
import { GitHub } from "../../../rehearsal/cloud/github/service.ts";
import {
  ENGINE_TIMEOUT,
  type EngineEnvironment,
  engineEnvironment,
  ROOT,
  succeed,
  writeProject,
} from "../../support/engine.ts";
import { devOpsHost, type GitHost, gitHubHost } from "../../support/gitHosts.ts";

const run = promisify(execFile);
const FILES = { "README.md": "theirs\n" };
const BRANCH = "aks-gitops/prod";

/** A commit, and something that needs its content. */
const PROGRAM = `
import { readFileSync } from "node:fs";
import * as pulumi from "@pulumi/pulumi";
const given = JSON.parse(readFileSync("commit.json", "utf8"));
const made = new pulumi.CustomResource("gitops:index:GitCommit", "fleet", { ...given, commit: undefined });
export const commit = made.commit;
`;

describe("GitCommit by pull requests under the real engine", () => {
  let engine: EngineEnvironment;
  let project: string;
  let host: GitHost | undefined;
  let env: Record<string, string>;

  const pulumi = (...args: string[]) => succeed(project, args, env);
  const up = () => pulumi("up", "--yes", "--skip-preview");
  const declare = (inputs: object) => writeFile(join(project, "commit.json"), JSON.stringify(inputs));
  const output = async () => JSON.parse(await pulumi("stack", "output", "--json")).commit as string | undefined;
  const paths = async (folder: string) =>
    (await run("git", ["ls-tree", "-r", "--name-only", "main"], { cwd: folder })).stdout.trim().split("\n");

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    engine = await engineEnvironment();
    const { GITHUB_TOKEN: _, ...others } = engine.env;
    env = others;
    const files = { "index.ts": PROGRAM, "commit.json": "{}" };
    project = await writeProject(engine.directory, "fleet", files, { gitops: join(ROOT, "provider") });
    await pulumi("stack", "init", "prod");
  });
  after(() => engine?.close());

  it("at GitHub goes on after each merge: made, changed, destroyed", async () => {
    const gitHub = new GitHub({ root: join(engine.directory, "github") });
    const fleet = await gitHub.createRepository("acme", "fleet", { files: FILES, ruledBranches: ["main"] });
    host = await gitHubHost(gitHub);
    env = { ...env, GIT_TOKEN: gitHub.addToken({ repositories: { "acme/fleet": "write" } }) };
    try {
      const commit = { url: `${host.origin}/acme/fleet`, branch: "main", message: "Update prod" };
      const inputs = { ...commit, pullRequest: { branch: BRANCH } };
      await declare({ ...inputs, files: { "a.yaml": "a\n" } });
      await assert.rejects(up(), /https:\/\/github\.com\/acme\/fleet\/pull\/1 waits to be merged/);
      assert.equal(await output(), undefined);
      const first = await gitHub.mergePullRequest(fleet, 1, "squash");
      await up();
      assert.equal(await output(), first);
      await declare({ ...inputs, files: { "b.yaml": "b\n" } });
      await assert.rejects(up(), /pull\/2 waits to be merged/);
      await assert.rejects(up(), /pull\/2 waits to be merged/);
      assert.equal(await output(), first);
      const second = await gitHub.mergePullRequest(fleet, 2);
      await up();
      assert.equal(await output(), second);
      await pulumi("preview", "--expect-no-changes");
      assert.deepEqual(await paths(fleet.folder), ["README.md", "b.yaml"]);
      await assert.rejects(pulumi("destroy", "--yes", "--skip-preview"), /pull\/3 waits to be merged/);
      await gitHub.mergePullRequest(fleet, 3);
      await pulumi("destroy", "--yes", "--skip-preview");
      assert.deepEqual(await paths(fleet.folder), ["README.md"]);
      assert.equal(fleet.pullRequests.length, 3);
    } finally {
      await host.close();
    }
  });

  it("at Azure DevOps waits in one run, of up and of destroy", async () => {
    const devOps = new AzureDevOps("acme", { root: join(engine.directory, "devops") });
    const fleet = await devOps.createGitRepository("platform", "fleet", { files: FILES });
    devOps.protect(fleet, "main");
    host = await devOpsHost(devOps);
    const repositories = { "platform/fleet": "contribute" } as const;
    env = { ...env, GIT_TOKEN: devOps.git?.addUser({ displayName: "Ada", repositories }) ?? "" };
    /** Somebody completes each pull request a moment after it was opened. */
    const people = setInterval(() => {
      for (const { id, status } of fleet.pullRequests)
        if (status === "active") devOps.completePullRequest(fleet, id, { squash: true }).catch(() => {});
    }, 1000);
    try {
      await declare({
        ...{ url: `${host.origin}/acme/platform/_git/fleet`, branch: "main", message: "Update prod" },
        ...{ files: { "a.yaml": "a\n" }, pullRequest: { branch: BRANCH, waitMinutes: 10 } },
      });
      const folder = devOps.git?.folder(fleet) ?? "";
      await up();
      assert.equal(await output(), (await run("git", ["rev-parse", "main"], { cwd: folder })).stdout.trim());
      assert.deepEqual(await paths(folder), ["README.md", "a.yaml"]);
      await pulumi("destroy", "--yes", "--skip-preview");
      assert.deepEqual(await paths(folder), ["README.md"]);
      assert.equal(fleet.pullRequests.length, 2);
    } finally {
      clearInterval(people);
      await host.close();
    }
  });
});
