import { strict as assert } from "node:assert";
import { before, describe, it } from "mocha";
import { type Existing, PartialFailure, type Properties } from "../../../plugin/handler.ts";
import type { KubeObject } from "../../../rehearsal/cluster/api.ts";
import { clockUntil } from "../../support/clock.ts";
import { CLUSTER_TIMEOUT, eventually } from "../../support/cluster.ts";
import {
  type FluxInstallation,
  fluxInstallation,
  IDENTITY,
  LOGIN_SERVER,
  PATH,
} from "../../support/fluxInstallation.ts";

const NAMESPACE = "/api/v1/namespaces/flux-system";
const DEPLOYMENTS = "/apis/apps/v1/namespaces/flux-system/deployments";
const ROOT = "/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/flux-system/kustomizations/flux-system";
const SOURCE = "/apis/source.toolkit.fluxcd.io/v1/namespaces/flux-system/gitrepositories/flux-system";
const CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";

describe("FluxInstall in a cluster", () => {
  let flux: FluxInstallation;
  let existing: Existing;

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    flux = await fluxInstallation();
    existing = await flux.installed();
  });

  const get = (path: string) => flux.all.cluster.api.get(path);
  const patch = (path: string, body: object) =>
    flux.all.cluster.api.send("PATCH", path, body, "application/merge-patch+json");
  const password = async () =>
    Buffer.from((await get(`${NAMESPACE}/secrets/flux-system`)).data.password, "base64").toString();
  /** What tells whether somebody wrote to Flux's own objects. */
  const components = async () => {
    const lists = await Promise.all([DEPLOYMENTS, CRDS, `${NAMESPACE}/serviceaccounts`].map(list));
    return lists.flat().map(({ metadata, spec }) => [metadata.name, metadata.uid, metadata.generation, spec]);
  };
  const list = (path: string): Promise<KubeObject[]> => flux.all.cluster.api.list(path);
  const update = async (
    environment: Record<string, string>,
    more: Properties = {},
    world: Parameters<FluxInstallation["install"]>[1] = {},
  ) => {
    const inputs = { ...flux.inputs, ...more };
    const state = (await flux.install(environment, world).update?.(existing, inputs, flux.context)) ?? {};
    existing = { id: existing.id, inputs, state };
  };

  it("brings the controllers from the registry with their identity, and hands them over to Git", async () => {
    const root = await get(ROOT);
    assert.equal(root.status?.lastAppliedRevision, `main@sha1:${await flux.head()}`);
    const deployments = await list(DEPLOYMENTS);
    assert.deepEqual(
      deployments.map(({ spec }) => spec.template.spec.containers[0].image),
      [
        `${LOGIN_SERVER}/ghcr.io/fluxcd/helm-controller:v1.6.3`,
        `${LOGIN_SERVER}/ghcr.io/fluxcd/kustomize-controller:v1.9.4`,
        `${LOGIN_SERVER}/ghcr.io/fluxcd/notification-controller:v1.9.3`,
        `${LOGIN_SERVER}/ghcr.io/fluxcd/source-controller:v1.9.4`,
      ],
    );
    const use = deployments.map(({ spec }) => spec.template.metadata.labels["azure.workload.identity/use"]);
    assert.deepEqual(use, [undefined, "true", undefined, "true"]);
    for (const name of ["source-controller", "kustomize-controller"])
      assert.deepEqual((await get(`${NAMESPACE}/serviceaccounts/${name}`)).metadata.annotations, {
        "azure.workload.identity/client-id": IDENTITY.clientId,
        "azure.workload.identity/tenant-id": IDENTITY.tenantId,
      });
    // Nobody's but Flux's own: a label of Pulumi would make bootstrap ask whose the objects are.
    for (const { metadata } of deployments)
      assert.equal(metadata.labels?.["kustomize.toolkit.fluxcd.io/name"], "flux-system");
    assert.equal(JSON.stringify(deployments).includes("pulumi"), false);
    await flux.all.runFlux("check");
  });

  it("keeps the inputs and no token", async () => {
    const { tokenFingerprint, instance, missing, ...rest } = existing.state;
    assert.deepEqual(rest, flux.inputs);
    assert.deepEqual(missing, []);
    assert.match(String(instance), /^[0-9a-f-]{36}$/);
    assert.match(String(tokenFingerprint), /^[0-9a-f]{16}$/);
    assert.equal(JSON.stringify(existing).includes(await password()), false);
    assert.equal(flux.logs.join("\n").includes(await password()), false);
  });

  it("leaves nothing to do for the real flux bootstrap", async () => {
    const [head, before] = [await flux.head(), await components()];
    const options = ["--token-auth", `--url=${flux.inputs.url}`, "--branch=main", `--path=${PATH}`];
    await flux.all.runFlux(
      ...["bootstrap", "git", ...options, `--password=${await password()}`, "--username=git"],
      `--registry=${LOGIN_SERVER}/ghcr.io/fluxcd`,
    );
    assert.equal(await flux.head(), head);
    assert.deepEqual(await components(), before);
  });

  it("takes over a Flux of the same folder without applying its components again", async () => {
    const before = await components();
    const manifests = () => Promise.reject(new Error("no component is looked at"));
    const { state } = await flux.install(undefined, { manifests }).create(flux.inputs, flux.context);
    assert.notEqual(state.instance, existing.state.instance);
    assert.deepEqual({ ...state, instance: existing.state.instance }, existing.state);
    assert.deepEqual(await components(), before);
  });

  it("reads what is there, and sees another branch, path or URL", async () => {
    const handler = flux.install();
    const read = () => handler.read?.(existing.id, existing.inputs, existing.state, flux.context);
    assert.deepEqual(await read(), existing);
    await patch(ROOT, { spec: { suspend: true } });
    await patch(SOURCE, { spec: { ref: { branch: "other" } } });
    assert.equal((await read())?.inputs.branch, "other");
    await update({ GITHUB_TOKEN: await password() });
    await patch(ROOT, { spec: { suspend: null } });
    assert.deepEqual(await read(), existing);
  });

  it("refuses a cluster that Flux fills from another folder, and changes nothing", async () => {
    const before = await get(ROOT);
    for (const path of ["clusters/prod", "clusters"])
      await assert.rejects(flux.install().create({ ...flux.inputs, path }, flux.context), {
        message:
          `Flux already reconciles ./${PATH} into this cluster, not ./${path}: two folders would undo each other. ` +
          "Uninstall that Flux (`flux uninstall`), or use the stack that it belongs to.",
      });
    assert.deepEqual((await get(ROOT)).spec, before.spec);
  });

  it("gives Flux another FLUX_GIT_TOKEN, which only its fingerprint tells", async () => {
    const token = flux.newToken();
    const diff = () => flux.install({ FLUX_GIT_TOKEN: token }).diff?.(existing, existing.inputs, flux.context);
    assert.deepEqual(await diff(), {
      changes: true,
      replaces: [],
      detailed: { tokenFingerprint: { kind: "update", inputDiff: false } },
    });
    await update({ FLUX_GIT_TOKEN: token, GITHUB_TOKEN: "another" });
    assert.equal(await password(), token);
    assert.equal((await diff())?.changes, false);
    assert.equal(JSON.stringify(existing).includes(token), false);
  });

  it("leaves Flux a token that works, whoever's GITHUB_TOKEN runs this", async () => {
    const token = await password();
    const diff = await flux.install({ GITHUB_TOKEN: "mine" }).diff?.(existing, existing.inputs, flux.context);
    assert.equal(diff?.changes, false);
    const { state } = existing;
    await update({ GITHUB_TOKEN: "mine" });
    await update({});
    assert.equal(await password(), token);
    assert.deepEqual(existing.state, state);
  });

  it("names the repository and the remedy when the token does not read it, and keeps what is installed", async () => {
    const ready = async () =>
      (await get(SOURCE)).status.conditions.find(({ type }: { type: string }) => type === "Ready");
    const clock = clockUntil(async () => (await ready()).status === "False");
    const failing = update({ FLUX_GIT_TOKEN: "ghp_wrong" }, { readyMinutes: 0.05 }, { clock });
    const failure = await failing.catch((error: unknown) => error);
    assert.ok(failure instanceof PartialFailure);
    assert.equal(failure.id, existing.id);
    const [reason = "", ...others] = failure.reasons;
    assert.deepEqual(others, []);
    assert.match(
      reason,
      /^Flux is installed, but not Ready after 0\.05 minutes:\n {2}GitRepository flux-system\/flux-system: GitOperationFailed: .*; set FLUX_GIT_TOKEN to a token that reads the repository, and run `pulumi up`$/,
    );
    assert.equal(JSON.stringify([failure.state, reason]).includes("ghp_wrong"), false);
    existing = { ...existing, state: failure.state };
    // What works takes the place of what does not.
    const token = flux.newToken();
    await update({ GITHUB_TOKEN: token });
    assert.equal(await password(), token);
  });

  it("brings a controller back that alone could bring itself back", async () => {
    await flux.all.cluster.api.send("DELETE", `${DEPLOYMENTS}/kustomize-controller`);
    await eventually(async () => (flux.all.cluster.processes.has("kustomize-controller") ? undefined : true));
    await update({});
    const { status, spec } = await get(`${DEPLOYMENTS}/kustomize-controller`);
    assert.equal(status?.availableReplicas, 1);
    assert.equal(spec.template.metadata.labels["azure.workload.identity/use"], "true");
  });
});
