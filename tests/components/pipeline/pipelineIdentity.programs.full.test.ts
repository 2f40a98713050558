// PipelineIdentity under the real engine, against the simulated Entra, Azure and GitHub, as a person runs it.
import { strict as assert } from "node:assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { ArmService } from "../../../rehearsal/cloud/arm/service.ts";
import { Authority } from "../../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../../rehearsal/cloud/door/door.ts";
import { Entra } from "../../../rehearsal/cloud/entra/service.ts";
import { GitHub } from "../../../rehearsal/cloud/github/service.ts";
import { Graph } from "../../../rehearsal/cloud/graph/service.ts";
import type { CloudRequest, Service } from "../../../rehearsal/cloud/types.ts";
import { installProviders } from "../../../rehearsal/providers/install.ts";
import {
  ENGINE_TIMEOUT,
  type EngineEnvironment,
  engineEnvironment,
  ROOT,
  runPulumi,
  succeed,
  writeProject,
} from "../../support/engine.ts";

const TENANT_ID = "6f1f2b6e-0000-4e0a-9c60-00000000aaaa";
const SUBSCRIPTION = "c0ffee00-6a1d-4b52-8d35-2f7a9e4b1c02";
const GROUP = "6f1f2b6e-1111-4e0a-9c60-000000000001";

const PROGRAM = `
import { Config } from "@pulumi/pulumi";
import { PipelineIdentity } from ${JSON.stringify(join(ROOT, "components/index.ts"))};
const { readerClientId, deployerClientId, tenantId } = new PipelineIdentity("ci", new Config().requireObject("args"));
export { readerClientId, deployerClientId, tenantId };
`;

const ARGS = {
  ...{ stack: "prod", scope: `/subscriptions/${SUBSCRIPTION}`, deployers: GROUP },
  github: { owner: "acme", repository: "platform", ownerId: 7, repositoryId: 11, reviewerTeams: [3] },
  pulumiDeployments: { organization: "acme", project: "aks-gitops" },
};

