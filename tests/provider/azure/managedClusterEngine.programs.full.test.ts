// A cluster and its pools under the real engine, in the simulated Azure Resource Manager: made with azure-native's own
// resource as earlier versions did, moved over, left to AKS for a while, and changed then.
import { strict as assert } from "node:assert";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "mocha";
import type { Properties } from "../../../plugin/handler.ts";
import { LOCATION, SUBSCRIPTION_ID } from "../../rehearsal/cloud/arm/cloud.ts";
import { clusterProperties, identity, NODES } from "../../rehearsal/cloud/arm/platform.ts";
import { FakeCloud } from "../../rehearsal/providers/fakeCloud.ts";
import { ENGINE_TIMEOUT, ROOT, succeed, writeProject } from "../../support/engine.ts";
import { SimulatedArm } from "./simulatedArm.ts";

const ADMINS = "6f1f2b6e-1111-4e0a-9c60-000000000002";
const { agentPoolProfiles: _pools, apiServerAccessProfile: _access, ...COMMON } = clusterProperties;
const PROPERTIES = { ...COMMON, apiServerAccessProfile: { disableRunCommand: true } };
const POOL = {
  type: "VirtualMachineScaleSets",
  vmSize: "Standard_D4ds_v5",
  osType: "Linux",
  osSKU: "AzureLinux",
  vnetSubnetID: NODES,
  availabilityZones: ["1", "2", "3"],
  enableAutoScaling: true,
  minCount: 1,
  upgradeSettings: { maxSurge: "33%", drainTimeoutInMinutes: 30 },
};

/** As this program's earlier versions did it, and as it does now. */
const program = (cluster: string) => `
import * as pulumi from "@pulumi/pulumi";
import { ManagedCluster as AzureCluster } from "@pulumi/azure-native/containerservice/managedCluster.js";
import { AgentPool } from "${ROOT}provider/sdk/agentPool.ts";
import { ManagedCluster } from "${ROOT}provider/sdk/managedCluster.ts";

const settings = new pulumi.Config();
const properties = ${JSON.stringify(PROPERTIES)};
properties.aadProfile.adminGroupObjectIDs = settings.getObject("groups") ?? [];
properties.autoUpgradeProfile.upgradeChannel = settings.get("channel") ?? "stable";
const pool = ${JSON.stringify(POOL)};
const tier = settings.get("tier") ?? "Standard";
const system = { ...pool, name: "system", mode: "System", maxCount: 5 };
const identity = { type: "UserAssigned", userAssignedIdentities: ["${identity("control")}"] };
${cluster}
for (const [name, mode, maxCount] of [["system", "System", 5], ["apps", "User", settings.getNumber("max") ?? 3]])
  new AgentPool("aks-" + name, { ...pool, clusterId: cluster.id, name, mode, maxCount }, { deletedWith: cluster });
export const clusterName = cluster.name;
export const endpoint = cluster.endpoint;
`;
const BEFORE = program(`const cluster = new AzureCluster("aks", {
  ...properties, resourceGroupName: "rg", sku: { name: "Base", tier }, identity, agentPoolProfiles: [{ ...system, count: 1 }],
}, { protect: true, ignoreChanges: ["agentPoolProfiles"] });`);
const NOW = program(`const cluster = new ManagedCluster("aks", {
  resourceGroupId: "/subscriptions/${SUBSCRIPTION_ID}/resourceGroups/rg", name: "aks-decided", location: "${LOCATION}",
  sku: { name: "Base", tier }, identity, properties, systemPool: system,
}, { protect: true });`);

interface State {
  readonly deployment: { readonly resources: { readonly urn: string; readonly type: string; readonly id?: string }[] };
}

