// NatGateway against the simulated Resource Manager, which knows the tiers of gateways and addresses.
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { type Properties, type ResourceHandler, UNKNOWN } from "../../../plugin/handler.ts";
import { natGatewayIn } from "../../../provider/azure/natGateway.ts";
import { type Cloud, GROUP, id, LOCATION, newCloud } from "../../rehearsal/cloud/arm/cloud.ts";
import { vnet } from "../../rehearsal/cloud/arm/platform.ts";
import { SimulatedArm } from "./simulatedArm.ts";

const GATEWAY = id("Microsoft.Network/natGateways", "aks12345678");
const ADDRESS = id("Microsoft.Network/publicIPAddresses", "aks12345678");
const INPUTS = { resourceGroupId: GROUP, name: "aks12345678", tags: { costCenter: "4711" } };

describe("NatGateway", () => {
  let arm: Cloud;
  let cloud: SimulatedArm;
  let handler: ResourceHandler;

  beforeEach(async () => {
    arm = await newCloud({ duration: () => 1 });
    cloud = SimulatedArm.of(arm);
    handler = natGatewayIn(cloud, Array<number>(40).fill(5));
  });

  const create = (inputs: Properties = INPUTS) => handler.create(inputs, cloud.context);
  const made = async () => {
    const { id, state } = await create();
    cloud.sent.length = 0;
    return { id, inputs: INPUTS as Properties, state: state as Properties };
  };
  const writes = () => cloud.writes().map(({ method, path }) => `${method} ${path}`);
  const read = ({ id, inputs, state }: Awaited<ReturnType<typeof made>>) =>
    handler.read?.(id, inputs, state, cloud.context);

  it("is a gateway and its address, both zone-redundant and in their group's region", async () => {
    const { id, state } = await create();
    assert.equal(id, GATEWAY);
    const { instance, ipAddress, ...rest } = state as Properties;
    assert.match(String(instance), /^[0-9a-f-]{36}$/);
    assert.deepEqual(rest, INPUTS);
    assert.deepEqual(writes(), [`PUT ${ADDRESS}`, `PUT ${GATEWAY}`]);
    const [gateway, address] = [arm.arm.get(GATEWAY), arm.arm.get(ADDRESS)];
    assert.equal(ipAddress, address?.properties.ipAddress);
    assert.match(String(ipAddress), /^\d+\.\d+\.\d+\.\d+$/);
    for (const one of [gateway, address])
      assert.deepEqual(
        [one?.location, one?.sku, one?.zones, one?.tags],
        [LOCATION, { name: "StandardV2", ...(one === address && { tier: "Regional" }) }, undefined, INPUTS.tags],
      );
    assert.deepEqual(gateway?.properties.publicIpAddresses, [{ id: ADDRESS }]);
  });

  it("takes up what an interrupted run left, and keeps the address", async () => {
    const first = (await create()).state as Properties;
    await arm.unmake(GATEWAY);
    const second = (await create()).state as Properties;
    assert.equal(second.ipAddress, first.ipAddress);
  });

  it("is gone for a refresh when either is, and is made anew by the next update", async () => {
    const existing = await made();
    assert.deepEqual((await read(existing))?.state, existing.state);
    await arm.unmake(GATEWAY);
    assert.equal(await read(existing), undefined);
    await arm.unmake(ADDRESS);
    assert.equal(await read(existing), undefined);
    await create();
    assert.notEqual(await read(existing), undefined);
  });

  it("changes its tags in place, keeps those of others, and is quiet about all that Azure fills in", async () => {
    const existing = await made();
    const subnets = [{ name: "nodes", properties: { addressPrefix: "10.60.0.0/20", natGateway: { id: GATEWAY } } }];
    await arm.make(vnet, {
      location: LOCATION,
      properties: { addressSpace: { addressPrefixes: ["10.60.0.0/16"] }, subnets },
    });
    for (const one of [GATEWAY, ADDRESS]) await arm.call("PATCH", one, { tags: { ...INPUTS.tags, policy: "audited" } });
    arm.arm.passTime();
    assert.deepEqual((await read(existing))?.inputs, INPUTS);
    const next = { ...INPUTS, tags: { owner: "platform" } };
    const diff = await handler.diff?.(existing, next, cloud.context);
    assert.deepEqual([diff?.changes, diff?.replaces ?? []], [true, []]);
    await handler.update?.(existing, next, cloud.context);
    for (const one of [GATEWAY, ADDRESS])
      assert.deepEqual(arm.arm.get(one)?.tags, { policy: "audited", owner: "platform" });
    assert.deepEqual(arm.arm.get(GATEWAY)?.properties.publicIpAddresses, [{ id: ADDRESS }]);
  });

  it("shows a tag that somebody changed or took away", async () => {
    const existing = await made();
    await arm.call("PATCH", ADDRESS, { tags: { costCenter: "1" } });
    assert.deepEqual((await read(existing))?.inputs, { ...INPUTS, tags: { costCenter: "1" } });
    await arm.call("PATCH", ADDRESS, { tags: {} });
    assert.deepEqual((await read(existing))?.inputs, { ...INPUTS, tags: {} });
  });

  it("is another gateway with another name or group, and goes with its address", async () => {
    const existing = await made();
    const diff = (change: object) => handler.diff?.(existing, { ...INPUTS, ...change }, cloud.context);
    assert.deepEqual((await diff({}))?.changes, false);
    assert.deepEqual((await diff({ name: UNKNOWN }))?.replaces, ["name"]);
    assert.deepEqual((await diff({ resourceGroupId: `${GROUP}2` }))?.replaces, ["resourceGroupId"]);
    await handler.delete?.(existing, cloud.context, existing);
    assert.deepEqual(writes(), []);
    await handler.delete?.(existing, cloud.context);
    assert.deepEqual(writes(), [`DELETE ${GATEWAY}`, `DELETE ${ADDRESS}`]);
    assert.deepEqual([arm.arm.get(GATEWAY), arm.arm.get(ADDRESS)], [undefined, undefined]);
    await handler.delete?.(existing, cloud.context);
  });

  it("is imported by its ARM id", async () => {
    await create();
    const imported = await handler.read?.(GATEWAY, {}, {}, cloud.context);
    assert.deepEqual(imported?.inputs, { resourceGroupId: GROUP, name: "aks12345678" });
    await assert.rejects(
      async () => handler.read?.(vnet, {}, {}, cloud.context),
      /is not the ARM id of a NAT gateway: <ARM id of the resource group>/,
    );
  });
});
