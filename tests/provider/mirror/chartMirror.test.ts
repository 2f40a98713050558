import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, it } from "mocha";
import { chartManifest } from "../../../net/chartManifest.ts";
import { RegistryClosed } from "../../../net/registry/client.ts";
import { type Properties, type ResourceHandler, UNKNOWN } from "../../../plugin/handler.ts";
import { chartMirrorIn } from "../../../provider/mirror/chartMirror.ts";
import { type Loopback, listen } from "../../support/loopback.ts";
import { digestOf, FakeCloud, REGISTRY_ID } from "../fakeCloud.ts";
import { chart } from "./chart.ts";

const CREATED = "2026-01-31T12:00:00Z";
const TGZ = chart("kured", "6.1.0+1");
const MANIFEST = await chartManifest(TGZ, CREATED);
const TAG = "charts/kured:6.1.0_1";

describe("ChartMirror", () => {
  let cloud: FakeCloud;
  let handler: ResourceHandler;
  let server: Loopback;
  beforeEach(async () => {
    cloud = new FakeCloud();
    handler = chartMirrorIn(cloud);
    server = await listen(({ path }) => (path === "/kured-6.1.0.tgz" ? { body: TGZ } : { status: 404 }));
  });
  afterEach(() => server.close());

  const inputs = (more: Properties = {}): Properties => ({
    registryId: REGISTRY_ID,
    loginServer: "acme.azurecr.io",
    repository: "charts/kured",
    version: "6.1.0+1",
    url: `${server.origin}/kured-6.1.0.tgz`,
    sha256: createHash("sha256").update(TGZ).digest("hex"),
    created: CREATED,
    manifest: MANIFEST.manifestDigest,
    ...more,
  });
  const create = (more?: Properties) => handler.create(inputs(more), cloud.context);

  it("pushes the chart byte for byte and gives its reference and digest", async () => {
    const { id, state } = await create();
    assert.equal(id, `${REGISTRY_ID}/charts/charts/kured:6.1.0+1`);
    assert.equal(state.reference, "oci://acme.azurecr.io/charts/kured:6.1.0_1");
    assert.equal(state.digest, MANIFEST.manifestDigest);
    assert.equal(cloud.held.get(TAG), MANIFEST.manifestDigest);
    assert.deepEqual(cloud.manifests.get(MANIFEST.manifestDigest), MANIFEST.manifest);
    assert.deepEqual([...cloud.blobs.keys()].sort(), [MANIFEST.layerDigest, MANIFEST.configDigest].sort());
    assert.deepEqual(cloud.blobs.get(MANIFEST.layerDigest), TGZ);
  });

  it("downloads nothing where the registry holds the chart", async () => {
    cloud.held.set(TAG, MANIFEST.manifestDigest);
    await create();
    assert.equal(server.requests.length, 0);
  });

  it("takes a chart from an OCI registry", async () => {
    const layers = [{ mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip", digest: MANIFEST.layerDigest }];
    const body = Buffer.from(JSON.stringify({ layers }));
    cloud.held.set("x/kured:6.1.0_1", digestOf(body));
    cloud.manifests.set(digestOf(body), body);
    cloud.blobs.set(MANIFEST.layerDigest, TGZ);
    await create({ url: "oci://ghcr.io/x/kured:6.1.0+1" });
    assert.equal(cloud.held.get(TAG), MANIFEST.manifestDigest);
  });

  it("pushes the very manifest of an OCI registry, with all that it refers to, so that signatures hold", async () => {
    const provenance = Buffer.from("provenance");
    const layers = [
      { mediaType: "application/vnd.cncf.helm.chart.provenance.v1.prov", digest: digestOf(provenance), size: 10 },
      { mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip", digest: MANIFEST.layerDigest, size: 1 },
    ];
    const config = { mediaType: "application/vnd.cncf.helm.config.v1+json", digest: MANIFEST.configDigest, size: 1 };
    const body = Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers }));
    cloud.held.set("x/kured:6.1.0_1", digestOf(body));
    cloud.manifests.set(digestOf(body), body);
    for (const blob of [provenance, TGZ, MANIFEST.config]) cloud.blobs.set(digestOf(blob), blob);
    const pushed: string[] = [];
    const { registry } = cloud;
    cloud.registry = (host) => {
      const client = registry.call(cloud, host);
      return {
        ...client,
        pushBlob: (name, blob) => {
          pushed.push(digestOf(blob));
          return client.pushBlob(name, blob);
        },
      };
    };
    await create({ url: "oci://ghcr.io/x/kured:6.1.0+1", manifest: digestOf(body) });
    assert.equal(cloud.held.get(TAG), digestOf(body));
    assert.deepEqual(pushed.sort(), [digestOf(provenance), MANIFEST.layerDigest, MANIFEST.configDigest].sort());
  });

  it("lets Azure import a chart of another registry of its own, and what belongs to it", async () => {
    const sourceRegistryId = REGISTRY_ID.replace(/acme$/, "shared");
    const url = "oci://shared.azurecr.io/helm/kured:6.1.0+1";
    const attached = [{ digest: digestOf("signature"), tag: "sha256-1.sig" }];
    await create({ url, sourceRegistryId, attached });
    const source = (sourceImage: string) => ({ resourceId: sourceRegistryId, sourceImage });
    assert.deepEqual(
      cloud.calls.map(({ body }) => body),
      [
        { source: source(`helm/kured@${MANIFEST.manifestDigest}`), targetTags: [TAG], mode: "NoForce" },
        {
          source: source(`helm/kured@${digestOf("signature")}`),
          targetTags: ["charts/kured:sha256-1.sig"],
          mode: "Force",
        },
      ],
    );
    await create({ url, sourceRegistryId, attached });
    assert.equal(cloud.calls.length, 2);
    cloud.held.set(TAG, "sha256:theirs");
    await assert.rejects(create({ url, sourceRegistryId }), /holds sha256:theirs, not sha256:/);
  });

  it("refuses a chart that is not the locked one", async () => {
    await assert.rejects(
      create({ sha256: "0".repeat(64) }),
      /has the SHA-256 [a-f0-9]{64}, not 0{64} as when it was locked/,
    );
    await assert.rejects(
      create({ created: "2026-01-31T12:00:01Z" }),
      /the manifest of kured 6\.1\.0\+1 is sha256:.*, not sha256:.* as in the lock/,
    );
    await assert.rejects(create({ repository: "charts/other" }), /is the chart kured 6\.1\.0\+1, not other 6\.1\.0\+1/);
    await assert.rejects(create({ url: `${server.origin}/none.tgz` }), /none\.tgz cannot be downloaded: 404/);
    assert.equal(cloud.held.size, 0);
  });

  it("does not overwrite what somebody else pushed, but what it pushed itself", async () => {
    cloud.held.set(TAG, "sha256:theirs");
    await assert.rejects(
      create(),
      /holds sha256:theirs, not sha256:.*az acr repository delete --name acme --image charts\/kured:6\.1\.0_1/,
    );
    const existing = { id: "x", inputs: inputs({ manifest: "sha256:theirs" }), state: {} };
    await handler.update?.(existing, inputs(), cloud.context);
    assert.equal(cloud.held.get(TAG), MANIFEST.manifestDigest);
  });

  it("says at once that the network is in the way, and waits for a new role", async () => {
    cloud.closed = new RegistryClosed(403, "client with IP '192.0.2.1' is not allowed access", true);
    await assert.rejects(create(), /cannot be pushed: client with IP .*\. Run this inside the registry's network/);
    cloud.closed = new RegistryClosed(401, "authentication required", false);
    const log = cloud.context.log;
    Object.assign(cloud.context, {
      log: (...message: Parameters<typeof log>) => {
        log(...message);
        cloud.closed = undefined;
      },
    });
    await create();
    assert.deepEqual(cloud.messages, [
      "info: the chart cannot be pushed: authentication required; trying again in 1 s, as new roles take time",
    ]);
  });

  it("shows another manifest as drift, a vanished one as gone, and nothing where it cannot look", async () => {
    const refresh = () => handler.read?.("x", inputs(), {}, cloud.context);
    cloud.held.set(TAG, "sha256:other");
    assert.equal((await refresh())?.inputs.manifest, "sha256:other");
    cloud.held.clear();
    assert.equal(await refresh(), undefined);
    cloud.closed = new RegistryClosed(403, "no", true);
    assert.equal((await refresh())?.inputs.manifest, MANIFEST.manifestDigest);
  });

  it("is imported into a stack by its id, and says that it comes from the registry unless the id tells another place", async () => {
    const { id } = await create();
    const read = (importId: string) => handler.read?.(importId, {}, {}, cloud.context);
    const url = "oci://acme.azurecr.io/charts/kured:6.1.0+1";
    assert.deepEqual(await read(id), { id, inputs: inputs({ url }), state: (await create({ url })).state });
    const imported = await read(`${id}?url=${server.origin}/kured-6.1.0.tgz`);
    assert.deepEqual(imported?.inputs, inputs());
    assert.equal(imported?.id, id);
    await assert.rejects(
      async () => read(`${REGISTRY_ID}/charts/kured`),
      /kured" is not <ARM id of the registry>\/charts\/<repository>:<version>, nor that with \?url=<URL of the tgz>/,
    );
    cloud.held.clear();
    assert.equal(await read(id), undefined);
  });

  it("that was imported has a url which its check takes", async () => {
    const { id } = await create();
    const imported = await handler.read?.(id, {}, {}, cloud.context);
    const checked = await handler.check?.(imported?.inputs ?? {}, undefined, cloud.context, new Uint8Array());
    assert.deepEqual(checked?.failures, []);
  });

  it("replaces for another place or version", async () => {
    const existing = { id: "x", inputs: inputs(), state: {} };
    const diff = (more: Properties) => handler.diff?.(existing, inputs(more), cloud.context);
    assert.deepEqual(await diff({}), { changes: false, replaces: [] });
    assert.deepEqual(await diff({ version: "6.2.0", sha256: "1" }), { changes: true, replaces: ["version"] });
  });

  it("previews the reference where its parts are known", async () => {
    const preview = await handler.preview?.(inputs({ loginServer: UNKNOWN }), undefined, cloud.context);
    assert.equal(preview?.reference, UNKNOWN);
    assert.equal(preview?.digest, MANIFEST.manifestDigest);
  });

  it("takes versions with a v before them, as some publishers write them", async () => {
    const url = "https://charts.jetstack.io/charts/cert-manager-v1.18.0.tgz";
    const checked = (version: string) =>
      handler.check?.(inputs({ url, version }), undefined, cloud.context, new Uint8Array());
    assert.deepEqual((await checked("v1.18.0"))?.failures, []);
    assert.deepEqual(
      (await checked("vv1.18.0"))?.failures?.map(({ property }) => property),
      ["version"],
    );
  });

  it("names every fault of its inputs", async () => {
    const wrong = inputs({ version: "6", url: "http://x/y.tgz", sha256: "A", created: "today", manifest: "x" });
    const checked = await handler.check?.(wrong, undefined, cloud.context, new Uint8Array());
    assert.deepEqual(
      checked?.failures?.map(({ property }) => property),
      ["version", "url", "sha256", "created", "manifest"],
    );
    const secret = inputs({ url: "https://user:pass@example.com/x.tgz" });
    assert.equal(
      (await handler.check?.(secret, undefined, cloud.context, new Uint8Array()))?.failures?.[0]?.property,
      "url",
    );
  });
});

/** A packaged chart: a tar of one file, Chart.yaml. */
