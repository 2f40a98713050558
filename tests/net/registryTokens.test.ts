// How few tokens an Azure registry is asked for, and what happens where it does not give the one for all repositories.

import { strict as assert } from "node:assert";
import { afterEach, describe, it } from "mocha";
import { RegistryClient, RegistryClosed } from "../../net/registry/client.ts";
import { digestOf } from "../../net/values.ts";
import { MEDIA } from "../../rehearsal/cloud/registry/protocol.ts";
import type { CloudRequest } from "../../rehearsal/cloud/types.ts";
import { artifact, FakeCloud, ROLES, registryResource, serve } from "../rehearsal/cloud/registry/support.ts";
import { type Loopback, type LoopbackAnswer, type LoopbackRequest, listen } from "../support/loopback.ts";

const HOST = "fleet.azurecr.io";
const REPOSITORIES = Array.from({ length: 40 }, (_, number) => `apps/app${number}`);
const ABAC = { roleAssignmentMode: "AbacRepositoryPermissions" };

const credential = {
  getToken: async () => ({ token: "https://containerregistry.azure.net|deployer", expiresOnTimestamp: 0 }),
};

describe("the tokens of an Azure registry", () => {
  const open: (() => Promise<unknown>)[] = [];
  afterEach(() => Promise.all(open.splice(0).map((close) => close())));

  /** A simulated registry that holds one artifact in each repository, a client of it, and what that asked for. */
  async function start(roles: readonly string[], properties: Record<string, unknown> = {}) {
    const cloud = new FakeCloud({}, [registryResource("Fleet", properties)]);
    cloud.roles.set("deployer", roles);
    const [registry] = cloud.registries;
    assert.ok(registry);
    const { manifest } = artifact("app");
    for (const name of REPOSITORIES) cloud.acr.store(registry).putManifest(name, manifest, MEDIA.ociManifest, "1");
    const requests: string[] = [];
    const service = async (request: CloudRequest) => {
      const scope = new URLSearchParams(request.body.toString()).get("scope");
      requests.push(`${request.method} ${request.url.pathname}${scope === null ? "" : ` ${scope}`}`);
      return cloud.acr.service(request);
    };
    const { address, close } = await serve(service, HOST);
    open.push(close);
    return { client: new RegistryClient(HOST, { endpoint: `http://${address}`, credential }), cloud, requests };
  }

  const readAll = async (client: RegistryClient) =>
    assert.deepEqual(
      new Set((await Promise.all(REPOSITORIES.map((name) => client.head(name, "1")))).map((found) => found?.digest)),
      new Set([artifact("app").digest]),
    );
  const tokensIn = (requests: readonly string[]) => requests.filter((one) => one.startsWith("POST /oauth2"));

  it("are one for the reads of all repositories, which then take one request each", async () => {
    const { client, requests } = await start(ROLES.AcrPull);
    await readAll(client);
    assert.equal(requests.length, REPOSITORIES.length + 3);
    assert.deepEqual(requests.slice(0, 4), [
      "HEAD /v2/apps/app0/manifests/1",
      "POST /oauth2/exchange",
      "POST /oauth2/token repository:*:pull",
      "HEAD /v2/apps/app0/manifests/1",
    ]);
    await readAll(client);
    assert.equal(requests.length, 2 * REPOSITORIES.length + 3);
  });

  it("allow a push into the one repository alone that is pushed to", async () => {
    const { client, requests } = await start(ROLES.AcrPush);
    await client.head("charts/kured", "6.1.0");
    await client.pushBlob("charts/kured", Buffer.from("chart"));
    await client.pushBlob("charts/kured", Buffer.from("config"));
    await client.head("charts/kured", "6.1.0");
    assert.deepEqual(tokensIn(requests), [
      "POST /oauth2/exchange",
      "POST /oauth2/token repository:*:pull",
      "POST /oauth2/token repository:charts/kured:pull,push",
    ]);
  });

  it("are those of single repositories where each has permissions of its own, found out once", async () => {
    const { client, requests } = await start(ROLES.RepositoryReader, ABAC);
    await readAll(client);
    const all = "POST /oauth2/token repository:*:pull";
    assert.deepEqual(requests.slice(0, 6), [
      "HEAD /v2/apps/app0/manifests/1",
      "POST /oauth2/exchange",
      all,
      "HEAD /v2/apps/app0/manifests/1",
      "POST /oauth2/token repository:apps/app0:pull",
      "HEAD /v2/apps/app0/manifests/1",
    ]);
    // A token and a read each, and what it took to find out.
    assert.equal(requests.length, 2 * REPOSITORIES.length + 4);
    assert.equal(requests.filter((one) => one === all).length, 1);
    await readAll(client);
    assert.equal(requests.length, 3 * REPOSITORIES.length + 4);
  });

  it("are asked for in vain only once each where nothing lets the caller in, and anew when his role has arrived", async () => {
    const { client, cloud, requests } = await start(ROLES.AcrDelete);
    await assert.rejects(client.head("apps/app1", "1"), (error) => error instanceof RegistryClosed && !error.network);
    assert.deepEqual(tokensIn(requests), [
      "POST /oauth2/exchange",
      "POST /oauth2/token repository:*:pull",
      "POST /oauth2/token repository:apps/app1:pull",
    ]);
    assert.equal(requests.length, 6);
    cloud.roles.set("deployer", ROLES.AcrPush);
    requests.length = 0;
    await readAll(client);
    assert.deepEqual(tokensIn(requests), ["POST /oauth2/token repository:*:pull"]);
  });

  const BODY = Buffer.from("{}");
  /** A registry that lets in whose token `isGood`, and what it gives for a scope. */
  async function guarded(
    give: (scope: string) => LoopbackAnswer,
    isGood: (token: string, repository: string) => boolean = () => true,
    error = "invalid_token",
  ) {
    const server: Loopback = await listen(({ path, headers, body }: LoopbackRequest) => {
      if (path.startsWith("/oauth2/exchange")) return { body: { refresh_token: "fresh" } };
      if (path.startsWith("/oauth2")) return give(new URLSearchParams(String(body)).get("scope") ?? "");
      const token = headers.authorization && String(headers.authorization).replace("Bearer ", "");
      const repository = path.replace(/^\/v2\/(.*)\/manifests\/.*$/, "$1");
      if (token !== undefined && isGood(token, repository))
        return { headers: { "docker-content-digest": digestOf(BODY) }, body: BODY };
      const challenge = `Bearer realm="${server.origin}/oauth2/token",service="${HOST}",scope="repository:${repository}:pull"`;
      return { status: 401, headers: { "www-authenticate": token ? `${challenge},error="${error}"` : challenge } };
    });
    open.push(() => server.close());
    const scopes = () => server.requests.flatMap(({ body }) => new URLSearchParams(String(body)).get("scope") ?? []);
    return { client: new RegistryClient(HOST, { endpoint: server.origin, credential }), scopes };
  }
  const living = (seconds: number) =>
    `a.${Buffer.from(JSON.stringify({ iat: 1_000_000, exp: 1_000_000 + seconds })).toString("base64url")}.b`;

  it("serve until shortly before their end, and are then renewed once for all who wait", async () => {
    let life = 10;
    const { client, scopes } = await guarded(() => ({ body: { access_token: living(life) } }));
    await client.head("a", "1");
    life = 75 * 60;
    await Promise.all(["b", "c", "d", "e"].map((name) => client.head(name, "1")));
    assert.deepEqual(scopes(), ["repository:*:pull", "repository:*:pull"]);
    await Promise.all(["f", "g"].map((name) => client.head(name, "1")));
    assert.equal(scopes().length, 2);
  });

  it("are those of single repositories where the one for all is not even given", async () => {
    for (const status of [400, 401]) {
      const { client, scopes } = await guarded((scope) =>
        scope.includes("*") ? { status } : { body: { access_token: "own" } },
      );
      await client.head("a", "1");
      await client.head("b", "1");
      assert.deepEqual(scopes(), ["repository:*:pull", "repository:a:pull", "repository:b:pull"]);
    }
  });

  it("are asked for again where the registry does not know the one for all any more", async () => {
    let valid = "first";
    const { client, scopes } = await guarded(
      (scope) => ({ body: { access_token: scope.includes("*") ? valid : "own" } }),
      (token) => token === valid || token === "own",
    );
    await client.head("a", "1");
    valid = "second";
    await client.head("b", "1");
    await client.head("c", "1");
    await client.head("d", "1");
    assert.deepEqual(scopes(), ["repository:*:pull", "repository:b:pull", "repository:*:pull"]);
  });

  it("are still those for all where one repository lets nobody in", async () => {
    const { client, scopes } = await guarded(
      () => ({ body: { access_token: "all" } }),
      (_, repository) => repository !== "closed",
      "insufficient_scope",
    );
    await client.head("a", "1");
    await assert.rejects(client.head("closed", "1"), RegistryClosed);
    await client.head("b", "1");
    await client.head("c", "1");
    assert.deepEqual(scopes(), ["repository:*:pull", "repository:closed:pull", "repository:*:pull"]);
  });
});
