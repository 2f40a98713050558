// What AKS does with a later write of a cluster and its pools, from what the real one answers.
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { type Cloud, newCloud } from "./cloud.ts";
import { cluster, clusterBody, clusterProperties, identities, NODES, network, systemPool } from "./platform.ts";

const MIXED = "NotAllAgentPoolOrchestratorVersionSpecifiedAndUnchanged";
const apps = `${cluster}/agentPools/apps`;
const pool = { vmSize: "Standard_D4ds_v5", vnetSubnetID: NODES, count: 1 };

describe("simulated ARM: a managed cluster that is written again", () => {
  let cloud: Cloud;
  beforeEach(async () => {
    cloud = await newCloud();
    await network(cloud);
    await identities(cloud);
  });

  const pools = (...agentPoolProfiles: object[]) => clusterBody({ agentPoolProfiles });
  const outcome = async (body: object) => (await cloud.refused(cluster, body)).slice(0, 2);
  const upgrade = (id: string, properties: object) => Object.assign(cloud.arm.get(id)?.properties ?? {}, properties);

  it("has the minor that nobody asked for, and its newest patch as the current version", async () => {
    const { properties } = await cloud.make(cluster, clusterBody());
    assert.deepEqual([properties.kubernetesVersion, properties.currentKubernetesVersion], ["1.33", "1.33.5"]);
    const [{ orchestratorVersion, currentOrchestratorVersion }] = properties.agentPoolProfiles;
    assert.deepEqual([orchestratorVersion, currentOrchestratorVersion], ["1.33", "1.33.5"]);
    assert.deepEqual((await cloud.call("GET", cluster)).body.kind, "Base");
    assert.deepEqual(properties.servicePrincipalProfile, { clientId: "msi" });
  });

  it("keeps the patch that it runs, and has another minor at once", async () => {
    await cloud.make(cluster, clusterBody());
    upgrade(cluster, { currentKubernetesVersion: "1.33.4" });
    assert.equal((await cloud.make(cluster, clusterBody())).properties.currentKubernetesVersion, "1.33.4");
    const answer = await cloud.call("PUT", cluster, clusterBody({ kubernetesVersion: "1.34" }));
    assert.equal(answer.body.properties.currentKubernetesVersion, "1.34.1");
  });

  it("writes one pool at a time", async () => {
    let now = Date.now();
    cloud = await newCloud({ now: () => now, duration: (type) => (type.endsWith("/agentPools") ? 60_000 : 0) });
    await network(cloud);
    await identities(cloud);
    await cloud.make(cluster, clusterBody());
    const other = `${cluster}/agentPools/other`;
    const first = await cloud.call("PUT", apps, { properties: pool });
    assert.equal(first.status, 201);
    assert.deepEqual((await cloud.refused(other, { properties: pool })).slice(0, 2), [409, "OperationNotAllowed"]);
    now += 60_000;
    await cloud.finish(first);
    assert.equal((await cloud.call("PUT", other, { properties: pool })).status, 201);
  });

  it("refuses versions of some pools, or others than they have", async () => {
    await cloud.make(cluster, clusterBody());
    await cloud.make(apps, { properties: pool });
    const [system, user] = (await cloud.call("GET", cluster)).body.properties.agentPoolProfiles;
    const inBody = ({ name, orchestratorVersion }: Record<string, string>) =>
      name === "apps" ? { ...pool, name, orchestratorVersion } : { ...systemPool, orchestratorVersion };
    const bare = { ...pool, name: "apps" };
    assert.deepEqual(await outcome(pools(inBody(system), bare)), [400, MIXED]);
    assert.deepEqual(await outcome(pools(systemPool, inBody(user))), [400, MIXED]);
    // Nobody has seen what becomes of the pools that are left out then.
    assert.deepEqual(await outcome(pools(inBody(system))), [400, MIXED]);
    const other = inBody({ ...user, orchestratorVersion: "1.32" });
    assert.deepEqual(await outcome(pools(inBody(system), other)), [400, MIXED]);
    await cloud.make(cluster, pools(inBody(system), inBody(user)));
    await cloud.make(cluster, pools(systemPool, bare));
  });

  it("upgrades the control plane alone where no pool's version is said, and a pool by itself", async () => {
    await cloud.make(cluster, clusterBody({ kubernetesVersion: "1.33.4" }));
    await cloud.make(apps, { properties: pool });
    const current = (id: string) => cloud.arm.get(id)?.properties.currentOrchestratorVersion;
    assert.deepEqual([current(apps), current(`${cluster}/agentPools/system`)], ["1.33.4", "1.33.4"]);
    // The minor that it has is no upgrade, though there is a newer patch.
    const same = await cloud.make(cluster, clusterBody({ kubernetesVersion: "1.33" }));
    assert.equal(same.properties.currentKubernetesVersion, "1.33.4");
    const { properties } = await cloud.make(cluster, clusterBody({ kubernetesVersion: "1.34" }));
    assert.equal(properties.currentKubernetesVersion, "1.34.1");
    assert.equal(current(apps), "1.33.4");
    const upgraded = await cloud.make(apps, { properties: { ...pool, orchestratorVersion: "1.34.0" } });
    assert.equal(upgraded.properties.currentOrchestratorVersion, "1.34.0");
    assert.equal(current(`${cluster}/agentPools/system`), "1.33.4");
    const back = await cloud.refused(apps, { properties: { ...pool, orchestratorVersion: "1.33.5" } });
    assert.deepEqual(back.slice(0, 2), [400, "OperationNotAllowed"]);
  });

  it("refuses a pool that is newer than its control plane, or more than three minors behind", async () => {
    await cloud.make(cluster, clusterBody({ kubernetesVersion: "1.33.4" }));
    const asked = async (orchestratorVersion: string) =>
      cloud.refused(apps, { properties: { ...pool, orchestratorVersion } });
    const newer = await asked("1.34");
    assert.deepEqual(newer.slice(0, 2), [400, "NodePoolMcVersionIncompatible"]);
    assert.match(
      newer[2],
      /^Node pool version 1\.34\.1 and control plane version 1\.33\.4 are incompatible\. Minor version/,
    );
    assert.deepEqual((await asked("1.33.5")).slice(0, 2), [400, "NodePoolMcVersionIncompatible"]);
    assert.deepEqual((await asked("1.12")).slice(0, 2), [400, "K8sVersionNotSupported"]);
    await cloud.make(apps, { properties: pool });
    upgrade(apps, { currentOrchestratorVersion: "1.30.9", orchestratorVersion: "1.30" });
    const shown = (cloud.arm.get(cluster)?.properties.agentPoolProfiles ?? []) as Record<string, unknown>[];
    for (const one of shown) if (one.name === "apps") one.currentOrchestratorVersion = "1.30.9";
    const behind = await cloud.refused(cluster, clusterBody({ kubernetesVersion: "1.34" }));
    assert.deepEqual(behind.slice(0, 2), [400, "NodePoolMcVersionIncompatible"]);
    assert.match(behind[2], /cannot be more than 3 versions less than .* node pool is 30 and control plane is 34\./);
  });

  it("takes newer patches as time passes with the channel patch, and stays where it is with none", async () => {
    const channel = (upgradeChannel: string) =>
      clusterBody({ kubernetesVersion: "1.33.4", autoUpgradeProfile: { upgradeChannel } });
    await cloud.make(cluster, channel("none"));
    cloud.arm.passTime();
    assert.equal(cloud.arm.get(cluster)?.properties.currentKubernetesVersion, "1.33.4");
    await cloud.make(cluster, channel("patch"));
    cloud.arm.passTime();
    const { currentKubernetesVersion, agentPoolProfiles } = cloud.arm.get(cluster)?.properties ?? {};
    const [system] = (agentPoolProfiles ?? []) as Record<string, unknown>[];
    assert.deepEqual([currentKubernetesVersion, system?.currentOrchestratorVersion], ["1.33.5", "1.33.5"]);
  });

  it("leaves pools alone that a write leaves out, after an upgrade too", async () => {
    await cloud.make(cluster, clusterBody());
    await cloud.make(apps, { properties: pool });
    upgrade(cluster, { kubernetesVersion: "1.34", currentKubernetesVersion: "1.34.0" });
    upgrade(`${cluster}/agentPools/system`, { orchestratorVersion: "1.34" });
    await cloud.make(cluster, clusterBody());
    assert.equal(cloud.arm.get(apps)?.properties.orchestratorVersion, "1.33");
    assert.equal(cloud.arm.get(cluster)?.properties.kubernetesVersion, "1.34");
    await cloud.unmake(apps);
    const [status, code, message] = await cloud.refused(cluster, pools(systemPool, { ...pool, name: "apps" }));
    assert.deepEqual([status, code], [400, "BadRequest"]);
    assert.match(message, /^A new agent pool was introduced\. /);
  });

  it("takes limits of the autoscaler that the number of nodes is not within, and moves it there", async () => {
    await cloud.make(cluster, clusterBody());
    const scaled = { ...pool, enableAutoScaling: true, minCount: 0, maxCount: 3, count: 0 };
    await cloud.make(apps, { properties: scaled });
    assert.equal((await cloud.make(apps, { properties: { ...scaled, minCount: 2 } })).properties.count, 2);
    upgrade(apps, { count: 3 });
    assert.equal((await cloud.make(apps, { properties: { ...scaled, count: 1 } })).properties.count, 3);
    const { count: _, ...uncounted } = scaled;
    assert.equal((await cloud.make(apps, { properties: { ...uncounted, maxCount: 1 } })).properties.count, 1);
  });

  it("clears the networks that reach its API server by an empty list, and not by leaving them out", async () => {
    const access = (apiServerAccessProfile: object) => clusterBody({ apiServerAccessProfile });
    const ranges = ["198.51.100.0/24"];
    await cloud.make(cluster, access({ authorizedIPRanges: ranges, disableRunCommand: true }));
    const kept = (await cloud.make(cluster, access({ disableRunCommand: true }))).properties.apiServerAccessProfile;
    assert.deepEqual(kept, { authorizedIPRanges: ranges, disableRunCommand: true });
    const cleared = await cloud.make(cluster, access({ authorizedIPRanges: [], disableRunCommand: true }));
    assert.deepEqual(cleared.properties.apiServerAccessProfile, { disableRunCommand: true });
    const open = await cloud.make(cluster, access({ authorizedIPRanges: [], disableRunCommand: false }));
    assert.equal(open.properties.apiServerAccessProfile.disableRunCommand, undefined);
  });

  for (const [vmSize, osDiskType, osDiskSizeGB] of [
    ["Standard_D2ds_v5", "Managed", 128],
    ["Standard_E2ds_v5", "Managed", 128],
    ["Standard_D4ds_v5", "Ephemeral", 150],
    ["Standard_D8ds_v5", "Ephemeral", 300],
    ["Standard_D4s_v5", "Managed", 128],
    ["Standard_D8ds_v6", "Managed", 128],
  ] as const)
    it(`has the system disk that fits: ${vmSize}`, async () => {
      const { properties } = await cloud.make(cluster, pools({ ...systemPool, vmSize }));
      const [system] = properties.agentPoolProfiles;
      assert.deepEqual([system.osDiskType, system.osDiskSizeGB], [osDiskType, osDiskSizeGB]);
      if (osDiskType === "Ephemeral") return;
      const asked = { ...pool, vmSize, osDiskType: "Ephemeral" };
      const [status, code, message] = await cloud.refused(apps, { properties: asked });
      assert.deepEqual([status, code], [400, "InvalidParameter"]);
      assert.match(message, /but the OS disk requires 137438953472 bytes\. Use a VM size with larger cache or disable/);
    });

  it("refuses a name of the nodes' resource group that is too long, whoever chose it", async () => {
    const long = cluster.replace(/prod$/, "p".repeat(63));
    const [status, code, message] = await cloud.refused(long, { ...clusterBody(), location: "northeurope" });
    assert.deepEqual([status, code], [400, "InvalidParameter"]);
    assert.match(
      message,
      /^The length of the node resource group name is too long\. The maximum length is 80 and .* is 81\./,
    );
    await cloud.make(long, clusterBody({ ...clusterProperties, nodeResourceGroup: "p".repeat(80) }));
  });

  it("keeps the addons where a write names none", async () => {
    await cloud.make(cluster, clusterBody());
    const { properties } = await cloud.make(cluster, clusterBody({ addonProfiles: undefined }));
    assert.deepEqual(Object.keys(properties.addonProfiles), ["azurepolicy"]);
  });
});
