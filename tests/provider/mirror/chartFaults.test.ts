// A push of a chart in which one request fails: it ends as if nothing had been, without waiting for real.

import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, it } from "mocha";
import { chartManifest } from "../../../net/chartManifest.ts";
import { chartMirrorIn } from "../../../provider/mirror/chartMirror.ts";
import { type Loopback, listen } from "../../support/loopback.ts";
import { chart } from "./chart.ts";
import { FAULTS, SimulatedRegistry } from "./simulated.ts";

const CREATED = "2026-01-31T12:00:00Z";
const TGZ = chart("kured", "6.1.0");
const { manifestDigest: manifest } = await chartManifest(TGZ, CREATED);

describe("a push through faults", () => {
  let charts: Loopback;
  beforeEach(async () => {
    charts = await listen(() => ({ body: TGZ }));
  });
  afterEach(() => charts.close());

  for (const kind of FAULTS)
    it(`converges where any one request ends in ${kind}`, async function () {
      this.timeout(60_000);
      for (let request = 1, isOver = false; !isOver; request++) {
        const cloud = await SimulatedRegistry.start();
        cloud.fault = { request, kind };
        if (kind === "hang") cloud.silence = 100;
        const { id: registryId, loginServer, store } = cloud.target;
        await chartMirrorIn(cloud, { clock: cloud.clock })
          .create(
            {
              ...{ registryId, loginServer, repository: "charts/kured", version: "6.1.0", created: CREATED, manifest },
              ...{ url: `${charts.origin}/kured.tgz`, sha256: createHash("sha256").update(TGZ).digest("hex") },
            },
            cloud.context,
          )
          .finally(() => cloud.close())
          .catch((error: Error) => assert.fail(`${kind} at ${cloud.requests[request - 1]}: ${error.message}`));
        assert.deepEqual(store.names(), ["charts/kured"]);
        const { tags, manifests } = store.open("charts/kured");
        assert.deepEqual([[...tags], [...manifests.keys()]], [[["6.1.0", manifest]], [manifest]]);
        isOver = cloud.requests.length < request;
        assert.ok(request < 60, "it never needs fewer requests");
      }
    });
});
