// Pulumi Deployments among the other services of a rehearsal, without an engine: what deployments/ registers is written to
// the services, the stored commands run in a clean clone, and what they sign in with is the token of their operation.
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
import type { Json } from "../../../rehearsal/cloud/pulumi/shape.ts";
import { type CloudFile, checkout, makeFolders, type Paths, pathsOf } from "../../../rehearsal/session.ts";
import { type DeploymentsAccess, DeploymentsWorld } from "../../../rehearsal/world/deployments.ts";
import { makeServices, route, type Services } from "../../../rehearsal/world/services.ts";
import type { Maker } from "../../components/deployment.ts";
import { run } from "../../deployments/programRun.ts";
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
import { createCredential } from ${JSON.stringify(join(checkout, "net/credential.ts"))};
const credential = await createCredential(process.env);
const { token } = await credential.getToken("https://management.azure.com/.default");
const send = async (method, body) => {
  const url = "https://management.azure.com${SCOPE}/resourcegroups/" + process.env.PULUMI_CI_OPERATION + "?api-version=2024-03-01";
  const headers = { authorization: "Bearer " + token, "content-type": "application/json" };
  return (await fetch(url, { method, headers, ...(body && { body: JSON.stringify(body) }) })).status;
};
console.log(process.argv[2] + ": read " + (await send("GET")) + ", write " + (await send("PUT", { location: "westeurope" })));
`;

describe("Pulumi Deployments in a rehearsal", () => {
  let folder: string;
  let paths: Paths;
  let restore: () => void;
  let door: Door;
  let services: Services;
  let world: DeploymentsWorld;
  let access: DeploymentsAccess;
  let base: string;
  let commit: string;

  /** Makes in Entra, Azure and Pulumi Cloud what deployments/ registers there. */
  const maker: Maker = {
    tenantId: IDS.tenantId,
    make: async (type, _, inputs) => {
      const { entra, arm } = services;
      const [text, kind] = [(key: string) => String(inputs[key]), type.split(":").at(-1)];
      if (kind === "Application") {
        const { objectId, clientId } = entra.addApplication({ displayName: text("displayName") });
        return { id: `/applications/${objectId}`, state: { clientId } };
      }
      if (kind === "ServicePrincipal") {
        const { objectId } = entra.addServicePrincipal(text("clientId"));
        return { id: objectId, state: { objectId, applicationTenantId: IDS.tenantId } };
      }
      if (kind === "ApplicationFederatedIdentityCredential") {
        const [name, issuer, subject] = ["displayName", "issuer", "subject"].map(text) as [string, string, string];
        const credential = { ...{ id: name, name, description: null }, issuer, subject };
        entra
          .application(text("applicationId").replace("/applications/", ""))
          ?.federatedCredentials.push({ ...credential, audiences: inputs.audiences as string[] });
      }
      if (kind === "RoleAssignment")
        arm.assignRole(text("principalId"), text("roleDefinitionId").split("/").at(-1) ?? "", text("scope"));
      if (kind === "Settings") await write("PUT", inputs);
      return undefined;
    },
  };
  /** Writes settings of the stack. */
  const write = async (
    method: "PUT" | "POST",
    { orgName: _, projectName: __, stackName: ___, ...body }: object & Json,
  ) => {
    const url = "https://api.pulumi.com/api/stacks/acme/aks-gitops/dev/deployments/settings";
    const headers = { authorization: `token ${access.accessToken}` };
    const answer = await ask(services.pulumi.service, method, url, { headers, body });
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
  };
  const push = (): GitHubEvent => ({
    event: "push",
    payload: {
      ref: "refs/heads/main",
      after: commit,
      deleted: false,
      repository: { full_name: REPOSITORY },
      commits: [{ added: [], removed: [], modified: ["Pulumi.dev.yaml"] }],
    },
  });
  const pull = (): GitHubEvent => ({
    event: "pull_request",
    payload: {
      action: "opened",
      number: 1,
      repository: { full_name: REPOSITORY },
      pull_request: {
        base: { ref: "main", sha: base },
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
      stackFiles: folder,
      ...{ ports: { outside: port, inside: port, cluster: port }, runner: "outside", passphrase: "none" },
      identities: { deployer: nobody, reader: nobody, editor: nobody, encrypter: nobody, administrator: nobody },
    };
    await services.gitHub.createRepository("acme", "fleet");
    await services.gitHub.createRepository("acme", "aks-gitops", {
      files: {
        "ask.ts": ASK,
        "Pulumi.dev.yaml": "config:\n",
        "package.json": '{ "type": "module" }',
        "package-lock.json": readFileSync(join(checkout, "package-lock.json"), "utf8"),
      },
    });
    const bare = services.gitHub.find("acme", "aks-gitops")?.folder ?? "";
    base = await git(bare, ["rev-parse", "main"]);
    const change = ["commit refs/heads/main", "committer Ann <ann@example.com> 1700000000 +0000", "data 6", "Change"];
    const file = ["from refs/heads/main^0", "M 100644 inline Pulumi.dev.yaml", "data 11", "config: {}\n", ""];
    await git(bare, ["fast-import", "--quiet"], [...change, ...file].join("\n"));
    commit = await git(bare, ["rev-parse", "main"]);
    world = new DeploymentsWorld(services, paths, cloud);
    access = await world.setUp(STACK, REPOSITORY, "acme/fleet");
    const bin = join(paths.dir, "deployments/bin");
    await mkdir(bin, { recursive: true });
    // Instead of the engine: what signs in as its plugins do.
    await writeFile(join(bin, "pulumi"), '#!/bin/sh\nexec node ask.ts "$3"\n', { mode: 0o755 });
    const { tenantId, subscriptionId } = IDS;
    const dev = { updates: "push", tenantId, subscriptionId };
    const tokens = { dev: { fluxGit: "a-token" } };
    await run({ organization: "acme", repository: REPOSITORY, stacks: { dev }, tokens }, maker);
  });
  after(async () => {
    await door?.close();
    await services?.clusters.close();
    restore?.();
    rmSync(folder, { recursive: true });
  });

  it("updates after a push, with the right to write", async () => {
    assert.deepEqual(said(await ended(push())), ["succeeded", "up: read 404, write 201"]);
  });

  it("previews a pull request with the right to read alone", async () => {
    assert.deepEqual(said(await ended(pull())), ["succeeded", "preview: read 404, write 403"]);
  });

  it("gives a preview nothing of the deployer, whatever the commands say", async () => {
    await write("POST", { operationContext: { preRunCommands: ["npm ci"] } });
    const [status, output = ""] = said(await ended(pull()));
    assert.equal(status, "failed");
    assert.match(output, /AADSTS700213.*operation:preview:scope:write/s);
  });

  it("has no packages but those of the lock", async () => {
    await write("POST", { operationContext: { preRunCommands: ["npm install left-pad"] } });
    assert.deepEqual(said(await ended(push())), ["failed", "a rehearsal knows no npm install left-pad"]);
  });
});

function git(folder: string, args: readonly string[], input?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile("git", ["-C", folder, ...args], (error, stdout) =>
      error ? reject(error) : resolve(stdout.trim()),
    );
    child.stdin?.end(input);
  });
}
