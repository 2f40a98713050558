// Pulumi Deployments among the other services of a rehearsal, without an engine: the stored commands run in a clean clone,
// and what they sign in with is the token of their operation.
import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { Authority } from "../../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../../rehearsal/cloud/door/door.ts";
import type { Deployment } from "../../../rehearsal/cloud/pulumi/deployments.ts";
import type { GitHubEvent } from "../../../rehearsal/cloud/pulumi/events.ts";
import { type CloudFile, checkout, makeFolders, type Paths, pathsOf } from "../../../rehearsal/session.ts";
import { type DeploymentsAccess, DeploymentsWorld } from "../../../rehearsal/world/deployments.ts";
import { makeServices, route, type Services } from "../../../rehearsal/world/services.ts";
import { ENGINE_TIMEOUT } from "../../support/engine.ts";
import { setEnvironment } from "../../support/environment.ts";
import { ask } from "../cloud/request.ts";

const IDS = {
  tenantId: "6f1f2b6e-0000-4e0a-9c60-00000000aaaa",
  subscriptionId: "c0ffee00-6a1d-4b52-8d35-2f7a9e4b1c02",
};
const STACK = { organization: "acme", project: "aks-gitops", stack: "dev" };
const REPOSITORY = "acme/aks-gitops";
const SCOPE = `/subscriptions/${IDS.subscriptionId}`;

/** Signs in as the plugin does, reads in Azure and writes there. */
const ASK = `
import { createCredential } from ${JSON.stringify(join(checkout, "provider/azure/credential.ts"))};
const credential = await createCredential(process.env);
const { token } = await credential.getToken("https://management.azure.com/.default");
const send = async (method, body) => {
  const url = "https://management.azure.com${SCOPE}/resourcegroups/" + process.env.PULUMI_CI_OPERATION + "?api-version=2024-03-01";
  const headers = { authorization: "Bearer " + token, "content-type": "application/json" };
  return (await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) })).status;
};
console.log("read", await send("GET"), "write", await send("PUT", { location: "westeurope" }));
`;

