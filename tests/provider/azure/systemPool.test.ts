// The way to another system pool in two steps, as docs/upgrades.md has it.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import type { Properties } from "../../../plugin/handler.ts";
import { agentPoolIn } from "../../../provider/azure/agentPool.ts";
import { managedClusterIn } from "../../../provider/azure/managedCluster.ts";
import { GROUP, LOCATION } from "../../rehearsal/cloud/arm/cloud.ts";
import { clusterProperties, cluster as ID, identity, systemPool } from "../../rehearsal/cloud/arm/platform.ts";
import { SimulatedArm } from "./simulatedArm.ts";

const { agentPoolProfiles: _pools, apiServerAccessProfile: _access, ...COMMON } = clusterProperties;
const POOL = {
  ...systemPool,
  type: "VirtualMachineScaleSets",
  osType: "Linux",
  upgradeSettings: { maxSurge: "33%", drainTimeoutInMinutes: 30 },
};
const CLUSTER = {
  resourceGroupId: GROUP,
  name: "prod",
  location: LOCATION,
  sku: { name: "Base", tier: "Standard" },
  identity: { type: "UserAssigned", userAssignedIdentities: [identity("control")] },
  properties: { ...COMMON, apiServerAccessProfile: { disableRunCommand: true } },
  systemPool: POOL,
};

describe("another system pool", () => {
  it("comes in two steps by hand: the program refuses it before, writes in between, and is quiet after a refresh", async () => {
    const azure = await SimulatedArm.create();
    const clusters = managedClusterIn(azure, [0, 0]);
    const pools = agentPoolIn(azure, [0, 0]);
    const wanted: Properties = { clusterId: ID, ...POOL };
    const cluster = { inputs: CLUSTER as Properties, ...(await clusters.create(CLUSTER, azure.context)) };
    const pool = { inputs: wanted, ...(await pools.create(wanted, azure.context)) };
    const next = { ...wanted, vmSize: "Standard_D8ds_v5" };
    const check = async (old: Properties) =>
      (await pools.check?.(next, old, azure.context, new Uint8Array()))?.failures;
    assert.match(String((await check(wanted))?.[0]?.reason), /Azure cannot change vmSize of the agent pool system/);
    const tag = async (owner: string) => {
      const inputs = { ...CLUSTER, tags: { owner } };
      assert.deepEqual(await clusters.update?.(cluster, inputs, azure.context), { ...cluster.state, ...inputs });
    };
    const at = (name: string) => `${ID}/agentPools/${name}`;
    const body = (vmSize: string) => {
      const { name: _, ...properties } = POOL;
      return { properties: { ...properties, vmSize, count: 3 } };
    };

    // There is never none: Azure refuses to delete the last one.
    const last = await azure.cloud.call("DELETE", at("system"));
    assert.deepEqual([last.status, last.body.error.code], [400, "OperationNotAllowed"]);
    await azure.cloud.make(at("system2"), body("Standard_D4ds_v5"));
    await azure.cloud.unmake(at("system"));
    await tag("in between");
    await azure.cloud.make(at("system"), body("Standard_D8ds_v5"));
    await azure.cloud.unmake(at("system2"));
    await tag("afterwards");

    const seen = (await pools.read?.(pool.id, pool.inputs, pool.state, azure.context)) ?? assert.fail();
    assert.equal(seen.inputs.vmSize, "Standard_D8ds_v5");
    assert.deepEqual(await check(seen.inputs), []);
    assert.equal((await pools.diff?.(seen, next, azure.context))?.changes, false);
    azure.sent.length = 0;
    await pools.update?.(seen, next, azure.context);
    assert.deepEqual(azure.writes(), []);
    const profiles = azure.cloud.arm.get(ID)?.properties.agentPoolProfiles as Properties[];
    assert.deepEqual(
      profiles.map(({ name, vmSize }) => [name, vmSize]),
      [["system", "Standard_D8ds_v5"]],
    );
  });
});
