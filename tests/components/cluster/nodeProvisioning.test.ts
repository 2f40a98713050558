// Nodes that AKS makes of whatever size pods wait for, instead of the autoscaler.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { AksCluster } from "../../../components/cluster/aksCluster.ts";
import { faults } from "../../settings/faults.ts";
import { deploy } from "../deployment.ts";
import { onArm } from "../onArm.ts";
import { refused } from "../refused.ts";

const FIXED = { minCount: 3, enableAutoScaling: false };

describe("node auto-provisioning", () => {
  it("is asked of Azure, with pools of a number of nodes", async () => {
    const { cloud } = await onArm({
      deployers: "6f1f2b6e-1111-4e0a-9c60-000000000001",
      flux: { repository: "https://github.com/acme/fleet" },
      cluster: { nodeProvisioning: "Auto", systemPool: FIXED, userPools: [{ name: "apps", ...FIXED, minCount: 2 }] },
    });
    const [cluster] = cloud.arm.list("Microsoft.ContainerService/managedClusters");
    assert.equal((cluster?.properties.nodeProvisioningProfile as { mode?: string } | undefined)?.mode, "Auto");
    const pool = (name: string) => cloud.arm.get(`${cluster?.id}/agentPools/${name}`)?.properties ?? {};
    assert.deepEqual(
      ["system", "apps"]
        .map(pool)
        .map(({ enableAutoScaling, count, minCount }) => [enableAutoScaling, count, minCount]),
      [
        [false, 3, undefined],
        [false, 2, undefined],
      ],
    );
  });

  it("is not said by default", async () => {
    const { find } = await deploy(() => new AksCluster("aks", { resourceGroupName: "group" }));
    assert.equal("nodeProvisioningProfile" in (find("ManagedCluster", "aks").inputs.properties as object), false);
  });

  it("is refused beside the autoscaler, in every pool", async () => {
    const problem = "does not go with nodeProvisioning Auto, which makes nodes instead of the autoscaler";
    const args = { nodeProvisioning: "Auto", systemPool: FIXED, userPools: [{ name: "apps" }] } as const;
    assert.deepEqual(await refused(() => new AksCluster("aks", { resourceGroupName: "group", ...args })), [
      `userPools[0].enableAutoScaling ${problem}`,
    ]);
    assert.deepEqual(
      faults({ "aks-gitops:cluster": { nodeProvisioning: "Auto" } }).map(({ key, problem: found, rule }) => [
        key,
        found,
        rule,
      ]),
      [["aks-gitops:cluster.systemPool.enableAutoScaling", problem, "node-provisioning-excludes-the-autoscaler"]],
    );
  });
});