describe("Pulumi Deployments in a rehearsal", () => {
  let folder: string;
  let paths: Paths;
  let restore: () => void;
  let door: Door;
  let services: Services;
  let world: DeploymentsWorld;
  let access: DeploymentsAccess;
  let commit: string;
  let clients: { deployer: string; reader: string };

  /** An application that is trusted for operations, with a role in the subscription. */
  function application(role: string, ...operations: string[]): string {
    const { entra, arm } = services;
    const made = entra.addApplication({ displayName: role });
    for (const operation of operations)
      made.federatedCredentials.push({
        ...{
          id: operation,
          name: operation,
          description: null,
          issuer: "https://api.pulumi.com/oidc",
          audiences: ["acme"],
        },
        subject: `pulumi:deploy:org:acme:project:aks-gitops:stack:dev:operation:${operation}:scope:write`,
      });
    arm.assignRole(entra.addServicePrincipal(made.clientId).objectId, role, SCOPE);
    return made.clientId;
  }

  const put = async (...commands: string[]) => {
    const url = "https://api.pulumi.com/api/stacks/acme/aks-gitops/dev/deployments/settings";
    const answer = await ask(services.pulumi.service, "PUT", url, {
      headers: { authorization: `token ${access.accessToken}` },
      body: {
        sourceContext: { git: { branch: "refs/heads/main" } },
        vcs: { provider: "github", repository: REPOSITORY, deployCommits: true, previewPullRequests: true },
        operationContext: {
          oidc: { azure: { clientId: clients.deployer, ...IDS } },
          preRunCommands: ["npm ci", ...commands, "node ask.ts"],
          environmentVariables: { ARM_USE_OIDC: "true", ARM_OIDC_TOKEN_FILE_PATH: "/mnt/pulumi/pulumi.oidc" },
          options: { skipInstallDependencies: true },
        },
      },
    });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  };
  const push = (): GitHubEvent => ({
    event: "push",
    payload: {
      ref: "refs/heads/main",
      after: commit,
      deleted: false,
      repository: { full_name: REPOSITORY },
      commits: [{ added: ["ask.ts"], removed: [], modified: [] }],
    },
  });
  const pull = (): GitHubEvent => ({
    event: "pull_request",
    payload: {
      action: "opened",
      number: 1,
      repository: { full_name: REPOSITORY },
      pull_request: {
        base: { ref: "main", sha: commit },
        head: { sha: commit, repo: { full_name: REPOSITORY } },
      },
    },
  });
  const ended = async (event: GitHubEvent): Promise<Deployment> => {
    const [started = assert.fail("nothing started")] = (await world.receive(event)).started;
    while (started.status === "queued" || started.status === "running") await sleep(20);
    return started;
  };
  const said = ({ status, steps }: Deployment) => [status, ...steps.map(({ output }) => output.trim()).filter(Boolean)];

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    folder = mkdtempSync(join(tmpdir(), "deployments-world-"));
    restore = setEnvironment({ AKS_GITOPS_REHEARSALS: folder });
    paths = pathsOf("dev");
    await makeFolders(paths);
    const authority = await Authority.create();
    await writeFile(paths.authority, authority.pem);
    services = await makeServices(IDS, paths, () => {});
    door = new Door(authority);
    route(door, services);
    const port = await door.listen("outside");
    const nobody = { clientId: "nobody", clientSecret: "none", gitHubToken: "none" };
    const cloud: Omit<CloudFile, "pid" | "control"> = {
      ...IDS,
      ...{ ports: { outside: port, inside: port, cluster: port }, runner: "outside", passphrase: "none" },
      identities: { deployer: nobody, reader: nobody, editor: nobody, encrypter: nobody, administrator: nobody },
    };
    await services.gitHub.createRepository("acme", "fleet");
    await services.gitHub.createRepository("acme", "aks-gitops", {
      files: {
        "ask.ts": ASK,
        "package.json": '{ "type": "module" }',
        "package-lock.json": readFileSync(join(checkout, "package-lock.json"), "utf8"),
      },
    });
    const bare = services.gitHub.find("acme", "aks-gitops")?.folder ?? "";
    commit = await new Promise<string>((resolve, reject) =>
      execFile("git", ["-C", bare, "rev-parse", "main"], (error, stdout) =>
        error ? reject(error) : resolve(stdout.trim()),
      ),
    );
    world = new DeploymentsWorld(services, paths, cloud);
    access = await world.setUp(STACK, REPOSITORY, "acme/fleet");
    const bin = join(paths.dir, "deployments/bin");
    await mkdir(bin, { recursive: true });
    await writeFile(join(bin, "pulumi"), '#!/bin/sh\necho "pulumi $3"\n', { mode: 0o755 });
    clients = {
      deployer: application("Contributor", "update", "refresh", "destroy"),
      reader: application("Reader", "preview"),
    };
  });
  after(async () => {
    await door?.close();
    await services?.clusters.close();
    restore?.();
    rmSync(folder, { recursive: true });
  });

  const asReader = () =>
    `if [ "$PULUMI_CI_OPERATION" = preview ]; then echo "ARM_CLIENT_ID=${clients.reader}" >> /PULUMI_ENV; fi`;

  it("updates with the right to write", async () => {
    await put(asReader());
    assert.deepEqual(said(await ended(push())), ["succeeded", "read 404 write 201", "pulumi up"]);
  });

  it("previews with the right to read alone", async () => {
    await put(asReader());
    assert.deepEqual(said(await ended(pull())), ["succeeded", "read 404 write 403", "pulumi preview"]);
  });

  it("gives a preview nothing of the deployer, whatever its settings say", async () => {
    await put();
    const [status, output = ""] = said(await ended(pull()));
    assert.equal(status, "failed");
    assert.match(output, /AADSTS700213.*operation:preview:scope:write/s);
  });

  it("has no packages but those of the lock", async () => {
    await put("npm install left-pad");
    const [status, output = ""] = said(await ended(push()));
    assert.deepEqual([status, output], ["failed", "a rehearsal knows no npm install left-pad"]);
  });
});
