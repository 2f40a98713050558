// FluxReady of what was Ready once, in a real control plane with a real Flux.
import { strict as assert } from "node:assert";
import { afterEach, before, describe, it } from "mocha";
import type { Properties } from "../../../plugin/handler.ts";
import type { KubeObject } from "../../../rehearsal/cluster/api.ts";
import { CLUSTER_TIMEOUT, eventually } from "../../support/cluster.ts";
import { type FluxInstallation, fluxInstallation } from "../../support/fluxInstallation.ts";
import { configMap, file, KUSTOMIZATIONS, kustomization, SOURCE } from "./committed.ts";

describe("FluxReady of something that was Ready once", () => {
  let flux: FluxInstallation;
  let committed: string[] = [];

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    flux = await fluxInstallation();
    await flux.installed();
  });
  // What a test committed is pruned again.
  afterEach(async () => {
    const gone = Object.fromEntries(committed.splice(0).map((path) => [path, null]));
    await flux.ready().create(inputs(await flux.commit(gone), ["flux-system"]), flux.context);
  });

  const commit = (files: Record<string, string>) => {
    committed = Object.keys(files);
    return flux.commit(files);
  };
  const inputs = (commit: string, kustomizations: string[], more: Properties = {}): Properties => {
    const { endpoint, certificateAuthority } = flux.inputs;
    return { endpoint, certificateAuthority, commit, kustomizations, readyMinutes: 1, ...more };
  };
  const get = (path: string): Promise<KubeObject> => flux.all.cluster.api.get(path);
  const gone = (path: string) =>
    eventually(async () => ((await flux.all.cluster.api.raw("GET", path)).status === 404 ? true : undefined));
  const merge = (path: string, body: object) =>
    flux.all.cluster.api.send("PATCH", path, body, "application/merge-patch+json");
  const UPDATE = { changes: true, replaces: [], detailed: { wrong: { kind: "update", inputDiff: false } } };
  /** What a preview and a refresh say of what an update before has waited for. */
  const seen = async (state: Properties) => {
    const diff = await flux.ready().diff?.({ id: "flux-system", inputs: state, state }, state, flux.context);
    const found = await flux.ready().read?.("flux-system", state, state, flux.context);
    return [diff, found?.state.wrong];
  };
  const update = (state: Properties) =>
    flux.ready().update?.({ id: "flux-system", inputs: state, state }, state, flux.context);
  const HEALTHY = [{ changes: false, replaces: [] }, undefined];

  it("sees a Kustomization that was deleted, and has Flux write it again", async () => {
    const files = { [file("lost")]: kustomization("lost"), "lost/a.yaml": configMap("ready-lost", "1") };
    const state = inputs(await commit(files), ["flux-system", "lost"]);
    await flux.ready().create(state, flux.context);
    assert.deepEqual(await seen(state), HEALTHY);
    await flux.all.cluster.api.send("DELETE", `${KUSTOMIZATIONS}/lost`);
    const configMapPath = "/api/v1/namespaces/default/configmaps/ready-lost";
    await gone(configMapPath);
    await gone(`${KUSTOMIZATIONS}/lost`);
    assert.deepEqual(await seen(state), [UPDATE, ["Kustomization flux-system/lost: is not there"]]);
    assert.deepEqual(await update(state), state);
    assert.deepEqual((await get(configMapPath)).data, { value: "1" });
    assert.deepEqual(await seen(state), HEALTHY);
  });

  it("sees one that was suspended, at the head or not, and leaves it so", async () => {
    const files = { [file("held")]: kustomization("held"), "held/a.yaml": configMap("ready-held", "1") };
    const state = inputs(await commit(files), ["held"]);
    await flux.ready().create(state, flux.context);
    await merge(`${KUSTOMIZATIONS}/held`, { spec: { suspend: true } });
    const line = "Kustomization flux-system/held: is suspended; `flux resume kustomization held` lets it go on";
    assert.deepEqual(await seen(state), [UPDATE, [line]]);
    await assert.rejects(async () => update(state), {
      reasons: [`not Ready, and waiting does not help:\n  ${line}`],
    });
    assert.equal((await get(`${KUSTOMIZATIONS}/held`)).spec.suspend, true);
    await merge(SOURCE, { spec: { suspend: true } });
    const source =
      "GitRepository flux-system/flux-system: is suspended; `flux resume source git flux-system` lets it go on";
    assert.deepEqual(await seen(state), [UPDATE, [source, line]]);
    for (const path of [SOURCE, `${KUSTOMIZATIONS}/held`]) await merge(path, { spec: { suspend: null } });
    assert.deepEqual(await seen(state), HEALTHY);
  });

  it("sees a release that was suspended, and one that was deleted", async () => {
    const release = {
      ...{ apiVersion: "helm.toolkit.fluxcd.io/v2", kind: "HelmRelease" },
      metadata: { name: "tiny", namespace: "flux-system" },
      spec: {
        interval: "10m",
        chart: { spec: { chart: "./tiny", sourceRef: { kind: "GitRepository", name: "flux-system" } } },
      },
    };
    const files = {
      [file("charted")]: kustomization("charted", { wait: true, timeout: "1m" }),
      "charted/release.yaml": JSON.stringify(release),
      "tiny/Chart.yaml": "apiVersion: v2\nname: tiny\nversion: 0.1.0\n",
      "tiny/templates/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ready-tiny}\n",
    };
    const state = inputs(await commit(files), ["charted"], { releases: ["tiny"] });
    await flux.ready().create(state, flux.context);
    assert.deepEqual(await seen(state), HEALTHY);
    const path = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases/tiny";
    await merge(path, { spec: { suspend: true } });
    const line = "HelmRelease flux-system/tiny: is suspended; `flux resume helmrelease tiny` lets it go on";
    assert.deepEqual(await seen(state), [UPDATE, [line]]);
    await assert.rejects(async () => update(state), {
      reasons: [`not Ready, and waiting does not help:\n  ${line}`],
    });
    await merge(path, { spec: { suspend: null } });
    await flux.all.cluster.api.send("DELETE", path);
    await gone(path);
    assert.deepEqual(await seen(state), [UPDATE, ["HelmRelease flux-system/tiny: is not there"]]);
    assert.deepEqual(await update(state), state);
    assert.equal((await get("/api/v1/namespaces/flux-system/configmaps/ready-tiny")).metadata.name, "ready-tiny");
    assert.deepEqual(await seen(state), HEALTHY);
  });
});
