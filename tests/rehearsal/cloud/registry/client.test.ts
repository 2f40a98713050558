// The plugin's own client against the simulated registries: both follow the specification, so they understand each other.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { chartManifest } from "../../../../net/chartManifest.ts";
import { RegistryClient } from "../../../../net/registry/client.ts";
import { digestOf, MEDIA } from "../../../../rehearsal/cloud/registry/protocol.ts";
import { UpstreamRegistries } from "../../../../rehearsal/cloud/registry/upstream.ts";
import { imageContent } from "../../../../rehearsal/content/image.ts";
import { kuredChart } from "../../../../rehearsal/content/ownCharts.ts";
import { FakeCloud, ROLES, serve } from "./support.ts";

describe("The plugin's registry client", () => {
  it("reads an upstream image through the token dance, and waits out a 429", async () => {
    const upstream = new UpstreamRegistries([imageContent("ghcr.io/a/b:1")]);
    upstream.throttle("ghcr.io", 1, 0);
    const server = await serve(upstream.service, "ghcr.io");
    try {
      const client = new RegistryClient("ghcr.io", { endpoint: `http://${server.address}` });
      const { digest, blobs } = imageContent("ghcr.io/a/b:1");
      const layer = blobs[1] ?? assert.fail("the image has no layer");
      assert.deepEqual(await client.head("a/b", "1"), { digest, mediaType: MEDIA.ociIndex });
      assert.deepEqual(await client.blob("a/b", digestOf(layer)), layer);
      assert.equal(await client.head("a/b", "2"), undefined);
    } finally {
      await server.close();
    }
  });

  it("lists all tags of a repository, over all pages, and none of one that is not there", async () => {
    const tags = Array.from({ length: 1_001 }, (_, i) => `1.${i}.0`);
    const upstream = new UpstreamRegistries([{ ...imageContent("ghcr.io/a/b:1"), tags }]);
    const server = await serve(upstream.service, "ghcr.io");
    try {
      const client = new RegistryClient("ghcr.io", { endpoint: `http://${server.address}` });
      assert.deepEqual(await client.tags("a/b"), tags.sort());
      assert.deepEqual(await client.tags("a/c"), []);
    } finally {
      await server.close();
    }
  });

  it("pushes a chart into a registry with an Entra token and AcrPush", async () => {
    const cloud = new FakeCloud();
    cloud.roles.set("deployer", ROLES.AcrPush);
    const server = await serve(cloud.acr.service, "fleet.azurecr.io");
    const token = "https://containerregistry.azure.net|deployer";
    const credential = { getToken: async () => ({ token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
    try {
      const client = new RegistryClient("fleet.azurecr.io", { endpoint: `http://${server.address}`, credential });
      const { tgz } = kuredChart();
      const { config, manifest, manifestDigest } = await chartManifest(tgz, "2026-01-01T00:00:00Z");
      await client.pushBlob("charts/kured", config);
      await client.pushBlob("charts/kured", tgz);
      assert.equal(await client.pushManifest("charts/kured", "6.1.0", manifest, MEDIA.ociManifest), manifestDigest);
      assert.deepEqual((await client.manifest("charts/kured", "6.1.0"))?.body, manifest);
    } finally {
      await server.close();
    }
  });
});
