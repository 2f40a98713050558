import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { type Properties, type ResourceHandler, UNKNOWN } from "../../../plugin/handler.ts";
import { ArmError } from "../../../provider/azure/armClient.ts";
import { systemPoolIn } from "../../../provider/azure/systemPool.ts";
import { CLUSTER_ID, FakeCloud } from "../fakeCloud.ts";

const ID = `${CLUSTER_ID}/agentPools/system`;
const SUBNET = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/nodes";
const TAINTS = ["CriticalAddonsOnly=true:NoSchedule"];

const WANTED: Properties = {
  clusterId: CLUSTER_ID,
  name: "system",
  mode: "System",
  type: "VirtualMachineScaleSets",
  vmSize: "Standard_D4ds_v5",
  osType: "Linux",
  osSKU: "AzureLinux",
  osDiskType: "Ephemeral",
  vnetSubnetID: SUBNET,
  availabilityZones: ["1", "2", "3"],
  enableAutoScaling: true,
  minCount: 3,
  maxCount: 5,
  nodeTaints: TAINTS,
  upgradeSettings: { maxSurge: "33%", drainTimeoutInMinutes: 30 },
};

/** The pool as Azure tells it: more than anybody asked for, zones in another order, ids in another case. */
function poolInAzure(): Properties {
  const { clusterId: _, name: __, ...wanted } = WANTED;
  return {
    ...wanted,
    vnetSubnetID: SUBNET.replace("resourceGroups", "resourcegroups"),
    availabilityZones: ["3", "1", "2"],
    upgradeSettings: { maxSurge: "33%", maxUnavailable: "0", drainTimeoutInMinutes: 30 },
    count: 4,
    maxPods: 250,
    orchestratorVersion: "1.33.5",
    currentOrchestratorVersion: "1.33.5",
    eTag: "tag",
    nodeImageVersion: "AKSAzureLinux-V3gen2-202511.07.0",
    provisioningState: "Succeeded",
  };
}

