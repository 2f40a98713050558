import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { afterEach, describe, it } from "mocha";
import { RegistryClient, RegistryClosed, RegistryError } from "../../net/registry/client.ts";
import { type Loopback, type LoopbackAnswer, type LoopbackRequest, listen } from "../support/loopback.ts";

const digestOf = (body: Buffer) => `sha256:${createHash("sha256").update(body).digest("hex")}`;
const BODY = Buffer.from('{"schemaVersion":2}');
const INDEX = "application/vnd.oci.image.index.v1+json";

const entra = { getToken: async () => ({ token: "entra", expiresOnTimestamp: Date.now() + 3_600_000 }) };

describe("the client of OCI registries", () => {
  let server: Loopback;
  afterEach(() => server.close());

  const start = async (answer: (request: LoopbackRequest) => LoopbackAnswer) => {
    server = await listen(answer);
  };
  const clientOf = (host: string, credential = entra) =>
    new RegistryClient(host, { credential, endpoint: server.origin });
  const calls = () => server.requests.map(({ method, path }) => `${method} ${decodeURIComponent(path)}`);

  /** A registry that wants a bearer token from `realm` and then has one manifest. */
  const guarded =
    (realm: (origin: string) => string, give: (request: LoopbackRequest) => LoopbackAnswer) =>
    (request: LoopbackRequest): LoopbackAnswer => {
      if (!request.path.startsWith("/v2/")) return give(request);
      if (request.headers.authorization !== "Bearer good") {
        const challenge = `Bearer realm="${realm(server.origin)}",service="reg",scope="repository:a/b:pull"`;
        return { status: 401, headers: { "www-authenticate": challenge } };
      }
      return { headers: { "content-type": INDEX, "docker-content-digest": digestOf(BODY) }, body: BODY };
    };

  it("gets an anonymous token where it is asked for one, and keeps it", async () => {
    await start(
      guarded(
        (origin) => `${origin}/token`,
        () => ({ body: { token: "good", expires_in: 300 } }),
      ),
    );
    const client = clientOf("ghcr.io");
    assert.deepEqual(await client.head("a/b", "1"), { digest: digestOf(BODY), mediaType: INDEX });
    assert.deepEqual(await client.manifest("a/b", "1"), { digest: digestOf(BODY), mediaType: INDEX, body: BODY });
    assert.deepEqual(calls(), [
      "HEAD /v2/a/b/manifests/1",
      "GET /token?service=reg&scope=repository:a/b:pull",
      "HEAD /v2/a/b/manifests/1",
      "GET /v2/a/b/manifests/1",
    ]);
  });

  it("gets the token of the next repository without being asked anew", async () => {
    await start(
      guarded(
        (origin) => `${origin}/token`,
        () => ({ body: { token: "good", expires_in: 300 } }),
      ),
    );
    const client = clientOf("ghcr.io");
    await client.head("a/b", "1");
    await client.head("a/c", "1");
    assert.deepEqual(calls().slice(3), [
      "GET /token?service=reg&scope=repository:a/c:pull",
      "HEAD /v2/a/c/manifests/1",
    ]);
  });

  it("follows a registry that only sends on, and gives its token to the host that asked alone", async () => {
    const hosts: string[] = [];
    const address = () => server.origin.replace("127.0.0.1", "localhost");
    const give = guarded(
      () => `${address()}/token`,
      ({ url }) => ({ body: { token: url.searchParams.get("scope") === "repository:a/b:pull" ? "good" : "bad" } }),
    );
    await start((request) => {
      const host = String(request.headers.host).split(":")[0] ?? "";
      hosts.push(`${host} ${request.method} ${request.path} ${request.headers.authorization ?? "no token"}`);
      // Behind it the repository has another name, which the challenge tells.
      const location = `${address()}${request.path.replace("/front/", "/a/b/")}`;
      return host === "127.0.0.1" ? { status: 307, headers: { location } } : give(request);
    });
    const client = clientOf("lscr.example");
    assert.deepEqual(await client.head("front", "1"), { digest: digestOf(BODY), mediaType: INDEX });
    assert.deepEqual(hosts, [
      "127.0.0.1 HEAD /v2/front/manifests/1 no token",
      "localhost HEAD /v2/a/b/manifests/1 no token",
      "localhost GET /token?service=reg&scope=repository%3Aa%2Fb%3Apull no token",
      "localhost HEAD /v2/a/b/manifests/1 Bearer good",
    ]);
    assert.equal((await client.manifest("front", "2"))?.digest, digestOf(BODY));
    assert.deepEqual(hosts.slice(4), [
      "127.0.0.1 GET /v2/front/manifests/2 no token",
      "localhost GET /v2/a/b/manifests/2 no token",
      "localhost GET /v2/a/b/manifests/2 Bearer good",
    ]);
  });

  it("exchanges an Entra token at an Azure registry", async () => {
    await start(
      guarded(
        (origin) => `${origin}/oauth2/token`,
        ({ path }) => ({ body: path === "/oauth2/exchange" ? { refresh_token: "fresh" } : { access_token: "good" } }),
      ),
    );
    await clientOf("acme.azurecr.io").head("a/b", "1");
    const [, exchange, access] = server.requests;
    assert.deepEqual(Object.fromEntries(new URLSearchParams(String(exchange?.body))), {
      grant_type: "access_token",
      service: "reg",
      access_token: "entra",
    });
    assert.deepEqual(Object.fromEntries(new URLSearchParams(String(access?.body))), {
      grant_type: "refresh_token",
      service: "reg",
      scope: "repository:*:pull",
      refresh_token: "fresh",
    });
  });

  it("gives the Entra token to no other host, and to no registry that is not Azure's", async () => {
    await start(
      guarded(
        () => "http://127.0.0.2:1/oauth2/token",
        () => ({ body: { token: "good" } }),
      ),
    );
    await assert.rejects(
      clientOf("acme.azurecr.io").head("a/b", "1"),
      /sends for tokens to http:\/\/127\.0\.0\.2:1: refused/,
    );
    await server.close();
    await start(
      guarded(
        (origin) => `${origin}/token`,
        () => ({ body: { token: "good" } }),
      ),
    );
    await clientOf("azurecr.io.example.com").head("a/b", "1");
    assert.equal(
      server.requests.some(({ body }) => body.includes("entra")),
      false,
    );
  });

  it("tells a missing manifest from one that may not be seen", async () => {
    let answer: LoopbackAnswer = { status: 404 };
    await start(() => answer);
    assert.equal(await clientOf("ghcr.io").head("a/b", "1"), undefined);
    assert.equal(await clientOf("ghcr.io").manifest("a/b", "1"), undefined);
    answer = {
      status: 403,
      body: { errors: [{ code: "DENIED", message: "client with IP '192.0.2.1' is not allowed access." }] },
    };
    await assert.rejects(clientOf("acme.azurecr.io").manifest("a/b", "1"), (error: unknown) => {
      assert.ok(error instanceof RegistryClosed);
      assert.equal(error.network, true);
      assert.match(error.message, /acme\.azurecr\.io\/a\/b: cannot read manifests\/1: 403: DENIED client with IP/);
      return true;
    });
    answer = { status: 401, body: { errors: [{ code: "UNAUTHORIZED", message: "authentication required" }] } };
    await assert.rejects(
      clientOf("acme.azurecr.io").manifest("a/b", "1"),
      (error: unknown) => error instanceof RegistryClosed && !error.network,
    );
    answer = { status: 418 };
    await assert.rejects(
      clientOf("acme.azurecr.io").manifest("a/b", "1"),
      (error: unknown) => error instanceof RegistryError && !(error instanceof RegistryClosed),
    );
  });

  it("says that a registry cannot be reached", async () => {
    await start(() => ({}));
    const client = new RegistryClient("ghcr.io", { endpoint: "http://127.0.0.1:9" });
    await assert.rejects(client.head("a/b", "1"), (error: unknown) => {
      assert.ok(error instanceof RegistryClosed && error.network);
      assert.match(error.message, /^ghcr\.io cannot be reached: fetch failed/);
      return true;
    });
  });

  it("computes the digest where the registry does not say it", async () => {
    await start(() => ({ headers: { "content-type": `${INDEX}; charset=utf-8` }, body: BODY }));
    const found = await clientOf("ghcr.io").head("a/b", "1");
    assert.equal(found?.digest, digestOf(BODY));
    assert.equal(found?.mediaType, INDEX);
  });

  it("refuses content that is not what was asked for", async () => {
    await start(() => ({ body: "something else" }));
    const client = clientOf("ghcr.io");
    await assert.rejects(
      client.manifest("a/b", digestOf(BODY)),
      /asked for sha256:[a-f0-9]{64}, the content is sha256:/,
    );
    await assert.rejects(client.blob("a/b", digestOf(BODY)), /asked for sha256:[a-f0-9]{64}, the content is sha256:/);
  });

  it("uploads a blob step by step, each at the address that the last one gave, and none that is there", async () => {
    const blobs = new Set<string>();
    const received: string[] = [];
    await start(({ method, url, body }) => {
      if (method === "HEAD") return { status: blobs.has(url.pathname.split("/").at(-1) ?? "") ? 200 : 404 };
      if (method === "POST") return { status: 202, headers: { location: "/v2/a/b/blobs/uploads/1?state=x" } };
      if (method === "PATCH") {
        received.push(`${url.search} ${body}`);
        return { status: 202, headers: { location: "/v2/a/b/blobs/uploads/1?state=y" } };
      }
      blobs.add(url.searchParams.get("digest") ?? "");
      received.push(url.search);
      return { status: 201 };
    });
    const body = Buffer.from("blob");
    assert.equal(await clientOf("acme.azurecr.io").pushBlob("a/b", body), digestOf(body));
    assert.deepEqual(received, ["?state=x blob", `?state=y&digest=${encodeURIComponent(digestOf(body))}`]);
    await clientOf("acme.azurecr.io").pushBlob("a/b", body);
    assert.equal(received.length, 2);
  });

  it("pushes a manifest with its media type", async () => {
    await start(() => ({ status: 201 }));
    assert.equal(await clientOf("acme.azurecr.io").pushManifest("a/b", "1", BODY, INDEX), digestOf(BODY));
    const [request] = server.requests;
    assert.deepEqual(
      [request?.method, request?.path, request?.headers["content-type"], request?.body],
      ["PUT", "/v2/a/b/manifests/1", INDEX, BODY],
    );
  });
});
