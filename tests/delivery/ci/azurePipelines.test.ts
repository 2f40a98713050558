import { strict as assert } from "node:assert";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "mocha";
import { azurePipelines, type Place, ThreadBoard } from "../../../delivery/ci/azurePipelines.ts";
import { MayNotComment, type Words, writeComment } from "../../../delivery/ci/comment.ts";
import type { PullRequest, Repository } from "../../../rehearsal/cloud/devops/model.ts";
import { AzureDevOps, type Job } from "../../../rehearsal/cloud/devops/service.ts";
import { ask } from "../../rehearsal/cloud/request.ts";
import type { Loopback } from "../../support/loopback.ts";
import { serve } from "./served.ts";

const MARKER = "<!-- aks-gitops prod -->";
const clock = () => {
  const waits: number[] = [];
  return { waits, now: () => 0, pause: async (milliseconds: number) => void waits.push(milliseconds) };
};

describe("the comment on a pull request of Azure Repos", () => {
  let devOps: AzureDevOps;
  let fleet: Repository;
  let pull: PullRequest;
  let job: Job;
  let server: Loopback;

  before(async () => {
    devOps = new AzureDevOps("acme");
    fleet = devOps.createRepository("Ships", "fleet");
    server = await serve(devOps.service, "https://dev.azure.com");
  });
  after(() => server.close());
  beforeEach(() => {
    pull = devOps.openPullRequest(fleet);
    job = devOps.startJob(fleet.project, { contributes: true });
  });

  const place = (token = job.token): Place => ({
    ...{ collection: `${server.origin}/acme/`, project: fleet.project.id, repository: fleet.id },
    ...{ id: String(pull.id), token },
  });
  const write = (text: string, needsSomebody = false, run = 1, token = job.token) => {
    const substance = text.replace(/ at .*/, "");
    const words: Words = { marker: MARKER, text, run: { run, attempt: 1 }, substance, needsSomebody };
    const time = clock();
    return writeComment(new ThreadBoard(place(token), time), words, time);
  };
  const shown = () =>
    pull.threads.map(({ status, comments }) => [
      status,
      ...comments
        .filter(({ isDeleted }) => !isDeleted)
        .map(({ content }) => content.replace(/ [0-9a-f]{16} -->/, " -->").replaceAll("\n", "|")),
    ]);

  it("is one thread a stack, open as long as somebody has to look at it", async () => {
    const outcome = await write("replaces the cluster", true);
    assert.deepEqual(outcome, {
      ...{ what: "written", removed: 0 },
      url: `${server.origin}/acme/${fleet.project.id}/_git/${fleet.id}/pullrequest/${pull.id}?discussionId=1`,
    });
    assert.deepEqual(shown(), [["active", `${MARKER}|<!-- run 1.1 -->|replaces the cluster`]]);
    await write("nothing changes", false, 2);
    assert.deepEqual(shown(), [["closed", `${MARKER}|<!-- run 2.1 -->|nothing changes`]]);
    assert.deepEqual(pull.threads[0]?.properties, { "aks-gitops.review": { $type: "System.String", $value: "1" } });
  });

  it("stays closed where a person has closed it, until there is news", async () => {
    await write("replaces the cluster at nine", true);
    const thread = pull.threads[0];
    assert.ok(thread);
    thread.status = "byDesign";
    await write("replaces the cluster at ten", true, 2);
    assert.equal(thread.status, "byDesign");
    assert.match(thread.comments[0]?.content ?? "", /at ten$/);
    await write("replaces the vault", true, 3);
    assert.equal(thread.status, "active");
  });

  it("is never in somebody else's thread, and what older runs left twice goes", async () => {
    const mallory = devOps.startJob(fleet.project, { displayName: "mallory", contributes: true });
    await write("all is well", false, 9, mallory.token);
    const forged = `https://dev.azure.com/acme/Ships/_apis/git/repositories/fleet/pullRequests/${pull.id}/threads?api-version=7.1`;
    const body = { comments: [{ content: `${MARKER}\nby hand, without the property` }] };
    await ask(devOps.service, "POST", forged, { headers: { authorization: `Bearer ${job.token}` }, body });
    await write("old", false, 1);
    const left = structuredClone(pull.threads[2]);
    assert.ok(left);
    pull.threads.push({ ...left, id: 4 });
    assert.deepEqual(await write("new", false, 2), {
      ...{ what: "written", removed: 1 },
      url: `${server.origin}/acme/${fleet.project.id}/_git/${fleet.id}/pullrequest/${pull.id}?discussionId=3`,
    });
    assert.deepEqual(shown().slice(2), [["closed", `${MARKER}|<!-- run 2.1 -->|new`], ["closed"]]);
    await write("newer", false, 3);
    assert.equal(pull.threads.length, 4);
  });

  it("is not written by a build service that may not, in the service's words and with what to do", async () => {
    const other = devOps.startJob(fleet.project, { displayName: "Ships Build Service" });
    await assert.rejects(write("one", false, 1, other.token), (error: Error) => {
      assert.ok(error instanceof MayNotComment);
      assert.match(
        error.message,
        /with 403 \(TF401027: You need the Git 'PullRequestContribute' permission .*\): allow "Contribute to pull requests" to the project's build service, in Project settings, Repositories, Security$/,
      );
      return true;
    });
    await assert.rejects(write("one", false, 1, "gone"), {
      name: "Error",
      message:
        "Azure DevOps answers GET /acme/_apis/connectionData with 401: SYSTEM_ACCESSTOKEN is no token of it, or has ended",
    });
    await assert.rejects(write("x".repeat(150_000)), /with 400 \(A discussion comment cannot be longer than 150000/);
  });

  it("waits where the service wants fewer requests", async () => {
    devOps.slowDown(2, 4);
    const time = clock();
    const words = { marker: MARKER, text: "one", run: { run: 1, attempt: 1 }, substance: "", needsSomebody: false };
    await writeComment(new ThreadBoard(place(), time), words, time);
    assert.deepEqual(time.waits, [4000, 4000]);
    assert.equal(pull.threads.length, 1);
  });

  describe("by a job's environment", () => {
    const environment = (more: Record<string, string> = {}) => ({
      ...{ TF_BUILD: "True", SYSTEM_COLLECTIONURI: `${server.origin}/acme/`, SYSTEM_TEAMPROJECT: "Ships & Sails" },
      ...{ SYSTEM_TEAMPROJECTID: fleet.project.id, BUILD_REPOSITORY_ID: fleet.id, BUILD_REPOSITORY_PROVIDER: "TfsGit" },
      ...{ BUILD_BUILDID: "77", SYSTEM_JOBATTEMPT: "2", BUILD_SOURCEVERSION: "merged" },
      ...{ SYSTEM_PULLREQUEST_PULLREQUESTID: String(pull.id), SYSTEM_PULLREQUEST_SOURCECOMMITID: "1234567890" },
      ...{ SYSTEM_PULLREQUEST_ISFORK: "False", SYSTEM_ACCESSTOKEN: job.token },
      ...more,
    });

    it("is on the build's pull request, whose head is what is reviewed", async () => {
      const { commit, run, url, pullRequest } = await azurePipelines(environment());
      assert.deepEqual(
        [commit, run, url],
        ["1234567890", { run: 77, attempt: 2 }, `${server.origin}/acme/Ships%20%26%20Sails/_build/results?buildId=77`],
      );
      assert.deepEqual([pullRequest?.name, pullRequest?.isFork], [`!${pull.id}`, false]);
      assert.ok(pullRequest && !("unable" in pullRequest.board));
      const words = { marker: MARKER, text: "one", run, substance: "", needsSomebody: false };
      await writeComment(pullRequest.board, words);
      assert.equal(pull.threads.length, 1);
    });

    it("is nowhere after a push, and a fork is known", async () => {
      const pushed = await azurePipelines(
        environment({ SYSTEM_PULLREQUEST_PULLREQUESTID: "", SYSTEM_PULLREQUEST_SOURCECOMMITID: "" }),
      );
      assert.deepEqual([pushed.commit, pushed.pullRequest], ["merged", undefined]);
      const forked = await azurePipelines(environment({ SYSTEM_PULLREQUEST_ISFORK: "True" }));
      assert.equal(forked.pullRequest?.isFork, true);
    });

    it("says what to do without a token, and where the repository is another's", async () => {
      const unable = async (more: Record<string, string>) =>
        (await azurePipelines(environment(more))).pullRequest?.board;
      assert.deepEqual(await unable({ SYSTEM_ACCESSTOKEN: "" }), {
        unable: "there is no token to comment with: give the step `env: { SYSTEM_ACCESSTOKEN: $(System.AccessToken) }`",
      });
      assert.deepEqual(await unable({ BUILD_REPOSITORY_PROVIDER: "GitHub" }), {
        unable: "the repository is not one of Azure Repos but of GitHub",
      });
    });

    it("has a summary, folded parts of the log, and issues of one line", async () => {
      const folder = await mkdtemp(join(tmpdir(), "agent-"));
      try {
        const system = await azurePipelines(environment({ AGENT_TEMPDIRECTORY: folder }));
        const line = await system.summary?.add("# one");
        const [, file = ""] = /^##vso\[task\.uploadsummary\](.+)$/.exec(line ?? "") ?? [];
        assert.ok(file.startsWith(folder));
        assert.equal(await readFile(file, "utf8"), "# one");
        assert.deepEqual(system.fold?.("up"), ["##[group]up", "##[endgroup]"]);
        assert.equal(system.annotation?.("error", "50%\r\nb"), "##vso[task.logissue type=error]50%AZP25%0D%0Ab");
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  });
});
