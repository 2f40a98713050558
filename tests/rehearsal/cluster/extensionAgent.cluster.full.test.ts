import { strict as assert } from "node:assert";
import { after, before, describe, it } from "mocha";
import { fluxManifests } from "../../../flux/manifests.ts";
import type { ArmResource } from "../../../rehearsal/cloud/types.ts";
import type { KubeObject } from "../../../rehearsal/cluster/api.ts";
import { ExtensionAgent } from "../../../rehearsal/cluster/extensionAgent.ts";
import { FluxWatch } from "../../../rehearsal/cluster/fluxWatch.ts";
import { CLUSTER_TIMEOUT, eventually, type TestCluster, testClusterForFlux } from "../../support/cluster.ts";

const NAMESPACE = "agent-test";
const CONFIG_MAP = `apiVersion: v1
kind: ConfigMap
metadata: {name: config, namespace: ${NAMESPACE}}
data: {from: git}
`;
// It names no service account: whose rights it has is the controllers' to say.
const CHILD = `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: child, namespace: ${NAMESPACE}}
spec: {interval: 10m, prune: true, path: ./child, sourceRef: {kind: GitRepository, name: fleet}}
`;
const files = {
  "good/config.yaml": CONFIG_MAP,
  "good/child.yaml": CHILD,
  "child/config.yaml": CONFIG_MAP.replace("name: config,", "name: child-config,"),
  "wide/namespace.yaml": "apiVersion: v1\nkind: Namespace\nmetadata: {name: agent-test-too-far}\n",
};

interface Report {
  readonly complianceState: string;
  readonly statuses: readonly { readonly kind: string; readonly name: string; readonly complianceState: string }[];
  readonly sourceSyncedCommitId: string;
}

