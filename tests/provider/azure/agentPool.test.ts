import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { type Properties, type ResourceHandler, UNKNOWN } from "../../../plugin/handler.ts";
import { agentPoolIn } from "../../../provider/azure/agentPool.ts";
import { ArmError } from "../../../provider/azure/armClient.ts";
import { CLUSTER_ID, FakeCloud } from "../fakeCloud.ts";

const ID = `${CLUSTER_ID}/agentPools/system`;
const APPS_ID = `${CLUSTER_ID}/agentPools/apps`;
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

const { nodeTaints: _taints, ...UNTAINTED } = WANTED;
const APPS: Properties = { ...UNTAINTED, name: "apps", mode: "User", minCount: 0 };

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

/** A state but for what is random in it. */
function withoutInstance({ instance, ...rest }: Properties = {}): Properties {
  assert.match(String(instance), /^[0-9a-f-]{36}$/);
  return rest;
}

describe("AgentPool of mode System", () => {
  let cloud: FakeCloud;
  let handler: ResourceHandler;
  let pool: Properties | undefined;
  let cluster: Properties | undefined;
  beforeEach(() => {
    cloud = new FakeCloud();
    handler = agentPoolIn(cloud, [0, 0]);
    pool = poolInAzure();
    cluster = { provisioningState: "Succeeded" };
    cloud.answer = ({ method, path, body }) => {
      if (path === CLUSTER_ID && cluster !== undefined) return { properties: cluster };
      if (path === CLUSTER_ID) throw new ArmError(404, "NotFound", "gone");
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
  const create = async () => {
    const { id, state } = await handler.create(WANTED, cloud.context);
    return { id, state: withoutInstance(state) };
  };
  const read = async (inputs: Properties = WANTED, id = ID) => {
    const found = await handler.read?.(id, inputs, inputs, cloud.context);
    return found && { ...found, state: withoutInstance(found.state) };
  };
  const failures = async (next: Properties, old?: Properties) =>
    (await handler.check?.(next, old, cloud.context, new Uint8Array()))?.failures ?? [];

  it("takes over the cluster's pool, and writes nothing where it is as wanted", async () => {
    assert.deepEqual(await create(), { id: ID, state: WANTED });
    assert.deepEqual(methods(), ["GET"]);
  });

  it("takes over a pool with other settings by writing only what differs", async () => {
    pool = { ...poolInAzure(), maxCount: 9, nodeTaints: undefined };
    await handler.create(WANTED, cloud.context);
    const { currentOrchestratorVersion, eTag, nodeImageVersion, provisioningState, ...rest } = poolInAzure();
    assert.deepEqual(put(), { properties: rest });
  });

  it("changes what changed and leaves the rest to Azure, the number of nodes to the autoscaler", async () => {
    assert.deepEqual(withoutInstance(await update({ maxCount: 6 })), { ...WANTED, maxCount: 6 });
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

  it("takes the kind of disk that Azure chose, where the program says none", async () => {
    const { osDiskType, ...any } = WANTED;
    assert.deepEqual((await handler.create(any, cloud.context)).id, ID);
    assert.deepEqual(methods(), ["GET"]);
    pool = { ...poolInAzure(), osDiskType: "Managed" };
    assert.deepEqual((await read(any))?.inputs, any);
    assert.deepEqual(await failures(any, WANTED), []);
    assert.match(
      (await failures(WANTED, { ...WANTED, osDiskType: "Managed" }))[0]?.reason ?? "",
      /osDiskType .* "Managed"/,
    );
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

  it("says of a pool that went with its cluster what to do", async () => {
    pool = undefined;
    cluster = undefined;
    const way = /After an interrupted `pulumi destroy` .* another `pulumi destroy`, or .* `pulumi up --refresh`/;
    await assert.rejects(
      handler.create(WANTED, cloud.context),
      /agent pool system cannot be made: .*prod is not there/,
    );
    await assert.rejects(handler.create(WANTED, cloud.context), way);
    pool = { ...poolInAzure(), provisioningState: "Deleting" };
    cluster = { provisioningState: "Deleting" };
    await assert.rejects(handler.create(WANTED, cloud.context), /prod is being deleted\. .* when it is gone$/);
    assert.equal(put(), undefined);
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

  /** What Azure, or somebody beside the program, does to a pool. */
  const happenings: [what: string, change: Properties][] = [
    ["the autoscaler changes the number of nodes", { count: 5 }],
    ["AKS upgrades it to another patch", { currentOrchestratorVersion: "1.33.6" }],
    ["AKS upgrades it to another minor", { orchestratorVersion: "1.34", currentOrchestratorVersion: "1.34.1" }],
    ["AKS brings another node image", { nodeImageVersion: "AKSAzureLinux-V3gen2-202512.01.0" }],
    ["the eTag is another one", { eTag: "another" }],
    ["AKS works on it", { provisioningState: "UpgradingNodeImageVersion" }],
    ["AKS says what failed last", { status: { provisioningError: { code: "SubscriptionNotRegistered" } } }],
    ["somebody stops it", { powerState: { code: "Stopped" } }],
    ["AKS fills in sizes", { maxPods: 110, osDiskSizeGB: 150, kubeletDiskType: "OS", scaleDownMode: "Delete" }],
    ["AKS fills in a profile that is new", { securityProfile: { enableVTPM: false }, networkProfile: {} }],
    ["AKS spells the subnet in another way", { vnetSubnetID: SUBNET.toLowerCase() }],
    ["AKS tells the zones in another order", { availabilityZones: ["2", "3", "1"] }],
    [
      "AKS fills in how it upgrades",
      { upgradeSettings: { ...(WANTED.upgradeSettings as object), nodeSoakDurationInMinutes: 0, maxUnavailable: "0" } },
    ],
    ["a policy sets a tag, where the program gives none", { tags: { "policy-owner": "governance" } }],
    ["somebody labels its nodes", { nodeLabels: { team: "platform" } }],
    ["AKS taints nodes until they are ready", { nodeInitializationTaints: ["startup=true:NoSchedule"] }],
  ];
  /** What a read finds is what there was, and a change of the program's own sends all the rest as Azure has it. */
  async function isQuiet(): Promise<void> {
    assert.deepEqual(await read(), { id: ID, inputs: WANTED, state: WANTED });
    const { changes } = (await handler.diff?.(existing, WANTED, cloud.context)) ?? {};
    assert.deepEqual([changes, methods()], [false, ["GET"]]);
  }
  for (const [what, change] of happenings)
    it(`is no difference when ${what}`, async () => {
      pool = { ...poolInAzure(), ...change };
      await isQuiet();
    });

  it("is no difference when all of it happens, and then sends a change that AKS takes, with all of it", async () => {
    const all: Properties = Object.assign({}, ...happenings.map(([, change]) => change), {
      provisioningState: "Succeeded",
    });
    pool = { ...poolInAzure(), ...all };
    await isQuiet();
    await update({ maxCount: 9 });
    const { currentOrchestratorVersion, eTag, nodeImageVersion, provisioningState, status, ...rest } = {
      ...poolInAzure(),
      ...all,
    };
    assert.deepEqual(put(), { properties: { ...rest, maxCount: 9 } });
  });

  describe("of a version that is said", () => {
    const of = (orchestratorVersion: string) => ({ ...WANTED, orchestratorVersion });
    const from = (orchestratorVersion: string) => ({ id: ID, inputs: of(orchestratorVersion), state: WANTED });
    const follow = (orchestratorVersion: string) =>
      handler.update?.(from("1.33"), of(orchestratorVersion), cloud.context);

    it("follows its control plane to the very patch, and nothing else of it is written anew", async () => {
      cluster = { provisioningState: "Succeeded", kubernetesVersion: "1.34", currentKubernetesVersion: "1.34.1" };
      assert.deepEqual(withoutInstance(await follow("1.34")), of("1.34"));
      const { currentOrchestratorVersion, eTag, nodeImageVersion, provisioningState, ...rest } = poolInAzure();
      assert.deepEqual(put(), { properties: { ...rest, orchestratorVersion: "1.34.1" } });
    });

    it("is told in the preview: which versions, how many nodes more, and how long each is drained", async () => {
      await handler.preview?.(of("1.34"), from("1.33"), cloud.context);
      assert.deepEqual(cloud.messages, [
        "info: the agent pool system goes from 1.33.5 to 1.34 after the control plane: 4 nodes, 33% more of them for a " +
          "while; each old one is drained within 30 minutes, and then it goes",
      ]);
      await handler.preview?.(of("1.33"), from("1.33"), cloud.context);
      await handler.preview?.(of("1.33"), { id: ID, inputs: WANTED, state: WANTED }, cloud.context);
      assert.equal(cloud.messages.length, 1);
    });

    it("is not ahead of its control plane", async () => {
      cluster = { provisioningState: "Succeeded", kubernetesVersion: "1.33", currentKubernetesVersion: "1.33.5" };
      await assert.rejects(
        async () => follow("1.34"),
        /the agent pool system cannot be of 1\.34: the control plane of \S+ is of 1\.33\.5\. Upgrade that first/,
      );
      assert.equal(put(), undefined);
    });

    it("is left to AKS's patches, and shown where it is of another minor, or of another patch than was said", async () => {
      pool = { ...poolInAzure(), orchestratorVersion: "1.33.6", currentOrchestratorVersion: "1.33.6" };
      assert.deepEqual((await read(of("1.33")))?.inputs, of("1.33"));
      assert.equal((await read(of("1.33.5")))?.inputs.orchestratorVersion, "1.33.6");
      pool = { ...poolInAzure(), currentOrchestratorVersion: "1.32.9" };
      assert.equal((await read(of("1.33")))?.inputs.orchestratorVersion, "1.32");
      pool = poolInAzure();
      cloud.calls.length = 0;
      await handler.update?.(existing, of("1.33"), cloud.context);
      assert.deepEqual(methods(), ["GET"]);
    });

    it("has its control plane's where it is new", async () => {
      const apps = { ...APPS, orchestratorVersion: "1.34" };
      let sent: Properties = {};
      cloud.answer = ({ method, body }) => {
        if (method !== "PUT") return { properties: undefined };
        sent = (body as { properties: Properties }).properties;
        return {};
      };
      await handler.create(apps, cloud.context);
      assert.equal("orchestratorVersion" in sent, false);
    });
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
      mode: "Gateway",
      enableAutoScaling: "no",
      minCount: -1,
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

describe("AgentPool of mode User", () => {
  let cloud: FakeCloud;
  let handler: ResourceHandler;
  /** What ARM has, and what it comes to after each further look. */
  let pools: (Properties | undefined)[];
  beforeEach(() => {
    cloud = new FakeCloud();
    handler = agentPoolIn(cloud, [0, 0]);
    pools = [undefined];
    cloud.answer = ({ method, path, body }) => {
      if (path === CLUSTER_ID) return { properties: { provisioningState: "Succeeded" } };
      assert.equal(path, APPS_ID);
      if (method === "DELETE") {
        pools = [undefined];
        return undefined;
      }
      if (method === "PUT") pools = [(body as { properties: Properties }).properties];
      const pool = pools.length > 1 ? pools.shift() : pools[0];
      if (pool === undefined) throw new ArmError(404, "NotFound", "gone");
      return { id: APPS_ID, properties: pool };
    };
  });

  const existing = { id: APPS_ID, inputs: APPS, state: { ...APPS, instance: "old" } };
  const inAzure = (more: Properties = {}): Properties => {
    const { clusterId: _, name: __, ...properties } = APPS;
    return { ...properties, count: 4, provisioningState: "Succeeded", ...more };
  };
  const writes = () => cloud.calls.filter(({ method }) => method !== "GET");
  const failures = async (next: Properties, old?: Properties) =>
    (await handler.check?.(next, old, cloud.context, new Uint8Array()))?.failures ?? [];

  it("is made with the least number of nodes where it is not there", async () => {
    const wanted: Properties = {
      ...APPS,
      minCount: 2,
      tags: { owner: "platform" },
      nodeTaints: ["gpu=true:NoSchedule"],
    };
    const { id, state } = await handler.create(wanted, cloud.context);
    assert.deepEqual([id, withoutInstance(state)], [APPS_ID, wanted]);
    const { clusterId: _, name: __, ...properties } = wanted;
    assert.deepEqual(writes(), [{ method: "PUT", path: APPS_ID, body: { properties: { ...properties, count: 2 } } }]);
  });

  it("is taken over where it is there, and changed where it differs; the number of nodes stays", async () => {
    pools = [inAzure()];
    await handler.create(APPS, cloud.context);
    assert.deepEqual(writes(), []);
    pools = [inAzure({ maxCount: 9 })];
    await handler.create(APPS, cloud.context);
    const { provisioningState: _, ...properties } = inAzure();
    assert.deepEqual(
      writes().map(({ body }) => body),
      [{ properties }],
    );
  });

  it("waits for a pool that is being made or deleted, as an interrupted update leaves it", async () => {
    pools = [inAzure({ provisioningState: "Creating" }), inAzure({ provisioningState: "Creating" }), inAzure()];
    await handler.create(APPS, cloud.context);
    assert.deepEqual(writes(), []);
    assert.deepEqual(cloud.messages, Array(2).fill(`info: ${APPS_ID} is in the state Creating; trying again in 0 s`));
    pools = [inAzure({ provisioningState: "Deleting" }), undefined];
    await handler.create(APPS, cloud.context);
    assert.deepEqual(
      writes().map(({ method }) => method),
      ["PUT"],
    );
    pools = [inAzure({ provisioningState: "Creating" })];
    await assert.rejects(handler.create(APPS, cloud.context), /apps is in the state Creating$/);
  });

  it("is written again where Azure failed to make it so", async () => {
    for (const provisioningState of ["Failed", "Canceled"]) {
      pools = [inAzure({ provisioningState })];
      await handler.update?.(existing, { ...APPS, maxCount: 5 }, cloud.context);
    }
    assert.deepEqual(
      writes().map(({ method }) => method),
      ["PUT", "PUT"],
    );
  });

  it("is deleted when Azure has nothing else to do with the cluster, and may be gone already", async () => {
    const { answer } = cloud;
    let refusals = 2;
    cloud.answer = (call, options) => {
      if (call.method === "DELETE" && refusals-- > 0) throw new ArmError(409, "OperationNotAllowed", "in progress");
      return answer(call, options);
    };
    await handler.delete?.(existing, cloud.context);
    assert.deepEqual(cloud.calls, Array(3).fill({ method: "DELETE", path: APPS_ID, body: undefined }));
    assert.deepEqual(cloud.messages, Array(2).fill("info: in progress; trying again in 0 s"));
    cloud.answer = () => {
      throw new ArmError(404, "NotFound", "gone");
    };
    await handler.delete?.(existing, cloud.context);
    cloud.answer = () => {
      throw new ArmError(400, "PodDrainFailure", "a disruption budget holds a pod");
    };
    await assert.rejects(async () => handler.delete?.(existing, cloud.context), /a disruption budget holds a pod/);
  });

  it("stays where another resource has taken it over, and goes where that one has another pool", async () => {
    const successor = (id: string) => ({ ...existing, id, state: { ...APPS, instance: "new" } });
    await handler.delete?.(existing, cloud.context, successor(APPS_ID.toLowerCase()));
    assert.deepEqual(cloud.calls, []);
    await handler.delete?.(existing, cloud.context, successor(`${CLUSTER_ID}/agentPools/web`));
    assert.equal(writes().length, 1);
  });

  it("keeps what tells it from its successor, and has such a text when it was imported", async () => {
    pools = [inAzure()];
    const updated = await handler.update?.(existing, { ...APPS, maxCount: 6 }, cloud.context);
    assert.equal(updated?.instance, "old");
    assert.equal((await handler.read?.(APPS_ID, APPS, existing.state, cloud.context))?.state.instance, "old");
    withoutInstance((await handler.read?.(APPS_ID, {}, {}, cloud.context))?.state);
  });

  it("has the program's tags where it gives any, and those of others where it gives none", async () => {
    const tags = { owner: "platform" };
    const written = () => (pools[0]?.tags ?? {}) as object;
    pools = [inAzure({ tags: { by: "others" } })];
    await handler.create(APPS, cloud.context);
    assert.deepEqual(writes(), []);
    assert.equal((await handler.read?.(APPS_ID, APPS, existing.state, cloud.context))?.inputs.tags, undefined);
    await handler.update?.(existing, { ...APPS, tags }, cloud.context);
    assert.deepEqual(written(), tags);
    pools = [inAzure({ tags: { owner: "nobody" } })];
    const read = await handler.read?.(APPS_ID, { ...APPS, tags }, existing.state, cloud.context);
    assert.deepEqual(read?.inputs.tags, { owner: "nobody" });
    await handler.update?.({ ...existing, inputs: { ...APPS, tags } }, APPS, cloud.context);
    assert.deepEqual(written(), {});
  });

  it("refuses what only another pool can have where a pool of its name is there, and says how to get that", async () => {
    const reason =
      'Azure cannot change vmSize of the agent pool apps: it is "Standard_D4ds_v5", not "Standard_D8ds_v5". Take the ' +
      "old value back. Or give the pool another name: then the new one is made first, and the old one is deleted after it";
    const next = { ...APPS, vmSize: "Standard_D8ds_v5" };
    pools = [inAzure()];
    await assert.rejects(handler.create(next, cloud.context), new RegExp(`^Error: ${reason}$`));
    assert.deepEqual(writes(), []);
    assert.deepEqual(await failures({ ...next, name: "web" }, APPS), []);
  });

  describe("that Azure cannot change", () => {
    const checked = async (next: Properties, old?: Properties) =>
      (await handler.check?.(next, old, cloud.context, new Uint8Array()))?.inputs ?? assert.fail();
    const LARGER = { ...APPS, vmSize: "Standard_D8ds_v5" };

    it("is made anew under another name, which is decided once, before the old one goes", async () => {
      const next = await checked(LARGER, APPS);
      assert.match(String(next.name), /^apps[0-9a-f]{4}$/);
      assert.deepEqual(await failures(LARGER, APPS), []);
      // The engine checks it once more, as if there were none.
      assert.deepEqual(await checked(LARGER), next);
      // An update that was interrupted finds it by that name.
      assert.deepEqual(await checked(LARGER, APPS), next);
      const { changes, replaces, deleteBeforeReplace } =
        (await handler.diff?.(existing, next, cloud.context)) ?? assert.fail();
      assert.deepEqual([changes, replaces, deleteBeforeReplace], [true, ["name", "vmSize"], undefined]);
      assert.deepEqual(cloud.messages, [
        `info: another agent pool, ${next.name}, is made before apps goes: Azure never changes vmSize of one that is ` +
          "there. The old one's pods move when its nodes are drained",
      ]);
    });

    it("keeps that name from then on, whatever Azure can change, and while nothing changes", async () => {
      const made = await checked(LARGER, APPS);
      assert.deepEqual(await checked(LARGER, made), made);
      assert.equal((await checked({ ...LARGER, maxCount: 9 }, made)).name, made.name);
      assert.equal((await handler.diff?.({ ...existing, inputs: made }, made, cloud.context))?.changes, false);
    });

    it("has yet another name when it changes again, and when it changes back", async () => {
      const made = await checked(LARGER, APPS);
      const back = await checked(APPS, made);
      const names = new Set([
        "apps",
        made.name,
        back.name,
        (await checked({ ...LARGER, osDiskType: "Managed" }, made)).name,
      ]);
      assert.equal(names.size, 4);
      assert.equal((await checked(LARGER, back)).name, made.name);
      // What is left out is another wish too.
      const spot = await checked({ ...APPS, scaleSetPriority: "Spot" }, APPS);
      assert.notEqual((await checked(APPS, spot)).name, spot.name);
    });

    it("has a name that Azure takes, whatever it was called, and none of another pool's", async () => {
      const long = (name: string) => ({ ...APPS, name });
      const names = await Promise.all(
        ["frontend1", "frontend2", "a", "applications"].map(async (name) => {
          const { name: made } = await checked({ ...LARGER, name }, long(name));
          assert.match(String(made), /^[a-z][a-z0-9]{4,11}$/);
          assert.equal((await checked({ ...LARGER, name }, { ...LARGER, name: made })).name, made);
          return made;
        }),
      );
      assert.equal(new Set(names).size, 4);
    });

    it("has the name that the program gives where that changes, or the cluster does", async () => {
      const made = await checked(LARGER, APPS);
      assert.equal((await checked({ ...LARGER, name: "web" }, made)).name, "web");
      assert.equal((await checked({ ...LARGER, clusterId: `${CLUSTER_ID}2` }, made)).name, "apps");
      assert.equal((await checked({ ...LARGER, clusterId: UNKNOWN }, made)).name, "apps");
      assert.equal((await checked({ ...APPS, vnetSubnetID: UNKNOWN }, APPS)).name, "apps");
      assert.equal((await checked(LARGER)).name, "apps");
    });
  });

  it("may have no node, which a system pool may not", async () => {
    assert.deepEqual(await failures({ ...APPS, minCount: 0, maxCount: 0 }), []);
    assert.deepEqual(await failures({ ...WANTED, minCount: 0, maxCount: 0 }), [
      { property: "minCount", reason: "0 is not a number of nodes of a system pool: 1 to 1000" },
      { property: "maxCount", reason: "0 is not a number of nodes of a system pool: 1 to 1000" },
    ]);
  });
});
