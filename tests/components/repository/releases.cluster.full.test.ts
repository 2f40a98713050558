// Releases as the program writes them, brought about by the real Flux from charts of a simulated registry.
import { strict as assert } from "node:assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "mocha";
import { type Chart, ownedFiles } from "../../../components/repository/files.ts";
import type { LockedChart } from "../../../mirror/lock.ts";
import { chartManifest } from "../../../net/chartManifest.ts";
import { RegistryClient } from "../../../net/registry/client.ts";
import { MEDIA } from "../../../rehearsal/cloud/registry/protocol.ts";
import type { KubeObject } from "../../../rehearsal/cluster/api.ts";
import { pushedContent } from "../../../rehearsal/content/pushed.ts";
import { deployment, packChart } from "../../mirror/charts.ts";
import { FakeCloud, ROLES, serve } from "../../rehearsal/cloud/registry/support.ts";
import { CLUSTER_TIMEOUT, eventually, type TestCluster, testClusterWithFlux } from "../../support/cluster.ts";
import { LOCK } from "../lock.ts";
import { EVERY_RELEASE } from "./everyRelease.ts";

const HOST = "fleet.azurecr.io";
const CREATED = "2026-01-01T00:00:00Z";
const [KURED] = LOCK.charts as [LockedChart];

const configMap = `apiVersion: v1
kind: ConfigMap
metadata: {name: "{{ .Release.Name }}"}
data: {version: "{{ .Chart.Version }}", color: "{{ .Values.color }}"}
`;
const TOOL = packChart(
  { color: "grey" },
  { "map.yaml": configMap, "deployment.yaml": deployment("ghcr.io/acme/tool:1.4.0", { name: "{{ .Release.Name }}" }) },
);

/** Pushes the chart as `helm push` does. @returns the digest of its manifest. */
async function push(cloud: FakeCloud): Promise<string> {
  const repository = "charts/tool";
  const server = await serve(cloud.acr.service, HOST);
  const token = "https://containerregistry.azure.net|deployer";
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Number.MAX_SAFE_INTEGER }) };
  try {
    const client = new RegistryClient(HOST, { endpoint: `http://${server.address}`, credential });
    const { config, manifest } = await chartManifest(TOOL, CREATED);
    for (const blob of [config, TOOL]) await client.pushBlob(repository, blob);
    return await client.pushManifest(repository, "1.0.0", manifest, MEDIA.ociManifest);
  } finally {
    await server.close();
  }
}

const OWN = { name: "appawebapi", repository: "oci://{registry}/helm" };
const charts: Chart[] = [
  { name: "tool", release: "second", namespace: "rel-b", dependsOn: ["first"], interval: "1h" },
  { name: "tool", release: "first", namespace: "rel-a" },
  { name: "tool", release: "later", namespace: "rel-a", suspend: true },
  {
    ...{ ...OWN, release: "appa", version: ">=158 <200", follow: true, namespace: "rel-c" },
    install: { createNamespace: true },
    values: { imagePullSecrets: [{ name: "acr-gitdevops" }] },
  },
];
const [second] = charts as [Chart];
const releases = charts.with(0, {
  ...second,
  values: { other: true },
  valuesFrom: [{ kind: "Secret", name: "second-values", valuesKey: "color", targetPath: "color" }],
  driftDetection: { mode: "enabled", ignore: [{ paths: ["/data/free"], target: { kind: "ConfigMap" } }] },
});

