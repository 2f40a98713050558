// ZoneLink against the simulated Resource Manager, which knows what a network may ask.
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { type Properties, type ResourceHandler, UNKNOWN } from "../../../plugin/handler.ts";
import { ArmError } from "../../../provider/azure/armClient.ts";
import { zoneLinkIn } from "../../../provider/azure/zoneLink.ts";
import { type Cloud, id, LOCATION, newCloud } from "../../rehearsal/cloud/arm/cloud.ts";
import { FakeCloud } from "../fakeCloud.ts";
import { SimulatedArm } from "./simulatedArm.ts";

const vnet = id("Microsoft.Network/virtualNetworks", "vnet");
const HUB_GROUP = "/subscriptions/66666666-2222-4333-8444-555555555555/resourceGroups/rg-hub";
const ZONE = `${HUB_GROUP}/providers/Microsoft.Network/privateDnsZones/privatelink.azurecr.io`;
const OWN = new RegExp(`^${ZONE}/virtualNetworkLinks/vnet-[0-9a-f]{8}$`);
const INPUTS = { zoneId: ZONE, networkId: vnet };
const BODY = { location: "global", properties: { virtualNetwork: { id: vnet } } };

describe("ZoneLink", () => {
  let arm: Cloud;
  let cloud: SimulatedArm;
  let handler: ResourceHandler;

  const setUp = async (duration = 1) => {
    arm = await newCloud({ duration: () => duration, otherSubscriptions: [HUB_GROUP.split("/")[2] ?? ""] });
    arm.arm.assignRole(arm.owner.objectId, "Network Contributor", HUB_GROUP);
    arm.arm.begin([
      { id: HUB_GROUP, name: "rg-hub", type: "Microsoft.Resources/resourceGroups", location: LOCATION, properties: {} },
    ]);
    await arm.make(vnet, { location: LOCATION, properties: { addressSpace: { addressPrefixes: ["10.60.0.0/16"] } } });
    await arm.make(ZONE, { location: "global" });
    cloud = SimulatedArm.of(arm);
    handler = zoneLinkIn(cloud, Array<number>(40).fill(5));
  };
  beforeEach(() => setUp());

  const create = () => handler.create(INPUTS, cloud.context);
  const links = () => arm.arm.list("Microsoft.Network/privateDnsZones/virtualNetworkLinks").map((link) => link.id);
  const made = async () => {
    const { id, state } = await create();
    cloud.sent.length = 0;
    return { id, inputs: INPUTS, state: state as Properties };
  };

  it("lets a network ask a zone of another subscription, and is there when it does", async () => {
    const { id, state } = await create();
    assert.match(id, OWN);
    const { instance, ...rest } = state as Properties;
    assert.match(String(instance), /^[0-9a-f-]{36}$/);
    assert.deepEqual(rest, INPUTS);
    assert.deepEqual(links(), [id]);
    const { virtualNetworkLinkState, registrationEnabled } = arm.arm.get(id)?.properties ?? {};
    assert.deepEqual([virtualNetworkLinkState, registrationEnabled], ["Completed", false]);
  });

  it("uses a link that somebody else made, and leaves it when it goes", async () => {
    const theirs = `${ZONE}/virtualNetworkLinks/spoke-of-platform`;
    await arm.make(theirs, BODY);
    const existing = await made();
    assert.deepEqual(links(), [theirs]);
    await handler.delete?.(existing, cloud.context);
    assert.deepEqual(links(), [theirs]);
  });

  it("waits for a link that an interrupted run began, and makes no second one", async () => {
    await setUp(60);
    const { id } = await handler.create(INPUTS, cloud.context);
    await arm.unmake(id);
    await arm.call("PUT", id, BODY);
    cloud.sent.length = 0;
    await create();
    assert.deepEqual(cloud.writes(), []);
    assert.deepEqual(links(), [id]);
    assert.match(cloud.messages[0] ?? "", /^info: \S+ has to be Completed, it is InProgress; trying again/);
  });

  it("is gone for a refresh when the link is, and is made anew by the next update", async () => {
    const { id, inputs, state } = await made();
    const read = () => handler.read?.(id, inputs, state, cloud.context);
    assert.deepEqual((await read())?.state, state);
    await arm.unmake(id);
    assert.equal(await read(), undefined);
    await create();
    assert.deepEqual(links(), [id]);
  });

  it("counts as known for a refresh by one who may not look there, which is told", async () => {
    const { id, inputs, state } = await made();
    const closed = new FakeCloud();
    closed.answer = async () => {
      throw new ArmError(403, "AuthorizationFailed", "GET: 403 AuthorizationFailed: not you");
    };
    assert.deepEqual(await zoneLinkIn(closed).read?.(id, inputs, state, closed.context), { id, inputs, state });
    assert.deepEqual(closed.messages, [
      `warning: ${id} was not looked at, so it counts as before: GET: 403 AuthorizationFailed: not you`,
    ]);
  });

  it("goes, is content with what is gone, and stays for what takes its place between the same two", async () => {
    const existing = await made();
    await handler.delete?.(existing, cloud.context, existing);
    assert.deepEqual(links(), [existing.id]);
    await handler.delete?.(existing, cloud.context);
    assert.deepEqual(links(), []);
    await handler.delete?.(existing, cloud.context);
  });

  it("says which zone the network asks already", async () => {
    const other = ZONE.replace("/rg-hub/", "/rg/").replace(HUB_GROUP.split("/")[2] ?? "", vnet.split("/")[2] ?? "");
    await arm.make(other, { location: "global" });
    await arm.make(`${other}/virtualNetworkLinks/first`, BODY);
    await assert.rejects(create(), (error: Error) => {
      assert.match(error.message, /overlapping namespaces/);
      assert.match(
        error.message,
        /\S+\/vnet asks another zone named privatelink\.azurecr\.io: name that one instead of/,
      );
      return true;
    });
  });

  it("is another resource with another zone or network, and is imported by the id of any link", async () => {
    const existing = await made();
    const diff = (next: object) => handler.diff?.(existing, { ...INPUTS, ...next }, cloud.context);
    assert.deepEqual((await diff({}))?.changes, false);
    assert.deepEqual((await diff({ networkId: vnet.toUpperCase() }))?.changes, false);
    assert.deepEqual((await diff({ zoneId: UNKNOWN }))?.replaces, ["zoneId"]);
    assert.deepEqual((await diff({ networkId: `${vnet}2` }))?.replaces, ["networkId"]);
    const imported = await handler.read?.(existing.id, {}, {}, cloud.context);
    assert.deepEqual(imported?.inputs, INPUTS);
  });
});
