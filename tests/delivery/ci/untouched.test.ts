import { strict as assert } from "node:assert";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "mocha";
import { azurePipelines } from "../../../delivery/ci/azurePipelines.ts";
import { writeComment } from "../../../delivery/ci/comment.ts";
import { gitHubActions } from "../../../delivery/ci/gitHub.ts";
import type { Environment, System } from "../../../delivery/ci/system.ts";
import { untouched } from "../../../delivery/ci/untouched.ts";
import { AzureDevOps } from "../../../rehearsal/cloud/devops/service.ts";
import { onGitHub } from "./onGitHub.ts";
import { serve } from "./served.ts";

const MARKER = "<!-- aks-gitops review aks-gitops/prod -->";
const SECRET = "ghs_secretOfTheWorkflow";

/** Says it, and gives what the log has. */
async function said(system: System, environment: Environment): Promise<string> {
  const log: string[] = [];
  const place = { projectName: async () => "aks-gitops", write: (text: string) => log.push(text) };
  assert.equal(await untouched("prod", { environment: { ...environment }, system, ...place }), 0);
  return log.join("");
}

const reviewed = (system: System) => {
  assert.ok(system.pullRequest && !("unable" in system.pullRequest.board));
  const words = { text: "### ⚠️ the cluster is replaced", substance: "replaced", needsSomebody: true };
  return writeComment(system.pullRequest.board, { marker: MARKER, run: { run: 1, attempt: 1 }, ...words });
};

const plain = (body: string | undefined) => body?.replace(/ [0-9a-f]{16} -->/, " -->");
const NOW =
  `${MARKER}\n<!-- run 2.1 -->\nℹ️ \`prod\`: not touched any more. What was said here is out of date: the pull request, at ` +
  "`f00dface`, changes nothing that this stack is made of.";

describe("a stack that a pull request does not touch any more", () => {
  it("has it said in its comment on GitHub, found behind hundreds of others, and in no other one", async () => {
    const { gitHub, repository, origin, tokens, folder, close } = await onGitHub("platform");
    try {
      const pull = gitHub.openPullRequest(repository, "Change");
      await writeFile(
        join(folder, "event.json"),
        JSON.stringify({
          pull_request: { number: pull.number, head: { sha: "f00dface1", repo: { full_name: "acme/platform" } } },
        }),
      );
      const environment = (more: Environment = {}) => ({
        ...{ GITHUB_ACTIONS: "true", GITHUB_EVENT_PATH: join(folder, "event.json"), GITHUB_API_URL: origin },
        ...{ GITHUB_REPOSITORY: "acme/platform", GITHUB_RUN_ID: "2", GITHUB_RUN_ATTEMPT: "1" },
        ...{ COMMENT_TOKEN: tokens.workflow, GITHUB_TOKEN: SECRET, ...more },
      });
      const say = async (more?: Environment) => said(await gitHubActions(environment(more)), environment(more));
      for (let number = 0; number < 130; number++)
        pull.comments.push({
          ...{ id: 9_000_000_000 + number, author: "ann", authorIsApp: false, body: `talk ${number}` },
          ...{ createdAt: "2026-01-01T00:00:00Z", updatedAt: "2026-01-01T00:00:00Z" },
        });
      // None is made where there is none.
      assert.equal(await say(), `Pull request #${pull.number} has no comment of this stack.\n`);
      assert.equal(pull.comments.length, 130);
      await reviewed(await gitHubActions(environment()));
      assert.equal(
        await say(),
        `Comment on pull request #${pull.number}: https://github.com/acme/platform/pull/${pull.number}#issuecomment-${pull.comments[130]?.id}\n`,
      );
      assert.equal(plain(pull.comments[130]?.body), NOW);
      // The review that comes later takes its place, and an older run none.
      assert.match(await say({ GITHUB_RUN_ID: "1" }), /is by a newer run, 2: it stays as it is\.\n$/);
      assert.equal(pull.comments.length, 131);
      assert.match(
        await say({ COMMENT_TOKEN: tokens.fork }),
        /^No comment on pull request #\d+: GitHub answers PATCH .* 403 /,
      );
      const pushed = { ...environment(), GITHUB_EVENT_PATH: "" };
      assert.equal(
        await said(await gitHubActions(pushed), pushed),
        "This run is for no pull request, so there is no comment of prod to change.\n",
      );
    } finally {
      await close();
    }
  });

  it("has it said in its thread of Azure Repos, which is closed with it", async () => {
    const devOps = new AzureDevOps("acme");
    const fleet = devOps.createRepository("Ships", "fleet");
    const server = await serve(devOps.service, "https://dev.azure.com");
    const folder = await mkdtemp(join(tmpdir(), "untouched-"));
    try {
      const pull = devOps.openPullRequest(fleet);
      const { token } = devOps.startJob(fleet.project, { contributes: true });
      const environment = {
        ...{ TF_BUILD: "True", SYSTEM_COLLECTIONURI: `${server.origin}/acme/`, SYSTEM_TEAMPROJECT: "Ships" },
        ...{
          SYSTEM_TEAMPROJECTID: fleet.project.id,
          BUILD_REPOSITORY_ID: fleet.id,
          BUILD_REPOSITORY_PROVIDER: "TfsGit",
        },
        ...{ BUILD_BUILDID: "2", SYSTEM_PULLREQUEST_PULLREQUESTID: String(pull.id), SYSTEM_ACCESSTOKEN: token },
        ...{ SYSTEM_PULLREQUEST_SOURCECOMMITID: "f00dface1", SYSTEM_PULLREQUEST_ISFORK: "False" },
      };
      const system = await azurePipelines(environment);
      assert.equal(await said(system, environment), `Pull request !${pull.id} has no comment of this stack.\n`);
      assert.equal(pull.threads.length, 0);
      await reviewed(system);
      assert.equal(pull.threads[0]?.status, "active");
      await said(system, environment);
      assert.deepEqual([pull.threads.length, pull.threads[0]?.status], [1, "closed"]);
      assert.equal(plain(pull.threads[0]?.comments[0]?.content), NOW);
    } finally {
      await server.close();
      await rm(folder, { recursive: true });
    }
  });
});
