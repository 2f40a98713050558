// The same as in fluxInterrupted.test.ts with the real control plane and Flux's real manifests. The controllers are
// played, for there are many moments; what the real ones do is in fluxRestored.cluster.full.test.ts.
import { Agent } from "node:https";
import { after, before, describe, it } from "mocha";
import { KubernetesApi } from "../../../net/kubernetesApi.ts";
import { CLUSTER_TIMEOUT } from "../../support/cluster.ts";
import { type FluxInstallation, fluxInstallation } from "../../support/fluxInstallation.ts";
import { type Loopback, listen } from "../../support/loopback.ts";
import { type Interruptible, interruptions } from "./interruptions.ts";

const ROOT = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/flux-system";
const SOURCE = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/flux-system";
const LABELLED = [
  "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
  "/apis/rbac.authorization.k8s.io/v1/clusterroles",
  "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
].map((path) => `${path}?labelSelector=app.kubernetes.io/part-of%3Dflux`);
const REVISION = "main@sha1:0123456789012345678901234567890123456789";
const THEN = "2026-01-01T00:00:00Z";

describe("FluxInstall, cut off after some of its writes to a real control plane", () => {
  let flux: FluxInstallation;
  let server: Loopback;
  let given: Interruptible;
  let written: () => void = () => {};
  let isOver = false;

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    flux = await fluxInstallation();
    const { cluster } = flux.all;
    await cluster.stopFlux();
    const agent = new Agent({ ca: cluster.certificateAuthority, keepAlive: true });
    const credential = async () => ({ token: await flux.world.token() });
    const caller = { endpoint: cluster.endpoint, credential, agent };
    const api = new KubernetesApi(caller, new AbortController().signal);
    server = await listen(async ({ method, path, headers, body }) => {
      const accept = String(headers.accept);
      const form = accept.includes("List;") ? "metadataList" : accept.includes("Partial") ? "metadata" : "all";
      const content = body.length > 0 ? (JSON.parse(body.toString()) as object) : undefined;
      const answer = await api.ask(method, path, content, headers["content-type"] as string | undefined, form);
      if (method !== "GET" && answer.status < 300) written();
      return { status: answer.status, headers: { "content-type": "application/json" }, body: answer.body };
    });
    given = {
      handler: flux.install(undefined, { poll: 100 }),
      inputs: { ...flux.inputs, endpoint: server.origin },
      context: flux.context,
      get,
      apply: (path, object) => cluster.api.apply(path, object),
      isEmpty: async () => (await Promise.all(LABELLED.map((path) => cluster.api.list(path)))).flat().length === 0,
      holds: () => {},
      onWrite: (listener) => {
        written = listener;
      },
    };
    // Others may have left theirs.
    await given.handler.delete?.({ id: "", inputs: given.inputs, state: {} }, given.context);
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
    while (!isOver) {
      for (const path of [SOURCE, ROOT])
        try {
          const object = await get(path);
          if (object === undefined || object.spec.suspend || object.metadata.deletionTimestamp) continue;
          const { generation: observedGeneration, annotations = {}, finalizers } = object.metadata;
          const asked = annotations["reconcile.fluxcd.io/requestedAt"];
          const ready = { type: "Ready", status: "True", reason: "Succeeded", message: "", lastTransitionTime: THEN };
          const artifact = {
            digest: "sha256:00",
            lastUpdateTime: THEN,
            path: "x",
            revision: REVISION,
            url: "http://x",
          };
          const status = {
            ...{ observedGeneration, conditions: [ready], lastHandledReconcileAt: asked },
            ...(path === SOURCE ? { artifact } : { lastAppliedRevision: REVISION }),
          };
          if (!finalizers?.length) await patch(path, { metadata: { finalizers: ["finalizers.fluxcd.io"] } });
          await patch(`${path}/status`, { status });
        } catch {
          // It was deleted meanwhile.
        }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  // Every moment is tried in memory; here a whole installation follows each, so some have to do.
  const walks = interruptions(() => given, 30, 7);
  it("in an installation: the next one goes on from there", () => walks.installation()).timeout(CLUSTER_TIMEOUT);
  it("in an uninstall: the next one goes on from there", () => walks.uninstall()).timeout(CLUSTER_TIMEOUT);
  it("in an uninstall: the next update sees it and installs Flux again", () => walks.uninstallTakenBack()).timeout(
    CLUSTER_TIMEOUT,
  );
  it("in taking an uninstall back: the next update goes on from there", () => walks.takingBack()).timeout(
    CLUSTER_TIMEOUT,
  );
  it("in an installation: a deletion leaves nothing of it", () => walks.installationDeleted()).timeout(CLUSTER_TIMEOUT);
});