describe("SystemPool", () => {
  let cloud: FakeCloud;
  let handler: ResourceHandler;
  let pool: Properties | undefined;
  beforeEach(() => {
    cloud = new FakeCloud();
    handler = systemPoolIn(cloud, [0, 0]);
    pool = poolInAzure();
    cloud.answer = ({ method, path, body }) => {
      assert.equal(path, ID);
      if (pool === undefined) throw new ArmError(404, "NotFound", "gone");
      if (method === "PUT") pool = { ...(body as { properties: Properties }).properties };
      return { id: ID, name: "system", properties: pool };
    };
  });

  const methods = () => cloud.calls.map(({ method }) => method);
  const put = () => cloud.calls.find(({ method }) => method === "PUT")?.body;
  const existing = { id: ID, inputs: WANTED, state: WANTED };
  const update = (more: Properties) => handler.update?.(existing, { ...WANTED, ...more }, cloud.context);
  const read = (inputs: Properties = WANTED, id = ID) => handler.read?.(id, inputs, inputs, cloud.context);
  const failures = async (next: Properties, old?: Properties) =>
    (await handler.check?.(next, old, cloud.context, new Uint8Array()))?.failures ?? [];

  it("takes over the cluster's pool, and writes nothing where it is as wanted", async () => {
    assert.deepEqual(await handler.create(WANTED, cloud.context), { id: ID, state: WANTED });
    assert.deepEqual(methods(), ["GET"]);
  });

  it("takes over a pool with other settings by writing only what differs", async () => {
    pool = { ...poolInAzure(), maxCount: 9, nodeTaints: undefined };
    await handler.create(WANTED, cloud.context);
    const { currentOrchestratorVersion, eTag, nodeImageVersion, provisioningState, ...rest } = poolInAzure();
    assert.deepEqual(put(), { properties: rest });
  });

  it("changes what changed and leaves the rest to Azure, the number of nodes to the autoscaler", async () => {
    assert.deepEqual(await update({ maxCount: 6 }), { ...WANTED, maxCount: 6 });
    const { currentOrchestratorVersion, eTag, nodeImageVersion, provisioningState, ...rest } = poolInAzure();
    assert.deepEqual(put(), { properties: { ...rest, maxCount: 6 } });
  });

  it("keeps the number of nodes between new limits", async () => {
    await update({ minCount: 5, maxCount: 8 });
    assert.equal(pool?.count, 5);
    await update({ minCount: 1, maxCount: 2 });
    assert.equal(pool?.count, 2);
  });

  it("removes taints that are no longer wanted, and sets upgrades without losing what Azure knows of them", async () => {
    const { nodeTaints: _, ...untainted } = WANTED;
    const upgradeSettings = { maxSurge: "1", drainTimeoutInMinutes: 30 };
    await handler.update?.(existing, { ...untainted, upgradeSettings }, cloud.context);
    assert.deepEqual(pool?.nodeTaints, []);
    assert.deepEqual(pool?.upgradeSettings, { ...upgradeSettings, maxUnavailable: "0" });
  });

  it("looks at the pool again when the cluster was written, and repairs what that did to it", async () => {
    await update({ clusterRevision: "2" });
    assert.deepEqual(methods(), ["GET"]);
    pool = { ...poolInAzure(), maxCount: 4 };
    await update({ clusterRevision: "3" });
    assert.equal(pool?.maxCount, 5);
  });

  it("waits while Azure does something else with the cluster, and reads the pool again then", async () => {
    const { answer } = cloud;
    let refusals = 2;
    cloud.answer = (call, options) => {
      if (call.method === "PUT" && refusals-- > 0) throw new ArmError(409, "OperationNotAllowed", "in progress");
      return answer(call, options);
    };
    await update({ maxCount: 6 });
    assert.deepEqual(methods(), ["GET", "PUT", "GET", "PUT", "GET", "PUT"]);
    assert.deepEqual(cloud.messages, Array(2).fill("info: in progress; trying again in 0 s"));
    refusals = 3;
    await assert.rejects(async () => update({ maxCount: 7 }), /in progress/);
  });

  it("passes on what Azure refuses", async () => {
    const { answer } = cloud;
    cloud.answer = (call, options) => {
      if (call.method === "PUT") throw new ArmError(403, "AuthorizationFailed", "no right");
      return answer(call, options);
    };
    await assert.rejects(async () => update({ maxCount: 6 }), /no right/);
    assert.deepEqual(methods(), ["GET", "PUT"]);
  });

  it("changes nothing in Azure when it is deleted", async () => {
    await handler.delete?.(existing, cloud.context);
    assert.deepEqual(cloud.calls, []);
  });

  it("makes no pool", async () => {
    pool = undefined;
    await assert.rejects(
      handler.create(WANTED, cloud.context),
      new RegExp(`^Error: ${ID} is not there: this resource only takes over the pool that the cluster was made with$`),
    );
  });

  it("shows drift of what is managed and no other, and is gone with the pool", async () => {
    assert.deepEqual(await read(), { id: ID, inputs: WANTED, state: WANTED });
    pool = { ...poolInAzure(), count: 5, maxCount: 9, nodeTaints: undefined, maxPods: 110 };
    const { nodeTaints: _, ...drifted }: Properties = { ...WANTED, maxCount: 9 };
    assert.deepEqual((await read())?.inputs, drifted);
    pool = { ...poolInAzure(), upgradeSettings: { maxSurge: "10%", maxUnavailable: "0" } };
    assert.deepEqual((await read())?.inputs.upgradeSettings, { maxSurge: "10%", drainTimeoutInMinutes: undefined });
    pool = undefined;
    assert.equal(await read(), undefined);
  });

  it("is imported into a stack by the pool's id", async () => {
    const inputs = (await read({}))?.inputs;
    assert.deepEqual(inputs, {
      ...WANTED,
      vnetSubnetID: poolInAzure().vnetSubnetID,
      availabilityZones: ["3", "1", "2"],
    });
    assert.deepEqual(await failures(WANTED, inputs), []);
    await assert.rejects(
      async () => read({}, CLUSTER_ID),
      /is not the ARM id of an agent pool: <ARM id of the cluster>\/agentPools\/<name>/,
    );
  });

  it("shows exactly what changed, and is another one with another cluster or name", async () => {
    const diff = (more: Properties) => handler.diff?.(existing, { ...WANTED, ...more }, cloud.context);
    assert.deepEqual(await diff({ clusterId: CLUSTER_ID.toUpperCase() }), {
      changes: false,
      replaces: [],
      detailed: {},
    });
    assert.deepEqual(await diff({ maxCount: 6 }), {
      changes: true,
      replaces: [],
      detailed: { maxCount: { kind: "update", inputDiff: true } },
    });
    assert.deepEqual((await diff({ clusterId: UNKNOWN }))?.replaces, ["clusterId"]);
    assert.deepEqual((await diff({ name: "other" }))?.replaces, ["name"]);
  });

  const remedy =
    "Take the old value back. Or make the pool anew by hand: add a second system pool for the time being (az aks " +
    "nodepool add --mode System), delete system, add it again under its name with the new value, delete the second " +
    "one, and run `pulumi refresh` before the next `pulumi up`. Or destroy the cluster and make it anew";

  it("refuses what only a new pool can have, with both values and a way", async () => {
    const next = { ...WANTED, vmSize: "Standard_D8ds_v5", availabilityZones: [], maxCount: 6 };
    assert.deepEqual(await failures(next, WANTED), [
      {
        property: "vmSize",
        reason:
          "Azure cannot change vmSize of the agent pool system: it is " +
          `"Standard_D4ds_v5", not "Standard_D8ds_v5". ${remedy}`,
      },
      {
        property: "availabilityZones",
        reason: `Azure cannot change availabilityZones of the agent pool system: it is ["1","2","3"], not []. ${remedy}`,
      },
    ]);
    await assert.rejects(handler.create(next, cloud.context), /cannot change vmSize .*; Azure cannot change availab/);
    assert.deepEqual(methods(), ["GET"]);
  });

  it("takes another size for another cluster's pool, and values that are not known yet", async () => {
    const vmSize = "Standard_D8ds_v5";
    assert.deepEqual(await failures({ ...WANTED, vmSize, clusterId: UNKNOWN }, WANTED), []);
    assert.deepEqual(await failures({ ...WANTED, vmSize, clusterId: `${CLUSTER_ID}2` }, WANTED), []);
    assert.deepEqual(await failures({ ...WANTED, vnetSubnetID: UNKNOWN }, WANTED), []);
  });

  it("names every fault of its inputs", async () => {
    const wrong = {
      ...WANTED,
      name: "System",
      mode: "User",
      enableAutoScaling: false,
      minCount: 0,
      maxCount: 1001,
      upgradeSettings: { maxSurge: "33%" },
      nodeTaints: "x",
      count: 3,
    };
    assert.deepEqual(
      (await failures(wrong)).map(({ property }) => property),
      ["count", "name", "mode", "enableAutoScaling", "minCount", "maxCount", "upgradeSettings", "nodeTaints"],
    );
    assert.deepEqual(await failures(WANTED), []);
  });
});
