import { strict as assert } from "node:assert";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "mocha";
import type { PullRequest, Repository } from "../../../../rehearsal/cloud/github/model.ts";
import { GitHub } from "../../../../rehearsal/cloud/github/service.ts";
import { type Answer, ask } from "../request.ts";

describe("comments on a pull request of the simulated GitHub", () => {
  let folder: string;
  let gitHub: GitHub;
  let fleet: Repository;
  let pull: PullRequest;
  let workflow: string;
  let fork: string;
  let ann: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "comments-"));
    gitHub = new GitHub({ root: folder });
    fleet = await gitHub.createRepository("acme", "fleet", { files: {} });
    const app = (pullRequests: "read" | "write") =>
      gitHub.addToken({
        ...{ login: "github-actions[bot]", of: "app", pullRequests },
        repositories: { "acme/fleet": "read" },
      });
    [workflow, fork] = [app("write"), app("read")];
    ann = gitHub.addToken({ login: "ann", repositories: { "acme/fleet": "write" } });
  });
  after(() => rm(folder, { recursive: true }));
  beforeEach(() => {
    pull = gitHub.openPullRequest(fleet, "Change");
  });

  const call = (method: string, path: string, token: string | undefined, body?: object | string) =>
    ask(gitHub.api, method, `https://api.github.com${path}`, {
      headers: { ...(token !== undefined && { authorization: `Bearer ${token}` }) },
      ...(body !== undefined && { body }),
    });
  const comments = () => `/repos/acme/fleet/issues/${pull.number}/comments`;
  const word = ({ status, body }: Answer) => `${status} ${body.message}`;

  it("are made, changed and deleted by whoever may write pull requests, an App too", async () => {
    const made = await call("POST", comments(), workflow, { body: "one" });
    assert.equal(made.status, 201);
    const { id, html_url, user, body } = made.body;
    assert.deepEqual([user.login, user.type, body], ["github-actions[bot]", "Bot", "one"]);
    assert.equal(html_url, `https://github.com/acme/fleet/pull/${pull.number}#issuecomment-${id}`);
    const changed = await call("PATCH", `/repos/acme/fleet/issues/comments/${id}`, ann, { body: "two" });
    assert.deepEqual([changed.status, changed.body.body, changed.body.user.login], [200, "two", "github-actions[bot]"]);
    assert.equal((await call("DELETE", `/repos/acme/fleet/issues/comments/${id}`, workflow)).status, 204);
    assert.equal((await call("GET", `/repos/acme/fleet/issues/comments/${id}`, ann)).status, 404);
  });

  it("are made with a token that may do nothing else with a private repository", async () => {
    const token = gitHub.addToken({
      ...{ login: "github-actions[bot]", of: "app", pullRequests: "write" },
      repositories: { "acme/fleet": "metadata" },
    });
    assert.equal((await call("POST", comments(), token, { body: "one" })).status, 201);
    assert.equal((await call("GET", "/repos/acme/fleet", token)).status, 200);
    for (const path of ["branches", "branches/main", "commits/main", "git/ref/heads/main"])
      assert.equal(
        word(await call("GET", `/repos/acme/fleet/${path}`, token)),
        "403 Resource not accessible by integration",
      );
    const other = gitHub.addToken({ of: "app", pullRequests: "write", repositories: {} });
    assert.equal((await call("POST", comments(), other, { body: "one" })).status, 404);
  });

  it("come in pages of 30, or as many as 100, the oldest first", async () => {
    for (let number = 1; number <= 205; number++) await call("POST", comments(), ann, { body: String(number) });
    const page = async (query: string) => {
      const { headers, body } = await call("GET", `${comments()}${query}`, ann);
      return [body.length, body[0]?.body, headers.link?.replaceAll(`https://api.github.com${comments()}`, "")];
    };
    assert.deepEqual(await page(""), [30, "1", '<?page=2>; rel="next", <?page=7>; rel="last"']);
    const first = '<?per_page=200&page=2>; rel="next", <?per_page=200&page=3>; rel="last"';
    assert.deepEqual(await page("?per_page=200"), [100, "1", first]);
    const last = '<?per_page=100&page=2>; rel="prev", <?per_page=100&page=1>; rel="first"';
    assert.deepEqual(await page("?per_page=100&page=3"), [5, "201", last]);
    assert.deepEqual(await page("?per_page=100&page=4"), [
      ...[0, undefined],
      '<?per_page=100&page=3>; rel="prev", <?per_page=100&page=1>; rel="first"',
    ]);
  });

  it("are refused to a token that only reads, as a fork's run has, and to nobody", async () => {
    assert.equal((await call("GET", comments(), fork)).status, 200);
    const integration = "403 Resource not accessible by integration";
    assert.equal(word(await call("POST", comments(), fork, { body: "one" })), integration);
    assert.equal(word(await call("GET", "/user", fork)), integration);
    const { id } = (await call("POST", comments(), ann, { body: "one" })).body;
    assert.equal(
      word(await call("PATCH", `/repos/acme/fleet/issues/comments/${id}`, fork, { body: "x" })),
      integration,
    );
    assert.equal(word(await call("DELETE", `/repos/acme/fleet/issues/comments/${id}`, fork)), integration);
    assert.equal(word(await call("POST", comments(), undefined, { body: "one" })), "404 Not Found");
    assert.equal(
      word(await call("POST", "/repos/acme/fleet/issues/999/comments", ann, { body: "one" })),
      "404 Not Found",
    );
  });

  it("are refused where they are empty, no text, too long, or the conversation is locked", async () => {
    const refused = async (body: object | string) => {
      const answer = await call("POST", comments(), ann, body);
      return [answer.status, answer.body.errors?.[0].message ?? answer.body.message];
    };
    assert.deepEqual(await refused({}), [422, `Invalid request.\n\n"body" wasn't supplied.`]);
    assert.deepEqual(await refused({ body: 1 }), [
      422,
      "Invalid request.\n\nFor 'properties/body', 1 is not a string.",
    ]);
    assert.deepEqual(await refused({ body: " " }), [422, "Body cannot be blank"]);
    assert.deepEqual(await refused("{"), [400, "Problems parsing JSON"]);
    const tooLong = [422, "Body is too long (maximum is 65536 characters)"];
    assert.deepEqual(await refused({ body: "x".repeat(65_537) }), tooLong);
    // It counts characters, not the units of UTF-16.
    assert.equal((await call("POST", comments(), ann, { body: "🙂".repeat(65_536) })).status, 201);
    pull.locked = true;
    assert.deepEqual(await refused({ body: "one" }), [403, "Unable to create comment because issue is locked."]);
  });

  it("are too many in a burst, and too many in an hour", async () => {
    gitHub.slowDown(1, 403, 7);
    const slow = await call("POST", comments(), ann, { body: "one" });
    assert.match(word(slow), /^403 You have exceeded a secondary rate limit\./);
    assert.equal(slow.headers["retry-after"], "7");
    assert.equal((await call("POST", comments(), ann, { body: "one" })).status, 201);
    const token = gitHub.addToken({ login: "bob", repositories: { "acme/fleet": "write" } });
    for (let asked = 0; asked < 5000; asked++) await call("GET", "/user", token);
    const refused = await call("GET", "/user", token);
    assert.equal(word(refused), "403 API rate limit exceeded for user ID 1.");
    assert.equal(refused.headers["x-ratelimit-remaining"], "0");
  });
});
