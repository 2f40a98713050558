import { strict as assert } from "node:assert";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { mock } from "node:test";
import { afterEach, beforeEach, describe, it } from "mocha";
import { type KeptSignIn, keepSignIn, refusalOf } from "../../../delivery/ci/signIn.ts";
import { cloudOf } from "../../../net/azureCloud.ts";
import { AzureDevOps } from "../../../rehearsal/cloud/devops/service.ts";
import { Entra } from "../../../rehearsal/cloud/entra/service.ts";
import { type Loopback, listen } from "../../support/loopback.ts";
import { serve } from "./served.ts";

/** A token with these claims, which nobody checks. */
const jwt = (claims: object) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;

describe("the sign-in of a run", () => {
  let opened: { close(): Promise<void> }[] = [];
  beforeEach(() => {
    opened = [];
  });
  afterEach(async () => {
    for (const one of opened) await one.close();
  });
  const keep = async (environment: Record<string, string>, learned: string[] = [], failed: string[] = []) => {
    const kept: KeptSignIn = await keepSignIn(
      environment,
      (secret) => learned.push(secret),
      (reason) => failed.push(reason),
    );
    opened.push(kept);
    return kept;
  };

  it("has a workflow's token in a file of its owner alone, hides it, and leaves nothing behind", async () => {
    const server: Loopback = await listen(() => ({ body: { value: jwt({ exp: 1 }) } }));
    opened.push(server);
    const learned: string[] = [];
    const kept = await keep(
      {
        ...{ ARM_CLIENT_ID: "c", ARM_TENANT_ID: "t" },
        ACTIONS_ID_TOKEN_REQUEST_URL: `${server.origin}/id?x=1`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: "bearer of the job",
      },
      learned,
    );
    const file = kept.variables.AZURE_FEDERATED_TOKEN_FILE ?? "";
    assert.equal(readFileSync(file, "utf8"), jwt({ exp: 1 }));
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.deepEqual(learned, [jwt({ exp: 1 })]);
    const [request] = server.requests;
    assert.deepEqual(
      [request?.method, request?.path, request?.headers.authorization],
      ["GET", "/id?x=1&audience=api%3A%2F%2FAzureADTokenExchange", "Bearer bearer of the job"],
    );
    await kept.close();
    assert.ok(!existsSync(dirname(file)));
  });

  it("renews the file when half of a token's time is over, and tries again where that fails", async () => {
    let issued = 0;
    const server: Loopback = await listen(() =>
      ++issued === 2 ? { status: 400, body: { message: "not now" } } : { body: { value: lasting(issued) } },
    );
    opened.push(server);
    const ends = Math.floor(Date.now() / 1000) + 600;
    const lasting = (number: number) => jwt({ number, exp: ends });
    mock.timers.enable({ apis: ["setTimeout"] });
    try {
      const failed: string[] = [];
      const { variables } = await keep(
        {
          ...{ ARM_CLIENT_ID: "c", ARM_TENANT_ID: "t", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "b" },
          ACTIONS_ID_TOKEN_REQUEST_URL: `${server.origin}/`,
        },
        [],
        failed,
      );
      const held = () => readFileSync(variables.AZURE_FEDERATED_TOKEN_FILE ?? "", "utf8");
      const until = async (isCase: () => boolean) => {
        while (!isCase()) await new Promise((resolve) => setImmediate(resolve));
      };
      mock.timers.tick(299_000);
      // Time enough for a request that would have been sent by then.
      await new Promise<void>((resolve) => {
        const timer = setInterval(() => {
          clearInterval(timer);
          resolve();
        }, 100);
      });
      assert.equal(issued, 1);
      mock.timers.tick(1000);
      await until(() => failed.length > 0);
      assert.deepEqual(failed, [
        `${new URL(server.origin).host} gives no token to sign in to Azure with: 400 (not now)`,
      ]);
      assert.equal(held(), lasting(1));
      mock.timers.tick(30_000);
      await until(() => held() !== lasting(1));
      assert.equal(held(), lasting(3));
    } finally {
      mock.timers.reset();
    }
  });

  it("answers azure-native in Azure Pipelines as GitHub would, with a new token each time", async () => {
    let issued = 0;
    const devOps = new AzureDevOps("acme");
    const { project } = devOps.createRepository("Ships", "fleet");
    const job = devOps.startJob(project, { connections: { one: () => jwt({ number: ++issued }) } });
    const server = await serve(devOps.service, "https://dev.azure.com");
    opened.push(server);
    const learned: string[] = [];
    const { variables } = await keep(
      {
        SYSTEM_OIDCREQUESTURI: job.oidcRequestUri.replace("https://dev.azure.com", server.origin),
        ...{ SYSTEM_ACCESSTOKEN: job.token, AZURESUBSCRIPTION_SERVICE_CONNECTION_ID: "one" },
        ...{ AZURESUBSCRIPTION_CLIENT_ID: "c", AZURESUBSCRIPTION_TENANT_ID: "t" },
      },
      learned,
    );
    assert.equal(readFileSync(variables.AZURE_FEDERATED_TOKEN_FILE ?? "", "utf8"), jwt({ number: 1 }));
    // As azure-native does (pulumi-azure-native, provider/pkg/provider/auth_azidentity.go).
    const url = new URL(variables.ACTIONS_ID_TOKEN_REQUEST_URL ?? "");
    url.searchParams.set("audience", "api://AzureADTokenExchange");
    const headers = { authorization: `Bearer ${variables.ACTIONS_ID_TOKEN_REQUEST_TOKEN}` };
    assert.deepEqual(await (await fetch(url, { headers })).json(), { value: jwt({ number: 2 }) });
    assert.deepEqual(await (await fetch(url, { headers })).json(), { value: jwt({ number: 3 }) });
    assert.equal((await fetch(url)).status, 401);
    assert.deepEqual(
      learned,
      [1, 2, 3].map((number) => jwt({ number })),
    );
  });

  it("fails in the words of who gives no token", async () => {
    const server = await listen(() => ({ status: 403, body: { message: "no permission for an id token" } }));
    opened.push(server);
    await assert.rejects(
      keep({
        ...{ ARM_CLIENT_ID: "c", ARM_TENANT_ID: "t", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "b" },
        ACTIONS_ID_TOKEN_REQUEST_URL: `${server.origin}/`,
      }),
      {
        message: `${new URL(server.origin).host} gives no token to sign in to Azure with: 403 (no permission for an id token)`,
      },
    );
  });

  it("has nothing to keep where a secret signs in", async () => {
    const kept = await keep({ ARM_CLIENT_ID: "c", ARM_TENANT_ID: "t", ARM_CLIENT_SECRET: "s" });
    assert.equal(await kept.token(), undefined);
    assert.equal(kept.variables.AZURE_FEDERATED_TOKEN_FILE, undefined);
  });

  it("is tried at Entra, whose refusal comes with what it has to look for", async () => {
    const tenant = "5b6f3f4e-0d6a-4f0f-9a55-7e1f6c2d0a01";
    const entra = await Entra.create({ tenantId: tenant });
    const { clientId } = entra.addClient("pipeline", []);
    const server = await serve(entra.service, "https://login.microsoftonline.com");
    opened.push(server);
    const claims = { iss: "https://issuer", sub: "repo:acme/platform:environment:prod", aud: "api://x" };
    const token = `${Buffer.from('{"alg":"RS256"}').toString("base64url")}.${jwt(claims).split(".")[1]}.x`;
    const environment = { ARM_CLIENT_ID: clientId, ARM_TENANT_ID: tenant };
    const cloud = { ...cloudOf({}), authority: server.origin };
    assert.equal(
      await refusalOf(token, environment, cloud),
      `AADSTS70025: The client '${clientId}'(pipeline) has no configured federated identity credentials.\n` +
        "The token's issuer is https://issuer, its subject repo:acme/platform:environment:prod, its audience api://x: a " +
        `federated credential of the application ${clientId} must have the same.`,
    );
    const taken = await listen(() => ({ body: { access_token: "x" } }));
    opened.push(taken);
    assert.equal(await refusalOf(token, environment, { ...cloud, authority: taken.origin }), undefined);
    assert.match(taken.requests[0]?.body.toString() ?? "", /&scope=https%3A%2F%2Fmanagement\.azure\.com%2F\.default$/);
  });
});
