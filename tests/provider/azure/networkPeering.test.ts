// NetworkPeering against the simulated Resource Manager, which knows how peerings come and go.
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { type Properties, type ResourceHandler, UNKNOWN } from "../../../plugin/handler.ts";
import { ArmError } from "../../../provider/azure/armClient.ts";
import { networkPeeringIn } from "../../../provider/azure/networkPeering.ts";
import { type Cloud, id, LOCATION, newCloud } from "../../rehearsal/cloud/arm/cloud.ts";
import { FakeCloud } from "../fakeCloud.ts";

const vnet = id("Microsoft.Network/virtualNetworks", "vnet");
const HUB_SUBSCRIPTION = "/subscriptions/66666666-2222-4333-8444-555555555555";
const HUB_GROUP = `${HUB_SUBSCRIPTION}/resourceGroups/rg-hub`;
const hub = `${HUB_GROUP}/providers/Microsoft.Network/virtualNetworks/hub`;
const OWN = `${vnet}/virtualNetworkPeerings/hub`;
const BACK = `${hub}/virtualNetworkPeerings/vnet`;
const INPUTS = { networkId: vnet, remoteNetworkId: hub };

const network = (prefix: string) => ({
  location: LOCATION,
  properties: { addressSpace: { addressPrefixes: [prefix] } },
});

