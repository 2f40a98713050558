import { strict as assert } from "node:assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { Authority } from "../../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../../rehearsal/cloud/door/door.ts";
import { GitHub } from "../../../rehearsal/cloud/github/service.ts";
import { installProviders } from "../../../rehearsal/providers/install.ts";
import { type EngineEnvironment, engineEnvironment, runPulumi, succeed, writeProject } from "../../support/engine.ts";
import { ask } from "../cloud/request.ts";

// The first one is as components/flux/gitOpsRepository.ts makes it.
const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { Repository } from "@pulumi/github/repository.js";

const config = new pulumi.Config();
const name = config.require("repository");
const kept = new Repository("flux-" + name, { name, visibility: "private", hasIssues: true }, { retainOnDelete: true, ignoreChanges: ["*"] });
new Repository("deleted", { name: "deleted", visibility: "private", description: config.get("description") });
new Repository("archived", { name: "archived", visibility: "private", archiveOnDestroy: true });
export const { fullName, httpCloneUrl, visibility } = kept;
`;

describe("the stand-in for github's repositories", () => {
  let engine: EngineEnvironment;
  let door: Door;
  let gitHub: GitHub;
  let project: string;
  let env: Record<string, string>;
  const pulumi = (...args: string[]) => succeed(project, args, env);
  const person = (method: string, path: string, body?: object) =>
    ask(gitHub.api, method, `https://api.github.com${path}`, {
      headers: { authorization: `Bearer ${env.GITHUB_TOKEN}` },
      ...(body ? { body } : {}),
    });

  before(async () => {
    engine = await engineEnvironment();
    const authority = await Authority.create();
    door = new Door(authority);
    gitHub = new GitHub({ root: join(engine.directory, "git") });
    await gitHub.createRepository("acme", "taken");
    door.route("api.github.com", gitHub.api);
    await writeFile(join(engine.directory, "authority.pem"), authority.pem);
    await installProviders(engine.env.PULUMI_HOME ?? "");
    env = {
      ...engine.env,
      HTTPS_PROXY: `http://127.0.0.1:${await door.listen("outside")}`,
      NO_PROXY: "127.0.0.1,localhost",
      NODE_USE_ENV_PROXY: "1",
      NODE_EXTRA_CA_CERTS: join(engine.directory, "authority.pem"),
      GITHUB_TOKEN: gitHub.addToken({ login: "ann", repositories: { "acme/taken": "admin" }, creates: ["acme"] }),
    };
    project = await writeProject(engine.directory, "repositories", { "index.ts": PROGRAM }, {});
    await pulumi("stack", "init", "test");
    await pulumi("config", "set", "github:owner", "acme");
    await pulumi("config", "set", "repository", "fleet");
    await pulumi("up", "--yes");
  });
  after(async () => {
    await door.close();
    await engine.close();
  });

  it("makes them in the organisation, empty and private", async () => {
    const outputs = JSON.parse(await pulumi("stack", "output", "--json"));
    assert.deepEqual(outputs, {
      fullName: "acme/fleet",
      httpCloneUrl: "https://github.com/acme/fleet.git",
      visibility: "private",
    });
    assert.deepEqual((await person("GET", "/repos/acme/fleet/branches")).body, []);
  });

  it("leaves people's settings alone where changes are ignored, and changes others", async () => {
    await person("PATCH", "/repos/acme/fleet", { has_issues: false, description: "ours", visibility: "public" });
    await pulumi("config", "set", "description", "GitOps");
    await pulumi("refresh", "--yes");
    await pulumi("up", "--yes");
    const { has_issues, description, visibility } = (await person("GET", "/repos/acme/fleet")).body;
    assert.deepEqual([has_issues, description, visibility], [false, "ours", "public"]);
    assert.equal((await person("GET", "/repos/acme/deleted")).body.description, "GitOps");
    await pulumi("preview", "--expect-no-changes");
  });

  it("says in GitHub's words that a name is taken", async () => {
    await pulumi("config", "set", "repository", "taken");
    const { code, stdout } = await runPulumi(project, ["up", "--yes", "--skip-preview"], env);
    assert.notEqual(code, 0);
    assert.match(
      stdout,
      /POST .*\/orgs\/acme\/repos: 422 Repository creation failed\..*name already exists on this account/,
    );
    assert.equal((await person("GET", "/repos/acme/fleet")).status, 200);
  });

  it("makes another one for another name, and keeps the first", async () => {
    await pulumi("config", "set", "repository", "ships");
    await pulumi("up", "--yes");
    assert.equal((await person("GET", "/repos/acme/ships")).body.full_name, "acme/ships");
    assert.equal((await person("GET", "/repos/acme/fleet")).body.full_name, "acme/fleet");
  });

  it("deletes, archives or keeps them when the stack goes, as they were made", async () => {
    await pulumi("destroy", "--yes");
    assert.equal((await person("GET", "/repos/acme/deleted")).status, 404);
    assert.equal((await person("GET", "/repos/acme/archived")).body.archived, true);
    assert.equal((await person("GET", "/repos/acme/ships")).body.archived, false);
  });
});
