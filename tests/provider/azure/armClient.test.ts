import { strict as assert } from "node:assert";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { createPipelineRequest } from "@azure/core-rest-pipeline";
import { afterEach, describe, it } from "mocha";
import { cloudOf } from "../../../net/azureCloud.ts";
import { cached, createCredential } from "../../../net/credential.ts";
import { ArmClient, ArmError } from "../../../provider/azure/armClient.ts";
import { busyPolicy, createTransport } from "../../../provider/azure/pipeline.ts";
import { Authority } from "../../../rehearsal/cloud/door/authority.ts";
import { Door } from "../../../rehearsal/cloud/door/door.ts";
import { type Loopback, type LoopbackAnswer, type LoopbackRequest, listen } from "../../support/loopback.ts";

const token = (value: string, expiresOnTimestamp = Date.now() + 3_600_000) => ({ token: value, expiresOnTimestamp });

describe("the client of Azure Resource Manager", () => {
  let server: Loopback;
  afterEach(() => server.close());

  const armOf = async (answer: (request: LoopbackRequest) => LoopbackAnswer) => {
    server = await listen(answer);
    const scopes: unknown[] = [];
    const credential = {
      async getToken(scope: string | string[]) {
        scopes.push(scope);
        return token("entra");
      },
    };
    return { arm: new ArmClient({ endpoint: server.origin, credential }), scopes };
  };
  const paths = () => server.requests.map(({ method, path }) => `${method} ${path}`);

  it("sends the token, the api-version and the body, and gives the answer", async () => {
    const { arm, scopes } = await armOf(() => ({ body: { id: "x" } }));
    assert.deepEqual(await arm.request("PUT", "/a/b", "2020-01-01", { location: "here" }), { id: "x" });
    assert.deepEqual(scopes, [`${server.origin}/.default`]);
    const [request] = server.requests;
    assert.equal(request?.path, "/a/b?api-version=2020-01-01");
    assert.equal(request?.headers.authorization, "Bearer entra");
    assert.deepEqual(JSON.parse(String(request?.body)), { location: "here" });
  });

  it("waits for 429 as long as Retry-After says and tells of it", async () => {
    let busy = 2;
    let throttled = 0;
    const { arm } = await armOf(() => (busy-- > 0 ? { status: 429, headers: { "retry-after": "0" } } : { body: {} }));
    await arm.request("POST", "/a", "1", {}, { throttled: () => throttled++ });
    assert.equal(server.requests.length, 3);
    assert.equal(throttled, 2);
  });

  it("does not repeat a POST that may have had an effect", async () => {
    const { arm } = await armOf(() => ({ status: 500, body: { error: { code: "Oops", message: "broken" } } }));
    await assert.rejects(arm.request("POST", "/a", "1"), /POST \/a: 500 Oops: broken/);
    assert.equal(server.requests.length, 1);
  });

  it("follows a Location until it answers something else than 202", async () => {
    const answers = ["/poll/1", "/poll/2"];
    const { arm } = await armOf(({ path }) => {
      if (path === "/poll/2") return { body: { done: true } };
      return { status: 202, headers: { location: answers.shift() ?? "", "retry-after": "0" } };
    });
    assert.deepEqual(await arm.request("POST", "/act", "1"), { done: true });
    assert.deepEqual(paths(), ["POST /act?api-version=1", "GET /poll/1", "GET /poll/2"]);
  });

  it("follows Azure-AsyncOperation to its end and then reads what was put", async () => {
    const statuses = ["InProgress", "Succeeded"];
    const { arm } = await armOf(({ method, path }) => {
      if (method === "PUT")
        return { status: 201, headers: { "azure-asyncoperation": "/op", "retry-after": "0" }, body: {} };
      if (path === "/op") return { headers: { "retry-after": "0" }, body: { status: statuses.shift() } };
      return { body: { id: "done" } };
    });
    assert.deepEqual(await arm.request("PUT", "/a", "1", {}), { id: "done" });
    assert.deepEqual(paths(), ["PUT /a?api-version=1", "GET /op", "GET /op", "GET /a?api-version=1"]);
  });

  it("fails with the operation's error", async () => {
    const { arm } = await armOf(({ path }) =>
      path === "/op"
        ? { body: { status: "Failed", error: { code: "QuotaExceeded", message: "no cores" } } }
        : { status: 202, headers: { "azure-asyncoperation": "/op", "retry-after": "0" } },
    );
    await assert.rejects(arm.request("DELETE", "/a", "1"), (error: unknown) => {
      assert.ok(error instanceof ArmError);
      assert.equal(error.code, "QuotaExceeded");
      assert.equal(error.message, "DELETE /a: the operation failed (QuotaExceeded): no cores");
      return true;
    });
  });

  it("gives up on an operation that hangs, unless what it was to do is done", async () => {
    const { arm } = await armOf(() => ({ status: 202, headers: { location: "/op", "retry-after": "0" } }));
    let asked = 0;
    await arm.request("POST", "/a", "1", {}, { settled: async () => ++asked === 3 });
    assert.equal(asked, 3);
    await assert.rejects(
      arm.request("POST", "/a", "1", {}, { patience: 30 }),
      /POST \/a: the operation still runs after/,
    );
  });

  it("stops waiting when its signal is aborted", async () => {
    const controller = new AbortController();
    const { arm } = await armOf(({ path }) => {
      if (path === "/op") controller.abort(new Error("cancelled"));
      return { status: 202, headers: { location: "/op", "retry-after": path === "/op" ? "60" : "0" } };
    });
    await assert.rejects(arm.request("POST", "/a", "1", {}, { signal: controller.signal }), /^Error: cancelled$/);
  });

  it("says which host gives no answer", async () => {
    const { arm } = await armOf(() => ({}));
    await server.close();
    await assert.rejects(arm.request("POST", "/a", "1"), /^Error: 127\.0\.0\.1:\d+ cannot be reached: .*ECONNREFUSED/);
  });

  it("follows a redirect within the host, with the token, and none to another", async () => {
    const { arm } = await armOf(({ path }) => {
      if (path.startsWith("/old")) return { status: 307, headers: { location: "/new" } };
      if (path === "/new") return { body: { id: "found" } };
      return { status: 307, headers: { location: server.origin.replace("127.0.0.1", "localhost") } };
    });
    assert.deepEqual(await arm.request("GET", "/old", "1"), { id: "found" });
    await assert.rejects(arm.request("GET", "/away", "1"), /^ArmError: GET \/away: 307: Temporary Redirect$/);
    assert.deepEqual(
      server.requests.map(({ path, headers }) => `${path} ${headers.authorization}`),
      ["/old?api-version=1 Bearer entra", "/new Bearer entra", "/away?api-version=1 Bearer entra"],
    );
  });

  it("is not kept waiting by a server that is silent, or drips", async () => {
    server = await listen(() => ({}));
    let requests = 0;
    const silent = createServer((_, response) => {
      requests++;
      response.writeHead(200);
      const timer = setInterval(() => response.write(" "), 10);
      response.on("close", () => clearInterval(timer));
    });
    await once(silent.listen(0, "127.0.0.1"), "listening");
    try {
      const url = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
      const { pipeline, client } = await createTransport(url, async () => "Bearer entra");
      pipeline.addPolicy(busyPolicy({ repeatable: true }, 60));
      const request = createPipelineRequest({ url, allowInsecureConnection: true });
      await assert.rejects(pipeline.sendRequest(client, request), {
        message: /^127\.0\.0\.1:\d+ has not answered for 0\.001 min$/,
      });
      assert.equal(requests, 1);
    } finally {
      silent.closeAllConnections();
      silent.close();
    }
  });

  it("goes through the proxy of the environment", async () => {
    server = await listen(() => ({}));
    const asked: string[] = [];
    const proxy = createServer().on("connect", (request, socket) => {
      asked.push(String(request.url));
      socket.end();
    });
    await once(proxy.listen(0, "127.0.0.1"), "listening");
    const before = process.env.HTTPS_PROXY;
    process.env.HTTPS_PROXY = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
    try {
      const credential = { getToken: async () => token("entra") };
      const arm = new ArmClient({ endpoint: "https://management.azure.example", credential });
      await assert.rejects(arm.request("POST", "/a", "1"), /management\.azure\.example cannot be reached/);
      assert.deepEqual(asked, ["management.azure.example:443"]);
    } finally {
      if (before === undefined) delete process.env.HTTPS_PROXY;
      else process.env.HTTPS_PROXY = before;
      proxy.close();
    }
  });

  it("trusts the authorities of the environment behind that proxy", async () => {
    server = await listen(() => ({}));
    const folder = await mkdtemp(join(tmpdir(), "aks-gitops-arm-"));
    const authority = await Authority.create();
    const door = new Door(authority);
    door.route("management.azure.example", async ({ method, url, headers }) => ({
      status: 200,
      body: { id: `${method} ${url.pathname} ${headers.authorization}` },
    }));
    const program = `
      import { ArmClient } from ${JSON.stringify(new URL("../../../provider/azure/armClient.ts", import.meta.url))};
      const credential = { getToken: async () => ({ token: "entra", expiresOnTimestamp: Date.now() + 60_000 }) };
      const arm = new ArmClient({ endpoint: "https://management.azure.example", credential });
      console.log((await arm.request("POST", "/a", "1")).id);
    `;
    try {
      await writeFile(join(folder, "authority.pem"), authority.pem);
      const env = {
        ...process.env,
        HTTPS_PROXY: `http://127.0.0.1:${await door.listen("outside")}`,
        NODE_EXTRA_CA_CERTS: join(folder, "authority.pem"),
      };
      const args = ["--input-type=module", "-e", program];
      const { stdout } = await promisify(execFile)(process.execPath, args, { env });
      assert.equal(stdout, "POST /a Bearer entra\n");
    } finally {
      await door.close();
      await rm(folder, { recursive: true });
    }
  });

  it("takes the token to no other host", async () => {
    const { arm } = await armOf(() => ({
      status: 202,
      headers: { location: "http://127.0.0.2:1/op", "retry-after": "0" },
    }));
    await assert.rejects(arm.request("POST", "/a", "1"), /at another host, 127\.0\.0\.2:1: not followed/);
  });
});

