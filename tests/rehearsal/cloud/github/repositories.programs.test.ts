import { strict as assert } from "node:assert";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { readCommit } from "../../../../rehearsal/cloud/git/repository.ts";
import { GitHub } from "../../../../rehearsal/cloud/github/service.ts";
import { type Answer, ask } from "../request.ts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

describe("GitHub's REST API for repositories", () => {
  let folder: string;
  let gitHub: GitHub;
  let admin: string;
  let reader: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "github-repositories-"));
    gitHub = new GitHub({ root: folder });
    await gitHub.createRepository("acme", "there");
    admin = gitHub.addToken({ login: "ann", repositories: { "acme/there": "admin" }, creates: ["acme", "ann"] });
    reader = gitHub.addToken({ login: "rob", repositories: { "acme/there": "read", "acme/fleet": "read" } });
  });
  afterEach(() => rm(folder, { recursive: true }));

  const call = (method: string, path: string, token: string | undefined, body?: object): Promise<Answer> =>
    ask(gitHub.api, method, `https://api.github.com${path}`, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      ...(body ? { body } : {}),
    });
  const word = ({ status, body }: Answer) => `${status} ${body?.message}`;
  const make = (body: object, token: string | undefined = admin) => call("POST", "/orgs/acme/repos", token, body);
  const git = (path: string) =>
    ask(gitHub.git, "GET", `https://github.com${path}`, {
      headers: { authorization: `Basic ${Buffer.from(`x:${admin}`).toString("base64")}` },
    });

  it("makes an empty one in an organisation, which the token's user administrates and a reader sees", async () => {
    const settings = { name: "fleet", visibility: "private", has_issues: false, description: "GitOps" };
    const { status, body } = await make(settings);
    assert.equal(status, 201);
    assert.deepEqual(
      [body.full_name, body.private, body.visibility, body.has_issues, body.has_wiki, body.description],
      ["acme/fleet", true, "private", false, true, "GitOps"],
    );
    assert.equal(body.permissions.admin, true);
    const { permissions, ...seen } = (await call("GET", "/repos/ACME/Fleet", reader)).body;
    assert.equal(permissions.admin, false);
    assert.deepEqual({ ...seen, permissions: body.permissions }, body);
    assert.equal(await readCommit(join(folder, "acme", "fleet.git"), "refs/heads/main"), undefined);
  });

  it("makes one of the user's own, public unless asked otherwise, with a first commit where asked for", async () => {
    const { status, body } = await call("POST", "/user/repos", admin, { name: "notes", auto_init: true });
    assert.deepEqual([status, body.full_name, body.private], [201, "ann/notes", false]);
    const commit = await readCommit(join(folder, "ann", "notes.git"), "refs/heads/main");
    assert.equal(commit?.message, "Initial commit");
  });

  it("tells organisations from users", async () => {
    const { status, body } = await call("GET", "/orgs/Acme", reader);
    assert.deepEqual([status, body.login, body.type], [200, "Acme", "Organization"]);
    assert.equal(word(await call("GET", "/orgs/ann", admin)), "404 Not Found");
    assert.equal(word(await call("POST", "/orgs/nobody/repos", admin, { name: "a" })), "404 Not Found");
  });

  it("makes none for one who may not", async () => {
    const inaccessible = "403 Resource not accessible by personal access token";
    assert.equal(word(await make({ name: "fleet" }, reader)), inaccessible);
    assert.equal(word(await call("POST", "/user/repos", reader, { name: "a" })), inaccessible);
    assert.equal(word(await call("POST", "/orgs/acme/repos", undefined, { name: "a" })), "401 Requires authentication");
    assert.equal(gitHub.find("acme", "fleet"), undefined);
  });

  const wrong: [object, string, object | undefined][] = [
    [{}, "Repository creation failed.", { code: "missing_field", field: "name" }],
    [{ name: "a b" }, "Repository creation failed.", { code: "invalid", field: "name" }],
    [{ name: ".." }, "Repository creation failed.", { code: "invalid", field: "name" }],
    [
      { name: "THERE" },
      "Repository creation failed.",
      { code: "custom", field: "name", message: "name already exists on this account" },
    ],
    [
      { name: "a", visibility: "internal" },
      "Repository creation failed.",
      {
        code: "custom",
        field: "visibility",
        message: "Only organizations associated with an enterprise can set visibility to internal",
      },
    ],
    [
      { name: "a", has_issues: "yes" },
      "Invalid request.\n\nFor 'properties/has_issues', \"yes\" is not a boolean.",
      undefined,
    ],
    [{ name: "a", auto_init: 1 }, "Invalid request.\n\nFor 'properties/auto_init', 1 is not a boolean.", undefined],
    [{ name: 7 }, "Invalid request.\n\nFor 'properties/name', 7 is not a string.", undefined],
  ];
  for (const [body, message, error] of wrong)
    it(`refuses ${JSON.stringify(body)} in GitHub's words`, async () => {
      const answer = await make(body);
      assert.equal(word(answer), `422 ${message}`);
      assert.deepEqual(answer.body.errors, error && [{ resource: "Repository", ...error }]);
    });

  it("changes settings, and leaves what is not named", async () => {
    await make({ name: "fleet", visibility: "private", description: "GitOps" });
    const changed = await call("PATCH", "/repos/acme/fleet", admin, { has_wiki: false, visibility: "public" });
    const { has_wiki, visibility, description } = changed.body;
    assert.deepEqual([changed.status, has_wiki, visibility, description], [200, false, "public", "GitOps"]);
    assert.equal((await call("GET", "/repos/acme/fleet", undefined)).body.private, false);
    const { status } = await call("PATCH", "/repos/acme/fleet", reader, { has_wiki: true });
    assert.equal(status, 403);
  });

  it("gives one another name with all it holds", async () => {
    await make({ name: "fleet", auto_init: true, visibility: "private" });
    assert.equal((await call("PATCH", "/repos/acme/fleet", admin, { name: "there" })).status, 422);
    assert.equal((await call("PATCH", "/repos/acme/fleet", admin, { name: "ships" })).body.full_name, "acme/ships");
    assert.equal(word(await call("GET", "/repos/acme/fleet", admin)), "404 Not Found");
    const refs = await git("/acme/ships.git/info/refs?service=git-upload-pack");
    assert.match(String(refs.body), /refs\/heads\/main/);
  });

  it("lets an archived one be read, opened again and deleted, and nothing else", async () => {
    await make({ name: "fleet", auto_init: true });
    assert.equal((await call("PATCH", "/repos/acme/fleet", admin, { archived: true })).body.archived, true);
    const readOnly = "403 Repository was archived so is read-only.";
    assert.equal(word(await call("PATCH", "/repos/acme/fleet", admin, { has_wiki: false })), readOnly);
    assert.equal(word(await call("POST", "/repos/acme/fleet/keys", admin, { title: "t", key: KEY })), readOnly);
    const push = await git("/acme/fleet.git/info/refs?service=git-receive-pack");
    assert.deepEqual([push.status, push.body], [403, "This repository was archived so it is read-only."]);
    assert.equal((await git("/acme/fleet.git/info/refs?service=git-upload-pack")).status, 200);
    assert.equal((await call("PATCH", "/repos/acme/fleet", admin, { archived: false })).body.archived, false);
    assert.equal((await git("/acme/fleet.git/info/refs?service=git-receive-pack")).status, 200);
  });

  it("deletes one with all it holds, and frees its name", async () => {
    await make({ name: "fleet", visibility: "private" });
    assert.equal((await call("DELETE", "/repos/acme/fleet", reader)).status, 403);
    assert.equal((await call("DELETE", "/repos/acme/fleet", admin)).status, 204);
    assert.equal(existsSync(join(folder, "acme", "fleet.git")), false);
    assert.equal((await call("GET", "/repos/acme/fleet", admin)).status, 404);
    assert.equal((await git("/acme/fleet.git/info/refs?service=git-upload-pack")).status, 404);
    const { id } = (await make({ name: "fleet" })).body;
    assert.notEqual(id, gitHub.find("acme", "there")?.id);
  });
});
