import { strict as assert } from "node:assert";
import { createHash } from "node:crypto";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { ChartRepositories } from "../../../../rehearsal/cloud/registry/charts.ts";
import { kuredChart } from "../../../../rehearsal/content/ownCharts.ts";
import { ask } from "./support.ts";

const URL_BASE = "https://kubereboot.github.io/charts";

describe("Chart repositories", () => {
  it("list a chart with its digest and address, and serve the archive there", async () => {
    const { tgz } = kuredChart();
    const { service, hosts } = await ChartRepositories.of([{ url: `${URL_BASE}/`, charts: [tgz] }]);
    assert.deepEqual(hosts, ["kubereboot.github.io"]);
    const index = parse((await ask(service, "GET", `${URL_BASE}/index.yaml`)).body.toString());
    const [entry] = index.entries.kured;
    assert.deepEqual(
      [index.apiVersion, entry.name, entry.version, entry.appVersion, entry.digest, entry.urls],
      [
        "v1",
        "kured",
        "6.1.0",
        "1.23.0",
        createHash("sha256").update(tgz).digest("hex"),
        [`${URL_BASE}/kured-6.1.0.tgz`],
      ],
    );
    assert.deepEqual((await ask(service, "GET", entry.urls[0])).body, tgz);
    const head = await ask(service, "HEAD", entry.urls[0]);
    assert.deepEqual([head.status, head.headers["content-length"], head.body.length], [200, String(tgz.length), 0]);
  });

  it("name archives relative to the index where the repository does so", async () => {
    const { service } = await ChartRepositories.of([{ url: URL_BASE, charts: [kuredChart().tgz], urls: "relative" }]);
    const index = parse((await ask(service, "GET", `${URL_BASE}/index.yaml`)).body.toString());
    assert.deepEqual(index.entries.kured[0].urls, ["kured-6.1.0.tgz"]);
    assert.equal((await ask(service, "GET", new URL("kured-6.1.0.tgz", `${URL_BASE}/index.yaml`).href)).status, 200);
  });

  it("know no other path and take nothing", async () => {
    const { service } = await ChartRepositories.of([{ url: URL_BASE, charts: [kuredChart().tgz] }]);
    assert.equal((await ask(service, "GET", `${URL_BASE}/kured-6.2.0.tgz`)).status, 404);
    assert.equal((await ask(service, "GET", "https://kubereboot.github.io/index.yaml")).status, 404);
    assert.equal((await ask(service, "PUT", `${URL_BASE}/index.yaml`)).status, 405);
  });
});