describe("ManagedCluster under the real engine", () => {
  let arm: SimulatedArm;
  let cloud: FakeCloud;
  let project: string;
  let clusterId: string;
  const pulumi = (...args: string[]) => succeed(project, args, cloud.env);
  const QUIET = ["--expect-no-changes"];
  const state = async () => JSON.parse(await pulumi("stack", "export")) as State;
  const inAzure = (id = clusterId) => arm.cloud.arm.get(id)?.properties as Properties;
  /** What was written since the last look, by the last two parts of the path. */
  const writes = () => {
    const found = cloud.sent.filter(({ method }) => ["PUT", "DELETE", "PATCH"].includes(method));
    cloud.sent.length = 0;
    return found.map(({ method, path }) => `${method} ${path.split("/").slice(-2).join("/")}`);
  };

  before(async function () {
    this.timeout(ENGINE_TIMEOUT);
    arm = await SimulatedArm.create();
    const { owner } = arm.cloud;
    const authorization = `Bearer ${owner.objectId}@https://management.azure.com`;
    cloud = await FakeCloud.start((request) =>
      arm.cloud.arm.service({ ...request, headers: { ...request.headers, authorization } }),
    );
    cloud.env.ARM_SUBSCRIPTION_ID = SUBSCRIPTION_ID;
    const plugins = { gitops: join(ROOT, "provider") };
    project = await writeProject(cloud.engine.directory, "platform", { "index.ts": BEFORE }, plugins);
    await pulumi("stack", "init", "prod");
    await pulumi("up", "--yes", "--skip-preview");
    const [cluster] = arm.cloud.arm.list("Microsoft.ContainerService/managedClusters");
    clusterId = cluster?.id ?? "";
    writes();
  });

  after(() => cloud?.close());

  it("takes over what azure-native's resource made: nothing is written, replaced or deleted in Azure", async () => {
    await pulumi("refresh", "--yes");
    const old = await state();
    const cluster = old.deployment.resources.find(({ type }) => type.endsWith(":ManagedCluster"));
    assert.equal(cluster?.type, "azure-native:containerservice:ManagedCluster");
    // What gave the way to the cluster stood in the state beside it.
    const way = {
      ...old.deployment.resources.find(({ type }) => type === "gitops:index:AgentPool"),
      urn: cluster.urn.replace(/[^:]*:containerservice:ManagedCluster/, "gitops:index:ClusterAccess"),
      type: "gitops:index:ClusterAccess",
      id: clusterId,
      inputs: { clusterId },
      outputs: { clusterId, endpoint: "https://x:443", certificateAuthority: "", kubeconfig: "" },
      dependencies: [cluster.urn],
      propertyDependencies: { clusterId: [cluster.urn] },
      deletedWith: "",
    };
    old.deployment.resources.push(way);
    await writeFile(join(project, "state.json"), JSON.stringify(old));
    await pulumi("stack", "import", "--file", "state.json");
    await writeFile(join(project, "index.ts"), NOW);
    const preview = await pulumi("preview", "--diff");
    assert.match(preview, /~ 1 to update\n\s*- 1 to delete/);
    assert.doesNotMatch(preview, /replace/);
    await pulumi("up", "--yes", "--skip-preview");
    assert.deepEqual(writes(), []);
    const { resources } = (await state()).deployment;
    const moved = resources.filter(({ id }) => id?.toLowerCase() === clusterId.toLowerCase()).map(({ type }) => type);
    assert.deepEqual(moved, ["gitops:index:ManagedCluster"]);
    const outputs = JSON.parse(await pulumi("stack", "output", "--json")) as Properties;
    assert.deepEqual(outputs, { clusterName: clusterId.split("/").at(-1), endpoint: `https://${inAzure().fqdn}:443` });
    await pulumi("preview", ...QUIET);
    await pulumi("refresh", "--yes", ...QUIET);
    await pulumi("preview", ...QUIET);
  });

  it("is quiet about all that AKS does by itself, and changes tier, channel, groups and a pool then", async () => {
    const upgraded = { orchestratorVersion: "1.34", currentOrchestratorVersion: "1.34.1", nodeImageVersion: "newer" };
    Object.assign(inAzure(), { kubernetesVersion: "1.34", currentKubernetesVersion: "1.34.1", status: {} });
    Object.assign(inAzure().addonProfiles as object, { omsagent: { enabled: true, identity: { objectId: "o" } } });
    Object.assign(arm.cloud.arm.get(clusterId) ?? {}, { eTag: "another", tags: { policy: "governance" } });
    await arm.cloud.make(`${clusterId}/agentPools/others`, { properties: { ...POOL, mode: "User", maxCount: 2 } });
    for (const name of ["system", "apps"])
      Object.assign(inAzure(`${clusterId}/agentPools/${name}`), upgraded, { count: 3 });
    const profiles = inAzure().agentPoolProfiles as Properties[];
    for (const profile of profiles) if (profile.name !== "others") Object.assign(profile, upgraded, { count: 3 });
    await pulumi("preview", ...QUIET);
    await pulumi("preview", "--refresh", ...QUIET);
    await pulumi("refresh", "--yes", ...QUIET);
    await pulumi("preview", ...QUIET);
    assert.deepEqual(writes(), []);

    await pulumi("config", "set", "tier", "Premium");
    await pulumi("config", "set", "channel", "patch");
    await pulumi("config", "set", "--path", "groups[0]", ADMINS);
    await pulumi("config", "set", "max", "4");
    assert.match(await pulumi("preview", "--diff"), /~ 2 to update/);
    await pulumi("up", "--yes", "--skip-preview");
    const name = clusterId.split("/").at(-1);
    assert.deepEqual(writes(), [`PUT managedClusters/${name}`, "PUT agentPools/apps"]);
    const { sku, properties, tags } = arm.cloud.arm.get(clusterId) ?? assert.fail();
    assert.deepEqual(sku, { name: "Base", tier: "Premium" });
    assert.deepEqual(tags, { policy: "governance", "aks-gitops": "platform/prod/aks" });
    assert.equal((properties.autoUpgradeProfile as Properties).upgradeChannel, "patch");
    assert.deepEqual((properties.aadProfile as Properties).adminGroupObjectIDs, [ADMINS]);
    assert.equal(properties.kubernetesVersion, "1.34");
    assert.deepEqual(Object.keys(properties.addonProfiles as object).sort(), ["azurepolicy", "omsagent"]);
    const pools = (properties.agentPoolProfiles as Properties[]).map((pool) => [pool.name, pool.count, pool.maxCount]);
    assert.deepEqual(pools.sort(), [
      ["apps", 3, 4],
      ["others", 1, 2],
      ["system", 3, 5],
    ]);
    await pulumi("preview", "--refresh", ...QUIET);
  });
});
