import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { distribution } from "../../../../rehearsal/cloud/registry/distribution.ts";
import { answering, digestOf, MEDIA } from "../../../../rehearsal/cloud/registry/protocol.ts";
import { RegistryStore } from "../../../../rehearsal/cloud/registry/store.ts";
import type { Service } from "../../../../rehearsal/cloud/types.ts";
import { type Answer, artifact, ask } from "./support.ts";

const HOST = "https://registry.example";
const guard = { require: () => undefined, mayPull: (name: string) => name !== "hidden" };

function open(): { store: RegistryStore; service: Service } {
  const store = new RegistryStore();
  return { store, service: (request) => answering(request, () => distribution(store, request, guard)) };
}

function code(answer: Answer): string {
  return `${answer.status} ${answer.json?.errors[0].code}`;
}

/** Pushes the blobs of an artifact, then its manifest. */
async function push(service: Service, name: string, reference: string, made = artifact("layer")): Promise<Answer> {
  for (const blob of [made.config, made.layer])
    await ask(service, "POST", `${HOST}/v2/${name}/blobs/uploads/?digest=${digestOf(blob)}`, { body: blob });
  const headers = { "content-type": MEDIA.ociManifest };
  return ask(service, "PUT", `${HOST}/v2/${name}/manifests/${reference}`, { headers, body: made.manifest });
}

describe("OCI distribution: blobs", () => {
  it("takes a blob in chunks, with another Location after each", async () => {
    const { service } = open();
    const start = await ask(service, "POST", `${HOST}/v2/a/b/blobs/uploads/`);
    assert.equal(start.status, 202);
    const first = start.headers.location ?? "";
    const patch = await ask(service, "PATCH", HOST + first, { body: "hello ", headers: { "content-range": "0-5" } });
    assert.deepEqual([patch.status, patch.headers.range], [202, "0-5"]);
    const second = patch.headers.location ?? "";
    assert.notEqual(second, first);
    const stale = await ask(service, "PATCH", HOST + first, { body: "again" });
    assert.equal(code(stale), "404 BLOB_UPLOAD_INVALID");
    const digest = digestOf(Buffer.from("hello world"));
    const put = await ask(service, "PUT", `${HOST}${second}&digest=${digest}`, { body: "world" });
    assert.deepEqual(
      [put.status, put.headers.location, put.headers["docker-content-digest"]],
      [201, `/v2/a/b/blobs/${digest}`, digest],
    );
    const blob = await ask(service, "GET", `${HOST}/v2/a/b/blobs/${digest}`);
    assert.equal(blob.body.toString(), "hello world");
    assert.equal(code(await ask(service, "PATCH", HOST + second, { body: "x" })), "404 BLOB_UPLOAD_UNKNOWN");
  });

  it("refuses a chunk that does not follow the last one, and says where it stands", async () => {
    const { service } = open();
    const { headers } = await ask(service, "POST", `${HOST}/v2/a/blobs/uploads/`);
    const after = await ask(service, "PATCH", HOST + headers.location, {
      body: "abc",
      headers: { "content-range": "0-2" },
    });
    const gap = await ask(service, "PATCH", HOST + after.headers.location, {
      body: "xyz",
      headers: { "content-range": "4-6" },
    });
    assert.deepEqual(
      [code(gap), gap.headers.range, gap.headers.location],
      ["416 RANGE_INVALID", "0-2", after.headers.location],
    );
  });

  it("refuses content whose digest is another one", async () => {
    const { service } = open();
    const other = digestOf(Buffer.from("other"));
    const answer = await ask(service, "POST", `${HOST}/v2/a/blobs/uploads/?digest=${other}`, { body: "content" });
    assert.equal(code(answer), "400 DIGEST_INVALID");
    assert.equal((await ask(service, "HEAD", `${HOST}/v2/a/blobs/${other}`)).status, 404);
    assert.equal(code(await ask(service, "GET", `${HOST}/v2/a/blobs/sha256:zz`)), "400 DIGEST_INVALID");
  });

  it("mounts a blob of a repository that the caller may read, and starts an upload otherwise", async () => {
    const { store, service } = open();
    const digest = store.putBlob("source", Buffer.from("shared"));
    store.putBlob("hidden", Buffer.from("secret"));
    const mount = (from: string, what: string) =>
      ask(service, "POST", `${HOST}/v2/target/blobs/uploads/?mount=${what}&from=${from}`);
    assert.equal((await ask(service, "HEAD", `${HOST}/v2/target/blobs/${digest}`)).status, 404);
    assert.equal((await mount("source", digest)).status, 201);
    assert.equal((await ask(service, "HEAD", `${HOST}/v2/target/blobs/${digest}`)).status, 200);
    assert.equal((await mount("source", digestOf(Buffer.from("missing")))).status, 202);
    assert.equal((await mount("hidden", digestOf(Buffer.from("secret")))).status, 202);
  });

  it("serves single byte ranges", async () => {
    const { store, service } = open();
    const url = `${HOST}/v2/a/blobs/${store.putBlob("a", Buffer.from("0123456789"))}`;
    const range = async (value: string) => {
      const { status, headers, body } = await ask(service, "GET", url, { headers: { range: value } });
      return [status, headers["content-range"], body.toString()];
    };
    assert.deepEqual(await range("bytes=2-4"), [206, "bytes 2-4/10", "234"]);
    assert.deepEqual(await range("bytes=7-"), [206, "bytes 7-9/10", "789"]);
    assert.deepEqual(await range("bytes=-3"), [206, "bytes 7-9/10", "789"]);
    assert.deepEqual(await range("bytes=5-99"), [206, "bytes 5-9/10", "56789"]);
    assert.deepEqual(await range("bytes=10-"), [416, "bytes */10", ""]);
    assert.deepEqual(await range("bytes=0-1,3-4"), [200, undefined, "0123456789"]);
    const head = await ask(service, "HEAD", url);
    assert.deepEqual(
      [head.headers["content-length"], head.headers["accept-ranges"], head.body.length],
      ["10", "bytes", 0],
    );
  });
});

