// From a pull request to the cluster of a dev that lives. By Pulumi Deployments: a person runs deployments/, and what that
// wrote is done in clean clones, with the tokens of operations. And by the steps of the workflow `up`, as they are in its file.
import { strict as assert } from "node:assert";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { after, before, describe, it } from "mocha";
import { parse, parseDocument, stringify } from "yaml";
import type { Deployment } from "../../rehearsal/cloud/pulumi/deployments.ts";
import type { CloudFile } from "../../rehearsal/session.ts";
import type { DeploymentsAccess } from "../../rehearsal/world/deployments.ts";
import { devRehearsal } from "../support/devRehearsal.ts";
import { checkout, type Rehearsal } from "../support/rehearsal.ts";
import type { Event } from "./workflows/gitHubWorkflow.ts";
import { Machine, type Variables, variablesOf } from "./workflows/machine.ts";
import { Platform } from "./workflows/platform.ts";

const REPOSITORY = "acme/aks-gitops";
const STACK = { organization: "acme", project: "aks-gitops", stack: "dev" };
const KEY = "aks-gitops-deployments";

/** Code of a pull request that tries what its author may not: it says on the log how far it came. */
const hostile = (clientIds: Record<"deployer" | "reader", string>) => `
const { ARM_OIDC_TOKEN_FILE_PATH: file = "", ARM_SUBSCRIPTION_ID, ARM_TENANT_ID } = process.env;
const { readFileSync } = await import("node:fs");
async function signIn(client_id: string) {
  const body = new URLSearchParams({
    client_id,
    grant_type: "client_credentials",
    scope: "https://management.azure.com/.default",
    client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    client_assertion: readFileSync(file, "utf8"),
  });
  const url = \`https://login.microsoftonline.com/\${ARM_TENANT_ID}/oauth2/v2.0/token\`;
  return (await fetch(url, { method: "POST", body })).json() as Promise<Record<string, string>>;
}
console.log("as the deployer:", (await signIn("${clientIds.deployer}")).error_description?.split(":")[0]);
const { access_token } = await signIn("${clientIds.reader}");
for (const [method, group] of [["PUT", "rg-mine"], ["DELETE", "rg-dev"]]) {
  const url = \`https://management.azure.com/subscriptions/\${ARM_SUBSCRIPTION_ID}/resourceGroups/\${group}?api-version=2024-03-01\`;
  const headers = { authorization: \`Bearer \${access_token}\`, "content-type": "application/json" };
  const body = JSON.stringify({ location: "westeurope" });
  const answer = await fetch(url, { method, headers, ...(method === "PUT" && { body }) });
  console.log("as the reader:", method, answer.status, (await answer.json()).error?.code);
}
`;

