import { strict as assert } from "node:assert";
import { afterEach, before, describe, it } from "mocha";
import { PartialFailure, type Properties, UNKNOWN } from "../../../plugin/handler.ts";
import type { KubeObject } from "../../../rehearsal/cluster/api.ts";
import { clockUntil } from "../../support/clock.ts";
import { CLUSTER_TIMEOUT, eventually } from "../../support/cluster.ts";
import { type FluxInstallation, fluxInstallation, PATH } from "../../support/fluxInstallation.ts";

const KUSTOMIZATIONS = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations";
const SOURCE = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/flux-system";

const kustomization = (name: string, spec: object = {}) =>
  `${JSON.stringify({
    apiVersion: "kustomize.toolkit.fluxcd.io/v1",
    kind: "Kustomization",
    metadata: { name, namespace: "flux-system" },
    spec: {
      ...{ interval: "10m", retryInterval: "10m", timeout: "3s", prune: true, path: `./${name}` },
      sourceRef: { kind: "GitRepository", name: "flux-system" },
      ...spec,
    },
  })}\n`;
const configMap = (name: string, value: string) =>
  `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ${name}, namespace: default}\ndata: {value: "${value}"}\n`;
const file = (name: string) => `${PATH}/${name}.yaml`;

describe("FluxReady", () => {
  let flux: FluxInstallation;
  let committed: Record<string, string> = {};

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    flux = await fluxInstallation();
    await flux.installed();
  });
  // What a test committed is pruned again.
  afterEach(async () => {
    const paths = Object.keys(committed);
    committed = {};
    if (paths.length === 0) return;
    await ready(await flux.commit(Object.fromEntries(paths.map((path) => [path, null]))), ["flux-system"]);
    // Flux is Ready as soon as it has asked for their end.
    const names = (await flux.all.cluster.api.list(KUSTOMIZATIONS)).map(({ metadata }) => metadata.name);
    for (const name of names.filter((each) => paths.includes(file(each))))
      await eventually(async () =>
        (await flux.all.cluster.api.raw("GET", `${KUSTOMIZATIONS}/${name}`)).status === 404 ? true : undefined,
      );
  });

  const commit = (files: Record<string, string>) => {
    committed = { ...committed, ...files };
    return flux.commit(files);
  };
  const inputs = (commit: string, kustomizations: string[], more: Properties = {}): Properties => {
    const { endpoint, certificateAuthority } = flux.inputs;
    return { endpoint, certificateAuthority, commit, kustomizations, readyMinutes: 1, ...more };
  };
  const ready = (head: string, names: string[]) => flux.ready().create(inputs(head, names), flux.context);
  const requestOf = ({ metadata }: KubeObject) => metadata.annotations?.["reconcile.fluxcd.io/requestedAt"];
  /** Whether an object's controller has had its say of what is there, and of the last request. */
  const hasAnswered = (object: KubeObject) => {
    const { metadata, spec, status } = object;
    const said = status?.conditions?.find(({ type }: { type: string }) => type === "Ready");
    const asked = requestOf(object);
    if (spec.suspend) return true;
    return (
      ["True", "False"].includes(said?.status) &&
      said.observedGeneration === metadata.generation &&
      (asked === undefined || asked === status?.lastHandledReconcileAt)
    );
  };
  /** Whether Flux has said of a commit whatever it will say, asked another time than before. */
  const isSettled = async (head: string, before: string | undefined) => {
    const revision = `main@sha1:${head}`;
    const source = await get(SOURCE);
    if (requestOf(source) === before) return false;
    if (source.spec.suspend) return true;
    if (!hasAnswered(source) || source.status?.artifact?.revision !== revision) return false;
    const all: KubeObject[] = await flux.all.cluster.api.list(KUSTOMIZATIONS);
    const root = all.find(({ metadata }) => metadata.name === "flux-system");
    return root?.status?.lastAppliedRevision === revision && all.every(hasAnswered);
  };
  /** The reason of a failure: the time is over when Flux has said what it has to say. */
  const failure = async (head: string, names: string[], also = async () => true): Promise<string> => {
    const before = requestOf(await get(SOURCE));
    const clock = clockUntil(async () => (await isSettled(head, before)) && (await also()));
    const late = inputs(head, names, { readyMinutes: 0.1 });
    const error = await flux
      .ready({ clock })
      .create(late, flux.context)
      .catch((thrown: unknown) => thrown);
    assert.ok(error instanceof PartialFailure, String(error));
    assert.equal(error.reasons.length, 1);
    return error.reasons[0] ?? "";
  };
  const get = (path: string): Promise<KubeObject> => flux.all.cluster.api.get(path);
  const merge = (path: string, body: object) =>
    flux.all.cluster.api.send("PATCH", path, body, "application/merge-patch+json");

  it("arrives when all that a commit brings is applied", async () => {
    const files = { [file("apps")]: kustomization("apps"), "apps/a.yaml": configMap("ready-a", "1") };
    const head = await commit(files);
    const { id, state } = await ready(head, ["flux-system", "apps"]);
    assert.equal(id, "flux-system");
    assert.deepEqual(state, inputs(head, ["flux-system", "apps"]));
    assert.deepEqual((await get("/api/v1/namespaces/default/configmaps/ready-a")).data, { value: "1" });
    const next = await commit({ "apps/a.yaml": configMap("ready-a", "2") });
    const existing = { id, inputs: state, state };
    const names = ["flux-system", "apps"];
    assert.deepEqual(await flux.ready().update?.(existing, inputs(next, names), flux.context), inputs(next, names));
    assert.deepEqual((await get("/api/v1/namespaces/default/configmaps/ready-a")).data, { value: "2" });
    assert.equal((await get(`${KUSTOMIZATIONS}/apps`)).status?.lastAppliedRevision, `main@sha1:${next}`);
  });

  it("says that a Kustomization's path is missing", async () => {
    const head = await commit({ [file("nowhere")]: kustomization("nowhere") });
    assert.match(
      await failure(head, ["flux-system", "nowhere"]),
      /^not Ready after 0\.1 minutes:\n {2}Kustomization flux-system\/nowhere: ArtifactFailed: kustomization path not found: stat .*\/nowhere: no such file or directory$/,
    );
  });

  it("says which object a dependency waits for, and what is wrong with that one", async () => {
    const head = await commit({
      [file("first")]: kustomization("first"),
      [file("second")]: kustomization("second", { dependsOn: [{ name: "first" }] }),
      "second/a.yaml": configMap("ready-second", "1"),
    });
    // Only the second one is asked for, so the first one is told as what else is wrong.
    const [, second, first, ...others] = (await failure(head, ["second"])).split("\n  ");
    assert.match(second ?? "", /^Kustomization flux-system\/second: DependencyNotReady: .*flux-system\/first/);
    assert.match(first ?? "", /^Kustomization flux-system\/first: ArtifactFailed: kustomization path not found/);
    assert.deepEqual(others, []);
  });

  it("tells a Kustomization that is not there from one that waits", async () => {
    const root = `${KUSTOMIZATIONS}/flux-system`;
    const before = requestOf(await get(root));
    // The root, which would write it, is asked for it.
    const isAsked = async () => {
      const object = await get(root);
      return requestOf(object) !== before && hasAnswered(object);
    };
    assert.equal(
      await failure(await flux.head(), ["flux-system", "forgotten"], isAsked),
      "not Ready after 0.1 minutes:\n  Kustomization flux-system/forgotten: is not there yet",
    );
  });

  it("does not wait until Flux tries a failed one again by itself", async () => {
    const bad = await commit({ [file("later")]: kustomization("later"), "later/a.yaml": "kind: [" });
    assert.match(await failure(bad, ["later"]), /Kustomization flux-system\/later: BuildFailed: /);
    const good = await commit({ "later/a.yaml": configMap("ready-later", "1") });
    await ready(good, ["later"]);
    assert.deepEqual((await get("/api/v1/namespaces/default/configmaps/ready-later")).data, { value: "1" });
  });

  it("names what is suspended", async () => {
    await ready(await commit({ [file("paused")]: kustomization("paused"), "paused/a.yaml": configMap("p", "1") }), [
      "paused",
    ]);
    await merge(`${KUSTOMIZATIONS}/paused`, { spec: { suspend: true } });
    const head = await commit({ "paused/a.yaml": configMap("p", "2") });
    assert.equal(
      await failure(head, ["paused"]),
      "not Ready, and waiting does not help:\n  Kustomization flux-system/paused: is suspended; `flux resume kustomization paused` lets it go on",
    );
    await merge(SOURCE, { spec: { suspend: true } });
    assert.equal(
      await failure(head, ["paused"]),
      "not Ready, and waiting does not help:\n  GitRepository flux-system/flux-system: is suspended; `flux resume source git flux-system` lets it go on",
    );
    for (const path of [SOURCE, `${KUSTOMIZATIONS}/paused`]) await merge(path, { spec: { suspend: null } });
  });

  describe("of something that was Ready once", () => {
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
      await eventually(async () =>
        (await flux.all.cluster.api.raw("GET", configMapPath)).status === 404 ? true : undefined,
      );
      await eventually(async () =>
        (await flux.all.cluster.api.raw("GET", `${KUSTOMIZATIONS}/lost`)).status === 404 ? true : undefined,
      );
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
      await eventually(async () => ((await flux.all.cluster.api.raw("GET", path)).status === 404 ? true : undefined));
      assert.deepEqual(await seen(state), [UPDATE, ["HelmRelease flux-system/tiny: is not there"]]);
      assert.deepEqual(await update(state), state);
      assert.equal((await get("/api/v1/namespaces/flux-system/configmaps/ready-tiny")).metadata.name, "ready-tiny");
      assert.deepEqual(await seen(state), HEALTHY);
    });
  });

  it("changes with the commit and the names, and is another one in another cluster", async () => {
    const old = inputs("1", ["flux-system"]);
    const diff = (next: Properties) =>
      flux.ready().diff?.({ id: "flux-system", inputs: old, state: old }, next, flux.context);
    assert.deepEqual(await diff({ ...old, readyMinutes: 5, certificateAuthority: "b" }), {
      changes: false,
      replaces: [],
    });
    assert.deepEqual(await diff({ ...old, commit: UNKNOWN }), { changes: true, replaces: [] });
    assert.deepEqual(await diff({ ...old, kustomizations: ["flux-system", "b"] }), { changes: true, replaces: [] });
    assert.deepEqual(await diff({ ...old, endpoint: UNKNOWN }), { changes: true, replaces: ["endpoint"] });
  });
});
