// How much is asked of Azure and the registry for many images and charts at once.

import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, it } from "mocha";
import { chartManifest } from "../../../net/chartManifest.ts";
import type { Properties } from "../../../plugin/handler.ts";
import { chartMirrorIn } from "../../../provider/mirror/chartMirror.ts";
import { imageImportIn } from "../../../provider/mirror/imageImport.ts";
import { imageContent } from "../../../rehearsal/content/image.ts";
import { type Loopback, listen } from "../../support/loopback.ts";
import { chart } from "./chart.ts";
import { SimulatedRegistry } from "./simulated.ts";

const CREATED = "2026-01-31T12:00:00Z";
const IMAGES = Array.from({ length: 12 }, (_, number) => imageContent(`ghcr.io/acme/image${number}:1.0.0`));
const CHARTS = await Promise.all(
  ["kured", "podinfo", "velero", "trivy"].map(async (name) => {
    const tgz = chart(name, "1.0.0");
    return { name, tgz, manifest: (await chartManifest(tgz, CREATED)).manifestDigest };
  }),
);

describe("many images and charts at once", () => {
  let cloud: SimulatedRegistry;
  let charts: Loopback;
  beforeEach(async () => {
    cloud = await SimulatedRegistry.start();
    for (const image of IMAGES) cloud.registries.upstream.add(image);
    charts = await listen(({ path }) => {
      const found = CHARTS.find(({ name }) => path === `/${name}.tgz`);
      return found === undefined ? { status: 404 } : { body: found.tgz };
    });
  });
  afterEach(() => Promise.all([cloud.close(), charts.close()]));

  /** Creates all of them with the plugin as it starts anew; what is asked for meanwhile. */
  async function up(): Promise<string[]> {
    cloud.requests.length = 0;
    cloud.forgetTokens();
    const { id: registryId, loginServer } = cloud.target;
    const target: Properties = { registryId, loginServer };
    const [images, mirrors] = [
      imageImportIn(cloud, { clock: cloud.clock }),
      chartMirrorIn(cloud, { clock: cloud.clock }),
    ];
    await Promise.all([
      ...IMAGES.map(({ repository, digest }) => {
        const source = { source: `ghcr.io/${repository}:1.0.0`, repository: `ghcr.io/${repository}` };
        return images.create({ ...target, ...source, digest, tag: "1.0.0" }, cloud.context);
      }),
      ...CHARTS.map(({ name, tgz, manifest }) => {
        const sha256 = createHash("sha256").update(tgz).digest("hex");
        const source = { url: `${charts.origin}/${name}.tgz`, sha256, created: CREATED, manifest };
        return mirrors.create({ ...target, ...source, repository: `charts/${name}`, version: "1.0.0" }, cloud.context);
      }),
    ]);
    return [...cloud.requests];
  }

  it("take one request each, and three for the token of all, where nothing is to be done", async () => {
    await up();
    const downloads = charts.requests.length;
    const requests = await up();
    const looks = requests.filter((one) => one.startsWith("HEAD /v2/"));
    assert.deepEqual(
      requests.filter((one) => !one.startsWith("HEAD /v2/")),
      ["POST /oauth2/exchange", "POST /oauth2/token"],
    );
    // The first look was to learn who gives tokens.
    assert.equal(looks.length, IMAGES.length + CHARTS.length + 1);
    assert.equal(new Set(looks).size, IMAGES.length + CHARTS.length);
    assert.equal(charts.requests.length, downloads);
  });

  it("take one token more for each repository that a chart is pushed to, and none for an import", async () => {
    const requests = await up();
    assert.equal(requests.filter((one) => one === "POST /oauth2/token").length, 1 + CHARTS.length);
    assert.equal(requests.filter((one) => one.endsWith("/importImage")).length, IMAGES.length);
  });
});
