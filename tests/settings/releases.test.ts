// Charts of the settings as releases: what is taken, and what is refused with the key, the value and the remedy.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { fault, faults, read } from "./faults.ts";

const CHART = { name: "web", repository: "https://a.b/c", version: "1.0.0", namespace: "web" };
const OWN = { ...CHART, repository: "oci://{registry}/helm" };
const charts = (...given: object[]) => ({ "aks-gitops:charts": given.map((each) => ({ ...CHART, ...each })) });
const secrets = (...given: object[]) => ({ "aks-gitops:secrets": given });

describe("the releases of the settings", () => {
  it("are as before where nothing more is said", () => {
    assert.deepEqual(JSON.parse(JSON.stringify(read(charts({})).charts)), [
      { ...CHART, values: {}, follow: false, suspend: false, interval: "30m0s", timeout: "10m0s" },
    ]);
  });

  it("may be several of a chart, and wait for each other", () => {
    const settings = read(charts({}, { release: "api", dependsOn: ["web"], version: "2.0.0", namespace: "api" }));
    assert.deepEqual(
      settings.charts.map(({ name, release, dependsOn }) => [name, release, dependsOn]),
      [
        ["web", undefined, undefined],
        ["web", "api", ["web"]],
      ],
    );
  });

  for (const version of ["~6.1", ">=6 <7", "6.x || 7.1.0"])
    it(`may have a range of versions: ${version}`, () => assert.equal(read(charts({ version })).charts.length, 1));

  it("may come from the stack's own registry, in one version or followed within a range", () => {
    assert.equal(read(charts(OWN, { ...OWN, release: "api", version: "~1.0", follow: true })).charts.length, 2);
  });

  it("are pushed by nobody where they come from there, so that a runner outside needs no way into the registry", () => {
    const registry = { "aks-gitops:registry": { sku: "Premium", private: true } };
    assert.deepEqual(faults({ ...registry, ...charts(OWN) }), []);
    assert.equal(fault({ ...registry, ...charts(OWN, { release: "api" }) })[0], "aks-gitops:runner");
  });
});

describe("a release that has to be signed", () => {
  const OCI = { ...CHART, repository: "oci://ghcr.io/acme/charts", verify: "web-cosign" };
  const key = { name: "web-cosign", namespace: "flux-system", data: { "acme.pub": "-----BEGIN PUBLIC KEY-----" } };
  const shown = (config: Record<string, unknown>) =>
    faults(config).map(({ key, value, problem }) => [key, value, problem]);

  it("names a secret of Flux's namespace", () => {
    assert.equal(read({ ...charts(OCI), ...secrets(key) }).charts[0]?.verify, "web-cosign");
    assert.deepEqual(shown({ ...charts(OCI), ...secrets({ ...key, namespace: "web" }) }), [
      ["aks-gitops:charts[0].verify", "web-cosign", "is no secret of namespace flux-system that the stack has"],
    ]);
  });

  it("comes from a registry", () => {
    assert.deepEqual(shown({ ...charts({ verify: "web-cosign" }), ...secrets(key) }), [
      [
        "aks-gitops:charts[0].verify",
        "web-cosign",
        "is for charts of OCI registries: cosign signs nothing in a chart repository such as https://a.b/c",
      ],
    ]);
  });
});

