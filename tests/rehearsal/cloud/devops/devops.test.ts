import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import type { PullRequest, Repository } from "../../../../rehearsal/cloud/devops/model.ts";
import { AzureDevOps, type Job } from "../../../../rehearsal/cloud/devops/service.ts";
import { type Answer, ask } from "../request.ts";

describe("the simulated Azure DevOps", () => {
  let devOps: AzureDevOps;
  let fleet: Repository;
  let pull: PullRequest;
  let job: Job;

  beforeEach(() => {
    devOps = new AzureDevOps("acme");
    fleet = devOps.createRepository("Ships & Sails", "fleet");
    pull = devOps.openPullRequest(fleet);
    job = devOps.startJob(fleet.project, { contributes: true });
  });

  const threads = () =>
    `https://dev.azure.com/acme/${fleet.project.id}/_apis/git/repositories/${fleet.id}/pullRequests/${pull.id}/threads`;
  const call = (method: string, url: string, body?: object | string, headers: Record<string, string> = {}) =>
    ask(devOps.service, method, url, {
      headers: { authorization: `Bearer ${job.token}`, ...headers },
      ...(body !== undefined && { body }),
    });
  const at = (path = "", version = "7.1") => `${threads()}${path}?api-version=${version}`;
  const word = ({ status, body }: Answer) => `${status} ${body.typeKey}: ${body.message}`;
  const thread = (content: string, more: object = {}) => ({ comments: [{ content, commentType: 1 }], ...more });

  it("keeps threads with their status and properties, and comments that change", async () => {
    const made = await call(
      "POST",
      at(),
      thread("one", { status: 1, properties: { mark: "x", n: { $type: "System.Int32", $value: 3 } } }),
    );
    assert.equal(made.status, 200);
    const { id, status, properties, comments } = made.body;
    assert.deepEqual([id, status, comments[0].content, comments[0].author.id], [1, "active", "one", job.identity.id]);
    assert.deepEqual(properties, {
      mark: { $type: "System.String", $value: "x" },
      n: { $type: "System.Int32", $value: 3 },
    });
    await call("PATCH", at("/1/comments/1"), { content: "two" });
    await call("PATCH", at("/1"), { status: "closed" });
    await call("POST", at("/1/comments"), { content: "an answer", parentCommentId: 1 });
    const { value, count } = (await call("GET", at())).body;
    assert.equal(count, 1);
    assert.deepEqual(
      [value[0].status, value[0].comments.map((each: { content: string }) => each.content)],
      ["closed", ["two", "an answer"]],
    );
    assert.equal((await call("DELETE", at("/1/comments/1"))).status, 200);
    const left = (await call("GET", at("/1"))).body;
    assert.deepEqual([left.isDeleted, left.comments[0].isDeleted, left.comments[0].content], [false, true, undefined]);
    await call("DELETE", at("/1/comments/2"));
    assert.equal((await call("GET", at("/1"))).body.isDeleted, true);
  });

  it("finds projects and repositories by name too", async () => {
    const named = `https://dev.azure.com/Acme/Ships%20%26%20Sails/_apis/git/repositories/Fleet/pullRequests/${pull.id}/threads`;
    assert.equal((await call("GET", `${named}?api-version=7.1`)).status, 200);
    const wrong = async (url: string) => word(await call("GET", `${url}?api-version=7.1`));
    assert.match(await wrong(named.replace("Ships", "Cars")), /^404 ProjectDoesNotExistWithNameException: TF200016: /);
    assert.match(
      await wrong(named.replace("Fleet", "boat")),
      /^404 GitRepositoryNotFoundException: TF401019: .* boat /,
    );
    assert.match(
      await wrong(threads().replace(/\d+\/threads/, "99/threads")),
      /^404 GitPullRequestNotFoundException: TF401180/,
    );
    assert.match(await wrong(threads().replace("acme", "other")), /^404 VssResourceNotFoundException/);
    assert.match(await wrong("https://dev.azure.com/acme/_apis/projects"), /^404 VssResourceNotFoundException/);
  });

  it("wants a version, of the right form, that it has, and says where it must be a preview", async () => {
    const refused = async (url: string) => word(await call("GET", url));
    assert.match(
      await refused(threads()),
      /^400 VssVersionNotSpecifiedException: No api-version was supplied for the "GET"/,
    );
    assert.match(await refused(at("", "seven")), /^400 VssInvalidApiResourceVersionException/);
    assert.match(await refused(at("", "8.0")), /^400 VssVersionOutOfRangeException: .* 8\.0 is out of range/);
    const data = "https://dev.azure.com/acme/_apis/connectionData?api-version=";
    assert.match(await refused(`${data}7.1`), /^400 VssInvalidPreviewVersionException: .* "7\.1-preview"$/);
    assert.equal((await call("GET", `${data}7.1-preview.1`)).body.authenticatedUser.id, job.identity.id);
    const accept = { accept: "application/json; api-version=7.1" };
    assert.equal((await call("GET", threads(), undefined, accept)).status, 200);
  });

  it("lets nobody comment who may not, nor change what somebody else said", async () => {
    await call("POST", at(), thread("one"));
    job = devOps.startJob(fleet.project, { displayName: "Other Build Service" });
    assert.equal(
      word(await call("POST", at(), thread("two"))),
      "403 GitNeedsPermissionException: TF401027: You need the Git 'PullRequestContribute' permission to perform this " +
        `action. Details: identity 'Build\\${job.identity.id}', scope 'repository'.`,
    );
    assert.equal((await call("GET", at())).status, 200);
    job = devOps.startJob(fleet.project, { displayName: "Ann", contributes: true });
    assert.match(word(await call("PATCH", at("/1/comments/1"), { content: "x" })), /^403 GitNeedsPermissionException/);
    assert.match(word(await call("DELETE", at("/1/comments/1"))), /^403 GitNeedsPermissionException/);
  });

  it("answers who is not signed in with a page for people, or with 401 where that is not wanted", async () => {
    const nobody = { authorization: "Bearer wrong" };
    const page = await call("GET", at(), undefined, nobody);
    assert.equal(page.status, 203);
    assert.match(String(page.body), /Sign In/);
    const suppressed = { ...nobody, "x-tfs-fedauthredirect": "Suppress" };
    assert.equal((await call("GET", at(), undefined, suppressed)).status, 401);
    const basic = { authorization: `Basic ${Buffer.from(`:${job.token}`).toString("base64")}` };
    assert.equal((await call("GET", at(), undefined, basic)).status, 200);
  });

  it("refuses what is no comment, in its words", async () => {
    const refused = async (body: object | string, headers = {}) => word(await call("POST", at(), body, headers));
    assert.match(
      await refused({}),
      /^400 InvalidArgumentValueException: A comment thread must have at least one comment/,
    );
    assert.match(
      await refused(thread(" ")),
      /The comment content cannot be empty\.\r\nParameter name: comment\.Content$/,
    );
    assert.match(
      await refused(thread("x".repeat(150_001))),
      /A discussion comment cannot be longer than 150000 characters\.\r\nParameter name: comment\.Content$/,
    );
    assert.equal((await call("POST", at(), thread("x".repeat(150_000)))).status, 200);
    assert.match(await refused(thread("x", { status: "open" })), /Error converting value "open"/);
    assert.match(await refused(thread("x", { properties: { mark: { $value: 1 } } })), /mark has no \$type/);
    assert.match(await refused("{", { "content-type": "application/json" }), /^400 ArgumentNullException/);
    assert.match(await refused("{}"), /^415 VssRequestContentTypeNotSupportedException/);
    assert.match(word(await call("GET", at("/9"))), /^404 CommentThreadNotFoundException/);
  });

  it("slows down who asks too much", async () => {
    devOps.slowDown(1, 3);
    const slow = await call("GET", at());
    assert.deepEqual([slow.status, slow.headers["retry-after"]], [429, "3"]);
    assert.equal((await call("GET", at())).status, 200);
  });

  it("gives the token of a service connection to the job that may use it, for a POST alone", async () => {
    job = devOps.startJob(fleet.project, { connections: { one: () => "token of one" } });
    const token = (method: string, id: string, uri = job.oidcRequestUri) =>
      call(method, `${uri}?api-version=7.1&serviceConnectionId=${id}`);
    assert.deepEqual((await token("POST", "one")).body, { oidcToken: "token of one" });
    assert.match(word(await token("GET", "one")), /^405 .* does not support http method 'GET'\.$/);
    assert.match(word(await token("POST", "two")), /^404 ServiceEndpointNotFoundException/);
    const { oidcRequestUri } = devOps.startJob(fleet.project, { connections: { one: () => "x" } });
    assert.match(word(await token("POST", "one", oidcRequestUri)), /^404 VssResourceNotFoundException/);
  });
});
