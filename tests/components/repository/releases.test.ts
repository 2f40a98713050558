import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { type Chart, ownedFiles } from "../../../components/repository/files.ts";
import { chartObjects } from "../../../components/repository/names.ts";
import { releaseDisorders } from "../../../components/repository/order.ts";
import type { LockedChart } from "../../../mirror/lock.ts";
import { digest } from "../../settings/settingsOf.ts";
import { OPTIONS } from "../flux/fluxOptions.ts";
import { LOCK } from "../lock.ts";
import { EVERY_RELEASE } from "./everyRelease.ts";

const [KURED] = LOCK.charts as [LockedChart];
const lockOf = (...charts: Partial<LockedChart>[]) => ({
  ...LOCK,
  charts: charts.map((chart) => ({ ...KURED, ...chart })),
});
const OWN: Chart = { name: "appawebapi", release: "appa", repository: "oci://{registry}/helm", namespace: "appa" };

/** What the files of some charts hold, by path below the stack's folder. */
function filesOf(charts: readonly Chart[], more: object = {}) {
  const files = ownedFiles({ ...OPTIONS, charts, ...more });
  return (path: string) => parse(files[`infrastructure/prod/${path}`] ?? "null");
}

describe("a release", () => {
  it("says in Flux's words all that it is told", () => {
    const of = filesOf([EVERY_RELEASE], { lock: lockOf({ release: "reboots", values: {} }) });
    const { name, release, namespace, values, install, upgrade, dependsOn, ...same } = EVERY_RELEASE;
    assert.deepEqual(of("releases/reboots.yaml"), {
      apiVersion: "helm.toolkit.fluxcd.io/v2",
      kind: "HelmRelease",
      metadata: { name: "reboots", namespace: "flux-system" },
      spec: {
        ...same,
        chartRef: { kind: "OCIRepository", name: "reboots" },
        releaseName: "reboots",
        targetNamespace: "baseline",
        storageNamespace: "baseline",
        install: { ...install, remediation: { retries: 3, remediateLastFailure: true } },
        upgrade,
        dependsOn: [{ name: "cert-manager" }],
        values,
      },
    });
    assert.equal(of("sources/reboots.yaml").spec.url, "oci://acme.azurecr.io/charts/kured");
  });

  it("is of a chart that somebody has signed, whichever way Flux takes it", () => {
    const lock = lockOf({ release: "reboots" });
    const verify = { provider: "cosign", secretRef: { name: "web-cosign" } };
    const chart = { ...EVERY_RELEASE, verify: "web-cosign" };
    const of = filesOf([chart], { lock });
    assert.deepEqual(of("sources/reboots.yaml").spec.verify, verify);
    assert.equal("verify" in of("releases/reboots.yaml").spec, false);
    assert.equal("verify" in filesOf([EVERY_RELEASE], { lock })("sources/reboots.yaml").spec, false);
    const pulled = filesOf([chart], { lock, pullSecret: "pull" });
    assert.deepEqual(pulled("releases/reboots.yaml").spec.chart.spec.verify, verify);
  });

  it("leaves the namespace that Helm makes to Helm, unless something else is in it", () => {
    const lock = lockOf({ release: "reboots" });
    const named = (charts: readonly Chart[], imagePullSecret?: string) =>
      ownedFiles({ ...OPTIONS, lock, charts, secrets: [], demo: undefined, imagePullSecret })[
        "infrastructure/prod/namespaces.yaml"
      ];
    assert.equal(named([EVERY_RELEASE]), undefined);
    assert.match(named([EVERY_RELEASE], "acr-pull") ?? "", /^ {2}name: baseline$/m);
    const own = { ...OWN, version: "1.0.0", namespace: "baseline" };
    assert.match(named([EVERY_RELEASE, own]) ?? "", /^ {2}name: baseline$/m);
  });

  it("is one of several of a chart, each with its own version, values and namespace", () => {
    const lock = lockOf(
      { release: "old", version: "6.0.0", manifest: digest("1"), values: { image: { tag: "old" } } },
      { manifest: digest("2"), values: { image: { tag: "new" } } },
    );
    const charts = [
      { name: "kured", namespace: "baseline" },
      { name: "kured", release: "old", namespace: "legacy", values: { period: "5m" } },
    ];
    const of = filesOf(charts, { lock });
    const found = ["kured", "old"].map((name) => [
      of(`sources/${name}.yaml`).spec.ref,
      of(`releases/${name}.yaml`).spec.targetNamespace,
      of(`releases/${name}.yaml`).spec.values,
    ]);
    assert.deepEqual(found, [
      [{ tag: "6.1.0", digest: digest("2") }, "baseline", { image: { tag: "new" } }],
      [{ tag: "6.0.0", digest: digest("1") }, "legacy", { period: "5m", image: { tag: "old" } }],
    ]);
  });

  it("cannot be made for a release that the lock does not know, though it knows the chart", () => {
    assert.throws(() => filesOf([{ ...EVERY_RELEASE, release: "other" }]), /the lock has no chart kured/);
  });
});

