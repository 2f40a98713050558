// What the doctor says of GitHub: each finding provoked once against the simulated one.
import { strict as assert } from "node:assert";
import { afterEach, describe, it } from "mocha";
import { gitHub } from "../../../delivery/doctor/checks/gitHub.ts";
import { World, type WorldOptions } from "./world.ts";

const REPOSITORY = "https://github.com/acme/fleet";

describe("the doctor, of GitHub", () => {
  let world: World;
  afterEach(() => world.close());

  const begin = async (right: "read" | "write" | "admin", options: WorldOptions = {}) => {
    world = await World.create(options);
    await world.addRepository(right);
  };
  const finds = async (expected: readonly object[]) => assert.deepEqual(await world.findings(gitHub), expected);
  const deployKey = {
    "aks-gitops:flux": { repository: REPOSITORY, auth: "deployKey" },
    "aks-gitops:gitToken": undefined,
  };

  it("finds nothing where the token may write", async () => {
    await begin("write");
    await finds([]);
  });

  it("says that there is no token, and that one is no good", async () => {
    await begin("write");
    world.environment.GITHUB_TOKEN = "github_pat_gone";
    await finds([
      {
        severity: "error",
        key: "GITHUB_TOKEN",
        value: undefined,
        problem: "is no token that GitHub takes: it has ended or was revoked",
        remedy: "make a new one",
      },
    ]);
    delete world.environment.GITHUB_TOKEN;
    await finds([
      {
        severity: "error",
        key: "GITHUB_TOKEN",
        value: undefined,
        problem: `is not set, and the program writes ${REPOSITORY} with it`,
        remedy: "set it to a token that may write there: contents, read and write",
      },
    ]);
  });

  it("says that the token sees no such repository, but for one that is to be made", async () => {
    const repository = "https://github.com/acme/other";
    await begin("write", { config: { "aks-gitops:flux": { repository, auth: "token" } } });
    await finds([
      {
        severity: "error",
        key: "GITHUB_TOKEN",
        value: repository,
        problem: "sees no such repository",
        remedy:
          "correct aks-gitops:flux.repository, let the token see that repository, or let it be made: aks-gitops:flux.createRepository: true",
      },
    ]);
    await world.write({
      config: { "aks-gitops:flux": { repository, auth: "token", createRepository: true } },
    });
    await finds([]);
  });

  it("says that the token may not write, and that the repository is archived", async () => {
    await begin("read");
    Object.assign(world.gitHub.find("acme", "fleet")?.settings ?? {}, { archived: true });
    await finds([
      {
        severity: "error",
        key: "aks-gitops:flux.repository",
        value: REPOSITORY,
        problem: "is archived: nobody writes to it",
        remedy: "unarchive it",
      },
      {
        severity: "error",
        key: "GITHUB_TOKEN",
        value: REPOSITORY,
        problem: "may not write there",
        remedy: "give it the permission Contents: write, or the scope repo",
      },
    ]);
  });

  it("says what a deploy key takes: the right to add one, and an organisation that allows them", async () => {
    await begin("write", { config: deployKey });
    world.gitHub.forbidDeployKeys("acme");
    await finds([
      {
        severity: "error",
        key: "GITHUB_TOKEN",
        value: REPOSITORY,
        problem: "may not add a deploy key there, which flux.auth deployKey takes",
        remedy:
          "give it the permission Administration: write, or let Flux read with a token: aks-gitops:flux.auth: token",
      },
      {
        severity: "error",
        key: "aks-gitops:flux.auth",
        value: "deployKey",
        problem: "cannot be: the organisation acme forbids deploy keys",
        remedy:
          "let Flux read with a token: aks-gitops:flux.auth: token; or an owner of acme allows them (Settings, Member " +
          "privileges, Deploy keys). https://docs.github.com/rest/deploy-keys/deploy-keys",
      },
    ]);
  });

  it("says that the branch is protected", async () => {
    world = await World.create();
    await world.addRepository("write", ["main"]);
    const [finding] = await world.findings(gitHub);
    assert.deepEqual([finding?.severity, finding?.key, finding?.value], ["warning", "aks-gitops:flux.branch", "main"]);
    assert.match(finding?.problem ?? "", /^is protected: /);
  });

  it("says that a token is not authorized for single sign-on, and where to authorize it", async () => {
    await begin("write");
    const url = "https://github.com/orgs/acme/sso?authorization_request=A1";
    world.hosts.set("api.github.com", () => ({
      status: 403,
      headers: { "x-github-sso": `required; url=${url}` },
      body: '{"message":"Resource protected by organization SAML enforcement."}',
    }));
    await finds([
      {
        severity: "error",
        key: "GITHUB_TOKEN",
        value: REPOSITORY,
        problem: "is not authorized for the organisation's single sign-on (SAML)",
        remedy: `authorize it for the organisation: ${url}`,
      },
    ]);
  });

  it("says that an App's key is not set, and sends none anywhere", async () => {
    const githubApp = { id: 123456 };
    const flux = { repository: REPOSITORY, auth: "token", commit: { githubApp } };
    await begin("write", { config: { "aks-gitops:flux": flux } });
    await finds([
      {
        severity: "error",
        key: "GITHUB_APP_KEY",
        value: undefined,
        problem: `is not set, and the program writes ${REPOSITORY} as the App whose private key it holds`,
        remedy: "set it to the App's private key, in PEM",
      },
    ]);
    world.environment.GITHUB_APP_KEY = "PRIVATE";
    await finds([]);
    assert.deepEqual(world.sent, []);
  });

  it("asks an Enterprise host itself, and sends its token nowhere else", async () => {
    const repository = "https://github.acme.example/acme/fleet";
    await begin("write", {
      config: { "github:baseUrl": "https://github.acme.example/", "aks-gitops:flux": { repository, auth: "token" } },
    });
    world.environment.GIT_TOKEN = "of the server";
    const asked: string[] = [];
    world.hosts.set("github.acme.example", ({ pathname }) => {
      asked.push(pathname);
      return pathname.endsWith("/fleet") ? { body: JSON.stringify({ permissions: { push: true } }) } : { status: 404 };
    });
    world.hosts.set("api.github.com", ({ pathname }) => assert.fail(`api.github.com is asked for ${pathname}`));
    await finds([]);
    assert.deepEqual(asked, ["/api/v3/repos/acme/fleet", "/api/v3/repos/acme/fleet/branches/main"]);
  });

  it("says that a token ends soon", async () => {
    await begin("write");
    const body = JSON.stringify({ permissions: { push: true } });
    const ends = (text: string) =>
      world.hosts.set("api.github.com", ({ pathname }) =>
        pathname.endsWith("/fleet")
          ? { headers: { "github-authentication-token-expiration": text }, body }
          : { status: 404 },
      );
    ends("2026-12-02 10:00:00 UTC");
    await finds([
      {
        severity: "warning",
        key: "GITHUB_TOKEN",
        value: "2026-12-02 10:00:00 UTC",
        problem: "ends within 14 days",
        remedy: "make a new one before; another name is how it rotates: flux.commit.credential",
      },
    ]);
    ends("2027-12-02 10:00:00 UTC");
    await finds([]);
  });
});