describe("the agent of the extension microsoft.flux", () => {
  let all: TestCluster;
  let agent: ExtensionAgent;
  let token: string;
  const reports: Report[] = [];

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    all = await testClusterForFlux("the agent");
    const { cluster } = all;
    await all.gitHub.createRepository("acme", "agent-test", { files });
    token = Buffer.from(all.gitHub.addToken({ repositories: { "acme/agent-test": "read" } })).toString("base64");
    agent = new ExtensionAgent({
      cluster: Promise.resolve(cluster),
      watch: Promise.resolve(new FluxWatch(cluster.api)),
      manifests: async () => (await fluxManifests({ version: "2.9.4", imageAutomation: false })).text,
      report: (_, report) => reports.push(report as unknown as Report),
    });
  });
  after(() => agent.close());

  const isThere = async (path: string) => (await all.cluster.api.raw("GET", path)).status === 200;
  const resource = (type: string, name: string, properties: Record<string, unknown>): ArmResource => ({
    ...{ id: `/cluster/providers/Microsoft.KubernetesConfiguration/${type}/${name}`, name, type },
    properties,
  });
  const configuration = (path: string) =>
    resource("fluxConfigurations", "fleet", {
      ...{ scope: "namespace", namespace: NAMESPACE, sourceKind: "GitRepository", suspend: false },
      ...{ waitForReconciliation: true, reconciliationWaitDuration: "PT2M" },
      gitRepository: {
        ...{ url: "https://github.com/acme/agent-test", repositoryRef: { branch: "main" }, httpsUser: "git" },
        ...{ syncIntervalInSeconds: 600, timeoutInSeconds: 60 },
      },
      kustomizations: {
        cluster: {
          ...{ path, dependsOn: [], timeoutInSeconds: 60, syncIntervalInSeconds: 600, retryIntervalInSeconds: 600 },
          ...{ prune: true, force: false, wait: true },
        },
      },
    });
  const configure = (path: string) => agent.configure(configuration(path), { httpsKey: token });
  const config = `/api/v1/namespaces/${NAMESPACE}/configmaps/config`;
  const kustomizations = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${NAMESPACE}/kustomizations`;

  it("installs Flux with tenants kept apart, and comes back when its controllers run", async () => {
    await agent.install(resource("extensions", "flux", { configurationSettings: { "multiTenancy.enforce": "true" } }));
    const deployments = await all.cluster.api.list("/apis/apps/v1/namespaces/flux-system/deployments");
    assert.deepEqual(
      deployments.map(({ metadata, status }) => [metadata.name, status.readyReplicas]),
      ["helm", "kustomize", "notification", "source"].map((name) => [`${name}-controller`, 1]),
    );
    const args: string[] = deployments[1]?.spec.template.spec.containers[0].args;
    assert.equal(args.includes("--default-service-account=flux-applier"), true);
  });

  it("brings a configuration to the cluster, what its Kustomizations apply too, and reports it to ARM", async () => {
    await configure("good");
    const { data } = await all.cluster.api.get(config);
    assert.deepEqual(data, { from: "git" });
    const last = await eventually(async () => reports.find(({ complianceState }) => complianceState === "Compliant"));
    assert.match(last.sourceSyncedCommitId, /^main@sha1:[0-9a-f]{40}$/);
    assert.deepEqual(
      last.statuses.map(({ kind, name, complianceState }) => [kind, name, complianceState]),
      [
        ["GitRepository", "fleet", "Compliant"],
        ["Kustomization", "child", "Compliant"],
        ["Kustomization", "fleet-cluster", "Compliant"],
      ],
    );
  });

  it("tells ARM of what is suspended in the cluster, and of what is gone", async () => {
    const states = (report: Report | undefined) =>
      Object.fromEntries(report?.statuses.map(({ name, complianceState }) => [name, complianceState]) ?? []);
    const child = `${kustomizations}/child`;
    const suspend = (isSuspended: boolean) =>
      all.cluster.api.send("PATCH", child, { spec: { suspend: isSuspended } }, "application/merge-patch+json");
    await suspend(true);
    await eventually(async () => (states(reports.at(-1)).child === "Suspended" ? true : undefined));
    await suspend(false);
    await all.cluster.api.send("DELETE", child);
    await eventually(async () => (states(reports.at(-1)).child === undefined ? true : undefined));
    assert.equal(states(reports.at(-1))["fleet-cluster"], "Compliant");
    await configure("good");
    // The applier writes it again when it is asked to.
    const root = `${kustomizations}/fleet-cluster`;
    const annotations = { "reconcile.fluxcd.io/requestedAt": "now" };
    await all.cluster.api.send("PATCH", root, { metadata: { annotations } }, "application/merge-patch+json");
    await eventually(async () => (states(reports.at(-1)).child === "Compliant" ? true : undefined));
  });

  it("leaves a Kustomization that names no service account the applier's rights, and no more", async () => {
    reports.length = 0;
    await assert.rejects(configure("wide"), (error: Error) => {
      assert.match(
        error.message,
        /^The Flux configuration 'fleet' is not reconciled\. Kustomization agent-test\/fleet-/,
      );
      const who = `system:serviceaccount:${NAMESPACE}:flux-applier`;
      assert.match(error.message, new RegExp(`User "${who}" cannot (get|patch|create) resource "namespaces"`));
      return true;
    });
    assert.equal(reports.at(-1)?.complianceState, "Non-Compliant");
    assert.equal(await isThere("/api/v1/namespaces/agent-test-too-far"), false);
    reports.length = 0;
    await configure("good");
    assert.equal(reports.at(-1)?.complianceState, "Compliant");
  });

  it("lets no one take a source out of another namespace", async () => {
    const namespace = "agent-test-lonely";
    const { api } = all.cluster;
    await api.apply(`/api/v1/namespaces/${namespace}`, {
      ...{ apiVersion: "v1", kind: "Namespace", metadata: { name: namespace } },
    });
    const path = `/apis/kustomize.toolkit.fluxcd.io/v1/namespaces/${namespace}/kustomizations/thief`;
    await api.apply(path, {
      ...{ apiVersion: "kustomize.toolkit.fluxcd.io/v1", kind: "Kustomization", metadata: { name: "thief" } },
      spec: {
        ...{ interval: "10m", prune: true, path: "./good" },
        sourceRef: { kind: "GitRepository", name: "fleet", namespace: NAMESPACE },
      },
    });
    const refusal = await eventually(async () => readyOf(await api.get(path)));
    assert.equal(refusal.status, "False");
    assert.equal(
      refusal.message,
      `can't access 'GitRepository/${NAMESPACE}/fleet', cross-namespace references have been blocked`,
    );
    await api.send("DELETE", path);
    await eventually(async () => ((await isThere(path)) ? undefined : true));
  });

  it("takes with a configuration what it had applied, and leaves its namespace", async () => {
    await agent.remove(configuration("good").id);
    assert.deepEqual(await all.cluster.api.list(kustomizations), []);
    const source = `/apis/source.toolkit.fluxcd.io/v1/namespaces/${NAMESPACE}/gitrepositories/fleet`;
    for (const path of [config, source, `/api/v1/namespaces/${NAMESPACE}/secrets/fleet-auth`])
      assert.equal(await isThere(path), false, path);
    assert.equal(await isThere(`/api/v1/namespaces/${NAMESPACE}`), true);
    const { length } = reports;
    await agent.remove(configuration("good").id);
    assert.equal(reports.length, length);
  });

  it("removes Flux, with its kinds and its namespace", async () => {
    await agent.uninstall();
    assert.equal(await isThere("/api/v1/namespaces/flux-system"), false);
    const group = "/apis/kustomize.toolkit.fluxcd.io/v1";
    await eventually(async () => ((await isThere(group)) ? undefined : true));
    await eventually(async () => (all.cluster.processes.has("kustomize-controller") ? undefined : true));
  });
});

/** The Ready condition, once its controller has said something. */
function readyOf({ status }: KubeObject): { status: string; message: string } | undefined {
  const conditions: { type: string; status: string; message: string }[] = status?.conditions ?? [];
  return conditions.find(({ type, status }) => type === "Ready" && status !== "Unknown");
}
