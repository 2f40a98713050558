import { strict as assert } from "node:assert";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "mocha";
import { type Board, MayNotComment, type Words, writeComment } from "../../../delivery/ci/comment.ts";
import { GitHubBoard, gitHubActions } from "../../../delivery/ci/gitHub.ts";
import type { PullRequest } from "../../../rehearsal/cloud/github/model.ts";
import type { GitHub } from "../../../rehearsal/cloud/github/service.ts";
import { ask } from "../../rehearsal/cloud/request.ts";
import { type OnGitHub, onGitHub } from "./onGitHub.ts";
import { serve } from "./served.ts";

const MARKER = "<!-- aks-gitops prod -->";

/** A clock that waits for nothing, and says how long it would have. */
const clock = () => {
  const waits: number[] = [];
  return { waits, now: () => 0, pause: async (milliseconds: number) => void waits.push(milliseconds) };
};

describe("the comment on a pull request of GitHub", () => {
  let fleet: OnGitHub;
  let folder: string;
  let gitHub: GitHub;
  let origin: string;
  let pull: PullRequest;
  let tokens: Record<"workflow" | "fork" | "ann" | "bob", string>;

  before(async () => {
    fleet = await onGitHub("fleet");
    ({ folder, gitHub, origin } = fleet);
    const person = (login: string) => gitHub.addToken({ login, repositories: { "acme/fleet": "write" } });
    tokens = { ...fleet.tokens, ann: person("ann"), bob: person("bob") };
  });
  after(() => fleet.close());
  beforeEach(() => {
    pull = gitHub.openPullRequest(fleet.repository, "Change");
  });

  const board = (as: keyof typeof tokens, time = clock()): Board =>
    new GitHubBoard(origin, "acme/fleet", pull.number, tokens[as], time);
  const words = (text: string, run = 1, attempt = 1, marker = MARKER): Words => ({
    ...{ marker, text, run: { run, attempt }, substance: text, needsSomebody: false },
  });
  const bodies = () =>
    pull.comments.map(
      ({ author, body }) => `${author}: ${body.replace(/ [0-9a-f]{16} -->/, " -->").replaceAll("\n", "|")}`,
    );
  const comment = (author: string, body: string) =>
    pull.comments.push({
      ...{ id: 9_000_000_000 + pull.comments.length, author, authorIsApp: author.endsWith("[bot]"), body },
      ...{ createdAt: "2026-01-01T00:00:00Z", updatedAt: "2026-01-01T00:00:00Z" },
    });

  it("is made once a stack, and changed in place from then on", async () => {
    const first = await writeComment(board("workflow"), words("one"));
    assert.deepEqual(first, {
      ...{ what: "written", removed: 0 },
      url: `https://github.com/acme/fleet/pull/${pull.number}#issuecomment-${pull.comments[0]?.id}`,
    });
    await writeComment(board("workflow"), words("of dev", 1, 1, "<!-- aks-gitops dev -->"));
    assert.deepEqual(await writeComment(board("workflow"), words("two", 2)), first);
    assert.deepEqual(bodies(), [
      `github-actions[bot]: ${MARKER}|<!-- run 2.1 -->|two`,
      "github-actions[bot]: <!-- aks-gitops dev -->|<!-- run 1.1 -->|of dev",
    ]);
  });

  it("is found behind hundreds of others, and what older runs left twice goes", async () => {
    for (let number = 0; number < 230; number++) comment("ann", `talk ${number}`);
    comment("github-actions[bot]", `${MARKER}\r\nwithout a number`);
    comment("github-actions[bot]", `${MARKER}\n<!-- run 1.1 0123456789abcdef -->\nold`);
    comment("ann", "the last word");
    const outcome = await writeComment(board("workflow"), words("new", 5));
    assert.equal(outcome.what === "written" && outcome.removed, 1);
    assert.deepEqual(bodies().slice(230), [
      `github-actions[bot]: ${MARKER}|<!-- run 5.1 -->|new`,
      "ann: the last word",
    ]);
  });

  it("is never one that somebody else wrote with the same first line, or that only quotes it", async () => {
    comment("mallory", `${MARKER}\n<!-- run 9.9 0123456789abcdef -->\nall is well`);
    comment("github-actions[bot]", `> ${MARKER}\n> see above`);
    await writeComment(board("workflow"), words("one", 2));
    await writeComment(board("ann"), words("by ann", 2));
    await writeComment(board("bob"), words("by bob", 2));
    await writeComment(board("ann"), words("by ann again", 3));
    assert.deepEqual(bodies().slice(2), [
      `github-actions[bot]: ${MARKER}|<!-- run 2.1 -->|one`,
      `ann: ${MARKER}|<!-- run 3.1 -->|by ann again`,
      `bob: ${MARKER}|<!-- run 2.1 -->|by bob`,
    ]);
  });

  it("is left alone by an older run, and by an older try of the same", async () => {
    await writeComment(board("workflow"), words("new", 7, 2));
    for (const [run, attempt] of [
      [6, 9],
      [7, 1],
    ] as const)
      assert.deepEqual(await writeComment(board("workflow"), words("old", run, attempt)), {
        ...{ what: "newer", by: { run: 7, attempt: 2 } },
      });
    await writeComment(board("workflow"), words("tried again", 7, 2));
    assert.deepEqual(bodies(), [`github-actions[bot]: ${MARKER}|<!-- run 7.2 -->|tried again`]);
  });

  it("is not written by a token that may not, in GitHub's words and with what to do", async () => {
    await assert.rejects(writeComment(board("fork"), words("one")), (error: Error) => {
      assert.ok(error instanceof MayNotComment);
      assert.equal(
        error.message,
        `GitHub answers POST /repos/acme/fleet/issues/${pull.number}/comments with 403 (Resource not accessible by ` +
          "integration): give the job `permissions: { pull-requests: write }`",
      );
      return true;
    });
    assert.deepEqual(bodies(), []);
    const wrong = new GitHubBoard(origin, "acme/fleet", pull.number, "gone");
    await assert.rejects(writeComment(wrong, words("one")), {
      message:
        "GitHub answers GET /user with 401 (Bad credentials): the token in COMMENT_TOKEN or GITHUB_TOKEN is none of it, " +
        "or has ended",
    });
  });

  it("waits where GitHub wants fewer requests, by either status, and gives up where the hour is used up", async () => {
    for (const status of [403, 429] as const) {
      const time = clock();
      gitHub.slowDown(2, status, 7);
      await writeComment(board("workflow", time), words(`after ${status}`), time);
      assert.deepEqual(time.waits, [7000, 7000]);
    }
    assert.deepEqual(bodies(), [`github-actions[bot]: ${MARKER}|<!-- run 1.1 -->|after 429`]);
    const spent = gitHub.addToken({ login: "eve", repositories: { "acme/fleet": "write" } });
    const bearer = { headers: { authorization: `Bearer ${spent}` } };
    for (let asked = 0; asked < 5000; asked++) await ask(gitHub.api, "GET", "https://api.github.com/user", bearer);
    const time = clock();
    const tired = new GitHubBoard(origin, "acme/fleet", pull.number, spent, time);
    await assert.rejects(writeComment(tired, words("one"), time), /the token has asked too much in this hour$/);
    assert.deepEqual(time.waits, [2000, 8000]);
  });

  it("is there once where GitHub has written it and failed to say so", async () => {
    let failures = 1;
    const flaky = await serve(async (request) => {
      const answer = await gitHub.api(request);
      return request.method === "POST" && failures-- > 0 ? { status: 502, body: "bad gateway" } : answer;
    }, "https://api.github.com");
    try {
      const time = clock();
      const at = new GitHubBoard(flaky.origin, "acme/fleet", pull.number, tokens.workflow, time);
      await writeComment(at, words("one"), time);
      assert.deepEqual(bodies(), [`github-actions[bot]: ${MARKER}|<!-- run 1.1 -->|one`]);
    } finally {
      await flaky.close();
    }
  });

  it("follows GitHub's pages nowhere else", async () => {
    const elsewhere = await serve(async (request) => {
      const answer = await gitHub.api(request);
      return { ...answer, headers: { link: '<https://elsewhere.example/x>; rel="next"' } };
    }, "https://api.github.com");
    try {
      const time = clock();
      const at = new GitHubBoard(elsewhere.origin, "acme/fleet", pull.number, tokens.workflow, time);
      await assert.rejects(
        writeComment(at, words("one"), time),
        /GitHub sends on to another host, elsewhere\.example$/,
      );
    } finally {
      await elsewhere.close();
    }
  });

  describe("by a workflow's environment", () => {
    const head = (full_name: string | null) => ({
      sha: "1234567890abcdef",
      repo: full_name === null ? null : { full_name },
    });
    const environment = async (event: object | undefined, more: object = {}) => {
      const path = join(folder, "event.json");
      await writeFile(path, JSON.stringify(event ?? {}));
      return {
        ...{ GITHUB_ACTIONS: "true", GITHUB_EVENT_PATH: path, GITHUB_REPOSITORY: "acme/fleet", GITHUB_SHA: "merged" },
        ...{ GITHUB_RUN_ID: "123", GITHUB_RUN_ATTEMPT: "2", GITHUB_SERVER_URL: "https://github.acme.example" },
        ...{ GITHUB_API_URL: origin, COMMENT_TOKEN: tokens.workflow },
        ...more,
      };
    };

    it("is on the event's pull request, whose head is what is reviewed, at the server's own address", async () => {
      const event = { pull_request: { number: pull.number, head: head("Acme/Fleet") } };
      const { commit, run, url, pullRequest } = await gitHubActions(await environment(event));
      assert.deepEqual(
        [commit, run, url],
        ["1234567890abcdef", { run: 123, attempt: 2 }, "https://github.acme.example/acme/fleet/actions/runs/123"],
      );
      assert.deepEqual([pullRequest?.name, pullRequest?.isFork], [`#${pull.number}`, false]);
      assert.ok(pullRequest && !("unable" in pullRequest.board));
      await writeComment(pullRequest.board, words("one"));
      assert.equal(pull.comments.length, 1);
    });

    it("is nowhere after a push", async () => {
      const { commit, pullRequest } = await gitHubActions(await environment(undefined));
      assert.deepEqual([commit, pullRequest], ["merged", undefined]);
    });

    it("cannot be known where the event cannot be read", async () => {
      const gone = { GITHUB_EVENT_PATH: join(folder, "gone.json") };
      await assert.rejects(
        gitHubActions(gone),
        /^Error: GITHUB_EVENT_PATH names .*gone\.json, which holds no event of GitHub$/,
      );
    });

    it("knows a fork, also one that is gone", async () => {
      for (const from of ["mallory/fleet", null]) {
        const event = { pull_request: { number: 1, head: head(from) } };
        assert.equal((await gitHubActions(await environment(event))).pullRequest?.isFork, true);
      }
    });

    it("says what to do without a token", async () => {
      const event = { pull_request: { number: 1, head: head("acme/fleet") } };
      const system = await gitHubActions(await environment(event, { COMMENT_TOKEN: "" }));
      assert.deepEqual(system.pullRequest?.board, {
        unable:
          "there is no token to comment with: set COMMENT_TOKEN to github.token in the step's env, and give the job " +
          "`permissions: { pull-requests: write }`",
      });
    });

    it("has a summary, folded parts of the log, and annotations of one line", async () => {
      const summary = join(folder, "summary.md");
      const system = await gitHubActions(await environment(undefined, { GITHUB_STEP_SUMMARY: summary }));
      assert.equal(await system.summary?.add("# one"), undefined);
      await system.summary?.add("two");
      assert.equal(await readFile(summary, "utf8"), "# one\ntwo\n");
      assert.deepEqual(system.fold?.("100%\nup"), ["::group::100%25%0Aup", "::endgroup::"]);
      assert.equal(system.annotation?.("error", "a\nb"), "::error::a%0Ab");
    });
  });
});
