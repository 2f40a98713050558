// An import in which one request fails: it ends as if nothing had been, without waiting for real.

import { strict as assert } from "node:assert";
import { generateKeyPairSync, sign } from "node:crypto";
import { afterEach, beforeEach, describe, it } from "mocha";
import { checkSignature } from "../../../net/registry/signature.ts";
import type { Properties } from "../../../plugin/handler.ts";
import { imageImportIn } from "../../../provider/mirror/imageImport.ts";
import { digestOf, MEDIA } from "../../../rehearsal/cloud/registry/protocol.ts";
import { imageContent } from "../../../rehearsal/content/image.ts";
import { artifact } from "../../rehearsal/cloud/registry/support.ts";
import { FAULTS, SimulatedRegistry } from "./simulated.ts";

const IMAGE = "ghcr.io/kubereboot/kured:1.23.0";
const REPOSITORY = "ghcr.io/kubereboot/kured";
const { digest } = imageContent(IMAGE);
const sbom = artifact("bill of materials", { subject: { mediaType: MEDIA.ociIndex, digest, size: 1 } });
const signature = artifact("signature");
const SIGNATURE_TAG = `${digest.replace(":", "-")}.sig`;

function publish({ registries: { upstream } }: SimulatedRegistry): void {
  upstream.add(imageContent(IMAGE));
  for (const [{ config, layer, manifest }, tags] of [[sbom, []] as const, [signature, [SIGNATURE_TAG]] as const]) {
    const manifests = [{ mediaType: MEDIA.ociManifest, body: manifest }];
    upstream.add({ registry: "ghcr.io", repository: "kubereboot/kured", tags, blobs: [config, layer], manifests });
  }
}

const inputs = ({ target }: SimulatedRegistry, more: Properties = {}): Properties => ({
  registryId: target.id,
  loginServer: target.loginServer,
  source: IMAGE,
  digest,
  repository: REPOSITORY,
  tag: "1.23.0",
  attached: [{ digest: signature.digest, tag: SIGNATURE_TAG }, { digest: sbom.digest }],
  ...more,
});

/** Everything that the target holds. */
function held({ target: { store } }: SimulatedRegistry) {
  return store.names().map((name) => {
    const { tags, manifests } = store.open(name);
    return { name, tags: [...tags].sort(), manifests: [...manifests.keys()].sort() };
  });
}

const WHOLE = [
  {
    name: REPOSITORY,
    tags: [
      ["1.23.0", digest],
      [SIGNATURE_TAG, signature.digest],
    ],
    manifests: [
      ...imageContent(IMAGE).manifests.map(({ body }) => digestOf(body)),
      signature.digest,
      sbom.digest,
    ].sort(),
  },
];