describe("the delivery of dev", () => {
  let dev: Rehearsal;
  let cloud: CloudFile;
  let machine: Machine;
  let platform: Platform;
  /** The person's clone of the program's repository, and how that person signs in. */
  let clone: string;
  let person: Variables;
  let identities: Record<"deployer" | "reader", string>;
  /** The pull request with more replicas. */
  let more: number;
  /** The push that takes that back. */
  let fewer: Event;

  async function sh(script: string): Promise<string> {
    const { code, log } = await machine.run(["bash", "-e"], script, clone, person);
    assert.equal(code, 0, log);
    return log;
  }
  const pulumi = (command: string) => sh(`cd deployments; pulumi --non-interactive ${command}`);
  const fleet = (path: string) => dev.output("git", "show", `origin/main:${path}`);
  const all = async () => (await dev.control<{ deployments: Deployment[] }>("/deployments", {})).deployments;
  const print = ({ steps }: Deployment) => steps.map(({ name, output }) => `${name}\n${output}`).join("\n");

  /** How many replicas of the demo the cluster is told to run. */
  const running = () =>
    dev.output("kubectl", "get", "-n", "demo", "deployment", "-o", "jsonpath={.items[*].spec.replicas}");

  /** The stack's settings with another number of the demo's replicas. */
  function replicas(count: number) {
    const settings = parseDocument(platform.settings);
    settings.setIn(["config", "aks-gitops:demo", "replicas"], count);
    return { "Pulumi.dev.yaml": settings.toString() };
  }

  /** What an event starts, when it has ended. */
  async function deployed({ name: event, payload }: Event): Promise<Deployment | undefined> {
    const { started } = await dev.control<{ started: Deployment[] }>("/deployments/event", { event, payload });
    assert.ok(started.length < 2);
    if (started.length === 0) return undefined;
    for (;;) {
      const found = (await all()).find(({ id }) => id === started[0]?.id);
      if (found && !["queued", "running"].includes(found.status)) return found;
      await sleep(500);
    }
  }

  before(async () => {
    ({ dev } = await devRehearsal());
    cloud = JSON.parse(readFileSync(join(dev.folder, "cloud.json"), "utf8"));
    const people = { reader: await variablesOf(dev, "reader"), deployer: await variablesOf(dev, "deployer") };
    machine = await Machine.of(dev);
    platform = await Platform.of(dev, machine, people, REPOSITORY);
    const asked = { stack: STACK, repository: REPOSITORY, gitOps: "acme/fleet" };
    const access = await dev.control<DeploymentsAccess>("/deployments/setup", asked);
    const { PULUMI_BACKEND_URL = "", PULUMI_CONFIG_PASSPHRASE = "" } = people.deployer;
    person = {
      ...{ ARM_CLIENT_ID: access.clientId, ARM_CLIENT_SECRET: access.clientSecret, ARM_TENANT_ID: cloud.tenantId },
      ...{ ARM_SUBSCRIPTION_ID: cloud.subscriptionId, PULUMI_ACCESS_TOKEN: access.accessToken },
      ...{ PULUMI_BACKEND_URL, PULUMI_CONFIG_PASSPHRASE },
    };
    clone = await machine.workspace();
    await platform.checkOut(clone, "main", undefined);
    await sh("npm ci");
  });
  after(async () => {
    platform?.end();
    await machine?.end();
  });

  it("is given to Pulumi Deployments by a person, once", async () => {
    const file = join(clone, "deployments/Pulumi.main.yaml");
    const { config } = parse(readFileSync(file, "utf8"));
    const { tenantId, subscriptionId } = cloud;
    config[`${KEY}:stacks`] = { dev: { ...config[`${KEY}:stacks`].dev, tenantId, subscriptionId } };
    writeFileSync(file, stringify({ config }));
    await pulumi("stack init main");
    await pulumi(`config set --secret --path '${KEY}:tokens.dev.fluxGit' ${cloud.identities.reader.gitHubToken}`);
    await pulumi("up --yes --skip-preview");
    ({ dev: identities } = JSON.parse((await pulumi("stack output identities --json")).replace(/^[^{]*/, "")));
    assert.match(identities.deployer, /^[0-9a-f-]{36}$/);
    assert.notEqual(identities.deployer, identities.reader);
    await pulumi("preview --expect-no-changes");
  });

  it("by Pulumi Deployments tells of a pull request what it would change, and changes nothing", async () => {
    const before = await fleet("clusters/dev/apps.yaml");
    const { number, event } = await platform.open("Run two replicas", replicas(2));
    more = number;
    const preview = (await deployed(event)) ?? assert.fail("nothing was started");
    assert.deepEqual([preview.operation, preview.status], ["preview", "succeeded"], print(preview));
    assert.match(print(preview), /~ .*GitCommit.* update/);
    assert.equal(await fleet("clusters/dev/apps.yaml"), before);
  });

  it("lets a pull request's code read in Azure, and neither change anything nor sign in as who deploys", async () => {
    const program = readFileSync(join(checkout, "index.ts"), "utf8");
    const { event } = await platform.open("Look around", { "index.ts": `${program}${hostile(identities)}` });
    const preview = (await deployed(event)) ?? assert.fail("nothing was started");
    assert.deepEqual([preview.operation, preview.status], ["preview", "succeeded"], print(preview));
    // The engine shows what a program prints when it does, and at the end once more.
    const said = new Set(print(preview).match(/as the (deployer|reader): .*/g));
    assert.deepEqual(Array.from(said), [
      "as the deployer: AADSTS700213",
      "as the reader: PUT 403 AuthorizationFailed",
      "as the reader: DELETE 403 AuthorizationFailed",
    ]);
  });

  it("by the workflow updates dev when main moves", async () => {
    const { jobs } = await platform.deliver("up.yml", await platform.merge(more));
    const { result, log = "", summary = "" } = jobs["up (dev).stack"] ?? assert.fail(Object.keys(jobs).join());
    assert.equal(result, "success", log);
    assert.match(summary, /^### ℹ️ `dev`: \d resources changed$/m);
    for (const text of [log, summary])
      for (const secret of platform.secrets) assert.ok(!text.includes(secret), "a secret is shown");
    assert.equal(await running(), "2");
  });

  it("by Pulumi Deployments leaves alone what a push does not touch, and brings another one to the cluster", async () => {
    const { number: readme } = await platform.open("Tell more", { "README.md": "# Ours\n" });
    assert.equal(await deployed(await platform.merge(readme)), undefined);
    const { number } = await platform.open("Run one replica", replicas(1));
    fewer = await platform.merge(number);
    const update = (await deployed(fewer)) ?? assert.fail("nothing was started");
    assert.deepEqual([update.operation, update.status], ["update", "succeeded"], print(update));
    assert.equal(await running(), "1");
    await dev.succeeds("pulumi", "preview", "--expect-no-changes", "--non-interactive");
  });

  it("is taken from Pulumi Deployments again, and no push starts anything", async () => {
    await pulumi("destroy --yes");
    await pulumi("stack rm --yes main");
    assert.equal(await deployed(fewer), undefined);
  });
});
