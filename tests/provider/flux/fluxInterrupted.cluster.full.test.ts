// FluxInstall cut off after any of its writes: the real control plane, and Flux's controllers played, since this is about
// many moments; what the real ones make of it is in fluxRestored.cluster.full.test.ts.
import { strict as assert } from "node:assert";
import { Agent } from "node:https";
import { after, before, describe, it } from "mocha";
import { KubernetesApi } from "../../../net/kubernetesApi.ts";
import type { Context, Existing } from "../../../plugin/handler.ts";
import { CLUSTER_TIMEOUT } from "../../support/cluster.ts";
import { type FluxInstallation, fluxInstallation } from "../../support/fluxInstallation.ts";
import { type Loopback, listen } from "../../support/loopback.ts";

const NAMESPACE = "/api/v1/namespaces/flux-system";
const ROOT = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/flux-system";
const SOURCE = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/flux-system";
const BUCKETS = "/apis/source.toolkit.fluxcd.io/v1/namespaces/default/buckets";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const LABEL = "?labelSelector=app.kubernetes.io/part-of%3Dflux";

/** More than there are. */
const MOST = 120;

describe("FluxInstall, cut off after any of its writes", () => {
  let flux: FluxInstallation;
  let server: Loopback;
  let existing: Existing;
  /** Called with every write when the API server has done it. */
  let written: () => void = () => {};
  let isOver = false;

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    flux = await fluxInstallation();
    await flux.all.cluster.stopFlux();
    const { token } = flux.world;
    const agent = new Agent({ ca: flux.all.cluster.certificateAuthority, keepAlive: true });
    const api = new KubernetesApi({ endpoint: flux.all.cluster.endpoint, token, agent }, new AbortController().signal);
    server = await listen(async ({ method, path, headers, body }) => {
      const accept = String(headers.accept);
      const form = accept.includes("List;") ? "metadataList" : accept.includes("Partial") ? "metadata" : "all";
      const content = body.length > 0 ? (JSON.parse(body.toString()) as object) : undefined;
      const answer = await api.ask(method, path, content, headers["content-type"] as string | undefined, form);
      if (method !== "GET") written();
      return { status: answer.status, headers: { "content-type": "application/json" }, body: answer.body };
    });
    void play();
  });
  after(async () => {
    isOver = true;
    await server?.close();
  });

  const get = async (path: string) => {
    const { status, body } = await flux.all.cluster.api.raw("GET", path);
    return status === 200 ? JSON.parse(body) : undefined;
  };
  const patch = (path: string, body: object) =>
    flux.all.cluster.api.send("PATCH", path, body, "application/merge-patch+json");

  /** Does what source- and kustomize-controller do of the root objects. */
  async function play(): Promise<void> {
    const revision = "main@sha1:0123456789012345678901234567890123456789";
    const lastTransitionTime = "2026-01-01T00:00:00Z";
    while (!isOver) {
      for (const path of [SOURCE, ROOT])
        try {
          const object = await get(path);
          if (object === undefined || object.spec.suspend || object.metadata.deletionTimestamp) continue;
          const { generation: observedGeneration, annotations = {} } = object.metadata;
          const asked = annotations["reconcile.fluxcd.io/requestedAt"];
          const ready = { type: "Ready", status: "True", reason: "Succeeded", message: "", lastTransitionTime };
          const artifact = {
            digest: "sha256:00",
            lastUpdateTime: lastTransitionTime,
            path: "x",
            revision,
            url: "http://x",
          };
          const status = {
            observedGeneration,
            conditions: [ready],
            ...(asked ? { lastHandledReconcileAt: asked } : {}),
            ...(path === SOURCE ? { artifact } : { lastAppliedRevision: revision }),
          };
          // As they do: an object whose payload they have is held by it.
          if (!object.metadata.finalizers?.length)
            await patch(path, { metadata: { finalizers: ["finalizers.fluxcd.io"] } });
          await patch(`${path}/status`, { status });
        } catch {
          // It was deleted meanwhile.
        }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  const inputs = () => ({ ...flux.inputs, endpoint: server.origin });
  const handler = () => flux.install(undefined, { poll: 100 });
  const create = async (context: Context = flux.context) => {
    existing = { ...(await handler().create(inputs(), context)), inputs: inputs() };
  };
  const update = async (context: Context = flux.context) => {
    const state = (await handler().update?.(existing, inputs(), context)) ?? {};
    existing = { id: existing.id, inputs: inputs(), state };
  };
  const remove = async (context: Context = flux.context) => handler().delete?.(existing, context);
  const isChanged = async () => (await handler().diff?.(existing, inputs(), flux.context))?.changes;

  /** Runs an operation and ends it when its nth write is done. @returns whether it was ended. */
  async function cutOff(nth: number, operation: (context: Context) => Promise<unknown>): Promise<boolean> {
    const controller = new AbortController();
    const killed = new Error("killed");
    let count = 0;
    written = () => {
      if (++count === nth) controller.abort(killed);
    };
    try {
      await operation({ ...flux.context, signal: controller.signal });
      return false;
    } catch (error) {
      if (!controller.signal.aborted) throw error;
      return true;
    } finally {
      written = () => {};
    }
  }

  /** A source that somebody paused, and one that runs, in another namespace. */
  async function furnish(): Promise<void> {
    for (const [name, suspend] of [
      ["paused", true],
      ["running", undefined],
    ] as const) {
      const spec = { interval: "10m", bucketName: "b", endpoint: "e.example", ...(suspend ? { suspend } : {}) };
      const metadata = { name, namespace: "default" };
      await flux.all.cluster.api.apply(`${BUCKETS}/${name}`, {
        apiVersion: "source.toolkit.fluxcd.io/v1",
        kind: "Bucket",
        metadata,
        spec,
      });
    }
  }
  const suspensions = async () => {
    const found = await Promise.all(["paused", "running"].map((name) => get(`${BUCKETS}/${name}`)));
    return found.map((one) => one && (one.spec.suspend ?? false));
  };

  async function assertWhole(moment: string): Promise<void> {
    assert.equal(await isChanged(), false, `${moment}: a preview sees no change`);
    for (const path of [NAMESPACE, ROOT, SOURCE]) {
      const { metadata, spec } = await get(path);
      assert.equal(metadata.annotations?.["aks-gitops/uninstalling"], undefined, `${moment}: ${path} has no mark`);
      assert.equal(spec.suspend, undefined, `${moment}: ${path} goes on`);
    }
  }
  async function assertGone(moment: string): Promise<void> {
    assert.equal(await get(NAMESPACE), undefined, `${moment}: the namespace`);
    for (const path of [CRDS, "/apis/rbac.authorization.k8s.io/v1/clusterroles"])
      assert.deepEqual(await flux.all.cluster.api.list(`${path}${LABEL}`), [], `${moment}: ${path}`);
  }

  it("in an installation: the next one goes on from there", async function () {
    this.timeout(CLUSTER_TIMEOUT);
    let moments = 0;
    while (moments < MOST && (await cutOff(moments + 1, create))) moments++;
    assert.ok(moments > 40 && moments < MOST, `${moments} moments`);
    await assertWhole("at the end");
  });

  it("in an uninstall: the next one goes on from there", async function () {
    this.timeout(CLUSTER_TIMEOUT);
    let runs = 0;
    // Each run marks the namespace and then comes one write further.
    while (runs < MOST && (await cutOff(2, remove))) runs++;
    assert.ok(runs > 30 && runs < MOST, `${runs} moments`);
    await assertGone("at the end");
  });

  it("in an uninstall: the next update sees it and installs Flux again", async function () {
    this.timeout(CLUSTER_TIMEOUT);
    await create();
    for (let nth = 1; nth < MOST; nth++) {
      await furnish();
      if (!(await cutOff(nth, remove))) {
        assert.ok(nth > 30, `${nth} moments`);
        return;
      }
      const moment = `after ${nth} writes`;
      assert.equal(await isChanged(), true, `${moment}: a preview sees it`);
      await update();
      await assertWhole(moment);
      // What the CRD took along is nobody's any more; all else is as it was.
      const found = await suspensions();
      assert.deepEqual(found, found[0] === undefined ? [undefined, undefined] : [true, false], moment);
    }
    assert.fail("it never came to its end");
  });

  it("in an installation: a deletion leaves nothing of it", async function () {
    this.timeout(CLUSTER_TIMEOUT);
    await remove();
    for (let nth = 1; await cutOff(nth, create); nth += 1) {
      await remove();
      await assertGone(`after ${nth} writes`);
    }
    await assertWhole("at the end");
  });
});
