import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import type { Place } from "../../../../rehearsal/cloud/types.ts";
import type { Answer } from "../request.ts";
import { type Cloud, id, LOCATION, newCloud, outcome } from "./cloud.ts";
import {
  address,
  cluster,
  clusterBody,
  gateway,
  identities,
  NODES,
  network,
  registry,
  registryBody,
  vault,
  vaultBody,
  vnet,
} from "./platform.ts";

const space = { addressSpace: { addressPrefixes: ["10.60.0.0/16"] } };
const subnet = (name: string, addressPrefix: string) => ({ name, properties: { addressPrefix } });
const endpoint = id("Microsoft.Network/privateEndpoints", "pe");
const zone = (name: string) => id("Microsoft.Network/privateDnsZones", name);

const endpointBody = (target: string, groupId: string) => ({
  location: LOCATION,
  properties: {
    subnet: { id: `${vnet}/subnets/endpoints` },
    privateLinkServiceConnections: [{ name: "one", properties: { privateLinkServiceId: target, groupIds: [groupId] } }],
  },
});

describe("simulated ARM: networks", () => {
  let cloud: Cloud;

  beforeEach(async () => {
    cloud = await newCloud();
  });

  const wrong: [what: string, properties: object, code: string][] = [
    ["a subnet outside of its network", { ...space, subnets: [subnet("a", "10.61.0.0/24")] }, "NetcfgInvalidSubnet"],
    ["a subnet that is too small", { ...space, subnets: [subnet("a", "10.60.0.0/30")] }, "NetcfgInvalidSubnet"],
    [
      "subnets that overlap",
      { ...space, subnets: [subnet("a", "10.60.0.0/24"), subnet("b", "10.60.0.128/25")] },
      "NetcfgSubnetRangesOverlap",
    ],
    ["a prefix with host bits", { ...space, subnets: [subnet("a", "10.60.0.1/24")] }, "InvalidCIDRNotation"],
    [
      "an address space with host bits",
      { addressSpace: { addressPrefixes: ["10.60.0.1/16"] } },
      "InvalidAddressPrefixFormat",
    ],
    [
      "two subnets of one name",
      { ...space, subnets: [subnet("a", "10.60.0.0/24"), subnet("A", "10.60.1.0/24")] },
      "InvalidRequestFormat",
    ],
    [
      "a reference to what is not there",
      {
        ...space,
        subnets: [{ name: "a", properties: { addressPrefix: "10.60.0.0/24", natGateway: { id: gateway } } }],
      },
      "InvalidResourceReference",
    ],
  ];
  for (const [what, properties, code] of wrong)
    it(`refuses ${what}`, async () => {
      assert.deepEqual((await cloud.refused(vnet, { location: LOCATION, properties })).slice(0, 2), [400, code]);
    });

  it("shows subnets in their network, whether they came inline or alone", async () => {
    await cloud.make(vnet, { location: LOCATION, properties: { ...space, subnets: [subnet("a", "10.60.0.0/24")] } });
    await cloud.make(`${vnet}/subnets/b`, { properties: { addressPrefix: "10.60.1.0/24" } });
    const { properties } = (await cloud.call("GET", vnet)).body;
    assert.deepEqual(
      properties.subnets.map((one: { name: string }) => one.name),
      ["a", "b"],
    );
    assert.equal(properties.provisioningState, "Succeeded");
    assert.equal(
      (await cloud.call("GET", `${vnet}/subnets/a`)).body.properties.privateEndpointNetworkPolicies,
      "Disabled",
    );
    assert.deepEqual(
      (await cloud.refused(`${vnet}/subnets/c`, { properties: { addressPrefix: "10.60.1.0/25" } })).slice(0, 2),
      [400, "NetcfgSubnetRangesOverlap"],
    );
  });

  it("keeps subnets that a network's PUT does not mention, and drops those that its list leaves out", async () => {
    await cloud.make(vnet, {
      location: LOCATION,
      properties: { ...space, subnets: [subnet("a", "10.60.0.0/24"), subnet("b", "10.60.1.0/24")] },
    });
    assert.equal((await cloud.make(vnet, { location: LOCATION, properties: space })).properties.subnets.length, 2);
    assert.equal(
      (await cloud.make(vnet, { location: LOCATION, properties: { ...space, subnets: [subnet("b", "10.60.1.0/24")] } }))
        .properties.subnets.length,
      1,
    );
    assert.equal((await cloud.call("GET", `${vnet}/subnets/a`)).status, 404);
  });

  it("does one operation on a network and its subnets at a time", async () => {
    cloud = await newCloud({ duration: () => 100 });
    await cloud.make(vnet, { location: LOCATION, properties: space });
    const first = await cloud.call("PUT", `${vnet}/subnets/a`, { properties: { addressPrefix: "10.60.0.0/24" } });
    assert.equal(first.status, 201);
    const second = { properties: { addressPrefix: "10.60.1.0/24" } };
    assert.deepEqual((await cloud.refused(`${vnet}/subnets/b`, second)).slice(0, 2), [
      409,
      "AnotherOperationInProgress",
    ]);
    assert.deepEqual((await cloud.refused(vnet, { location: LOCATION, properties: space })).slice(0, 2), [
      409,
      "AnotherOperationInProgress",
    ]);
    await cloud.finish(first);
    assert.equal((await cloud.call("PUT", `${vnet}/subnets/b`, second)).status, 201);
  });

  it("refuses to use what is not ready", async () => {
    cloud = await newCloud({ duration: () => 100 });
    await cloud.call("PUT", address, {
      location: LOCATION,
      sku: { name: "Standard" },
      properties: { publicIPAllocationMethod: "Static" },
    });
    const body = {
      location: LOCATION,
      sku: { name: "Standard" },
      properties: { publicIpAddresses: [{ id: address }] },
    };
    const answer = await cloud.call("PUT", gateway, body);
    assert.deepEqual(outcome(answer), [429, "RetryableError", "A retryable error occurred."]);
    assert.deepEqual(answer.body.error.details, [
      {
        code: "ReferencedResourceNotProvisioned",
        message: `Cannot proceed with operation because resource ${address} used by resource ${gateway} is not in Succeeded state. Resource is in Updating state and the last operation that updated/is updating the resource is PutPublicIpAddressOperation.`,
      },
    ]);
  });

  it("writes one private endpoint of a subnet at a time, and none while a cluster joins it", async () => {
    let now = Date.now();
    const pass = async (answer: Answer) => {
      now += 60_000;
      await cloud.finish(answer);
    };
    const slow = /(privateEndpoints|managedClusters)$/;
    cloud = await newCloud({ now: () => now, duration: (type) => (slow.test(type) ? 60_000 : 0) });
    await network(cloud);
    await cloud.make(vault("kv-one"), vaultBody());
    await cloud.make(registry("acrone"), registryBody("Premium"));
    const [one, other] = ["one", "other"].map((name) => id("Microsoft.Network/privateEndpoints", name)) as [
      string,
      string,
    ];
    const first = await cloud.call("PUT", one, endpointBody(vault("kv-one"), "vault"));
    assert.equal(first.status, 201);
    const busy = await cloud.call("PUT", other, endpointBody(registry("acrone"), "registry"));
    assert.deepEqual(outcome(busy).slice(0, 2), [429, "RetryableError"]);
    assert.match(
      busy.body.error.details[0].message,
      /subnets\/endpoints used by resource .*\/privateEndpoints\/other is not in Succeeded state.* PutSubnetOperation\.$/,
    );
    await pass(first);
    const second = await cloud.call("PUT", other, endpointBody(registry("acrone"), "registry"));
    assert.equal(second.status, 201);
    assert.deepEqual(outcome(await cloud.call("DELETE", one)).slice(0, 2), [429, "RetryableError"]);
    await pass(second);

    await identities(cloud);
    const joining = await cloud.call("PUT", cluster, clusterBody());
    assert.equal(joining.status, 201, JSON.stringify(joining.body));
    const { properties } = endpointBody(vault("kv-one"), "vault");
    const beside = { location: LOCATION, properties: { ...properties, subnet: { id: NODES } } };
    const refused = id("Microsoft.Network/privateEndpoints", "third");
    assert.deepEqual((await cloud.refused(refused, beside)).slice(0, 2), [429, "RetryableError"]);
    await pass(joining);
    assert.equal((await cloud.call("PUT", refused, beside)).status, 201);
  });

  it("refuses the records of an endpoint that is being written, with no word of trying again", async () => {
    const now = Date.now();
    cloud = await newCloud({ now: () => now, duration: (type) => (type.endsWith("/privateEndpoints") ? 60_000 : 0) });
    await network(cloud);
    await cloud.make(vault("kv-one"), vaultBody());
    const one = zone("privatelink.vaultcore.azure.net");
    await cloud.make(one, { location: "global" });
    await cloud.call("PUT", endpoint, endpointBody(vault("kv-one"), "vault"));
    const records = {
      properties: { privateDnsZoneConfigs: [{ name: "vault", properties: { privateDnsZoneId: one } }] },
    };
    const [status, code, message] = await cloud.refused(`${endpoint}/privateDnsZoneGroups/default`, records);
    assert.deepEqual([status, code], [400, "ReferencedResourceNotProvisioned"]);
    assert.match(message, /Resource is in Updating state .* PutPrivateEndpointOperation\.$/);
  });

  it("keeps in use what is in use", async () => {
    await network(cloud);
    const [status, code, message] = outcome(await cloud.call("DELETE", gateway));
    assert.deepEqual([status, code], [400, "InUseNatGatewayCannotBeDeleted"]);
    assert.match(message, /in use by .*\/subnets\/nodes/);
    assert.deepEqual(outcome(await cloud.call("DELETE", address)).slice(0, 2), [400, "PublicIPAddressCannotBeDeleted"]);
    assert.deepEqual((await cloud.call("GET", gateway)).body.properties.subnets, [{ id: NODES }]);
    await cloud.make(registry("acrone"), registryBody("Premium"));
    await cloud.make(endpoint, endpointBody(registry("acrone"), "registry"));
    assert.deepEqual(outcome(await cloud.call("DELETE", vnet)).slice(0, 2), [400, "InUseSubnetCannotBeDeleted"]);
    await cloud.unmake(endpoint);
    await cloud.unmake(vnet);
    await cloud.unmake(gateway);
    await cloud.unmake(address);
  });

  it("gives StandardV2 gateways StandardV2 addresses alone, in regions that have them, and changes no tier", async () => {
    const V2 = { name: "StandardV2" };
    const properties = { publicIPAllocationMethod: "Static" };
    const using = { properties: { publicIpAddresses: [{ id: address }] } };
    await cloud.make(address, { location: LOCATION, sku: { name: "Standard" }, properties });
    assert.deepEqual((await cloud.refused(gateway, { location: LOCATION, sku: V2, ...using })).slice(0, 2), [
      400,
      "NatGatewayPublicIPAddressMustBeStandardV2Sku",
    ]);
    await cloud.make(gateway, { location: LOCATION, sku: { name: "Standard" }, ...using });
    for (const [one, body] of [
      [gateway, using],
      [address, { properties }],
    ] as const)
      assert.deepEqual((await cloud.refused(one, { location: LOCATION, sku: V2, ...body })).slice(0, 2), [
        400,
        "PropertyChangeNotAllowed",
      ]);
    await cloud.unmake(gateway);
    await cloud.unmake(address);
    const dynamic = { location: LOCATION, sku: V2, properties: { publicIPAllocationMethod: "Dynamic" } };
    assert.equal((await cloud.refused(address, dynamic))[1], "PublicIPAndSkuAllocationMethodMismatch");
    await cloud.make(address, { location: LOCATION, sku: V2, properties });
    const standard = { location: LOCATION, sku: { name: "Standard" }, ...using };
    assert.equal((await cloud.refused(gateway, standard))[1], "NatGatewayPublicIPAddressMustBeStandardSku");
    const elsewhere = { location: "qatarcentral", sku: V2, properties: {} };
    assert.equal((await cloud.refused(`${gateway}2`, elsewhere))[1], "SkuNotAvailable");
    await cloud.make(gateway, { location: LOCATION, sku: V2, ...using });
  });

  it("gives Standard addresses and gateways only what they take", async () => {
    const standard = {
      location: LOCATION,
      sku: { name: "Standard" },
      properties: { publicIPAllocationMethod: "Dynamic" },
    };
    assert.deepEqual((await cloud.refused(address, standard)).slice(0, 2), [
      400,
      "PublicIPAndSkuAllocationMethodMismatch",
    ]);
    const made = await cloud.make(address, { ...standard, sku: { name: "Basic" } });
    assert.match(made.properties.ipAddress, /^203\.0\.113\.\d+$/);
    const body = {
      location: LOCATION,
      sku: { name: "Standard" },
      properties: { publicIpAddresses: [{ id: address }] },
    };
    assert.deepEqual((await cloud.refused(gateway, body)).slice(0, 2), [
      400,
      "NatGatewayPublicIPAddressMustBeStandardSku",
    ]);
    assert.deepEqual(
      (await cloud.refused(address, { ...standard, properties: { publicIPAllocationMethod: "Static" } })).slice(0, 2),
      [400, "PropertyChangeNotAllowed"],
    );
  });

  it("leads a subnet's traffic by a route table that stays as long as it is used", async () => {
    const table = id("Microsoft.Network/routeTables", "rt");
    const routes = (properties: object) => ({
      location: LOCATION,
      properties: { routes: [{ name: "r", properties }] },
    });
    const appliance = { addressPrefix: "0.0.0.0/0", nextHopType: "VirtualAppliance" };
    assert.deepEqual((await cloud.refused(table, routes(appliance))).slice(0, 2), [400, "InvalidNextHopIpAddress"]);
    await cloud.make(table, routes({ ...appliance, nextHopIpAddress: "10.50.1.4" }));
    const routed = { name: "a", properties: { addressPrefix: "10.60.0.0/24", routeTable: { id: table } } };
    await cloud.make(vnet, { location: LOCATION, properties: { ...space, subnets: [routed] } });
    assert.deepEqual(outcome(await cloud.call("DELETE", table)).slice(0, 2), [400, "InUseRouteTableCannotBeDeleted"]);
    await cloud.unmake(vnet);
    await cloud.unmake(table);
  });

  it("connects privately only what can be", async () => {
    await network(cloud);
    await cloud.make(registry("acrone"), registryBody("Standard"));
    await cloud.make(vault("kv-one"), vaultBody());
    assert.deepEqual((await cloud.refused(endpoint, endpointBody(registry("acrone"), "registry"))).slice(0, 2), [
      400,
      "FeatureNotSupported",
    ]);
    assert.deepEqual((await cloud.refused(endpoint, endpointBody(vault("kv-one"), "registry"))).slice(0, 2), [
      400,
      "PrivateEndpointInvalidGroupId",
    ]);
    const made = await cloud.make(endpoint, endpointBody(vault("kv-one"), "vault"));
    assert.deepEqual(made.properties.customDnsConfigs, [
      { fqdn: "kv-one.vault.azure.net", ipAddresses: ["10.60.17.4"] },
    ]);
    await cloud.make(vault("kv-two"), vaultBody());
    assert.deepEqual((await cloud.refused(endpoint, endpointBody(vault("kv-two"), "vault"))).slice(0, 2), [
      400,
      "CannotChangePrivateLinkConnectionOnPrivateEndpoint",
    ]);
    await cloud.make(endpoint, endpointBody(vault("kv-one"), "vault"));
  });

  it("links a network once to a zone, and keeps zones with links", async () => {
    await network(cloud);
    const one = zone("privatelink.azurecr.io");
    await cloud.make(one, { location: "Global" });
    const link = { location: "global", properties: { virtualNetwork: { id: vnet } } };
    await cloud.make(`${one}/virtualNetworkLinks/a`, link);
    assert.equal((await cloud.call("GET", one)).body.properties.numberOfVirtualNetworkLinks, 1);
    assert.deepEqual((await cloud.refused(`${one}/virtualNetworkLinks/b`, link)).slice(0, 2), [409, "Conflict"]);
    assert.deepEqual(outcome(await cloud.call("DELETE", one)).slice(0, 2), [409, "CannotDeleteResource"]);
    assert.deepEqual((await cloud.refused(zone("x.y"), { location: LOCATION })).slice(0, 2), [
      400,
      "LocationNotAvailableForResourceType",
    ]);
  });

  it("lets callers reach a public data plane through its firewall only", async () => {
    await cloud.make(
      vault("kv-one"),
      vaultBody({ networkAcls: { defaultAction: "Deny", ipRules: [{ value: "203.0.113.0/24" }] } }),
    );
    const resource = cloud.arm.get(vault("kv-one"));
    assert.ok(resource);
    assert.equal(cloud.arm.unreachable(resource, { place: "outside", address: "203.0.113.9" }), undefined);
    assert.equal(
      cloud.arm.unreachable(resource, { place: "outside", address: "198.51.100.1" }),
      "the firewall of kv-one does not admit the client address 198.51.100.1",
    );
    await cloud.make(vault("kv-one"), vaultBody({ publicNetworkAccess: "Disabled" }));
    assert.equal(
      cloud.arm.unreachable(resource, { place: "outside", address: "203.0.113.9" }),
      "public network access to kv-one is disabled",
    );
  });

  it("lets callers inside reach a private data plane when endpoint, zone group and link are there", async () => {
    cloud = await newCloud({ runnerNetwork: vnet });
    await network(cloud);
    await identities(cloud);
    await cloud.make(registry("acrone"), registryBody("Premium", { publicNetworkAccess: "Disabled" }));
    const from = (place: Place) => {
      const resource = cloud.arm.get(registry("acrone"));
      assert.ok(resource);
      return cloud.arm.unreachable(resource, { place, address: "10.60.0.9" });
    };
    assert.match(from("inside") ?? "", /there is no private endpoint/);
    await cloud.make(endpoint, endpointBody(registry("acrone"), "registry"));
    assert.match(from("inside") ?? "", /no private DNS zone linked/);
    const one = zone("privatelink.azurecr.io");
    await cloud.make(one, { location: "global" });
    await cloud.make(`${endpoint}/privateDnsZoneGroups/default`, {
      properties: { privateDnsZoneConfigs: [{ name: "registry", properties: { privateDnsZoneId: one } }] },
    });
    assert.match(from("inside") ?? "", /no private DNS zone linked/);
    await cloud.make(`${one}/virtualNetworkLinks/a`, {
      location: "global",
      properties: { virtualNetwork: { id: vnet } },
    });
    assert.equal(from("inside"), undefined);
    assert.match(from("cluster") ?? "", /public network access to acrone is disabled/);
    await cloud.make(cluster, clusterBody());
    assert.equal(from("cluster"), undefined);
    assert.match(from("outside") ?? "", /is disabled$/);
  });
});
