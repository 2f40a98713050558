// GitCommit as a GitHub App, with an Enterprise server on loopback, and how strictly the simulated GitHub takes Apps.
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { createSign } from "node:crypto";
import { chmod, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { Context, Properties } from "../../../plugin/handler.ts";
import { gitCommit } from "../../../provider/git/gitCommit.ts";
import type { RegisteredApp } from "../../../rehearsal/cloud/github/apps.ts";
import type { Repository } from "../../../rehearsal/cloud/github/model.ts";
import { GitHub } from "../../../rehearsal/cloud/github/service.ts";
import { setEnvironment } from "../../support/environment.ts";
import { type GitHost, gitHubHost } from "../../support/gitHosts.ts";

const run = promisify(execFile);

describe("a GitHub App", () => {
  let root: string;
  let gitHub: GitHub;
  let fleet: Repository;
  let host: GitHost;
  let app: RegisteredApp;
  let restore: () => void;

  const register = (more: object = {}) =>
    gitHub.addApp({ name: "fleet-writer", owner: "acme", repositories: { "acme/fleet": "write" }, ...more });

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), "github-app-"));
    gitHub = new GitHub({ root: join(root, "git") });
    fleet = await gitHub.createRepository("acme", "fleet", { ruledBranches: ["live"] });
    host = await gitHubHost(gitHub);
    app = register();
    restore = setEnvironment({
      ...{ GITHUB_APP_KEY: app.privateKey, GIT_TOKEN: undefined, GITHUB_TOKEN: undefined, FLEET_KEY: undefined },
      PATH: process.env.PATH,
    });
  });
  afterEach(async () => {
    restore();
    await host.close();
    await rm(root, { recursive: true, force: true });
  });

  const context = (): Context => ({
    ...{ urn: "urn:pulumi:prod::aks-gitops::gitops:index:GitCommit::fleet", type: "gitops:index:GitCommit" },
    ...{ name: "fleet", preview: false, signal: new AbortController().signal, log: () => {} },
  });
  const create = ({ access = {}, ...more }: Properties = {}) => {
    const given = { branch: "main", message: "Update", files: { "a.yaml": "a\n" }, ...more };
    const githubApp = { githubApp: { id: app.id }, ...(access as object) };
    return gitCommit.create({ url: `${host.origin}/acme/fleet`, access: githubApp, ...given }, context());
  };
  const git = async (...args: string[]) => (await run("git", args, { cwd: fleet.folder })).stdout.trim();
  const tokens = () => host.requests.filter(({ path }) => path.endsWith("/access_tokens"));

  it("commits with a token of its installation, of this repository alone, got once", async () => {
    const { state } = await create();
    assert.equal(await git("rev-parse", "main"), state.commit);
    await create({ files: { "b.yaml": "b\n" } });
    assert.equal(tokens().length, 1);
    assert.deepEqual(JSON.parse(tokens()[0]?.body.toString() ?? ""), { repositories: ["fleet"] });
    assert.equal(tokens()[0]?.path, `/api/v3/app/installations/${app.installationId}/access_tokens`);
  });

  it("gets another token before one ends", async () => {
    app = register({ minutes: 5 });
    process.env.FLEET_KEY = app.privateKey;
    await create({ access: { credential: "FLEET_KEY" } });
    assert.ok(tokens().length > 1);
  });

  it("names its installation, which nobody is asked for then", async () => {
    await create({ access: { githubApp: { id: app.id, installationId: app.installationId } } });
    assert.ok(host.requests.every(({ path }) => !path.endsWith("/installation")));
  });

  it("opens pull requests where the branch takes no push", async () => {
    await git("branch", "live", "main");
    await assert.rejects(create({ branch: "live", pullRequest: { branch: "aks-gitops/prod" } }), /pull\/1 waits to be/);
    assert.equal(fleet.pullRequests[0]?.author, "fleet-writer[bot]");
  });

  it("gives git the token alone: its key is in no argument and no variable of a child's", async () => {
    const trace = join(root, "trace");
    const real = (await run("which", ["git"])).stdout.trim();
    const script = `#!/bin/sh\necho "$@" >> '${trace}'\nenv >> '${trace}'\nexec '${real}' "$@"\n`;
    await run("mkdir", [join(root, "bin")]);
    await writeFile(join(root, "bin", "git"), script);
    await chmod(join(root, "bin", "git"), 0o755);
    process.env.PATH = `${join(root, "bin")}:${process.env.PATH}`;
    await create();
    const traced = await readFile(trace, "utf8");
    assert.match(traced, /AKS_GITOPS_GIT_TOKEN=ghs_/);
    assert.doesNotMatch(traced, /PRIVATE KEY|GITHUB_APP_KEY/);
  });

  /** Why it cannot commit, told without anything that is secret. */
  const refused = async (given: Properties, message: RegExp) => {
    await assert.rejects(create(given), (error: Error) => {
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /PRIVATE KEY|ghs_|eyJ/);
      return true;
    });
  };

  it("says what lacks: its key, its right key, its installation, one that is not suspended", async () => {
    const credential = "FLEET_KEY";
    await refused(
      { access: { credential } },
      /^FLEET_KEY is not set, and GitHub App \d+ signs in to .* with its private key/,
    );
    process.env.FLEET_KEY = "-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\n";
    await refused({ access: { credential } }, /^the key of GitHub App \d+ in FLEET_KEY is no private key in PEM/);
    process.env.FLEET_KEY = register({ name: "other", repositories: {} }).privateKey;
    await refused(
      { access: { credential } },
      /^127\.0\.0\.1:\d+ does not take the key in FLEET_KEY for GitHub App \d+: .* \(401 A JSON web token could not be decoded\)$/,
    );
    app = register({ name: "nowhere", repositories: {} });
    process.env.FLEET_KEY = app.privateKey;
    await refused(
      { access: { credential } },
      /^GitHub App \d+ is not installed on acme\/fleet: install it there, with the right Contents \(404 Not Found\)$/,
    );
    app = register({ name: "suspended" });
    gitHub.suspendApp(app);
    process.env.FLEET_KEY = app.privateKey;
    await refused(
      { access: { credential } },
      /gives no token of GitHub App \d+: 403 This installation has been suspended$/,
    );
  });

  it("may not push with a token that may only read, and is told which right it lacks", async () => {
    app = register({ repositories: { "acme/fleet": "read" } });
    process.env.FLEET_KEY = app.privateKey;
    await refused(
      { access: { credential: "FLEET_KEY" } },
      /^the token in FLEET_KEY may not push to .*: it needs the right \(on GitHub: Contents, read and write\)/,
    );
  });

  it("of the simulated GitHub has to sign a JSON Web Token that is good for ten minutes at most, and no other", async () => {
    const now = Math.floor(Date.now() / 1000);
    const ask = async (claims: object, { alg = "RS256", key = app.privateKey } = {}) => {
      const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
      const content = `${part({ alg, typ: "JWT" })}.${part(claims)}`;
      const token = `${content}.${createSign("sha256").update(content).sign(key).toString("base64url")}`;
      const headers = { authorization: `Bearer ${token}`, "user-agent": "test" };
      const answer = await fetch(`${host.origin}/api/v3/app`, { headers });
      return `${answer.status} ${((await answer.json()) as { message?: string }).message ?? ""}`;
    };
    const good = { iat: now - 30, exp: now + 500, iss: app.id };
    assert.equal(await ask(good), "200 ");
    assert.match(await ask({ ...good, exp: now + 700 }), /^401 'Expiration time' claim \('exp'\) is too far/);
    assert.match(await ask({ ...good, exp: now - 1 }), /^401 'Expiration time' claim \('exp'\) must be a numeric/);
    assert.match(await ask({ ...good, iat: now + 300 }), /^401 'Issued at' claim/);
    assert.equal(await ask({ ...good, iss: "1" }), "404 Integration not found");
    assert.equal(await ask(good, { key: register().privateKey }), "401 A JSON web token could not be decoded");
    assert.equal(await ask(good, { alg: "none" }), "401 A JSON web token could not be decoded");
  });
});
