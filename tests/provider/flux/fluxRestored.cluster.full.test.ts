// What is deleted of Flux behind our back, in the real control plane with Flux's real controllers: seen, and put back.
import { strict as assert } from "node:assert";
import { before, describe, it } from "mocha";
import type { Context, Existing, Properties } from "../../../plugin/handler.ts";
import type { KubeObject } from "../../../rehearsal/cluster/api.ts";
import { CLUSTER_TIMEOUT, eventually } from "../../support/cluster.ts";
import { type FluxInstallation, fluxInstallation, PATH } from "../../support/fluxInstallation.ts";

const NAMESPACE = "/api/v1/namespaces/flux-system";
const DEPLOYMENTS = "/apis/apps/v1/namespaces/flux-system/deployments";
const KUSTOMIZATIONS = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations";
const ROOT = `${KUSTOMIZATIONS}/flux-system`;
const SOURCE = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/flux-system";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
const CONFIG = "/api/v1/namespaces/deployed/configmaps/config";
const PULL = { name: "pull", username: "puller", password: "first" };
const RESTORED = "warning: missing in the cluster, and restored by `pulumi up`: ";

describe("what is missing of Flux in a cluster", () => {
  let flux: FluxInstallation;
  let existing: Existing;
  let inputs: Properties;
  /** What Flux deployed, told apart from what would be made anew. */
  let deployed: string | undefined;

  const api = () => flux.all.cluster.api;
  const get = async (path: string): Promise<KubeObject | undefined> => {
    const { status, body } = await api().raw("GET", path);
    return status === 200 ? JSON.parse(body) : undefined;
  };
  const destroy = (path: string) => api().send("DELETE", path);
  const patch = (path: string, body: object) => api().send("PATCH", path, body, "application/merge-patch+json");
  const gone = (path: string) => eventually(async () => ((await get(path)) === undefined ? true : undefined));
  const diff = (environment?: Record<string, string>, next = inputs) =>
    flux.install(environment).diff?.(existing, next, flux.context);
  const refreshed = () => flux.install().read?.(existing.id, existing.inputs, existing.state, flux.context);
  const update = async (environment?: Record<string, string>, next = inputs, context: Context = flux.context) => {
    const state = (await flux.install(environment).update?.(existing, next, context)) ?? {};
    existing = { id: existing.id, inputs: next, state };
    inputs = next;
  };
  const uid = async (path: string) => (await get(path))?.metadata.uid;
  const password = async (name: string) =>
    Buffer.from((await get(`${NAMESPACE}/secrets/${name}`))?.data.password ?? "", "base64").toString();

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    flux = await fluxInstallation();
    const kustomization = {
      apiVersion: "kustomize.toolkit.fluxcd.io/v1",
      kind: "Kustomization",
      metadata: { name: "deployed", namespace: "flux-system" },
      spec: {
        ...{ interval: "10m", prune: true, path: "./deployed" },
        sourceRef: { kind: "GitRepository", name: "flux-system" },
      },
    };
    const kustomizationFile = {
      resources: ["gotk-components.yaml", "gotk-sync.yaml"],
      components: ["workload-identity"],
      patches: [
        {
          target: { kind: "Deployment", name: "helm-controller" },
          patch: '[{"op": "replace", "path": "/spec/template/spec/terminationGracePeriodSeconds", "value": 61}]',
        },
      ],
    };
    await flux.commit({
      [`${PATH}/flux-system/kustomization.yaml`]: `${JSON.stringify(kustomizationFile)}\n`,
      [`${PATH}/deployed.yaml`]: `${JSON.stringify(kustomization)}\n`,
      "deployed/a.yaml":
        "apiVersion: v1\nkind: Namespace\nmetadata: {name: deployed}\n---\n" +
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: config, namespace: deployed}\ndata: {from: git}\n",
    });
    inputs = { ...flux.inputs, pullSecret: PULL };
    existing = { ...(await flux.install().create(inputs, flux.context)), inputs };
    deployed = await eventually(() => uid(CONFIG));
  });

  /** Holds that a preview and a refresh name these, and that an update puts all back and leaves what Flux deployed. */
  async function restores(names: readonly string[], environment?: Record<string, string>): Promise<void> {
    flux.logs.length = 0;
    assert.deepEqual((await diff(environment))?.detailed?.missing, { kind: "update", inputDiff: false });
    assert.deepEqual(flux.logs, [RESTORED + names.join(", ")]);
    const found = await refreshed();
    assert.deepEqual(found?.state.missing, names);
    await update(environment);
    await isWhole();
  }

  async function isWhole(): Promise<void> {
    flux.logs.length = 0;
    assert.equal((await diff())?.changes, false);
    assert.deepEqual(await refreshed(), existing);
    assert.deepEqual(flux.logs, []);
    assert.equal(await uid(CONFIG), deployed);
  }

  it("is nothing after an installation", async () => {
    await isWhole();
    assert.deepEqual([await password("pull"), existing.state.missing], ["first", []]);
  });

  it("is the sign-in secret: put back with a token that is known, and else asked for", async () => {
    await destroy(`${NAMESPACE}/secrets/flux-system`);
    await assert.rejects(update({}), {
      message:
        `Flux needs a token that reads ${flux.inputs.url}: ` +
        "set FLUX_GIT_TOKEN (for Flux alone, best read-only) or GITHUB_TOKEN",
    });
    await restores(["Secret flux-system/flux-system"]);
    assert.notEqual(await password("flux-system"), "");
  });

  it("is the pull secret, whose rotation changes it in place", async () => {
    await destroy(`${NAMESPACE}/secrets/pull`);
    await restores(["Secret flux-system/pull"]);
    const before = await uid(`${NAMESPACE}/secrets/pull`);
    const next = { ...inputs, pullSecret: { ...PULL, password: "second" } };
    const head = await flux.head();
    assert.deepEqual((await diff(undefined, next))?.detailed, {
      "pullSecret.password": { kind: "update", inputDiff: true },
    });
    await update(undefined, next);
    assert.equal(await password("pull"), "second");
    assert.deepEqual([await uid(`${NAMESPACE}/secrets/pull`), await flux.head()], [before, head]);
  });

  it("is not the pull secret that is left out, unless it is somebody else's by now", async () => {
    const { pullSecret, ...without } = inputs;
    await update(undefined, without);
    assert.equal(await get(`${NAMESPACE}/secrets/pull`), undefined);
    await update(undefined, { ...without, pullSecret });
    await destroy(`${NAMESPACE}/secrets/pull`);
    await api().create(`${NAMESPACE}/secrets`, { metadata: { name: "pull" }, stringData: { theirs: "yes" } });
    await update(undefined, without);
    assert.ok(await get(`${NAMESPACE}/secrets/pull`));
    // It stands in nobody's way.
    await update(undefined, { ...without, pullSecret });
    assert.equal(await password("pull"), "second");
  });

  it("is what lets Flux help itself: its controllers, and Git's wishes for the others stay", async () => {
    const generation = async () => (await get(`${DEPLOYMENTS}/helm-controller`))?.metadata.generation;
    const helm = await get(`${DEPLOYMENTS}/helm-controller`);
    assert.equal(helm?.spec.template.spec.terminationGracePeriodSeconds, 61);
    for (const name of ["source-controller", "kustomize-controller"]) await destroy(`${DEPLOYMENTS}/${name}`);
    await restores(["source", "kustomize"].map((name) => `Deployment flux-system/${name}-controller`));
    assert.equal(await generation(), helm.metadata.generation);
  });

  it("is a controller that somebody stopped", async () => {
    await patch(`${DEPLOYMENTS}/source-controller/scale`, { spec: { replicas: 0 } });
    await restores(["Deployment flux-system/source-controller: is scaled to 0"]);
  });

  it("is a CRD, with what goes on without it", async () => {
    await destroy(`${CRDS}/receivers.notification.toolkit.fluxcd.io`);
    await gone(`${CRDS}/receivers.notification.toolkit.fluxcd.io`);
    await restores(["CustomResourceDefinition receivers.notification.toolkit.fluxcd.io"]);
  });

  it("is the root source", async () => {
    await destroy(SOURCE);
    await gone(SOURCE);
    // The token in the cluster is the known one: nobody has to give it again.
    await restores(["GitRepository flux-system/flux-system"], {});
  });

  it("is the root Kustomization, deleted while nobody answers its finalizer", async () => {
    await destroy(`${DEPLOYMENTS}/kustomize-controller`);
    await gone(`${DEPLOYMENTS}/kustomize-controller`);
    await eventually(async () => (flux.all.cluster.processes.has("kustomize-controller") ? undefined : true));
    await destroy(ROOT);
    await restores([
      "Kustomization flux-system/flux-system: is being deleted",
      "Deployment flux-system/kustomize-controller",
    ]);
  });

  it("is the namespace, held by what nobody finalizes any more", async () => {
    for (const { metadata } of await api().list(DEPLOYMENTS)) await destroy(`${DEPLOYMENTS}/${metadata.name}`);
    await eventually(async () => ((await api().list(DEPLOYMENTS)).length === 0 ? true : undefined));
    await eventually(async () => (flux.all.cluster.processes.has("kustomize-controller") ? undefined : true));
    await destroy(NAMESPACE);
    const { missing } = (await refreshed())?.state ?? {};
    assert.ok((missing as string[]).includes("Namespace flux-system: is being deleted"), String(missing));
    await update();
    await isWhole();
    await flux.all.runFlux("check");
  });

  it("is all, where even the CRDs are gone", async () => {
    await flux.all.runFlux("uninstall", "--silent");
    for (const path of [NAMESPACE, `${CRDS}/gitrepositories.source.toolkit.fluxcd.io`]) await gone(path);
    await eventually(async () => ((await refreshed()) === undefined ? true : undefined));
    assert.equal((await diff())?.changes, true);
    await update();
    await isWhole();
  });
});
