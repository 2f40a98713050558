import { strict as assert } from "node:assert";
import { before, describe, it } from "mocha";
import type { Existing } from "../../../plugin/handler.ts";
import { CLUSTER_TIMEOUT, eventually } from "../../support/cluster.ts";
import { type FluxInstallation, fluxInstallation, PATH } from "../../support/fluxInstallation.ts";

const KUSTOMIZE = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces";
const HELM = "/apis/helm.toolkit.fluxcd.io/v2/namespaces/default/helmreleases";
const LABEL = "?labelSelector=app.kubernetes.io/part-of%3Dflux";

describe("FluxInstall, deleted", () => {
  let flux: FluxInstallation;
  let existing: Existing;

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    flux = await fluxInstallation();
    existing = await flux.installed();
    // What Flux deploys, one object of it below a Kustomization that prunes.
    const kustomization = {
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      metadata: { name: "deployed", namespace: "flux-system" },
      spec: {
        ...{ interval: "10m", prune: true, path: "./deployed" },
        sourceRef: { kind: "GitRepository", name: "flux-system" },
      },
    };
    const head = await flux.commit({
      [`${PATH}/deployed.yaml`]: `${JSON.stringify(kustomization)}\n`,
      "deployed/a.yaml":
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: deployed}\n---\n" +
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config, namespace: deployed}\ndata: {from: git}\n",
    });
    const { endpoint, certificateAuthority } = flux.inputs;
    const kustomizations = ["flux-system", "deployed"];
    const ready = { endpoint, certificateAuthority, commit: head, kustomizations, readyMinutes: 2 };
    await flux.ready().create(ready, flux.context);
  });

  const status = async (path: string) => (await flux.all.cluster.api.raw("GET", path)).status;
  const names = async (path: string) => (await flux.all.cluster.api.list(path)).map(({ metadata }) => metadata.name);
  const remove = () => flux.install().delete?.(existing, flux.context);
  const finalize = (path: string, finalizers: string[] | null) =>
    flux.all.cluster.api.send("PATCH", path, { metadata: { finalizers } }, "application/merge-patch+json");

  it("says what holds the namespace, and leaves nothing of Flux when that lets go", async () => {
    const secret = "/api/v1/namespaces/flux-system/secrets/flux-system";
    await finalize(secret, ["example.com/held"]);
    const removed = remove();
    const said = "info: waiting for Namespace flux-system: is still being deleted: Some resources are remaining: ";
    const line = await eventually(async () => flux.logs.find((each) => each.startsWith(said)));
    assert.equal(
      line,
      `${said}secrets. has 1 resource instances; Some content in the namespace has finalizers remaining: example.com/held in 1 resource instances`,
    );
    // One more who goes on where the other one is.
    const again = remove();
    await finalize(secret, null);
    await Promise.all([removed, again]);
    assert.equal(await status("/api/v1/namespaces/flux-system"), 404);
    for (const path of [
      `/apis/apiextensions.k8s.io/v1/customresourcedefinitions${LABEL}`,
      `/apis/rbac.authorization.k8s.io/v1/clusterroles${LABEL}`,
      `/apis/rbac.authorization.k8s.io/v1/clusterrolebindings${LABEL}`,
    ])
      assert.deepEqual(await names(path), [], path);
  });

  it("leaves what Flux deployed", async () => {
    const { data } = await flux.all.cluster.api.get("/api/v1/namespaces/deployed/configmaps/config");
    assert.deepEqual(data, { from: "git" });
  });

  it("is content where nothing is left", async () => {
    await remove();
  });

  it("can be made again, and finds what it deployed", async () => {
    const uid = async () => (await flux.all.cluster.api.get("/api/v1/namespaces/deployed")).metadata.uid;
    const before = await uid();
    existing = await flux.installed();
    await eventually(async () =>
      (await status(`${KUSTOMIZE}/flux-system/kustomizations/deployed`)) === 200 ? true : undefined,
    );
    assert.equal(await uid(), before);
  });

  it("is not held by objects whose controllers are gone, wherever they are", async () => {
    const release = {
      apiVersion: "helm.toolkit.fluxcd.io/v2",
      kind: "HelmRelease",
      metadata: { name: "held", namespace: "default", finalizers: ["finalizers.fluxcd.io", "example.com/held"] },
      spec: { interval: "10m", chartRef: { kind: "OCIRepository", name: "none" } },
    };
    await flux.all.cluster.api.create(HELM, release);
    const kustomization = { ...release, apiVersion: "kustomize.toolkit.fluxcd.io/v1", kind: "Kustomization" };
    const spec = { interval: "10m", prune: true, path: "./x", sourceRef: { kind: "GitRepository", name: "none" } };
    await flux.all.cluster.api.create(`${KUSTOMIZE}/default/kustomizations`, { ...kustomization, spec });
    // Deleted before, and held ever since.
    await flux.all.cluster.api.send("DELETE", `${HELM}/held`);
    await remove();
    assert.equal(await status(HELM), 404);
    assert.equal(await status("/api/v1/namespaces/flux-system"), 404);
    assert.equal(await status("/api/v1/namespaces/deployed/configmaps/config"), 200);
  });
});