describe("an import through faults", () => {
  const open: SimulatedRegistry[] = [];
  afterEach(() => Promise.all(open.splice(0).map((cloud) => cloud.close())));

  async function start(options?: Parameters<typeof SimulatedRegistry.start>[0]) {
    const cloud = await SimulatedRegistry.start(options);
    open.push(cloud);
    publish(cloud);
    const handler = imageImportIn(cloud, { clock: cloud.clock });
    return { cloud, create: (more?: Properties) => handler.create(inputs(cloud, more), cloud.context) };
  }

  it("brings the image of all architectures, its signatures by tag and what refers to it by digest", async () => {
    const { cloud, create } = await start();
    await create();
    assert.deepEqual(held(cloud), WHOLE);
    assert.deepEqual(
      (await cloud.registry("fleet.azurecr.io").referrers(REPOSITORY, digest)).map((one) => one.digest),
      [sbom.digest],
    );
    const requests = cloud.requests.length;
    await create();
    // One each: the image, its signature, its bill of materials.
    assert.deepEqual(
      cloud.requests
        .slice(requests)
        .map((one) => one.replace(/.*manifests/, ""))
        .sort(),
      ["/1.23.0", `/${sbom.digest}`, `/${SIGNATURE_TAG}`].sort(),
    );
  });

  for (const kind of FAULTS)
    it(`converges where any one request ends in ${kind}`, async function () {
      this.timeout(120_000);
      const failed = new Set<string | undefined>();
      for (let request = 1, isOver = false; !isOver; request++) {
        const { cloud, create } = await start();
        cloud.fault = { request, kind };
        if (kind === "hang") cloud.silence = 300;
        await create();
        assert.deepEqual(held(cloud), WHOLE, `${kind} at ${cloud.requests[request - 1]}`);
        failed.add(cloud.requests[request - 1]);
        isOver = cloud.requests.length < request;
        await cloud.close();
        open.pop();
        assert.ok(request < 60, "it never needs fewer requests");
      }
      assert.ok(failed.has("POST /oauth2/exchange") && failed.has("POST /oauth2/token"));
    });

  for (const kind of FAULTS)
    it(`converges where any one request ends in ${kind} at a registry with permissions of repositories`, async () => {
      const tokens: string[] = [];
      for (let request = 1, isOver = false; !isOver; request++) {
        const { cloud, create } = await start();
        cloud.keepToRepositories();
        cloud.fault = { request, kind };
        if (kind === "hang") cloud.silence = 100;
        await create({ attached: [] });
        assert.deepEqual(held(cloud)[0]?.tags, [["1.23.0", digest]], `${kind} at ${cloud.requests[request - 1]}`);
        isOver = cloud.requests.length < request;
        if (isOver) tokens.push(...cloud.requests.filter((one) => one === "POST /oauth2/token"));
        await cloud.close();
        open.pop();
        assert.ok(request < 60, "it never needs fewer requests");
      }
      // The one for all, which lets nobody in, and the repository's.
      assert.equal(tokens.length, 2);
    });

  for (const done of [true, false])
    it(`does not wait for an operation that hangs, ${done ? "though it has copied" : "and asks again"}`, async () => {
      const { cloud, create } = await start({ retryAfter: 60 });
      cloud.registries.acr.hang(1, done);
      await create();
      assert.deepEqual(held(cloud), WHOLE);
      const posts = cloud.requests.filter((one) => one.startsWith("POST /subscriptions")).length;
      assert.deepEqual([posts, cloud.waited > 30 * 60_000], done ? [3, false] : [4, true]);
    });

  it("waits as long as a source lets nobody ask, and says so", async () => {
    const { cloud, create } = await start();
    cloud.registries.upstream.throttle("ghcr.io", 2, 0);
    await create({ attached: [] });
    assert.equal(held(cloud)[0]?.tags[0]?.[1], digest);
    assert.equal(cloud.messages.length, 2);
    assert.match(
      cloud.messages[0] ?? "",
      /^info: importing ghcr\.io\/kubereboot\/kured:1\.23\.0 \(sha256:\w+\): the rate limit of ghcr\.io is reached: .*TOOMANYREQUESTS.*; trying again in 30 s$/,
    );
  });

  it("ends in bounded time where a source goes on refusing, and names the remedy", async () => {
    const { cloud, create } = await start();
    cloud.registries.upstream.throttle("ghcr.io", 1000, 0);
    await assert.rejects(
      create(),
      /the rate limit of ghcr\.io is reached: .*\. Wait, or sign in there: set aks-gitops:imageSourceCredentials for ghcr\.io/,
    );
    assert.ok(cloud.waited >= 600_000 && cloud.waited <= 1_200_000, String(cloud.waited));
    await assert.rejects(
      create({ credentials: { username: "a", password: "b" } }),
      /\. Wait until it is over, or take/,
    );
  });

  it("signs in at a source that wants to know who asks, and says which setting does", async () => {
    const { cloud, create } = await start();
    cloud.registries.upstream.restrict("ghcr.io", "kubereboot", { username: "acme", password: "s3cret" });
    await assert.rejects(create(), /UNAUTHORIZED.*\. Set aks-gitops:imageSourceCredentials for ghcr\.io, or/);
    const wrong = create({ credentials: { username: "acme", password: "wr0ng" } });
    await assert.rejects(wrong, (error: Error) => {
      assert.match(error.message, /Correct aks-gitops:imageSourceCredentials for ghcr\.io/);
      assert.doesNotMatch(error.message, /wr0ng/);
      return true;
    });
    const { state } = await create({ credentials: { username: "acme", password: "s3cret" } });
    assert.deepEqual(held(cloud), WHOLE);
    assert.equal((state.credentials as object).constructor.name, "Secret");
  });
});

describe("an import with a public key", () => {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const key = String(publicKey.export({ type: "spki", format: "pem" }));
  let cloud: SimulatedRegistry;
  beforeEach(async () => {
    cloud = await SimulatedRegistry.start();
    cloud.registries.upstream.add(imageContent(IMAGE));
  });
  afterEach(() => cloud.close());

  /** Signs a digest under the tag of the image. */
  const signAs = (signed: string) => {
    const payload = Buffer.from(JSON.stringify({ critical: { image: { "docker-manifest-digest": signed } } }));
    const annotations = {
      "dev.cosignproject.cosign/signature": sign("sha256", payload, privateKey).toString("base64"),
    };
    const mediaType = "application/vnd.dev.cosign.simplesigning.v1+json";
    const layers = [{ mediaType, digest: digestOf(payload), size: payload.length, annotations }];
    const { config, manifest, digest: of } = artifact("signature", { layers });
    const manifests = [{ mediaType: MEDIA.ociManifest, body: manifest }];
    const repository = "kubereboot/kured";
    cloud.registries.upstream.add({
      registry: "ghcr.io",
      repository,
      tags: [SIGNATURE_TAG],
      blobs: [config, payload],
      manifests,
    });
    return [{ digest: of, tag: SIGNATURE_TAG }];
  };
  const create = (attached: object[]) =>
    imageImportIn(cloud, { clock: cloud.clock }).create(inputs(cloud, { publicKey: key, attached }), cloud.context);

  it("brings an image that is signed, and its signature, which is right there too", async () => {
    await create(signAs(digest));
    const registry = cloud.registry("fleet.azurecr.io");
    await checkSignature(registry, { name: IMAGE, repository: REPOSITORY, digest }, key);
  });

  it("asks Azure for nothing where the signature is of another image, or there is none", async () => {
    await assert.rejects(create([]), /kured:1\.23\.0 \(sha256:\w+\) is refused: nobody has signed it/);
    const attached = signAs(`sha256:${"0".repeat(64)}`);
    await assert.rejects(create(attached), /is refused: no signature is of this key for it/);
    assert.deepEqual(cloud.requests, []);
  });
});
