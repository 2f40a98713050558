// Three rotations of a pull principal under the real engine, with a simulated Entra whose calendar moves on between updates.
import { strict as assert } from "node:assert";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import { ArmService } from "../../../rehearsal/cloud/arm/service.ts";
import { Authority } from "../../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../../rehearsal/cloud/door/door.ts";
import { Entra } from "../../../rehearsal/cloud/entra/service.ts";
import { Graph } from "../../../rehearsal/cloud/graph/service.ts";
import { installProviders } from "../../../rehearsal/providers/install.ts";
import {
  ENGINE_TIMEOUT,
  type EngineEnvironment,
  engineEnvironment,
  ROOT,
  succeed,
  throughDoor,
  writeProject,
} from "../../support/engine.ts";
import { type Credentials, Puller } from "../../support/puller.ts";

const TENANT_ID = "6f1f2b6e-0000-4e0a-9c60-00000000aaaa";
const SUBSCRIPTION = "c0ffee00-6a1d-4b52-8d35-2f7a9e4b1c02";
const SCOPE = `/subscriptions/${SUBSCRIPTION}`;
const HOUR = 3_600_000;
/** In days. */
const AGE = 30;
/** Hours until the Secret in the cluster has what an update gave, as through Git. */
const LAG = 36;

/** The principal, as it is and as it was once: with one password, without an end. */
const PROGRAM = `
import * as pulumi from "@pulumi/pulumi";
import { Application } from "@pulumi/azuread/application.js";
import { ApplicationPassword } from "@pulumi/azuread/applicationPassword.js";
import { ServicePrincipal } from "@pulumi/azuread/servicePrincipal.js";
import { PullPrincipal } from ${JSON.stringify(join(ROOT, "components/index.ts"))};
import { decideNames } from ${JSON.stringify(join(ROOT, "components/shared/names.ts"))};

class Once extends pulumi.ComponentResource {
  constructor(name) {
    super("aks-gitops:index:PullPrincipal", name, {});
    const child = { parent: this };
    const { digits } = decideNames(name, child);
    const tags = [pulumi.interpolate\`aks-gitops:\${name}-\${digits.hex}\`];
    const application = new Application(name, { displayName: name, tags }, child);
    new ServicePrincipal(name, { clientId: application.clientId }, child);
    const displayName = "pull from the registry";
    const password = new ApplicationPassword(name, { applicationId: application.id, displayName }, child);
    this.clientId = application.clientId;
    this.clientSecret = password.value;
  }
}
const { TEST_NOW: now, TEST_ONCE: once } = process.env;
const pull = once
  ? new Once("pull")
  : new PullPrincipal("pull", { registryId: ${JSON.stringify(SCOPE)}, passwordDays: ${AGE}, now: new Date(now) });
export const { clientId: username, clientSecret: password } = pull;
`;

