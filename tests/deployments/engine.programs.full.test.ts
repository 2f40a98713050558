// deployments/ under the real engine, with the packages of the project above it, against the simulated Pulumi Cloud.
import { strict as assert } from "node:assert";
import { cpSync, mkdirSync, readdirSync, symlinkSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "mocha";
import { parse, stringify } from "yaml";
import { Authority } from "../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../rehearsal/cloud/door/door.ts";
import { PulumiCloud } from "../../rehearsal/cloud/pulumi/service.ts";
import { installProviders } from "../../rehearsal/providers/install.ts";
import { ENGINE_TIMEOUT, type EngineEnvironment, engineEnvironment, runPulumi, succeed } from "../support/engine.ts";
import { CLIENTS, HOOK, TOKEN } from "./program.ts";

const checkout = resolve(import.meta.dirname, "../..");
const NAMESPACE = "aks-gitops-deployments";
const [DEV, PROD] = ["dev", "prod"].map((stack) => ({ organization: "acme", project: "aks-gitops", stack })) as [
  Stack,
  Stack,
];
type Stack = Parameters<PulumiCloud["addStack"]>[0];

describe("deployments/ in the engine", () => {
  let engine: EngineEnvironment;
  let door: Door;
  let cloud: PulumiCloud;
  let project: string;
  let env: Record<string, string>;
  const pulumi = (...args: string[]) => succeed(project, args, env);
  const settingsOf = ({ stack }: Stack) => cloud.configured.find((one) => one.stack === stack)?.settings;
  /** Changes the configuration of the stacks. */
  const configure = async (change: (stacks: Record<string, Record<string, unknown>>) => void) => {
    const file = join(project, "Pulumi.main.yaml");
    const content = parse(await readFile(file, "utf8"));
    change(content.config[`${NAMESPACE}:stacks`]);
    await writeFile(file, stringify(content));
  };

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    engine = await engineEnvironment();
    // As a checkout, but for deployments/ and the stacks' files, which the engine and the test write to.
    const program = join(engine.directory, "program");
    mkdirSync(program);
    for (const name of readdirSync(checkout))
      if (/^(deployments|Pulumi\..*yaml)$/.test(name))
        cpSync(join(checkout, name), join(program, name), { recursive: true });
      else if (!name.startsWith(".")) symlinkSync(join(checkout, name), join(program, name));
    project = join(program, "deployments");
    const authority = await Authority.create();
    const authorityFile = join(engine.directory, "authority.pem");
    await writeFile(authorityFile, authority.pem);
    cloud = new PulumiCloud();
    cloud.addStack(DEV);
    cloud.addStack(PROD);
    door = new Door(authority);
    door.route("api.pulumi.com", cloud.service);
    await installProviders(engine.env.PULUMI_HOME ?? "");
    env = {
      ...engine.env,
      HTTPS_PROXY: `http://127.0.0.1:${await door.listen("outside")}`,
      NO_PROXY: "127.0.0.1,localhost",
      NODE_USE_ENV_PROXY: "1",
      NODE_EXTRA_CA_CERTS: authorityFile,
      PULUMI_ACCESS_TOKEN: cloud.addToken(["acme"]),
    };
    // Who signs in to Azure is components/pipeline's to show.
    await configure((stacks) => {
      for (const stack of Object.values(stacks)) stack.identity = CLIENTS;
    });
    await pulumi("stack", "init", "main");
  });
  after(async () => {
    await door?.close();
    await engine?.close();
  });

  it("refuses its settings before anything is registered, by name and without a stack trace", async () => {
    const { code, stdout } = await runPulumi(project, ["preview"], env);
    assert.notEqual(code, 0);
    assert.match(stdout, /1 fault in the configuration of stack main.*\n\s*\n.*:tokens\.dev\.fluxGit is missing: /);
    assert.doesNotMatch(stdout, /\bat .*\.ts:\d+|pulumiservice/);
  });

  it("writes what it says of each stack, without its own package.json", async () => {
    const plain = (path: string, value: string) => ["--plaintext", `${NAMESPACE}:${path}=${value}`];
    const secret = (path: string, value: string) => ["--secret", `${NAMESPACE}:${path}=${value}`];
    await pulumi(
      ...["config", "set-all", "--path"],
      ...secret("tokens.dev.fluxGit", TOKEN),
      ...plain("notifications[0].name", "ops"),
      ...plain("notifications[0].format", "slack"),
      ...secret("notifications[0].url", HOOK),
    );
    await pulumi("up", "--yes", "--skip-preview");
    const [dev, prod] = [settingsOf(DEV), settingsOf(PROD)];
    assert.deepEqual([dev?.vcs?.deployCommits, dev?.vcs?.deployTags, dev?.agentPoolID], [true, false, undefined]);
    assert.deepEqual([prod?.vcs?.deployTags, prod?.vcs?.tagFilters], [true, ["v*", "!*-rc*"]]);
    const [pool] = cloud.pools("acme");
    assert.deepEqual([pool?.name, prod?.agentPoolID], ["hub", pool?.id]);
    const token = dev?.operationContext?.environmentVariables?.FLUX_GIT_TOKEN ?? "";
    assert.equal(typeof token, "object");
    assert.equal(cloud.open(token), TOKEN);
    // They are made side by side, in whatever order.
    const crons = [DEV, PROD].map((stack) =>
      cloud
        .inspect(stack)
        .schedules.map(({ scheduleCron }) => scheduleCron)
        .sort(),
    );
    assert.deepEqual(crons, [["0 3 1 * *", "0 4 * * *"], ["0 4 * * *"]]);
    assert.deepEqual(
      [DEV, PROD].map((stack) => cloud.inspect(stack).hooks.map(({ payloadUrl }) => payloadUrl)),
      [[HOOK], [HOOK]],
    );
  });

  it("keeps no secret in the clear: not in its state, not in what it prints", async () => {
    const state = await pulumi("stack", "export");
    for (const secret of [TOKEN, "very-secret", "pul-"]) assert.ok(!state.includes(secret), secret);
    const { agentTokens, identities } = JSON.parse(await pulumi("stack", "output", "--json", "--show-secrets"));
    assert.match(agentTokens.hub, /^pul-/);
    assert.deepEqual(identities.dev, CLIENTS);
  });

  it("changes nothing when it runs again", async () => {
    await pulumi("preview", "--refresh", "--expect-no-changes");
  });

  it("takes away what its settings no longer say, and brings the schedules with what it makes anew", async () => {
    await configure((stacks) => {
      const { dev, prod } = stacks as { dev: Record<string, unknown>; prod: Record<string, unknown> };
      delete dev.rotation;
      Object.assign(dev, { updates: "tag" });
      Object.assign(prod, { updates: "run", tags: undefined });
    });
    await pulumi("config", "set", "--secret", "--path", `${NAMESPACE}:tokens.prod.gitHub`, TOKEN);
    await pulumi("up", "--yes", "--skip-preview");
    const [dev, prod] = [settingsOf(DEV), settingsOf(PROD)];
    assert.deepEqual([dev?.vcs?.deployCommits, dev?.vcs?.deployTags, dev?.vcs?.tagFilters], [false, true, ["v*"]]);
    assert.deepEqual([prod?.vcs?.deployTags, prod?.vcs?.tagFilters], [false, []]);
    assert.ok(prod?.operationContext?.environmentVariables?.GITHUB_TOKEN);
    await pulumi("config", "rm", "--path", `${NAMESPACE}:tokens.prod`);
    await pulumi("up", "--yes", "--skip-preview");
    assert.equal(settingsOf(PROD)?.operationContext?.environmentVariables?.GITHUB_TOKEN, undefined);
    for (const stack of [DEV, PROD])
      assert.deepEqual(
        cloud.inspect(stack).schedules.map(({ scheduleCron }) => scheduleCron),
        ["0 4 * * *"],
        stack.stack,
      );
    await pulumi("preview", "--expect-no-changes");
  });

  it("does not take over settings that somebody else has made", async () => {
    await pulumi("destroy", "--yes");
    assert.deepEqual([cloud.configured, cloud.pools("acme")], [[], []]);
    const path = "https://api.pulumi.com/api/stacks/acme/aks-gitops/dev/deployments/settings";
    const vcs = { provider: "github", repository: "acme/other" };
    await cloud.service({
      ...{ method: "PUT", url: new URL(path), place: "outside", address: "203.0.113.10" },
      headers: { authorization: `token ${env.PULUMI_ACCESS_TOKEN}` },
      body: Buffer.from(JSON.stringify({ vcs })),
    });
    const { code, stdout } = await runPulumi(project, ["up", "--yes", "--skip-preview"], env);
    assert.notEqual(code, 0);
    assert.match(stdout, /resource already exists; use the `import` resource option/);
    assert.deepEqual(settingsOf(DEV)?.vcs, vcs);
  });
});
