import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { after, before, describe, it } from "mocha";
import { Authority } from "../../../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../../../rehearsal/cloud/door/door.ts";
import type { Repository } from "../../../../rehearsal/cloud/github/model.ts";
import { GitHub } from "../../../../rehearsal/cloud/github/service.ts";
import { type Answer, ask } from "../request.ts";

const KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl";

describe("GitHub", () => {
  let folder: string;
  let gitHub: GitHub;
  let fleet: Repository;
  let admin: string;
  let writer: string;
  let reader: string;
  let stranger: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "github-"));
    gitHub = new GitHub({ root: join(folder, "git") });
    fleet = await gitHub.createRepository("acme", "fleet", { files: { "README.md": "# fleet\n", "a/ü b.txt": "ü\n" } });
    await gitHub.createRepository("acme", "locked", { protectedBranches: ["main"] });
    await gitHub.createRepository("acme", "open", { private: false });
    await gitHub.createRepository("acme", "empty", { files: {} });
    const all = ["acme/fleet", "acme/locked", "acme/open", "acme/empty"];
    const token = (right: "read" | "write" | "admin") =>
      gitHub.addToken({ login: right, repositories: Object.fromEntries(all.map((name) => [name, right])) });
    [admin, writer, reader] = [token("admin"), token("write"), token("read")];
    stranger = gitHub.addToken({ repositories: {} });
  });

  after(() => rm(folder, { recursive: true }));

  describe("over HTTPS with git", () => {
    let door: Door;
    let environment: NodeJS.ProcessEnv;
    let clones = 0;

    before(async () => {
      const authority = await Authority.create();
      await writeFile(join(folder, "authority.pem"), authority.pem);
      // The token comes by the environment, as it does in the product.
      const askpass = join(folder, "askpass.sh");
      await writeFile(askpass, '#!/bin/sh\ncase "$1" in Username*) echo x-access-token;; *) echo "$TOKEN";; esac\n', {
        mode: 0o755,
      });
      door = new Door(authority);
      door.route("github.com", gitHub.git);
      const port = await door.listen("outside");
      environment = {
        PATH: process.env.PATH,
        HTTPS_PROXY: `http://127.0.0.1:${port}`,
        GIT_SSL_CAINFO: join(folder, "authority.pem"),
        GIT_ASKPASS: askpass,
        GIT_TERMINAL_PROMPT: "0",
        GIT_CONFIG_NOSYSTEM: "1",
        GIT_CONFIG_GLOBAL: "/dev/null",
        GIT_AUTHOR_NAME: "a",
        GIT_AUTHOR_EMAIL: "a@example.com",
        GIT_COMMITTER_NAME: "a",
        GIT_COMMITTER_EMAIL: "a@example.com",
      };
    });

    after(() => door.close());

    async function git(token: string | undefined, ...args: string[]): Promise<string> {
      const TOKEN = token ?? "";
      const { GIT_ASKPASS, ...anonymous } = environment;
      const env = token === undefined ? anonymous : { ...environment, TOKEN };
      const { stdout, stderr } = await promisify(execFile)("git", args, { env });
      return stdout + stderr;
    }

    async function clone(token: string, name: string): Promise<string> {
      const target = join(folder, `clone-${++clones}`);
      await git(token, "clone", "--quiet", `https://github.com/acme/${name}.git`, target);
      return target;
    }

    async function commit(target: string, content = "new\n"): Promise<void> {
      await writeFile(join(target, "new.txt"), content);
      await git(undefined, "-C", target, "add", ".");
      await git(undefined, "-C", target, "commit", "--quiet", "-m", "new");
    }

    it("clones a private repository with a token as password, and its first commit holds the files", async () => {
      const target = await clone(reader, "fleet");
      assert.equal(await readFile(join(target, "README.md"), "utf8"), "# fleet\n");
      assert.equal(await readFile(join(target, "a", "ü b.txt"), "utf8"), "ü\n");
      assert.equal(await git(undefined, "-C", target, "log", "--format=%s %an"), "Initial commit GitHub\n");
    });

    it("takes a push, big enough to be sent compressed and in chunks, of one who may write", async () => {
      const target = await clone(writer, "fleet");
      await commit(target, "line of text\n".repeat(300_000));
      await git(writer, "-C", target, "-c", "http.postBuffer=65536", "-c", "core.compression=0", "push", "--quiet");
      const head = (await git(undefined, "-C", target, "rev-parse", "HEAD")).trim();
      const remote = await git(reader, "ls-remote", "https://github.com/ACME/Fleet", "main");
      assert.equal(remote, `${head}\trefs/heads/main\n`);
    });

    it("fetches without blobs through protocol version 2", async () => {
      const target = join(folder, "blobless");
      await git(
        reader,
        "clone",
        "--quiet",
        "--bare",
        "--filter=blob:none",
        "https://github.com/acme/fleet.git",
        target,
      );
      const missing = await git(undefined, "-C", target, "rev-list", "--objects", "--all", "--missing=print");
      assert.match(missing, /^\?[0-9a-f]{40}$/m);
    });

    it("refuses a stale push as git does", async () => {
      const [first, second] = [await clone(writer, "fleet"), await clone(writer, "fleet")];
      await commit(first, "first\n");
      await commit(second, "second\n");
      await git(writer, "-C", first, "push", "--quiet");
      await assert.rejects(git(writer, "-C", second, "push"), /\[rejected\] +main -> main \(fetch first\)/);
    });

    it("refuses a push of one who may only read, in GitHub's words", async () => {
      const target = await clone(reader, "fleet");
      await commit(target);
      await assert.rejects(
        git(reader, "-C", target, "push"),
        /remote: Permission to acme\/fleet\.git denied to read\.[\s\S]*error: 403/,
      );
    });

    it("refuses a push to a protected branch with GH006, and takes one to another", async () => {
      const target = await clone(admin, "locked");
      await commit(target);
      const refused =
        /GH006: Protected branch update failed for refs\/heads\/main\.[\s\S]*\[remote rejected\] main -> main/;
      await assert.rejects(git(admin, "-C", target, "push"), refused);
      await git(admin, "-C", target, "push", "--quiet", "origin", "HEAD:refs/heads/change");
    });

    it("hides a private repository, and asks an anonymous caller who it is", async () => {
      const url = "https://github.com/acme/fleet.git";
      await assert.rejects(git(stranger, "ls-remote", url), /Repository not found\.[\s\S]*not found/);
      await assert.rejects(git("wrong", "ls-remote", url), /Invalid username or token[\s\S]*Authentication failed/);
      await assert.rejects(git(undefined, "ls-remote", url), /could not read Username/);
      await assert.rejects(git(undefined, "ls-remote", "https://github.com/acme/none.git"), /could not read Username/);
      await assert.rejects(git(admin, "ls-remote", "https://github.com/acme/none.git"), /Repository not found/);
    });

    it("lets anybody read a public repository, and nobody unknown push to it", async () => {
      assert.match(await git(undefined, "ls-remote", "https://github.com/acme/open.git"), /refs\/heads\/main/);
      const target = await clone(stranger, "open");
      await commit(target);
      await assert.rejects(git(stranger, "-C", target, "push"), /Permission to acme\/open\.git denied/);
      await assert.rejects(git(undefined, "-C", target, "push"), /could not read Username/);
    });

    it("takes the first push to an empty repository", async () => {
      const target = await clone(writer, "empty");
      await commit(target);
      await git(writer, "-C", target, "push", "--quiet", "origin", "HEAD:main");
      assert.match(await git(reader, "ls-remote", "https://github.com/acme/empty.git"), /refs\/heads\/main/);
    });

    it("serves nothing else on github.com", async () => {
      const page = await ask(gitHub.git, "GET", "https://github.com/acme/open");
      assert.equal(page.status, 404);
    });
  });

  it("keeps what is in a repository's folder when a new process makes it again", async () => {
    const again = new GitHub({ root: join(folder, "git") });
    const token = again.addToken({ repositories: { "acme/fleet": "read" } });
    const path = "https://api.github.com/repos/acme/fleet/git/ref/heads/main";
    const sha = async (from: GitHub, text: string) =>
      (await ask(from.api, "GET", path, { headers: { authorization: `token ${text}` } })).body.object.sha;
    await again.createRepository("acme", "fleet");
    assert.equal(await sha(again, token), await sha(gitHub, reader));
    await assert.rejects(again.createRepository("ACME", "fleet"), /there is a repository ACME\/fleet already/);
  });

  describe("over its REST API", () => {
    function call(method: string, path: string, token: string | undefined, body?: object | string): Promise<Answer> {
      return ask(gitHub.api, method, `https://api.github.com${path}`, {
        headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
        ...(body ? { body } : {}),
      });
    }

    it("shows a repository, its branches, refs and commits", async () => {
      const { status, headers, body } = await call("GET", "/repos/Acme/FLEET", writer);
      assert.equal(status, 200);
      assert.deepEqual(
        [body.full_name, body.private, body.default_branch, body.clone_url, body.permissions],
        [
          "acme/fleet",
          true,
          "main",
          "https://github.com/acme/fleet.git",
          { admin: false, maintain: false, push: true, triage: true, pull: true },
        ],
      );
      assert.equal(headers["x-ratelimit-limit"], "5000");
      assert.equal(headers["x-ratelimit-remaining"], "4999");
      assert.match(headers.etag ?? "", /^W\/"/);
      const branch = (await call("GET", "/repos/acme/locked/branches/main", reader)).body;
      assert.deepEqual([branch.name, branch.protected], ["main", true]);
      const ref = (await call("GET", "/repos/acme/locked/git/ref/heads/main", reader)).body;
      assert.deepEqual([ref.ref, ref.object.sha], ["refs/heads/main", branch.commit.sha]);
      const commit = (await call("GET", `/repos/acme/locked/commits/${ref.object.sha}`, reader)).body;
      assert.deepEqual([commit.commit.message, commit.parents], ["Initial commit", []]);
      assert.equal((await call("GET", "/repos/acme/fleet/branches/none", reader)).body.message, "Branch not found");
      assert.equal((await call("GET", "/repos/acme/fleet/git/ref/heads/none", reader)).status, 404);
      assert.equal((await call("GET", "/user", reader)).body.login, "read");
    });

    it("refuses in GitHub's words", async () => {
      const word = ({ status, body }: Answer) => `${status} ${body.message}`;
      assert.equal(word(await call("GET", "/repos/acme/fleet", "wrong")), "401 Bad credentials");
      assert.equal(word(await call("GET", "/repos/acme/fleet", stranger)), "404 Not Found");
      assert.equal(word(await call("GET", "/repos/acme/fleet", undefined)), "404 Not Found");
      assert.equal((await call("GET", "/repos/acme/open", undefined)).status, 200);
      assert.equal(word(await call("GET", "/user", undefined)), "401 Requires authentication");
      const inaccessible = "403 Resource not accessible by personal access token";
      assert.equal(word(await call("POST", "/repos/acme/fleet/keys", writer, { title: "t", key: KEY })), inaccessible);
      assert.equal(word(await call("DELETE", "/repos/acme/fleet", reader)), inaccessible);
      const silent = await ask(gitHub.api, "GET", "https://api.github.com/user", { headers: { "user-agent": "" } });
      assert.equal(silent.status, 403);
    });

    it("adds, shows and deletes a deploy key", async () => {
      const added = await call("POST", "/repos/acme/fleet/keys", admin, {
        title: "flux",
        key: `${KEY} a comment`,
        read_only: true,
      });
      assert.equal(added.status, 201);
      const { id } = added.body;
      assert.deepEqual([added.body.key, added.body.title, added.body.read_only], [KEY, "flux", true]);
      assert.deepEqual((await call("GET", "/repos/acme/fleet/keys", admin)).body, [added.body]);
      assert.equal((await call("GET", `/repos/acme/fleet/keys/${id}`, admin)).body.key, KEY);
      const again = await call("POST", "/repos/acme/open/keys", admin, { title: "other", key: KEY });
      assert.equal(again.status, 422);
      assert.equal(again.body.message, "Validation Failed");
      assert.deepEqual(again.body.errors, [
        { resource: "PublicKey", code: "custom", field: "key", message: "key is already in use" },
      ]);
      assert.equal((await call("DELETE", `/repos/acme/fleet/keys/${id}`, admin)).status, 204);
      assert.equal((await call("GET", `/repos/acme/fleet/keys/${id}`, admin)).status, 404);
      assert.equal(fleet.deployKeys.length, 0);
    });

    it("refuses deploy keys where the organisation forbids them, and says so of the organisation", async () => {
      await gitHub.createRepository("strict", "fleet", { files: {} });
      const owner = gitHub.addToken({ login: "owner", repositories: { "strict/fleet": "admin" }, creates: ["strict"] });
      const shows = async () => (await call("GET", "/orgs/strict", owner)).body.deploy_keys_enabled_for_repositories;
      assert.equal(await shows(), true);
      gitHub.forbidDeployKeys("strict");
      assert.equal(await shows(), false);
      const { status, body } = await call("POST", "/repos/strict/fleet/keys", owner, { title: "t", key: KEY });
      assert.deepEqual([status, body.message], [422, "Deploy keys are disabled for this repository"]);
    });

    it("deletes a deploy key with the token that made it, and no other", async () => {
      await gitHub.createRepository("acme", "ships", { files: {} });
      const [one, other] = ["one", "other"].map((login) =>
        gitHub.addToken({ login, repositories: { "acme/ships": "admin" } }),
      );
      const keys = async () => {
        const { body } = await call("GET", "/repos/acme/ships/keys", other);
        return (body as unknown as { title: string }[]).map(({ title }) => title);
      };
      const second = `${KEY.slice(0, -1)}m`;
      await call("POST", "/repos/acme/ships/keys", one, { title: "of one", key: KEY });
      await call("POST", "/repos/acme/ships/keys", other, { title: "of the other", key: second });
      assert.deepEqual(await keys(), ["of one", "of the other"]);
      gitHub.revokeToken(`${one}`);
      assert.deepEqual(await keys(), ["of the other"]);
      assert.equal((await call("GET", "/user", one)).status, 401);
    });

    it("refuses what is no public key", async () => {
      for (const wrong of ["", "hello", "ssh-ed25519 AAAA", KEY.replace("ssh-ed25519", "ssh-rsa")]) {
        const answer = await call("POST", "/repos/acme/fleet/keys", admin, { title: "t", key: wrong });
        assert.equal(answer.status, 422);
        assert.match(answer.body.errors[0].message, /^key is invalid\./);
      }
      assert.equal((await call("POST", "/repos/acme/fleet/keys", admin, "{")).body.message, "Problems parsing JSON");
    });
  });
});
