// What is read before anything is made: sizes and quotas of a region, and what a caller may do.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { GROUP, LOCATION, newCloud, outcome, ROOT } from "./cloud.ts";
import { cluster, clusterBody, identities, network } from "./platform.ts";

const COMPUTE = `${ROOT}/providers/Microsoft.Compute`;
const of = (location: string) => ({ query: `&$filter=${encodeURIComponent(`location eq '${location}'`)}` });

describe("simulated ARM: Microsoft.Compute", () => {
  it("lists the sizes of one region, with their processors, zones and what is restricted", async () => {
    const cloud = await newCloud({
      compute: { restricted: { Standard_D2ds_v5: "all", Standard_D4ds_v5: ["1"] } },
    });
    const { body } = await cloud.call("GET", `${COMPUTE}/skus`, undefined, { version: "2021-07-01", ...of(LOCATION) });
    const size = (name: string) => body.value.find((one: { name: string }) => one.name === name);
    assert.deepEqual(size("Standard_D8ds_v5"), {
      resourceType: "virtualMachines",
      name: "Standard_D8ds_v5",
      tier: "Standard",
      size: "D8ds_v5",
      family: "standardDDSv5Family",
      locations: [LOCATION],
      locationInfo: [{ location: LOCATION, zones: ["1", "2", "3"], zoneDetails: [] }],
      capabilities: [{ name: "vCPUs", value: "8" }],
      restrictions: [],
    });
    const restrictions = (name: string) => size(name).restrictions[0];
    assert.deepEqual(restrictions("Standard_D2ds_v5"), {
      type: "Location",
      values: [LOCATION],
      restrictionInfo: { locations: [LOCATION] },
      reasonCode: "NotAvailableForSubscription",
    });
    assert.deepEqual(restrictions("Standard_D4ds_v5").restrictionInfo, { locations: [LOCATION], zones: ["1"] });
    const west = await cloud.call("GET", `${COMPUTE}/skus`, undefined, { version: "2021-07-01", ...of("westus") });
    assert.deepEqual(west.body.value[0].locationInfo[0].zones, []);
    const nowhere = await cloud.call("GET", `${COMPUTE}/skus`, undefined, { version: "2021-07-01", ...of("moon") });
    assert.deepEqual(nowhere.body, { value: [] });
  });

  it("lists no sizes of the whole world, and no quotas of a region that is none", async () => {
    const cloud = await newCloud();
    const [, code] = outcome(await cloud.call("GET", `${COMPUTE}/skus`, undefined, { version: "2021-07-01" }));
    assert.equal(code, "InvalidParameter");
    const usages = await cloud.call("GET", `${COMPUTE}/locations/moon/usages`, undefined, { version: "2024-07-01" });
    assert.equal(outcome(usages)[1], "NoRegisteredProviderFound");
  });

  it("counts the nodes of clusters and what others use", async () => {
    const cloud = await newCloud({ compute: { quotas: { standardDDSv5Family: 20 }, used: { cores: 3 } } });
    const usage = async (name: string) => {
      const path = `${COMPUTE}/locations/${LOCATION}/usages`;
      const { body } = await cloud.call("GET", path, undefined, { version: "2024-07-01" });
      const { currentValue, limit } = body.value.find((one: { name: { value: string } }) => one.name.value === name);
      return [currentValue, limit];
    };
    assert.deepEqual(await usage("standardDDSv5Family"), [0, 20]);
    await network(cloud);
    await identities(cloud);
    await cloud.make(cluster, clusterBody());
    const pools = cloud.arm.list("Microsoft.ContainerService/managedClusters/agentPools");
    const cores = pools.reduce((sum, { properties }) => sum + Number(properties.count) * 4, 0);
    assert.notEqual(cores, 0);
    assert.deepEqual(await usage("standardDDSv5Family"), [cores, 20]);
    assert.deepEqual(await usage("cores"), [cores + 3, 1000]);
  });

  it("tells neither to who may not read the subscription", async () => {
    const cloud = await newCloud();
    const as = cloud.directory.add("ServicePrincipal", "stranger");
    for (const path of [`${COMPUTE}/skus`, `${COMPUTE}/locations/${LOCATION}/usages`])
      assert.equal((await cloud.call("GET", path, undefined, { as, ...of(LOCATION) })).status, 403, path);
  });
});

describe("simulated ARM: permissions", () => {
  it("are those of the caller's roles at the scope and above it, and of no other", async () => {
    const cloud = await newCloud();
    const as = cloud.directory.add("ServicePrincipal", "reader");
    const path = (scope: string) => `${scope}/providers/Microsoft.Authorization/permissions`;
    const ask = (scope: string) => cloud.call("GET", path(scope), undefined, { as, version: "2022-04-01" });
    assert.equal((await ask(GROUP)).status, 403);
    cloud.arm.assignRole(as.objectId, "Reader", GROUP);
    assert.deepEqual((await ask(GROUP)).body, {
      value: [{ actions: ["*/read"], notActions: [], dataActions: [], notDataActions: [] }],
    });
    assert.equal((await ask(ROOT)).status, 403);
    cloud.arm.assignRole(as.objectId, "Contributor", ROOT);
    assert.equal((await ask(GROUP)).body.value.length, 2);
    assert.equal((await ask(ROOT)).body.value.length, 1);
  });
});
