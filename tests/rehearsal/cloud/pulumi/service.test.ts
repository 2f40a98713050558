import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { PulumiCloud } from "../../../../rehearsal/cloud/pulumi/service.ts";
import { ask } from "../request.ts";

const STACK = { organization: "acme", project: "aks-gitops", stack: "dev" };
const BRANCH = { sourceContext: { git: { branch: "refs/heads/main" } } };

describe("the simulated api.pulumi.com", () => {
  let cloud: PulumiCloud;
  let token: string;
  const send = (method: string, path: string, body?: object, authorization = `token ${token}`) =>
    ask(cloud.service, method, `https://api.pulumi.com/api/${path}`, {
      headers: { authorization, "x-pulumi-source": "provider" },
      ...(body && { body }),
    });
  const settings = (method: string, body?: object, stack = "dev") =>
    send(method, `stacks/acme/aks-gitops/${stack}/deployments/settings`, body);
  const refused = async (method: string, body: object) => {
    const answer = await settings(method, body);
    assert.equal(answer.status, 400, JSON.stringify(answer.body));
    return answer.body.message;
  };

  beforeEach(() => {
    cloud = new PulumiCloud();
    cloud.addStack(STACK);
    token = cloud.addToken(["acme"]);
  });

  it("knows its tokens, and shows organisations to their members alone", async () => {
    const path = "stacks/acme/aks-gitops/dev/deployments/settings";
    for (const authorization of ["", "token pul-wrong", `Bearer ${token}`])
      assert.equal((await send("GET", path, undefined, authorization)).status, 401, authorization);
    const stranger = cloud.addToken(["other"]);
    const answer = await send("GET", path, undefined, `token ${stranger}`);
    assert.deepEqual(
      [answer.status, answer.body],
      [404, { code: 404, message: "Not Found: Stack 'acme/aks-gitops/dev' not found" }],
    );
    assert.equal((await send("POST", "orgs/acme/agent-pools", { name: "hub" }, `token ${stranger}`)).status, 404);
    assert.equal((await settings("GET", undefined, "prod")).status, 404);
    assert.equal((await send("GET", "stacks/acme/aks-gitops/dev/tags")).status, 404);
    assert.equal((await send("GET", "user")).status, 404);
  });

  it("replaces settings by PUT, merges by POST, and forgets them", async () => {
    assert.equal((await settings("GET")).status, 404);
    const vcs = { provider: "github", repository: "acme/aks-gitops", deployCommits: true, paths: ["a/**"] };
    await settings("PUT", { ...BRANCH, vcs, cacheOptions: { enable: true } });
    const { body } = await settings("POST", {
      vcs: { provider: "github", repository: "acme/aks-gitops", deployTags: true },
      cacheOptions: null,
      operationContext: { options: { skipInstallDependencies: true } },
    });
    assert.deepEqual(body, {
      ...BRANCH,
      vcs: { provider: "github", repository: "acme/aks-gitops", deployTags: true },
      operationContext: { options: { skipInstallDependencies: true } },
      version: 2,
      source: "provider",
    });
    assert.deepEqual((await settings("PUT", BRANCH)).body, { ...BRANCH, version: 3, source: "provider" });
    assert.equal((await settings("DELETE")).status, 200);
    assert.equal((await settings("GET")).status, 404);
  });

  it("refuses what the real one does not know, or does not take together", async () => {
    assert.equal(await refused("PUT", { ...BRANCH, agentPoolId: "x" }), "Bad Request: unknown field agentPoolId");
    assert.equal(
      await refused("POST", { operationContext: { preRunCommand: [] } }),
      "Bad Request: unknown field operationContext.preRunCommand",
    );
    assert.equal(
      await refused("PUT", { executorContext: { executorImage: "pulumi/pulumi:3" } }),
      "Bad Request: executorContext.executorImage must be an object",
    );
    assert.equal(
      await refused("PUT", { cacheOptions: { enable: "yes" } }),
      "Bad Request: cacheOptions.enable must be a boolean",
    );
    assert.equal(await refused("PUT", { ...BRANCH, agentPoolID: "nowhere" }), "Bad Request: Invalid agent pool id");
    const vcs = { provider: "github", repository: "acme/aks-gitops" };
    assert.equal(
      await refused("PUT", { vcs: { ...vcs, deployCommits: true, deployTags: true } }),
      "Bad Request: vcs.deployCommits and vcs.deployTags cannot both be enabled",
    );
    assert.equal(
      await refused("PUT", { vcs: { repository: "acme/aks-gitops" } }),
      "Bad Request: vcs.provider is required",
    );
    assert.match(await refused("PUT", { vcs: { ...vcs, provider: "git" } }), /vcs\.provider must be one of github/);
    assert.equal((await settings("GET")).status, 404);
    const text = await ask(
      cloud.service,
      "PUT",
      "https://api.pulumi.com/api/stacks/acme/aks-gitops/dev/deployments/settings",
      {
        headers: { authorization: `token ${token}` },
        body: "{",
      },
    );
    assert.equal(text.status, 400);
  });

  it("tells no secret again", async () => {
    const environmentVariables = { A: "plain", TOKEN: { secret: "hidden" } };
    const { body } = await settings("PUT", { operationContext: { environmentVariables } });
    assert.ok(!JSON.stringify(body).includes("hidden"));
    const { A, TOKEN } = body.operationContext.environmentVariables;
    assert.deepEqual([A, cloud.open(A), cloud.open(TOKEN)], ["plain", "plain", "hidden"]);
    // What was read can be written again.
    await settings("POST", { operationContext: { environmentVariables: { TOKEN, A: null } } });
    const kept = cloud.configured[0]?.settings;
    assert.deepEqual(kept?.operationContext?.environmentVariables, { TOKEN });
  });

  it("keeps schedules of stacks that have settings", async () => {
    const drift = "stacks/acme/aks-gitops/dev/deployments/drift/schedules";
    const schedules = "stacks/acme/aks-gitops/dev/deployments/schedules";
    assert.equal((await send("POST", drift, { scheduleCron: "0 4 * * *" })).status, 400);
    await settings("PUT", BRANCH);
    const { id } = (await send("POST", drift, { scheduleCron: "0 4 * * *" })).body;
    const request = { operation: "update" };
    await send("POST", schedules, { scheduleCron: "0 3 1 * *", request });
    assert.equal(
      (await send("POST", schedules, { scheduleCron: "0 3 1 * *", scheduleOnce: "x", request })).status,
      400,
    );
    assert.match((await send("POST", schedules, { request: { operation: "up" } })).body.message, /must be one of/);
    await send("POST", `${drift}/${id}`, { scheduleCron: "0 5 * * *", autoRemediate: true });
    const { scheduleCron, definition } = (await send("GET", `${schedules}/${id}`)).body;
    assert.deepEqual(
      [scheduleCron, definition.request],
      ["0 5 * * *", { operation: "detect-drift", operationContext: { options: { remediateIfDriftDetected: true } } }],
    );
    assert.equal((await send("DELETE", `${schedules}/${id}`)).status, 204);
    assert.equal((await send("DELETE", `${schedules}/${id}`)).status, 404);
    assert.equal(cloud.inspect(STACK).schedules.length, 1);
    await settings("DELETE");
    assert.equal(cloud.inspect(STACK).schedules.length, 0);
  });

  it("keeps webhooks, without their secrets", async () => {
    const hooks = "stacks/acme/aks-gitops/dev/hooks";
    const hook = { organizationName: "acme", displayName: "ops", payloadUrl: "https://x", active: true };
    assert.match((await send("POST", hooks, { ...hook, active: undefined })).body.message, /active is required/);
    assert.match((await send("POST", hooks, { ...hook, url: "x" })).body.message, /unknown field url/);
    const { name } = (await send("POST", hooks, { ...hook, format: "slack", secret: "hidden" })).body;
    await send("PATCH", `${hooks}/${name}`, { ...hook, name, filters: ["drift_detected"] });
    const { body } = await send("GET", `${hooks}/${name}`);
    assert.deepEqual(body, { ...hook, name, format: "slack", filters: ["drift_detected"], hasSecret: true });
    assert.equal((await send("DELETE", `${hooks}/${name}`)).status, 204);
    assert.deepEqual(cloud.inspect(STACK).hooks, []);
  });

  it("keeps pools of agents, and those in use unless somebody insists", async () => {
    const pools = "orgs/acme/agent-pools";
    const { id, tokenValue } = (await send("POST", pools, { name: "hub", description: "in the hub" })).body;
    assert.match(tokenValue, /^pul-/);
    assert.equal((await send("POST", pools, { name: "hub" })).status, 409);
    assert.deepEqual((await send("GET", `${pools}/${id}`)).body, { id, name: "hub", description: "in the hub" });
    await settings("PUT", { ...BRANCH, agentPoolID: id });
    assert.equal((await send("DELETE", `${pools}/${id}`)).status, 400);
    assert.equal((await send("DELETE", `${pools}/${id}?force=true`)).status, 204);
    assert.deepEqual(cloud.pools("acme"), []);
  });
});
