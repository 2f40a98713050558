// Pools as an application asks for them: taints, labels, Spot, surge and disk.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { AksCluster } from "../../../components/cluster/aksCluster.ts";
import type { AksClusterArgs } from "../../../components/cluster/aksClusterArgs.ts";
import { deploy } from "../deployment.ts";
import { onArm } from "../onArm.ts";
import { refused } from "../refused.ts";

const POOLS: Partial<AksClusterArgs> = {
  systemPool: { osDiskSizeGB: 64, maxSurge: "1", drainTimeoutInMinutes: 10, nodeLabels: { team: "platform" } },
  userPools: [
    { name: "gpu", nodeTaints: ["gpu=true:NoSchedule"], nodeLabels: { accelerator: "nvidia" }, maxSurge: "50%" },
    { name: "batch", scaleSetPriority: "Spot", nodeTaints: ["batch:NoExecute"], nodeLabels: { team: "data" } },
  ],
};

const CONFIG = {
  deployers: "6f1f2b6e-1111-4e0a-9c60-000000000001",
  flux: { repository: "https://github.com/acme/fleet" },
};

const SPOT_TAINT = "kubernetes.azure.com/scalesetpriority=spot:NoSchedule";
const SPOT_LABEL = { "kubernetes.azure.com/scalesetpriority": "spot" };

describe("AksCluster's pools", () => {
  const cluster = (args: Partial<AksClusterArgs>) =>
    deploy(() => new AksCluster("aks", { resourceGroupName: "group", ...args }));
  const faults = (args: Partial<AksClusterArgs>) =>
    refused(() => new AksCluster("aks", { resourceGroupName: "group", ...args }));

  it("of applications may be empty, with an autoscaler and without", async () => {
    const userPools = [
      { name: "idle", minCount: 0 },
      { name: "off", minCount: 0, enableAutoScaling: false },
    ];
    const { cloud } = await onArm({ ...CONFIG, cluster: { userPools } });
    const counts = cloud.arm
      .list("Microsoft.ContainerService/managedClusters/agentPools")
      .map(({ name, properties }) => [name, properties.count, properties.minCount]);
    assert.deepEqual(counts.sort(), [
      ["idle", 0, 0],
      ["off", 0, undefined],
      ["system", 1, 1],
    ]);
  });

  it("have the taints, labels, surge, drain and disk that were asked for", async () => {
    const { find } = await cluster(POOLS);
    const { osDiskSizeGB, nodeLabels, upgradeSettings, nodeTaints } = find("AgentPool", "aks-system").inputs;
    assert.deepEqual(
      [osDiskSizeGB, nodeLabels, upgradeSettings, nodeTaints],
      [64, { team: "platform" }, { maxSurge: "1", drainTimeoutInMinutes: 10 }, ["CriticalAddonsOnly=true:NoSchedule"]],
    );
    const gpu = find("AgentPool", "aks-gpu").inputs;
    assert.deepEqual(
      [gpu.nodeTaints, gpu.nodeLabels, gpu.upgradeSettings, gpu.scaleSetPriority],
      [["gpu=true:NoSchedule"], { accelerator: "nvidia" }, { maxSurge: "50%", drainTimeoutInMinutes: 30 }, undefined],
    );
  });

  it("of Spot nodes say what AKS marks them with, and no surge, which Azure does not take", async () => {
    const { find } = await cluster(POOLS);
    const { inputs } = find("AgentPool", "aks-batch");
    assert.deepEqual(
      [inputs.scaleSetPriority, inputs.scaleSetEvictionPolicy, inputs.nodeTaints, inputs.nodeLabels],
      ["Spot", "Delete", ["batch:NoExecute", SPOT_TAINT], { team: "data", ...SPOT_LABEL }],
    );
    assert.deepEqual(inputs.upgradeSettings, { drainTimeoutInMinutes: 30 });
  });

  it("say nothing of it all by default, so that pools which stand stay as they are", async () => {
    const { find } = await cluster({ userPools: [{ name: "apps" }] });
    const optional = ["osDiskSizeGB", "nodeLabels", "nodeTaints", "scaleSetPriority", "scaleSetEvictionPolicy"];
    const { inputs } = find("AgentPool", "aks-apps");
    assert.deepEqual(
      optional.filter((name) => name in inputs),
      [],
    );
  });

  it("are made by Azure", async () => {
    const { cloud } = await onArm({ ...CONFIG, cluster: POOLS });
    const [id = ""] = cloud.arm.list("Microsoft.ContainerService/managedClusters").map((one) => one.id);
    const pool = (name: string) => cloud.arm.get(`${id}/agentPools/${name}`)?.properties ?? {};
    const batch = pool("batch");
    assert.deepEqual(
      [batch.scaleSetPriority, batch.nodeTaints, batch.upgradeSettings],
      ["Spot", ["batch:NoExecute", SPOT_TAINT], { drainTimeoutInMinutes: 30 }],
    );
    assert.deepEqual(pool("gpu").nodeTaints, ["gpu=true:NoSchedule"]);
    assert.deepEqual(pool("system").nodeLabels, { team: "platform" });
    assert.equal(pool("system").osDiskSizeGB, 64);
  });

  it("are refused where Azure or Kubernetes would refuse them", async () => {
    const userPools = [
      {
        ...{ name: "apps", nodeTaints: ["gpu"], nodeLabels: { "a b": "x", team: "two words" }, maxSurge: "0" },
        ...{ drainTimeoutInMinutes: 0, osDiskSizeGB: 29 },
      },
      { name: "spot", nodeLabels: { "kubernetes.azure.com/mode": "mine" } },
    ];
    assert.deepEqual(await faults({ userPools }), [
      "userPools[0].maxSurge is no number of nodes that an upgrade adds",
      "userPools[0].drainTimeoutInMinutes is no number of minutes that Azure takes",
      "userPools[0].osDiskSizeGB is no number of GiB that Azure takes",
      "userPools[0].nodeLabels has a label whose name is none",
      "userPools[0].nodeLabels.team is no value of a label",
      "userPools[0].nodeTaints[0] is no taint",
      "userPools[1].nodeLabels has a label whose name is none",
    ]);
  });

  it("count with their own surge for the network's size", async () => {
    const network = { nodes: "10.60.0.0/27" };
    const pool = { name: "apps", maxCount: 12 };
    const system = { systemPool: { maxCount: 1, maxSurge: "1" }, network };
    assert.deepEqual(await faults({ ...system, userPools: [{ ...pool, maxSurge: "100%" }] }), []);
    assert.deepEqual(await faults({ ...system, userPools: [{ ...pool, maxSurge: "19" }] }), [
      "network.nodes is too small for 33 nodes, as many as the pools have at most while they are upgraded: they need 38 addresses",
    ]);
    assert.deepEqual(
      await faults({ ...system, userPools: [{ ...pool, maxSurge: "19", scaleSetPriority: "Spot" }] }),
      [],
    );
  });
});
