import { strict as assert } from "node:assert";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "mocha";
import type { PlanReport } from "../../mirror/plan.ts";
import { HARD_CHARTS, type HardChart } from "./hardCharts.ts";
import { planning, REGISTRY, sources } from "./planning.ts";
import { foreignLines } from "./proof.ts";

const SHARED = fileURLToPath(new URL("../../../shared/", import.meta.url));

describe("mirror plan, proved by Helm and a reader of its own", () => {
  const { helm, planned: plannedAs } = planning();
  const planned = (tgz: Buffer, values: object = {}) => plannedAs(tgz, values, ["--release", "tool"]);

  function foreign(tgz: Buffer, report: PlanReport, given: object = {}): string[] {
    const worlds = [
      ["--kube-version", "1.34.0"],
      ["--kube-version", "1.35.3"],
      [
        "--kube-version",
        "1.37.0",
        "--is-upgrade",
        "--api-versions",
        "cilium.io/v2/CiliumNetworkPolicy,cert-manager.io/v1",
      ],
    ];
    return worlds.flatMap((args) => foreignLines(helm(), tgz, report, { registry: REGISTRY, given, args }));
  }

  for (const { name, tgz, values, images } of HARD_CHARTS as readonly HardChart[]) {
    it(`moves every image of a chart with ${name}`, async () => {
      const report = await planned(tgz, values);
      assert.deepEqual(report.foreign, []);
      assert.deepEqual(sources(report), images);
      assert.deepEqual(foreign(tgz, report, values), []);
      for (const { source, target, fields } of report.images) {
        assert.equal(target, `${REGISTRY}/${source}`);
        assert.ok(fields.length > 0, source);
      }
    });
  }

  it("is proved by a look that sees a plan that moves nothing", () => {
    const [{ tgz } = { tgz: Buffer.alloc(0) }] = HARD_CHARTS;
    const nothing = { images: [], values: {}, postRenderers: [], foreign: [], offered: [], warnings: [] };
    assert.ok(foreign(tgz, nothing).length > 0);
  });

  for (const name of ["kured-6.1.0", "podinfo-6.14.1", "ingress-nginx-4.15.1", "keda-2.20.2"]) {
    const file = join(SHARED, "charts", `${name}.tgz`);
    if (!existsSync(file)) continue;
    it(`moves every image of the real chart ${name}`, async () => {
      const tgz = readFileSync(file);
      const report = await planned(tgz);
      assert.deepEqual(report.foreign, []);
      assert.deepEqual(foreign(tgz, report), []);
    });
  }

  const cases: [string, object, readonly string[]][] = [
    ["02-fixed-name/fixed-name", {}, ["ghcr.io/acme/fixed:2.0.0"]],
    ["03-checksum-beside-image/casc", {}, ["docker.io/acme/inbound-agent:3385.vf1123fb_515da_-1"]],
    ["04-image-in-text/injector", {}, ["docker.io/library/busybox:1.28", "registry.mesh.example/release/pilot:1.30.0"]],
    ["05-registry-guard/guarded", {}, ["docker.io/acmesoft/guarded:1.29.1-debian-12-r0"]],
    [
      "05-registry-guard/guarded",
      { setup: { enabled: true }, global: { security: { allowInsecureImages: true } } },
      ["docker.io/acmesoft/guarded:1.29.1-debian-12-r0", "docker.io/acmesoft/shell:12-r50"],
    ],
    [
      "07-kube-version-tag/upkeep",
      {},
      [
        "quay.io/acme/driver:v1.15.2",
        "quay.io/acme/driver:v1.17.0",
        "quay.io/acme/registrar:v3.0.0",
        "registry.k8s.io/kubectl:v1.34.0",
      ],
    ],
    [
      "08-api-gated-image/queue",
      {},
      ["ghcr.io/acme/policy-sync:0.4.0", "quay.io/acme/queue-exporter:v0.9.0", "quay.io/acme/queue:3.2.1"],
    ],
  ];
  for (const [chart, values, images] of cases) {
    const file = join(SHARED, "cases", `${chart}-1.0.0.tgz`);
    if (!existsSync(file)) continue;
    it(`moves every image of the case ${chart} with ${JSON.stringify(values)}`, async () => {
      const tgz = readFileSync(file);
      const report = await planned(tgz, values);
      assert.deepEqual(report.foreign, []);
      assert.deepEqual(sources(report), images);
      assert.deepEqual(foreign(tgz, report, values), []);
    });
  }
});