describe("PipelineIdentity under the real engine", () => {
  let engine: EngineEnvironment;
  let entra: Entra;
  let arm: ArmService;
  let gitHub: GitHub;
  let door: Door;
  let project: string;
  let env: Record<string, string>;
  /** Refuses requests, as services do now and then. */
  let refused: (request: CloudRequest) => boolean = () => false;
  /** Writes to Graph, `POST /applications`, without the ids. */
  const written: string[] = [];

  const pulumi = (...args: string[]) => succeed(project, args, env);
  const up = (...args: string[]) => pulumi("up", "--yes", "--skip-preview", ...args);
  const outputs = async () => JSON.parse(await pulumi("stack", "output", "--json")) as Record<string, string>;
  const configure = (args: object) => pulumi("config", "set", "args", JSON.stringify(args));
  const application = (name: string) => {
    const [found, ...others] = entra.applications().filter(({ displayName }) => displayName === name);
    assert.ok(found && others.length === 0, `${others.length + (found ? 1 : 0)} applications ${name}`);
    return found;
  };
  const subjects = (name: string) => application(name).federatedCredentials.map(({ subject }) => subject);
  const environments = () => {
    const repository = gitHub.find("acme", "platform");
    assert.ok(repository);
    return gitHub.environments(repository);
  };
  const variable = (environment: string, name: string) => environments().get(environment)?.variables.get(name)?.value;
  const members = () => entra.membersOf(GROUP).map(({ displayName }) => displayName);
  const assignments = () =>
    arm
      .list("Microsoft.Authorization/roleAssignments")
      .filter((assignment) => !arm.hasBegun(assignment))
      .map(({ properties }) => entra.find(String(properties.principalId))?.displayName)
      .sort();

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    engine = await engineEnvironment();
    entra = await Entra.create({ tenantId: TENANT_ID });
    arm = new ArmService({ subscriptionId: SUBSCRIPTION, tenantId: TENANT_ID, directory: entra });
    gitHub = new GitHub({ root: join(engine.directory, "git") });
    await gitHub.createRepository("acme", "platform");
    const gitHubToken = gitHub.addToken({ repositories: { "acme/platform": "admin" } });
    entra.addGroup(GROUP, "deployers");
    const person = entra.addClient("person");
    entra.grantGraph(person.objectId, "Application.ReadWrite.All", "GroupMember.ReadWrite.All");
    arm.assignRole(person.objectId, "Owner", ARGS.scope);
    const authority = await Authority.create();
    door = new Door(authority);
    const guarded =
      (service: Service): Service =>
      async (request) => {
        if (refused(request)) return { status: 400, body: { error: { code: "BadRequest", message: "not today" } } };
        if (request.method !== "GET")
          written.push(
            `${request.method} ${request.url.pathname.replace(/^\/v1.0/, "").replaceAll(/\/[0-9a-f-]{36}/g, "/*")}`,
          );
        return service(request);
      };
    door.route("login.microsoftonline.com", entra.service);
    door.route("graph.microsoft.com", guarded(new Graph(entra).service));
    door.route("api.github.com", guarded(gitHub.api));
    door.route("management.azure.com", guarded(arm.service));
    const port = await door.listen("outside");
    await writeFile(join(engine.directory, "authority.pem"), authority.pem);
    await installProviders(engine.env.PULUMI_HOME ?? "");
    env = {
      ...engine.env,
      ...{ HTTPS_PROXY: `http://127.0.0.1:${port}`, NO_PROXY: "127.0.0.1,localhost", NODE_USE_ENV_PROXY: "1" },
      NODE_EXTRA_CA_CERTS: join(engine.directory, "authority.pem"),
      ...{ ARM_CLIENT_ID: person.clientId, ARM_CLIENT_SECRET: person.clientSecret },
      ...{ ARM_TENANT_ID: TENANT_ID, ARM_SUBSCRIPTION_ID: SUBSCRIPTION, GITHUB_TOKEN: gitHubToken },
    };
    project = await writeProject(engine.directory, "pipelines", { "index.ts": PROGRAM }, {});
    await pulumi("stack", "init", "test");
    await pulumi("config", "set", "github:owner", "acme");
    await configure(ARGS);
  });

  after(async () => {
    await door.close();
    await engine.close();
  });

  it("goes on after an update that ended in its midst, and makes nothing twice", async () => {
    let posts = 0;
    refused = ({ method, url }) => method === "POST" && /(Credentials|\/variables)$/.test(url.pathname) && ++posts > 3;
    const { code } = await runPulumi(project, ["up", "--yes", "--skip-preview"], env);
    assert.notEqual(code, 0);
    refused = () => false;
    await up();
    assert.deepEqual(subjects("ci-reader"), [
      "repo:acme/platform:environment:prod-preview",
      "repo:acme@7/platform@11:environment:prod-preview",
      "repo:acme/platform:pull_request",
      "repo:acme@7/platform@11:pull_request",
      "pulumi:deploy:org:acme:project:aks-gitops:stack:prod:operation:preview:scope:write",
    ]);
    assert.deepEqual(subjects("ci-deployer"), [
      "repo:acme/platform:environment:prod",
      "repo:acme@7/platform@11:environment:prod",
      ...["update", "refresh", "destroy"].map(
        (operation) => `pulumi:deploy:org:acme:project:aks-gitops:stack:prod:operation:${operation}:scope:write`,
      ),
    ]);
    assert.deepEqual(members(), ["ci-deployer"]);
    assert.deepEqual(assignments(), ["ci-deployer", "ci-deployer", "ci-reader"]);
    assert.deepEqual(await outputs(), {
      readerClientId: application("ci-reader").clientId,
      deployerClientId: application("ci-deployer").clientId,
      tenantId: TENANT_ID,
    });
    const { readerClientId, deployerClientId } = await outputs();
    assert.deepEqual(
      ["prod", "prod-preview"].map((name) => variable(name, "AZURE_CLIENT_ID")),
      [deployerClientId, readerClientId],
    );
    const [prod, preview] = ["prod", "prod-preview"].map((name) => environments().get(name));
    assert.deepEqual(prod?.reviewers, [{ type: "Team", id: 3 }]);
    assert.deepEqual(
      prod?.patterns.map(({ type, name }) => `${type} ${name}`),
      ["branch main"],
    );
    assert.deepEqual([preview?.reviewers, preview?.branchPolicy], [[], null]);
    await pulumi("preview", "--expect-no-changes");
    await pulumi("refresh", "--yes", "--expect-no-changes");
  });

  it("puts back what somebody took away or changed, after a refresh", async () => {
    const { federatedCredentials } = application("ci-reader");
    const [first, second] = federatedCredentials;
    assert.ok(first && second);
    federatedCredentials.splice(0, 2, { ...second, subject: "repo:evil/platform:pull_request" });
    entra.removeMember(GROUP, entra.membersOf(GROUP)[0]?.objectId ?? "");
    const [prod, preview] = ["prod", "prod-preview"].map((name) => environments().get(name));
    assert.ok(prod && preview);
    prod.reviewers = [];
    prod.patterns.splice(0);
    preview.variables.delete("AZURE_TENANT_ID");
    Object.assign(preview.variables.get("AZURE_CLIENT_ID") ?? {}, {
      value: prod.variables.get("AZURE_CLIENT_ID")?.value,
    });
    const { code } = await runPulumi(project, ["preview", "--refresh", "--expect-no-changes"], env);
    assert.notEqual(code, 0);
    await up("--refresh");
    assert.equal(subjects("ci-reader").includes("repo:evil/platform:pull_request"), false);
    assert.equal(subjects("ci-reader").length, 5);
    assert.deepEqual(members(), ["ci-deployer"]);
    assert.deepEqual(environments().get("prod")?.reviewers, [{ type: "Team", id: 3 }]);
    assert.equal(environments().get("prod")?.patterns.length, 1);
    assert.equal(variable("prod-preview", "AZURE_CLIENT_ID"), (await outputs()).readerClientId);
    assert.equal(variable("prod-preview", "AZURE_TENANT_ID"), TENANT_ID);
    await pulumi("preview", "--refresh", "--expect-no-changes");
  });

  it("changes in place whom it trusts, and takes away who is trusted no more", async () => {
    written.length = 0;
    await configure({ ...ARGS, github: { ...ARGS.github, environment: "production", pullRequests: false } });
    await up();
    assert.deepEqual(subjects("ci-deployer").slice(0, 2), [
      "repo:acme/platform:environment:production",
      "repo:acme@7/platform@11:environment:production",
    ]);
    assert.equal(
      subjects("ci-reader").some((subject) => subject.endsWith(":pull_request")),
      false,
    );
    const below = "/applications/*/federatedIdentityCredentials/*";
    const inEntra = written.filter((line) => !line.includes("/repos/"));
    assert.deepEqual(inEntra.sort(), [...Array(2).fill(`DELETE ${below}`), ...Array(2).fill(`PATCH ${below}`)]);
    assert.deepEqual([...environments().keys()].sort(), ["prod-preview", "production"]);
    assert.equal(variable("production", "AZURE_CLIENT_ID"), (await outputs()).deployerClientId);
    const inGitHub = written.filter((line) => line.includes("/repos/"));
    assert.equal(inGitHub[0], "PUT /repos/acme/platform/environments/production");
    assert.equal(inGitHub.at(-1), "DELETE /repos/acme/platform/environments/prod");
  });

  it("makes another application with all that it has before the old one goes", async () => {
    const old = application("ci-deployer");
    written.length = 0;
    const urn =
      "urn:pulumi:test::pipelines::aks-gitops:index:PipelineIdentity$azuread:index/application:Application::ci-deployer";
    await up("--replace", urn);
    const made = application("ci-deployer");
    assert.notEqual(made.clientId, old.clientId);
    assert.equal(made.federatedCredentials.length, 5);
    assert.equal((await outputs()).deployerClientId, made.clientId);
    assert.equal(variable("production", "AZURE_CLIENT_ID"), made.clientId);
    assert.deepEqual(members(), ["ci-deployer"]);
    assert.deepEqual(assignments(), ["ci-deployer", "ci-deployer", "ci-reader"]);
    const lastMade = written.findLastIndex((line) => line.startsWith("POST "));
    const firstGone = written.findIndex((line) => line.startsWith("DELETE "));
    assert.ok(lastMade < firstGone, written.join("\n"));
    await pulumi("preview", "--refresh", "--expect-no-changes");
  });

  it("leaves nothing behind", async () => {
    await pulumi("destroy", "--yes", "--skip-preview");
    assert.deepEqual(
      entra.applications().map(({ displayName }) => displayName),
      ["person"],
    );
    assert.deepEqual(members(), []);
    assert.deepEqual(assignments(), []);
    assert.equal(environments().size, 0);
  });
});
