import { strict as assert } from "node:assert";
import { afterEach, before, describe, it } from "mocha";
import { PartialFailure, type Properties, UNKNOWN } from "../../../plugin/handler.ts";
import type { KubeObject } from "../../../rehearsal/cluster/api.ts";
import { clockUntil } from "../../support/clock.ts";
import { CLUSTER_TIMEOUT, eventually } from "../../support/cluster.ts";
import { type FluxInstallation, fluxInstallation } from "../../support/fluxInstallation.ts";
import { configMap, file, KUSTOMIZATIONS, kustomization, SOURCE } from "./committed.ts";

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