describe("releases in a cluster", () => {
  let all: TestCluster;
  let digest = "";
  const cloud = new FakeCloud();
  cloud.roles.set("deployer", ROLES.AcrPush).set("puller", ROLES.AcrPull);

  before(async function () {
    this.timeout(CLUSTER_TIMEOUT);
    all = await testClusterWithFlux();
    all.door.route(HOST, cloud.acr.service);
    digest = await push(cloud);
    await cloud.acr.push((loginServer) =>
      pushedContent(
        ["158.0.0", "160.0.0"].map((version) => ({ ...OWN, version })),
        loginServer,
      ),
    );
    const secret = (name: string, stringData: object) =>
      all.cluster.api.apply(`/api/v1/namespaces/flux-system/secrets/${name}`, {
        apiVersion: "v1",
        kind: "Secret",
        metadata: { name },
        stringData,
      });
    await secret("pull", { username: "puller", password: "secret of puller" });
    await secret("second-values", { color: "blue" });
  });

  const locked = (...names: string[]): LockedChart[] =>
    names.map((release) => ({
      ...{ ...KURED, name: "tool", release, version: "1.0.0", manifest: digest },
      ...{ images: [], values: {} },
    }));

  /** The files of the program's own folder, without its kustomization.yaml, as one text. */
  const written = (own: readonly Chart[], lockedCharts: readonly LockedChart[], pullSecret?: string) =>
    Object.entries(
      ownedFiles({
        ...{ stack: "prod", loginServer: HOST, charts: own, secrets: [], pullSecret },
        lock: { charts: lockedCharts, images: [] },
      }),
    )
      .filter(([path]) => /^infrastructure\/(?!.*\/kustomization\.yaml$)/.test(path))
      .map(([, text]) => text)
      .join("---\n");

  const apply = async (text: string, ...more: string[]) => {
    const path = join(all.folder, "releases.yaml");
    await writeFile(path, text);
    return all.kubectl(["apply", "--server-side", "--validate=strict", ...more, "-f", path]);
  };

  const release = async (name: string) =>
    (await all.cluster.api.get(
      `/apis/helm.toolkit.fluxcd.io/v2/namespaces/flux-system/helmreleases/${name}`,
    )) as KubeObject;

  /** A release that is Ready. The controller writes its conditions first and its history in a second request. */
  const ready = (name: string) =>
    eventually(async () => {
      const found = await release(name);
      const conditions: { type: string; status: string; message: string }[] = found.status?.conditions ?? [];
      const isReady = conditions.some(({ type, status }) => type === "Ready" && status === "True");
      return isReady && found.status?.history?.length ? found : undefined;
    });

  const map = async (namespace: string, name: string) =>
    (await all.cluster.api.get(`/api/v1/namespaces/${namespace}/configmaps/${name}`)).data as Record<string, string>;

  it("say what the real Flux's definitions take, field by field", async () => {
    const text = written([EVERY_RELEASE], [{ ...KURED, release: "reboots" }]);
    const dryRun = (what: string) => apply(what, "--dry-run=server");
    assert.match(await dryRun(text), /helmrelease\.helm\.toolkit\.fluxcd\.io\/reboots serverside-applied/);
    await assert.rejects(dryRun(text.replace("remediateLastFailure", "remediateLast")), /remediateLast/);
    await assert.rejects(dryRun(text.replace("mode: enabled", "mode: on")), /driftDetection\.mode/);
  });

  it("of one chart become Ready one after the other, with a value from a Secret", async () => {
    await apply(written(releases, locked("first", "second", "later"), "pull"));
    const [first, after] = [await ready("first"), await ready("second")];
    const history = ({ status }: KubeObject) =>
      (status?.history ?? []) as Record<"firstDeployed" | "lastDeployed", string>[];
    const begun = history(after)[0]?.firstDeployed ?? "";
    const done = history(first)[0]?.lastDeployed ?? "";
    assert.ok(Date.parse(begun) >= Date.parse(done), `${begun} is before ${done}`);
    assert.deepEqual(await map("rel-a", "first"), { version: "1.0.0", color: "grey" });
    assert.deepEqual(await map("rel-b", "second"), { version: "1.0.0", color: "blue" });
  });

  it("undo what somebody changed in the cluster, but for what they leave to others", async () => {
    const patch = JSON.stringify({ data: { color: "red", free: "mine" } });
    await all.kubectl(["patch", "configmap", "second", "--namespace", "rel-b", "--type", "merge", "--patch", patch]);
    await all.runFlux("reconcile", "helmrelease", "second");
    const data = await eventually(async () => {
      const now = await map("rel-b", "second");
      return now.color === "red" ? undefined : now;
    });
    assert.deepEqual(data, { version: "1.0.0", color: "blue", free: "mine" });
  });

  it("follow the highest version that somebody pushed, into a namespace that Helm makes", async () => {
    await ready("appa");
    const { spec } = await all.cluster.api.get("/apis/apps/v1/namespaces/rel-c/deployments/appa");
    const { containers, imagePullSecrets } = spec.template.spec;
    assert.equal(containers[0].image, "fleet.azurecr.io/appawebapi:160");
    assert.deepEqual(imagePullSecrets, [{ name: "acr-gitdevops" }]);
  });

  it("are left alone while they are suspended, and hold up nobody who waits for what was applied", async () => {
    const { status, metadata } = await release("later");
    assert.equal(status?.history, undefined);
    assert.equal(status?.observedGeneration, metadata.generation);
  });
});
