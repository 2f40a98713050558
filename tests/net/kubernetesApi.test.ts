import { strict as assert } from "node:assert";
import { afterEach, beforeEach, describe, it } from "mocha";
import {
  type ApiCredential,
  KubernetesApi,
  KubernetesError,
  nameOf,
  UnreachableError,
} from "../../net/kubernetesApi.ts";
import { type Loopback, type LoopbackAnswer, type LoopbackRequest, listen } from "../support/loopback.ts";

const CORE = {
  resources: [
    { name: "namespaces", kind: "Namespace", namespaced: false },
    { name: "secrets", kind: "Secret", namespaced: true },
    { name: "pods/status", kind: "Pod", namespaced: true },
  ],
};
const secret = { apiVersion: "v1", kind: "Secret", metadata: { name: "s", namespace: "n" } };
const refusal = (status: number, reason: string, message: string): LoopbackAnswer => ({
  status,
  body: { kind: "Status", status: "Failure", reason, message },
});

describe("KubernetesApi", () => {
  let server: Loopback;
  let answer: (request: LoopbackRequest) => LoopbackAnswer;
  let tokens: number;
  let abort: AbortController;

  beforeEach(async () => {
    tokens = 0;
    abort = new AbortController();
    answer = () => refusal(404, "NotFound", "not found");
    server = await listen((request) => (request.path === "/api/v1" ? { body: CORE } : answer(request)));
  });
  afterEach(() => server.close());

  const open = (more: { credential?: () => Promise<ApiCredential>; endpoint?: string } = {}) => {
    const credential = async () => ({ token: `token-${++tokens}` });
    return new KubernetesApi({ endpoint: server.origin, credential, ...more }, abort.signal, 1);
  };
  const asked = () => server.requests.map(({ method, path }) => `${method} ${path}`);

  it("finds objects by their kind, and asks for a kind's path once", async () => {
    answer = ({ path }) => ({ body: { found: path } });
    const api = open();
    assert.deepEqual(await api.get(secret), { found: "/api/v1/namespaces/n/secrets/s" });
    const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "n" } };
    assert.deepEqual(await api.get(namespace), { found: "/api/v1/namespaces/n" });
    assert.deepEqual(asked(), ["GET /api/v1", "GET /api/v1/namespaces/n/secrets/s", "GET /api/v1/namespaces/n"]);
    assert.deepEqual(
      server.requests.map(({ headers }) => headers.authorization),
      ["Bearer token-1", "Bearer token-2", "Bearer token-3"],
    );
  });

  it("takes a missing object and a missing kind for the same", async () => {
    const api = open();
    const release = { apiVersion: "helm.toolkit.fluxcd.io/v2", kind: "HelmRelease", metadata: { name: "r" } };
    for (const ref of [secret, release]) {
      assert.equal(await api.get(ref), undefined);
      assert.equal(await api.merge(ref, {}, "flux"), undefined);
      await api.delete(ref);
      assert.deepEqual(await api.list(ref.apiVersion, ref.kind), []);
    }
    await assert.rejects(api.apply(release, { fieldManager: "flux", force: true }), {
      message: "the cluster knows no HelmRelease of helm.toolkit.fluxcd.io/v2",
    });
  });

  it("lists with labels, and gives each item the kind that a list leaves out", async () => {
    answer = ({ path }) => ({ body: { items: [{ metadata: { name: path } }] } });
    const found = await open().list("v1", "Secret", { namespace: "n", labels: "a=b,c in (d)" });
    const name = "/api/v1/namespaces/n/secrets?labelSelector=a%3Db%2Cc%20in%20(d)";
    assert.deepEqual(found, [{ apiVersion: "v1", kind: "Secret", metadata: { name } }]);
  });

  it("asks for metadata alone, so that the server keeps a secret's values", async () => {
    const metadata = { name: "s", namespace: "n" };
    answer = ({ path }) => {
      const found = { kind: "PartialObjectMetadata", apiVersion: "meta.k8s.io/v1", metadata };
      return { body: path.endsWith("/s") ? found : { items: [found] } };
    };
    const api = open();
    assert.deepEqual(await api.metadataOf(secret), { apiVersion: "v1", kind: "Secret", metadata });
    assert.deepEqual(await api.list("v1", "Secret", { metadataOnly: true }), [
      { apiVersion: "v1", kind: "Secret", metadata },
    ]);
    assert.deepEqual(
      server.requests.slice(1).map(({ headers }) => headers.accept),
      ["", "List"].map((list) => `application/json;as=PartialObjectMetadata${list};g=meta.k8s.io;v=v1`),
    );
    answer = () => refusal(404, "NotFound", "not found");
    assert.equal(await api.metadataOf(secret), undefined);
  });

  it("writes as a server-side apply, a merge patch and a deletion", async () => {
    answer = () => ({ body: {} });
    const api = open();
    await api.apply(secret, { fieldManager: "flux", force: true });
    await api.apply(secret, { fieldManager: "a b", force: false, dryRun: true });
    await api.merge(secret, { metadata: { finalizers: null } }, "flux");
    await api.delete(secret, "Foreground");
    const path = "/api/v1/namespaces/n/secrets/s";
    assert.deepEqual(
      server.requests
        .slice(1)
        .map(({ method, path, headers, body }) => [method, path, headers["content-type"], `${body}`]),
      [
        ["PATCH", `${path}?fieldManager=flux&force=true`, "application/apply-patch+yaml", JSON.stringify(secret)],
        [
          "PATCH",
          `${path}?fieldManager=a%20b&force=false&dryRun=All`,
          "application/apply-patch+yaml",
          JSON.stringify(secret),
        ],
        ["PATCH", `${path}?fieldManager=flux`, "application/merge-patch+json", '{"metadata":{"finalizers":null}}'],
        ["DELETE", path, "application/json", '{"propagationPolicy":"Foreground"}'],
      ],
    );
  });

  it("gives a refusal in the server's words, without what was sent", async () => {
    answer = () => refusal(422, "Invalid", 'Secret "s" is invalid: data: Invalid value');
    const sent = open().apply({ ...secret, stringData: { password: "hush" } } as never, {
      fieldManager: "f",
      force: true,
    });
    await assert.rejects(sent, (error: KubernetesError) => {
      assert.ok(error instanceof KubernetesError);
      assert.deepEqual([error.status, error.reason], [422, "Invalid"]);
      const message = 'PATCH /api/v1/namespaces/n/secrets/s: Secret "s" is invalid: data: Invalid value';
      assert.equal(error.message, message);
      return true;
    });
    answer = () => ({ status: 403, body: "<html>a proxy</html>" });
    await assert.rejects(open().get(secret), {
      message: "GET /api/v1/namespaces/n/secrets/s: the API server answered 403",
    });
  });

  it("tries again where the server is busy, and no more than six times", async () => {
    let busy = 2;
    answer = () => (busy-- > 0 ? refusal(busy === 1 ? 429 : 503, "", "busy") : { body: secret });
    assert.deepEqual(await open().get(secret), secret);
    assert.equal(server.requests.length, 4);
    server.requests.length = 0;
    answer = () => refusal(500, "InternalError", "etcdserver: no leader");
    await assert.rejects(open().get(secret), {
      message: "GET /api/v1/namespaces/n/secrets/s: etcdserver: no leader",
    });
    assert.equal(server.requests.length, 7);
  });

  it("tries once where that is wanted", async () => {
    answer = () => refusal(503, "", "busy");
    const api = new KubernetesApi({ endpoint: server.origin, credential: undefined }, abort.signal, 1, 1);
    await assert.rejects(api.get(secret), { message: "GET /api/v1/namespaces/n/secrets/s: busy" });
    assert.equal(server.requests.length, 2);
  });

  it("says that no answer came, with the cause", async () => {
    const { origin, close } = await listen(() => ({}));
    await close();
    await assert.rejects(open({ endpoint: origin }).get(secret), (error: UnreachableError) => {
      assert.ok(error instanceof UnreachableError);
      assert.equal(error.message, `no answer from the API server ${origin}; does this machine reach it?`);
      assert.match(String(error.cause), /ECONNREFUSED/);
      return true;
    });
  });

  it("does not ask again for a token that is not to be had", async () => {
    const credential = async () => {
      tokens++;
      throw new Error("az login first");
    };
    await assert.rejects(open({ credential }).get(secret), { message: "az login first" });
    assert.equal(tokens, 1);
    await assert.rejects(open({ credential: async () => ({ token: "hush\nhush" }) }).get(secret), (error: Error) => {
      assert.equal(error.message.includes("hush"), false);
      return true;
    });
  });

  it("ends at once when it is aborted", async () => {
    const reason = new Error("cancelled");
    answer = () => {
      abort.abort(reason);
      return refusal(503, "", "busy");
    };
    await assert.rejects(open().get(secret), reason);
    assert.equal(server.requests.length, 2);
  });

  it("names objects with their namespace, where they have one", () => {
    assert.equal(nameOf(secret), "Secret n/s");
    assert.equal(nameOf({ apiVersion: "v1", kind: "Namespace", metadata: { name: "n" } }), "Namespace n");
  });
});