describe("NetworkPeering", () => {
  let arm: Cloud;
  let cloud: FakeCloud;
  let handler: ResourceHandler;

  const setUp = async (duration: number, waits: readonly number[]) => {
    arm = await newCloud({ duration: () => duration, otherSubscriptions: [HUB_SUBSCRIPTION.split("/")[2] ?? ""] });
    arm.arm.assignRole(arm.owner.objectId, "Network Contributor", HUB_GROUP);
    arm.arm.begin([
      { id: HUB_GROUP, name: "rg-hub", type: "Microsoft.Resources/resourceGroups", location: LOCATION, properties: {} },
      {
        ...{ id: hub, name: "hub", type: "Microsoft.Network/virtualNetworks", location: LOCATION },
        properties: { ...network("10.50.0.0/16").properties, subnets: [], provisioningState: "Succeeded" },
      },
    ]);
    await arm.make(vnet, network("10.60.0.0/16"));
    cloud = new FakeCloud();
    handler = networkPeeringIn(cloud, waits);
    // As ArmClient does: errors are thrown, operations are waited for.
    cloud.answer = async ({ method, path, body }) => {
      const answer = await arm.call(method, path, body as object | undefined);
      const { code, message } = answer.body?.error ?? {};
      if (answer.status >= 400) throw new ArmError(answer.status, code, `${method} ${path}: ${message}`);
      await arm.finish(answer);
      return answer.body;
    };
  };

  beforeEach(() => setUp(5, [0, 0]));

  const states = async () =>
    Promise.all([OWN, BACK].map(async (path) => (await arm.call("GET", path)).body.properties?.peeringState));
  const writes = () =>
    cloud.calls.filter(({ method }) => method !== "GET").map(({ method, path }) => `${method} ${path}`);
  const create = () => handler.create(INPUTS, cloud.context);
  const made = async () => {
    const { id, state } = await create();
    cloud.calls.length = 0;
    return { id, inputs: INPUTS, state: state as Properties };
  };

  it("peers networks of two subscriptions from both sides, one after the other, until both are Connected", async () => {
    const { id, state } = await create();
    assert.equal(id, OWN);
    const { instance, ...rest } = state as Properties;
    assert.match(String(instance), /^[0-9a-f-]{36}$/);
    assert.deepEqual(rest, INPUTS);
    assert.deepEqual(writes(), [`PUT ${OWN}`, `PUT ${BACK}`]);
    assert.deepEqual(await states(), ["Connected", "Connected"]);
    const { properties } = (await arm.call("GET", OWN)).body;
    assert.deepEqual([properties.allowVirtualNetworkAccess, properties.allowForwardedTraffic], [true, true]);
  });

  it("waits while one of the networks is being written, and says so", async () => {
    await setUp(60, Array<number>(60).fill(5));
    const writing = arm.call("PUT", `${vnet}/subnets/a`, { properties: { addressPrefix: "10.60.0.0/24" } });
    await writing;
    await create();
    assert.deepEqual(await states(), ["Connected", "Connected"]);
    assert.match(cloud.messages[0] ?? "", /^info: PUT .* Another operation .*; trying again in 0\.005 s$/);
  });

  it("takes up what an interrupted run left, and makes nothing twice", async () => {
    await arm.make(OWN, { properties: { remoteVirtualNetwork: { id: hub } } });
    await create();
    assert.deepEqual(writes(), [`PUT ${BACK}`]);
    assert.deepEqual(await states(), ["Connected", "Connected"]);
  });

  it("uses a peering that somebody else made, and leaves it when it goes", async () => {
    const theirs = `${hub}/virtualNetworkPeerings/spoke-of-platform`;
    await arm.make(theirs, { properties: { remoteVirtualNetwork: { id: vnet } } });
    const existing = await made();
    await handler.delete?.(existing, cloud.context);
    assert.equal((await arm.call("GET", OWN)).status, 404);
    assert.equal((await arm.call("GET", theirs)).status, 200);
    // What is left of theirs is Disconnected by now, and not this stack's to delete.
    await assert.rejects(
      create(),
      /spoke-of-platform is Disconnected and not of this stack: delete it or make it anew/,
    );
  });

  it("is gone for a refresh when a side is gone or not Connected, and is made anew by the next update", async () => {
    const { id, inputs, state } = await made();
    const read = () => handler.read?.(id, inputs, state, cloud.context);
    assert.deepEqual((await read())?.state, state);
    await arm.unmake(BACK);
    assert.equal(await read(), undefined);
    await create();
    assert.deepEqual(await states(), ["Connected", "Connected"]);
    assert.notEqual(await read(), undefined);
  });

  it("counts as known for a refresh by one who may not look there, which is told, and is not imported so", async () => {
    const { id, inputs, state } = await made();
    cloud.answer = async () => {
      throw new ArmError(403, "AuthorizationFailed", "GET: 403 AuthorizationFailed: not you");
    };
    assert.deepEqual(await handler.read?.(id, inputs, state, cloud.context), { id, inputs, state });
    assert.deepEqual(cloud.messages.slice(-1), [
      `warning: ${id} was not looked at, so it counts as before: GET: 403 AuthorizationFailed: not you`,
    ]);
    await assert.rejects(async () => handler.read?.(id, {}, {}, cloud.context), /not you/);
    cloud.answer = async () => {
      throw new ArmError(500, "Internal", "broken");
    };
    await assert.rejects(async () => handler.read?.(id, inputs, state, cloud.context), /broken/);
  });

  it("says which side does not come to Connected", async () => {
    const answer = cloud.answer;
    cloud.answer = async (call, options) => {
      const found = (await answer(call, options)) as { value?: { properties: { peeringState: string } }[] };
      for (const { properties } of found?.value ?? []) properties.peeringState = "Initiated";
      return found;
    };
    await assert.rejects(
      create(),
      new RegExp(`both peerings have to be Connected: ${OWN} is Initiated, ${BACK} is Initiated`),
    );
  });

  it("fails in Azure's words where networks share addresses or rights are missing", async () => {
    await arm.unmake(vnet);
    await arm.make(vnet, network("10.50.0.0/24"));
    await assert.rejects(create(), /cannot be peered because their address spaces overlap/);
  });

  it("deletes both sides, and is content with what is gone", async () => {
    const existing = await made();
    await arm.unmake(vnet);
    await handler.delete?.(existing, cloud.context);
    assert.deepEqual(writes(), [`DELETE ${BACK}`, `DELETE ${OWN}`]);
    assert.equal((await arm.call("GET", BACK)).status, 404);
  });

  it("is handed over to what takes its place between the same networks", async () => {
    const existing = await made();
    await handler.delete?.(existing, cloud.context, { ...existing, id: OWN.toUpperCase() });
    assert.deepEqual(writes(), []);
  });

  it("is replaced by another network, and not by another spelling", async () => {
    const existing = await made();
    const diff = async (inputs: Properties) => (await handler.diff?.(existing, inputs, cloud.context))?.replaces;
    assert.deepEqual(await diff({ ...INPUTS, remoteNetworkId: hub.toUpperCase() }), []);
    assert.deepEqual(await diff({ ...INPUTS, remoteNetworkId: `${hub}2` }), ["remoteNetworkId"]);
    assert.deepEqual(await diff({ ...INPUTS, networkId: UNKNOWN }), ["networkId"]);
  });

  it("refuses a network that is peered with itself, and what is no network", async () => {
    const failures = async (inputs: Properties) =>
      ((await handler.check?.(inputs, undefined, cloud.context, new Uint8Array()))?.failures ?? []).map(
        ({ reason }) => reason,
      );
    assert.deepEqual(await failures({ networkId: vnet, remoteNetworkId: vnet }), [
      `${vnet} is networkId itself: name another one`,
    ]);
    assert.match((await failures({ ...INPUTS, remoteNetworkId: "hub" }))[0] ?? "", /ARM id of a resource/);
  });

  it("is imported by one peering's id", async () => {
    await create();
    const imported = await handler.read?.(OWN, {}, {}, cloud.context);
    assert.deepEqual(imported?.inputs, INPUTS);
    await assert.rejects(async () => handler.read?.("x", {}, {}, cloud.context), /"x" is not the ARM id of a peering/);
  });
});