describe("the credential of the environment", () => {
  it("is chosen as azure-native chooses it", async () => {
    const principal = { ARM_CLIENT_ID: "c", ARM_TENANT_ID: "t" };
    const names: Record<string, Record<string, string>> = {
      ClientSecretCredential: { ...principal, ARM_CLIENT_SECRET: "s" },
      ClientCertificateCredential: { ...principal, ARM_CLIENT_CERTIFICATE_PATH: "/x.pem", ARM_CLIENT_SECRET: "s" },
      ClientAssertionCredential: { AZURE_CLIENT_ID: "c", AZURE_TENANT_ID: "t", AZURE_FEDERATED_TOKEN_FILE: "/token" },
      ManagedIdentityCredential: { ARM_USE_MSI: "true", ARM_CLIENT_ID: "c" },
      AzureCliCredential: { ARM_TENANT_ID: "t" },
    };
    for (const [name, environment] of Object.entries(names)) {
      assert.equal((await createCredential(environment)).constructor.name, name);
    }
  });

  it("names the variable that is missing", async () => {
    await assert.rejects(createCredential({ ARM_CLIENT_SECRET: "s", ARM_TENANT_ID: "t" }), /no ARM_CLIENT_ID/);
    await assert.rejects(createCredential({ ARM_USE_OIDC: "1", ARM_CLIENT_ID: "c" }), /no ARM_TENANT_ID/);
    assert.throws(() => cloudOf({ ARM_ENVIRONMENT: "moon" }), /"moon": give one of public, usgovernment, china/);
  });

  it("reads the federated token's file anew for each Entra token", async () => {
    const folder = await mkdtemp(join(tmpdir(), "aks-gitops-token-"));
    const file = join(folder, "token");
    await writeFile(file, "first\n");
    const environment = {
      ARM_CLIENT_ID: "c",
      ARM_TENANT_ID: "t",
      ARM_USE_OIDC: "true",
      ARM_OIDC_TOKEN_FILE_PATH: file,
    };
    const credential = (await createCredential(environment)) as unknown as { getAssertion(): Promise<string> };
    assert.equal(await credential.getAssertion(), "first");
    await writeFile(file, "second");
    assert.equal(await credential.getAssertion(), "second");
    await rm(folder, { recursive: true });
  });

  it("fetches the token of a GitHub workflow, a busy server waited for", async () => {
    let busy = true;
    const server = await listen(({ headers, url }) => {
      if (busy) {
        busy = false;
        return { status: 503, headers: { "retry-after": "0" } };
      }
      return { body: { value: `${headers.authorization} for ${url.searchParams.get("audience")}` } };
    });
    try {
      const credential = (await createCredential({
        ARM_CLIENT_ID: "c",
        ARM_TENANT_ID: "t",
        ARM_USE_OIDC: "true",
        ACTIONS_ID_TOKEN_REQUEST_URL: `${server.origin}/token?a=1`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: "workflow",
      })) as unknown as { getAssertion(): Promise<string> };
      assert.equal(await credential.getAssertion(), "Bearer workflow for api://AzureADTokenExchange");
    } finally {
      await server.close();
    }
  });

  it("asks once for what many want, again shortly before the end, and again after a failure", async () => {
    const asked: string[] = [];
    let ends = Date.now() + 3_600_000;
    let fails = false;
    const credential = cached(async () => ({
      async getToken(scope: string | string[]) {
        asked.push(String(scope));
        if (fails) throw new Error("no");
        return token(`t${asked.length}`, ends);
      },
    }));
    const both = await Promise.all([credential.getToken("a"), credential.getToken("a")]);
    assert.deepEqual(
      both.map((given) => given?.token),
      ["t1", "t1"],
    );
    ends = Date.now() + 60_000;
    assert.equal((await credential.getToken("b"))?.token, "t2");
    assert.equal((await credential.getToken("b"))?.token, "t3");
    fails = true;
    await assert.rejects(credential.getToken("c"));
    fails = false;
    assert.equal((await credential.getToken("c"))?.token, "t5");
    assert.deepEqual(asked, ["a", "b", "b", "c", "c"]);
  });
});
