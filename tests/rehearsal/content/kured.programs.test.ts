// The rehearsal's own chart, as Helm renders it.
import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parseAllDocuments } from "yaml";
import type { Lock } from "../../../mirror/lock.ts";
import { readTarGz } from "../../../net/archive.ts";
import { chartManifest } from "../../../net/chartManifest.ts";
import { digestOf } from "../../../rehearsal/cloud/registry/protocol.ts";
import { gzip, tar } from "../../../rehearsal/content/archive.ts";
import { kuredChart } from "../../../rehearsal/content/ownCharts.ts";
import { findTool } from "../../../tools/findTool.ts";

describe("the rehearsal's own chart of Kured", () => {
  it("has valid labels with the version that Flux gives a chart of an OCIRepository", async () => {
    const entries = (await readTarGz(kuredChart().tgz)).map(({ path, content: body }) => ({
      path,
      // Flux adds the artifact's digest as build metadata; a label may have no plus.
      body: path.endsWith("/Chart.yaml")
        ? Buffer.from(body.toString().replace(/^version: .*$/m, "version: 6.1.0+0a1b2c"))
        : body,
    }));
    const folder = mkdtempSync(join(tmpdir(), "chart-"));
    writeFileSync(join(folder, "kured.tgz"), gzip(tar(entries)));
    const text = execFileSync(await findTool("helm"), ["template", "kured", join(folder, "kured.tgz")], {
      encoding: "utf8",
    });
    rmSync(folder, { recursive: true });
    const labels = parseAllDocuments(text).map((document) => document.toJS().metadata.labels["helm.sh/chart"]);
    assert.ok(labels.length >= 6);
    assert.deepEqual([...new Set(labels)], ["kured-6.1.0_0a1b2c"]);
  });

  it("is analysed in the lock that spares a newcomer helm", async () => {
    const file = join(import.meta.dirname, "../../../rehearsal/content/kured.lock.json");
    const { charts } = JSON.parse(readFileSync(file, "utf8")) as Lock;
    const { tgz } = kuredChart();
    const known = charts.find(({ sha256 }) => `sha256:${sha256}` === digestOf(tgz));
    assert.equal(known?.manifest, (await chartManifest(tgz, known?.created ?? "")).manifestDigest);
  });
});