describe("OCI distribution: manifests", () => {
  it("stores a manifest under its tag and its digest, and gives OCI types only to those who accept them", async () => {
    const { service } = open();
    const { digest, manifest } = artifact("layer");
    const put = await push(service, "a", "1.0");
    assert.deepEqual(
      [put.status, put.headers["docker-content-digest"], put.headers.location],
      [201, digest, `/v2/a/manifests/${digest}`],
    );
    const accept = { headers: { accept: `${MEDIA.dockerManifest}, ${MEDIA.ociManifest};q=0.5` } };
    for (const reference of ["1.0", digest]) {
      const got = await ask(service, "GET", `${HOST}/v2/a/manifests/${reference}`, accept);
      assert.deepEqual(
        [got.status, got.headers["content-type"], got.headers["docker-content-digest"]],
        [200, MEDIA.ociManifest, digest],
      );
      assert.deepEqual(got.body, manifest);
    }
    const blind = await ask(service, "GET", `${HOST}/v2/a/manifests/1.0`, { headers: { accept: "*/*" } });
    assert.equal(code(blind), "404 MANIFEST_UNKNOWN");
    assert.equal(blind.json.errors[0].message, "OCI manifest found, but accept header does not support OCI manifests");
    const missing = await ask(service, "GET", `${HOST}/v2/a/manifests/2.0`, accept);
    assert.equal(missing.json.errors[0].message, 'manifest tagged by "2.0" is not found');
  });

  it("refuses manifests that are malformed, of an unknown type, or of another digest", async () => {
    const { service } = open();
    const made = artifact("layer");
    await push(service, "a", "1.0", made);
    const put = async (reference: string, body: Buffer | string, type?: string) =>
      code(
        await ask(service, "PUT", `${HOST}/v2/a/manifests/${reference}`, {
          body,
          headers: type ? { "content-type": type } : {},
        }),
      );
    assert.equal(await put("2.0", made.manifest), "400 MANIFEST_INVALID");
    assert.equal(await put("2.0", made.manifest, "application/json"), "400 MANIFEST_INVALID");
    assert.equal(await put("2.0", made.manifest, MEDIA.ociIndex), "400 MANIFEST_INVALID");
    assert.equal(await put("2.0", "no json", MEDIA.ociManifest), "400 MANIFEST_INVALID");
    assert.equal(await put("2.0", JSON.stringify({ schemaVersion: 2 }), MEDIA.ociManifest), "400 MANIFEST_INVALID");
    assert.equal(await put(digestOf(Buffer.from("x")), made.manifest, MEDIA.ociManifest), "400 DIGEST_INVALID");
    assert.equal(await put("-bad-", made.manifest, MEDIA.ociManifest), "400 TAG_INVALID");
  });

  it("refuses a manifest whose blobs or children are not there, or are of another size", async () => {
    const { store, service } = open();
    const made = artifact("layer");
    store.putBlob("a", made.config);
    const headers = { "content-type": MEDIA.ociManifest };
    const lonely = await ask(service, "PUT", `${HOST}/v2/a/manifests/1.0`, { headers, body: made.manifest });
    assert.equal(code(lonely), "400 MANIFEST_BLOB_UNKNOWN");
    assert.deepEqual(lonely.json.errors[0].detail.digests, [digestOf(made.layer)]);
    store.putBlob("other", made.layer);
    assert.equal(
      code(await ask(service, "PUT", `${HOST}/v2/a/manifests/1.0`, { headers, body: made.manifest })),
      "400 MANIFEST_BLOB_UNKNOWN",
    );

    const index = (size: number) =>
      JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: MEDIA.ociManifest, digest: made.digest, size }] });
    const putIndex = async (size: number) => {
      const more = { headers: { "content-type": MEDIA.ociIndex }, body: index(size) };
      return ask(service, "PUT", `${HOST}/v2/a/manifests/all`, more);
    };
    assert.equal(code(await putIndex(made.manifest.length)), "400 MANIFEST_BLOB_UNKNOWN");
    await push(service, "a", made.digest, made);
    assert.equal(code(await putIndex(1)), "400 SIZE_INVALID");
    assert.equal((await putIndex(made.manifest.length)).status, 201);
  });

  it("deletes a tag alone, and a manifest with all its tags", async () => {
    const { store, service } = open();
    const { digest } = artifact("layer");
    await push(service, "a", "1.0");
    await push(service, "a", "latest");
    const remove = (reference: string) => ask(service, "DELETE", `${HOST}/v2/a/manifests/${reference}`);
    assert.equal((await remove("1.0")).status, 202);
    assert.deepEqual([...(store.find("a")?.tags.keys() ?? [])], ["latest"]);
    assert.equal((await remove(digest)).status, 202);
    assert.deepEqual([store.find("a")?.tags.size, store.find("a")?.manifests.size], [0, 0]);
    assert.equal(code(await remove(digest)), "404 MANIFEST_UNKNOWN");
  });

  it("lists tags in order, page by page", async () => {
    const { service } = open();
    for (const tag of ["c", "a", "b"]) await push(service, "a", tag);
    const first = await ask(service, "GET", `${HOST}/v2/a/tags/list?n=2`);
    assert.deepEqual(first.json, { name: "a", tags: ["a", "b"] });
    assert.equal(first.headers.link, '</v2/a/tags/list?last=b&n=2>; rel="next"');
    const second = await ask(service, "GET", `${HOST}/v2/a/tags/list?last=b&n=2`);
    assert.deepEqual([second.json.tags, second.headers.link], [["c"], undefined]);
    assert.equal(code(await ask(service, "GET", `${HOST}/v2/unknown/tags/list`)), "404 NAME_UNKNOWN");
  });

  it("knows the referrers of a digest, whether or not the subject is there", async () => {
    const { service } = open();
    const image = artifact("image");
    const subject = { mediaType: MEDIA.ociManifest, digest: image.digest, size: image.manifest.length };
    const none = await ask(service, "GET", `${HOST}/v2/a/referrers/${image.digest}`);
    assert.deepEqual(none.json, { schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests: [] });
    const signature = artifact("signature", {
      artifactType: "application/signature",
      subject,
      annotations: { by: "me" },
    });
    const put = await push(service, "a", "sig", signature);
    assert.equal(put.headers["oci-subject"], image.digest);
    await push(service, "a", "sbom", artifact("sbom", { artifactType: "application/sbom", subject }));
    const all = await ask(service, "GET", `${HOST}/v2/a/referrers/${image.digest}`);
    assert.equal(all.json.manifests.length, 2);
    const filtered = await ask(
      service,
      "GET",
      `${HOST}/v2/a/referrers/${image.digest}?artifactType=application/signature`,
    );
    assert.equal(filtered.headers["oci-filters-applied"], "artifactType");
    assert.deepEqual(filtered.json.manifests, [
      {
        mediaType: MEDIA.ociManifest,
        digest: signature.digest,
        size: signature.manifest.length,
        artifactType: "application/signature",
        annotations: { by: "me" },
      },
    ]);
  });

  it("refuses names against the rules and operations that do not exist", async () => {
    const { service } = open();
    for (const name of ["Upper/case", "a..b", "-a", "a/_b"])
      assert.equal(code(await ask(service, "GET", `${HOST}/v2/${name}/tags/list`)), "400 NAME_INVALID", name);
    assert.equal(
      code(await ask(service, "DELETE", `${HOST}/v2/a/blobs/${digestOf(Buffer.from("x"))}`)),
      "405 UNSUPPORTED",
    );
    assert.equal((await ask(service, "GET", `${HOST}/v1/search`)).status, 404);
    const base = await ask(service, "GET", `${HOST}/v2/`);
    assert.deepEqual([base.status, base.headers["docker-distribution-api-version"]], [200, "registry/2.0"]);
  });
});