describe("a fault of a release", () => {
  const of = (config: Record<string, unknown>) =>
    faults(config).map(({ key, value, problem }) => [key, value, problem]);
  const remedyOf = (config: Record<string, unknown>) => faults(config)[0]?.remedy;

  it("is the name of another one", () => {
    assert.deepEqual(of(charts({}, { name: "other", release: "web" })), [
      ["aks-gitops:charts[1].release", "web", "is the name of another release"],
    ]);
    assert.match(remedyOf(charts({}, {})) ?? "", /give each of its releases a name of its own with release/);
  });

  it("is a name that Flux has", () => {
    assert.deepEqual(of(charts({ release: "flux-system" }))[0]?.slice(0, 2), [
      "aks-gitops:charts[0].release",
      "flux-system",
    ]);
    assert.equal(remedyOf(charts({ name: "flux-system" })), "give the chart's release another name with release");
    assert.equal(read(charts({ name: "flux-system", release: "flux" })).charts.length, 1);
  });

  it("is a release that it waits for and that is not there, or waits for it", () => {
    const config = charts({ dependsOn: ["dp"] }, { release: "db" });
    assert.deepEqual(of(config), [["aks-gitops:charts[0].dependsOn", "dp", "is no release of this stack"]]);
    assert.equal(remedyOf(config), "name some of web, db");
    assert.deepEqual(of(charts({ dependsOn: ["db"] }, { release: "db", dependsOn: ["web"] })), [
      ["aks-gitops:charts[0].dependsOn", ["db"], "goes in a circle: web waits for db waits for web"],
    ]);
  });

  it("is a version that is neither one nor a range", () => {
    assert.deepEqual(of(charts({ version: "latest" })), [
      ["aks-gitops:charts[0].version", "latest", "does not have the right form"],
    ]);
  });

  it("is to follow a chart that comes from elsewhere, by name and with the reason", () => {
    assert.deepEqual(of(charts({ release: "api", version: "~1.0", follow: true })), [
      [
        "aks-gitops:charts[0].follow",
        true,
        "of release api would run versions that nobody has mirrored: neither they nor their images would be in the registry",
      ],
    ]);
  });

  it("is a range of the own registry that nobody follows, or one version that somebody does", () => {
    const range = charts({ ...OWN, version: "~1.0" });
    assert.equal(of(range)[0]?.[2], "is a range, and the lock holds no chart of the stack's own registry");
    assert.equal(remedyOf(range), "write one exact version, or follow: true");
    const exact = charts({ ...OWN, follow: true });
    assert.equal(of(exact)[0]?.[2], "is one exact version, and there is nothing to follow");
  });

  for (const repository of ["https://{registry}/helm", "oci://{registri}/helm", "oci://{registry}/Helm"])
    it(`is a repository that is no place of the own registry: ${repository}`, () => {
      assert.equal(of(charts({ repository }))[0]?.[0], "aks-gitops:charts[0].repository");
      assert.match(remedyOf(charts({ repository })) ?? "", /^write oci:\/\/\{registry\}\/<path> /);
    });

  it("is a secret of the stack that Flux does not read there, or that has no such key", () => {
    const from = (more: object) => charts({ valuesFrom: [{ kind: "Secret", name: "web-values", ...more }] });
    const secret = { name: "web-values", namespace: "web", generate: ["password"] };
    assert.deepEqual(of({ ...from({}), ...secrets(secret) }), [
      [
        "aks-gitops:charts[0].valuesFrom[0].name",
        "web-values",
        "is a secret of namespace web, and Flux reads a release's values in flux-system alone",
      ],
    ]);
    const flux = { repository: "https://github.com/acme/fleet", configuration: { namespace: "web" } };
    assert.equal(
      read({ "aks-gitops:flux": flux, ...from({ valuesKey: "password" }), ...secrets(secret) }).secrets.length,
      1,
    );
    const there = secrets({ ...secret, namespace: "flux-system" });
    assert.deepEqual(of({ ...from({}), ...there }), [
      ["aks-gitops:charts[0].valuesFrom[0].valuesKey", "values.yaml", "is no key of the secret flux-system/web-values"],
    ]);
    assert.equal(remedyOf({ ...from({}), ...there }), "name one of password");
    assert.equal(read({ ...from({ valuesKey: "password", targetPath: "auth.password" }), ...there }).charts.length, 1);
    assert.equal(read(from({})).charts.length, 1);
    assert.equal(read({ ...from({ optional: true }), ...there }).charts.length, 1);
  });

  it("is a word that Flux does not know", () => {
    for (const [key, more] of [
      ["install.crds", { install: { crds: "Replace" } }],
      ["upgrade.remediation.strategy", { upgrade: { remediation: { strategy: "retry" } } }],
      ["driftDetection.mode", { driftDetection: { mode: "on" } }],
      ["interval", { interval: "30 minutes" }],
      [
        "driftDetection.ignore[0].paths[0]",
        { driftDetection: { mode: "warn", ignore: [{ paths: ["spec.replicas"] }] } },
      ],
    ] as const)
      assert.deepEqual(
        of(charts(more)).map(([found]) => found),
        [`aks-gitops:charts[0].${key}`],
      );
  });
});