describe("a pull principal under the real engine", () => {
  let engine: EngineEnvironment;
  let entra: Entra;
  let puller: Puller;
  let door: Door;
  let project: string;
  let env: Record<string, string>;
  let time = Date.parse("2026-11-26T06:00:00Z");
  const given: { readonly from: number; readonly credentials: Credentials }[] = [];
  const pulls = { done: 0, failed: 0 };

  const pulumi = (...args: string[]) => succeed(project, args, { ...env, TEST_NOW: new Date(time).toISOString() });
  const secrets = () => entra.applications().find(({ displayName }) => displayName === "pull")?.secrets ?? [];

  /** Updates the stack. @returns what the engine said, and the names of the passwords that there are now. */
  async function up(): Promise<{ readonly said: string; readonly passwords: readonly string[] }> {
    const said = await pulumi("up", "--yes", "--skip-preview");
    const { deployment } = JSON.parse(await pulumi("stack", "export", "--show-secrets"));
    const resources = deployment.resources as { urn: string; outputs?: Record<string, string> }[];
    const { username = "", password } =
      resources.find(({ urn }) => urn.includes("::pulumi:pulumi:Stack::"))?.outputs ?? {};
    const { plaintext } = password as unknown as { readonly plaintext: string };
    given.push({
      from: time + (given.length === 0 ? 0 : LAG * HOUR),
      credentials: { username, password: JSON.parse(plaintext) },
    });
    const passwords = resources.flatMap(({ urn }) => /:ApplicationPassword::(.+)$/.exec(urn)?.[1] ?? []).sort();
    return { said, passwords };
  }

  /** Lets days pass; at every hour somebody pulls with what the Secret holds by then. */
  async function pass(days: number): Promise<void> {
    for (let hour = 0; hour < days * 24; hour++) {
      time += HOUR;
      const holds = given.findLast(({ from }) => from <= time);
      assert.ok(holds);
      pulls.done++;
      if (!(await puller.pulls(holds.credentials))) pulls.failed++;
    }
  }

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    engine = await engineEnvironment();
    // The longest that a password was seen to take.
    entra = await Entra.create({ tenantId: TENANT_ID, now: () => new Date(time), secretDelay: 18_000 });
    puller = new Puller(entra);
    const arm = new ArmService({
      tenantId: TENANT_ID,
      subscriptionId: SUBSCRIPTION,
      directory: entra,
      duration: () => 1,
    });
    const deployer = entra.addClient("deployer");
    entra.grantGraph(deployer.objectId, "Application.ReadWrite.All");
    arm.assignRole(deployer.objectId, "Owner", `/subscriptions/${SUBSCRIPTION}`);
    const authority = await Authority.create();
    door = new Door(authority);
    const ticking =
      (service: Entra["service"]): Entra["service"] =>
      (request) => {
        // While nobody looks at the calendar, a request takes five seconds.
        time += 5_000;
        return service(request);
      };
    door.route("login.microsoftonline.com", ticking(entra.service));
    door.route("graph.microsoft.com", ticking(new Graph(entra).service));
    door.route("management.azure.com", arm.service);
    await installProviders(engine.env.PULUMI_HOME ?? "");
    env = {
      ...(await throughDoor(engine, door, authority)),
      ARM_CLIENT_ID: deployer.clientId,
      ARM_CLIENT_SECRET: deployer.clientSecret,
      ARM_TENANT_ID: TENANT_ID,
      ARM_SUBSCRIPTION_ID: SUBSCRIPTION,
    };
    const plugins = { gitops: join(ROOT, "provider") };
    project = await writeProject(engine.directory, "acme", { "index.ts": PROGRAM }, plugins);
    await pulumi("stack", "init", "dev");
  });

  after(async () => {
    await door?.close();
    await engine?.close();
  });

  it("takes over what once had a password without an end, and keeps that as the older one", async function () {
    this.timeout(600_000);
    env.TEST_ONCE = "true";
    await up();
    puller.allow(entra.findByClientId(given[0]?.credentials.username ?? "")?.objectId ?? "");
    env.TEST_ONCE = "";
    const { passwords } = await up();
    assert.equal(passwords.filter((name) => /^pull-until-\d{4}-\d\d-\d\d$/.test(name)).length, 2);
    assert.equal(secrets().length, 2);
    assert.notEqual(given[1]?.credentials.password, given[0]?.credentials.password);
  });

  it("previews nothing within a slot, nor after a refresh", async function () {
    this.timeout(600_000);
    await pass(1);
    await pulumi("refresh", "--yes", "--expect-no-changes");
    await pulumi("preview", "--expect-no-changes");
  });

  it("rotates three times, and nobody is ever refused who pulls with what the Secret holds", async function () {
    this.timeout(900_000);
    let before: readonly string[] = [];
    for (let rotation = 1; rotation <= 3; rotation++) {
      await pass(AGE);
      const { said, passwords } = await up();
      assert.match(said, /1 created/);
      assert.match(said, /1 deleted/);
      assert.equal(passwords.length, 2);
      if (rotation > 1) assert.equal(passwords[0], before[1]);
      before = passwords;
      assert.notEqual(given.at(-1)?.credentials.password, given.at(-2)?.credentials.password);
      for (const { endDateTime } of secrets())
        assert.ok(Date.parse(endDateTime) <= time + 2 * AGE * 24 * HOUR, endDateTime);
    }
    await pass(3);
    assert.deepEqual([pulls.done >= 93 * 24, pulls.failed], [true, 0]);
  });
});