describe("a chart that somebody else pushes into the stack's registry", () => {
  const exact = { ...OWN, version: "158.0.0", values: { imagePullSecrets: [{ name: "acr-gitdevops" }] } };

  it("is released from there by its version, with the values as they are and nothing of the lock", () => {
    const of = filesOf([exact]);
    const { spec } = of("sources/appa.yaml");
    assert.deepEqual([spec.url, spec.ref], ["oci://acme.azurecr.io/helm/appawebapi", { tag: "158.0.0" }]);
    assert.deepEqual(of("releases/appa.yaml").spec.values, exact.values);
    assert.equal("postRenderers" in of("releases/appa.yaml").spec, false);
  });

  it("stands at the registry's root where it is pushed there", () => {
    const of = filesOf([{ ...exact, repository: "oci://{registry}" }]);
    assert.equal(of("sources/appa.yaml").spec.url, "oci://acme.azurecr.io/appawebapi");
  });

  it("is followed within a range by the cluster itself", () => {
    const of = filesOf([{ ...OWN, version: ">=158 <200", follow: true }]);
    assert.deepEqual(of("sources/appa.yaml").spec.ref, { semver: ">=158 <200" });
  });

  it("has a HelmRepository of its own where a password pulls; the mirrored ones have one together", () => {
    const charts = [
      { ...exact, version: "^158" },
      { name: "kured", namespace: "baseline" },
    ];
    const of = filesOf(charts, { pullSecret: "flux-helm-acr-credentials" });
    const { spec } = of("sources/appa.yaml");
    assert.deepEqual([spec.url, spec.secretRef], ["oci://acme.azurecr.io/helm", { name: "flux-helm-acr-credentials" }]);
    const chart = of("releases/appa.yaml").spec.chart.spec;
    assert.deepEqual(
      [chart.chart, chart.version, chart.sourceRef],
      ["appawebapi", "^158", { kind: "HelmRepository", name: "appa" }],
    );
    assert.equal(of("releases/kured.yaml").spec.chart.spec.sourceRef.name, "acr-private");
    assert.equal(of("sources/acr-private.yaml").spec.url, "oci://acme.azurecr.io/charts");
    assert.equal(of("sources/kured.yaml"), null);
  });
});

describe("the objects that are waited for", () => {
  const charts = [{ name: "kured" }, { name: "kured", release: "later", suspend: true }, { ...OWN, version: "1.0.0" }];

  it("are named by their releases, and a release that is suspended is not waited for", () => {
    assert.deepEqual(chartObjects(charts, false), {
      releases: ["kured", "appa"],
      sources: ["OCIRepository/kured", "OCIRepository/later", "OCIRepository/appa"],
    });
  });

  it("are the repositories that a password opens", () => {
    assert.deepEqual(chartObjects(charts, true).sources, ["HelmRepository/acr-private", "HelmRepository/appa"]);
  });
});

describe("releases that cannot stand beside each other", () => {
  const found = (...all: Parameters<typeof releaseDisorders>[0]) =>
    releaseDisorders(all).map(({ at, key, problem }) => `${at} ${key} ${problem}`);

  it("have one name", () => {
    assert.deepEqual(found({ name: "a" }, { name: "a" }), ["1 name is the name of another chart"]);
    assert.deepEqual(found({ name: "a" }, { name: "b", release: "a" }), ["1 release is the name of another release"]);
    assert.deepEqual(found({ name: "a" }, { name: "a", release: "b" }), []);
  });

  it("wait for one that is not there, or for each other", () => {
    assert.deepEqual(found({ name: "a", dependsOn: ["b"] }), ["0 dependsOn is no release of this stack"]);
    assert.deepEqual(found({ name: "a", dependsOn: ["c"] }, { name: "b", release: "c", dependsOn: ["a"] }), [
      "0 dependsOn goes in a circle: a waits for c waits for a",
    ]);
  });
});
