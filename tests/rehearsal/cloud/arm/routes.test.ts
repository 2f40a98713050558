// A data plane is reached over a route that exists: own network, or peering Connected on both sides, and a zone that the
// caller's network asks.
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import type { Place } from "../../../../rehearsal/cloud/types.ts";
import { type Cloud, id, LOCATION, newCloud, outcome } from "./cloud.ts";
import {
  assignment,
  cluster,
  clusterBody,
  clusterProperties,
  identities,
  identity,
  network,
  registry,
  registryBody,
  role,
  vnet,
} from "./platform.ts";

const hub = id("Microsoft.Network/virtualNetworks", "hub");
const far = id("Microsoft.Network/virtualNetworks", "far");
const endpoint = id("Microsoft.Network/privateEndpoints", "pe");
const zone = id("Microsoft.Network/privateDnsZones", "privatelink.azurecr.io");
const zoneElsewhere = zone.replace("/rg/", "/rg2/");
const acr = registry("acrone");
const peering = (from: string, name: string) => `${from}/virtualNetworkPeerings/${name}`;
const to = (remote: string, more: object = {}) => ({ properties: { remoteVirtualNetwork: { id: remote }, ...more } });
const space = (prefix: string) => ({ location: LOCATION, properties: { addressSpace: { addressPrefixes: [prefix] } } });
const link = (network: string) => ({ location: "global", properties: { virtualNetwork: { id: network } } });

describe("simulated ARM: peerings of networks", () => {
  let cloud: Cloud;

  beforeEach(async () => {
    cloud = await newCloud();
    await cloud.make(vnet, space("10.60.0.0/16"));
    await cloud.make(hub, space("10.50.0.0/16"));
  });

  const stateOf = async (path: string) => {
    const { properties } = (await cloud.call("GET", path)).body;
    return [properties.peeringState, properties.peeringSyncLevel];
  };

  it("are Initiated from one side, and Connected when the other one is there", async () => {
    const made = await cloud.make(peering(vnet, "hub"), to(hub));
    assert.deepEqual(
      { ...made.properties, resourceGuid: "" },
      {
        remoteVirtualNetwork: { id: hub },
        allowVirtualNetworkAccess: true,
        allowForwardedTraffic: false,
        allowGatewayTransit: false,
        useRemoteGateways: false,
        doNotVerifyRemoteGateways: false,
        peerCompleteVnets: true,
        remoteAddressSpace: { addressPrefixes: ["10.50.0.0/16"] },
        remoteVirtualNetworkAddressSpace: { addressPrefixes: ["10.50.0.0/16"] },
        peeringState: "Initiated",
        peeringSyncLevel: "RemoteNotInSync",
        resourceGuid: "",
        provisioningState: "Succeeded",
      },
    );
    await cloud.make(peering(hub, "vnet"), to(vnet));
    for (const one of [peering(vnet, "hub"), peering(hub, "vnet")])
      assert.deepEqual(await stateOf(one), ["Connected", "FullyInSync"]);
  });

  it("stay when their network is written without them, and go when its list leaves them out", async () => {
    await cloud.make(peering(vnet, "hub"), to(hub));
    const names = (body: { properties: { virtualNetworkPeerings: { name: string }[] } }) =>
      body.properties.virtualNetworkPeerings.map(({ name }) => name);
    const { properties } = await cloud.make(vnet, space("10.60.0.0/16"));
    assert.deepEqual(names({ properties }), ["hub"]);
    const { virtualNetworkPeerings } = properties;
    const listed = { location: LOCATION, properties: { ...space("10.60.0.0/16").properties, virtualNetworkPeerings } };
    assert.deepEqual(names(await cloud.make(vnet, listed)), ["hub"]);
    const none = { ...listed, properties: { ...listed.properties, virtualNetworkPeerings: [] } };
    assert.deepEqual(names(await cloud.make(vnet, none)), []);
    assert.equal((await cloud.call("GET", peering(vnet, "hub"))).status, 404);
  });

  it("are Disconnected when the other side goes, and then refuse a new other side until they are made anew", async () => {
    await cloud.make(peering(vnet, "hub"), to(hub));
    await cloud.make(peering(hub, "vnet"), to(vnet));
    await cloud.unmake(peering(vnet, "hub"));
    assert.equal((await stateOf(peering(hub, "vnet")))[0], "Disconnected");
    const [status, code, message] = await cloud.refused(peering(vnet, "hub"), to(hub));
    assert.deepEqual([status, code], [400, "RemotePeeringIsDisconnected"]);
    assert.match(message, /is in Disconnected state\. Update or re-create the remote peering/);
    await cloud.make(peering(hub, "vnet"), to(vnet));
    await cloud.make(peering(vnet, "hub"), to(hub));
    assert.equal((await stateOf(peering(hub, "vnet")))[0], "Connected");
    await cloud.unmake(hub);
    assert.equal((await stateOf(peering(vnet, "hub")))[0], "Disconnected");
  });

  it("are refused while the other network is being written, with an error that nobody repeats", async () => {
    cloud = await newCloud({ duration: () => 100 });
    await cloud.make(vnet, space("10.60.0.0/16"));
    await cloud.make(hub, space("10.50.0.0/16"));
    await cloud.call("PUT", `${hub}/subnets/a`, { properties: { addressPrefix: "10.50.0.0/24" } });
    const [status, code, message] = await cloud.refused(peering(vnet, "hub"), to(hub));
    assert.deepEqual([status, code], [400, "ReferencedResourceNotProvisioned"]);
    assert.match(message, /is not in Succeeded state\. Resource is in Updating state/);
    const own = await cloud.refused(peering(hub, "vnet"), to(vnet));
    assert.deepEqual(own.slice(0, 2), [409, "AnotherOperationInProgress"]);
  });

  it("are refused between networks that share addresses, or where the hub has them already", async () => {
    await cloud.make(far, space("10.60.128.0/17"));
    assert.deepEqual((await cloud.refused(peering(vnet, "far"), to(far))).slice(0, 2), [
      400,
      "VnetAddressSpacesOverlap",
    ]);
    await cloud.make(peering(hub, "far"), to(far));
    const [status, code, message] = await cloud.refused(peering(vnet, "hub"), to(hub));
    assert.deepEqual([status, code], [400, "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet"]);
    assert.match(message, /already peered with the second virtual network\. Overlapping address prefixes: 10\.60/);
  });

  it("are refused twice to one network, and for one who may not peer with it", async () => {
    await cloud.make(peering(vnet, "hub"), to(hub));
    assert.deepEqual((await cloud.refused(peering(vnet, "again"), to(hub))).slice(0, 2), [
      400,
      "AnotherPeeringAlreadyReferencesRemoteVnet",
    ]);
    const somebody = cloud.directory.add("ServicePrincipal", "somebody");
    cloud.arm.assignRole(somebody.objectId, "Network Contributor", hub);
    const refused = await cloud.refused(peering(hub, "vnet"), to(vnet), { as: somebody });
    assert.deepEqual(refused.slice(0, 2), [403, "LinkedAuthorizationFailed"]);
    assert.match(refused[2], /virtualNetworks\/peer\/action/);
  });
});

describe("simulated ARM: the way to a private registry", () => {
  let cloud: Cloud;

  beforeEach(async () => {
    cloud = await newCloud({ runnerNetwork: hub });
    await network(cloud);
    await cloud.make(hub, space("10.50.0.0/16"));
    await cloud.make(acr, registryBody("Premium", { publicNetworkAccess: "Disabled" }));
    await cloud.make(endpoint, {
      location: LOCATION,
      properties: {
        subnet: { id: `${vnet}/subnets/endpoints` },
        privateLinkServiceConnections: [
          { name: "x", properties: { privateLinkServiceId: acr, groupIds: ["registry"] } },
        ],
      },
    });
    await cloud.make(zone, { location: "global" });
  });

  const records = () =>
    cloud.make(`${endpoint}/privateDnsZoneGroups/default`, {
      properties: { privateDnsZoneConfigs: [{ name: "registry", properties: { privateDnsZoneId: zone } }] },
    });
  const ways = (place: Place = "inside") => {
    const resource = cloud.arm.get(acr);
    assert.ok(resource);
    return {
      connection: cloud.arm.noWay(resource, "acrone.azurecr.io", place),
      answer: cloud.arm.unreachable(resource, { place, address: "10.50.0.4" }),
    };
  };

  it("is the public one, and shut, as long as no zone is linked to the caller's network", async () => {
    await records();
    await cloud.make(`${zone}/virtualNetworkLinks/spoke`, link(vnet));
    assert.equal(ways().connection, undefined);
    assert.match(ways().answer ?? "", /public network access to acrone is disabled.*no private DNS zone linked/);
  });

  it("is none while a linked zone has no record: the name is not found", async () => {
    await cloud.make(`${zone}/virtualNetworkLinks/hub`, link(hub));
    assert.equal(
      ways().connection,
      `lookup acrone.azurecr.io: no such host (the private DNS zone linked to ${hub.toLowerCase()} has no record of it)`,
    );
    await records();
    assert.match(
      ways().connection ?? "",
      /^acrone\.azurecr\.io: timeout \(there is no route from \S+hub to \S+vnet\)$/,
    );
  });

  it("asks the public name where the zone's link says so", async () => {
    const { location, properties } = link(hub);
    await cloud.make(`${zone}/virtualNetworkLinks/hub`, {
      location,
      properties: { ...properties, resolutionPolicy: "NxDomainRedirect" },
    });
    assert.equal(ways().connection, undefined);
  });

  it("leads over a peering that is Connected on both sides and lets traffic in, and over no second one", async () => {
    await records();
    await cloud.make(`${zone}/virtualNetworkLinks/hub`, link(hub));
    await cloud.make(peering(hub, "vnet"), to(vnet));
    assert.match(ways().connection ?? "", /no route/);
    await cloud.make(peering(vnet, "hub"), to(hub));
    assert.deepEqual(ways(), { connection: undefined, answer: undefined });
    await cloud.make(peering(vnet, "hub"), to(hub, { allowVirtualNetworkAccess: false }));
    assert.match(ways().connection ?? "", /no route/);
    await cloud.unmake(peering(vnet, "hub"));
    await cloud.make(far, space("10.70.0.0/16"));
    for (const [one, other] of [
      [hub, far],
      [far, hub],
      [far, vnet],
      [vnet, far],
    ] as const)
      await cloud.make(peering(one, other.split("/").at(-1) ?? ""), to(other));
    assert.match(ways().connection ?? "", /no route/);
  });

  it("is open from outside by the firewall alone", async () => {
    await records();
    assert.deepEqual(ways("outside"), { connection: undefined, answer: "public network access to acrone is disabled" });
  });

  it("has one zone of a name in each network", async () => {
    await cloud.make(`${zone}/virtualNetworkLinks/hub`, link(hub));
    await cloud.make(zoneElsewhere.split("/providers/")[0] ?? "", { location: LOCATION });
    await cloud.make(zoneElsewhere, { location: "global" });
    const name = "privatelink.azurecr.io";
    assert.deepEqual(await cloud.refused(`${zoneElsewhere}/virtualNetworkLinks/hub`, link(hub)), [
      400,
      "BadRequest",
      "A virtual network cannot be linked to multiple zones with overlapping namespaces. " +
        `You tried to link virtual network with '${name}' and '${name}' zones.`,
    ]);
    await cloud.make(`${zoneElsewhere}/virtualNetworkLinks/spoke`, link(vnet));
  });
});

describe("simulated ARM: the way to a private API server", () => {
  let cloud: Cloud;
  const apiServerZone = (name: string) => id("Microsoft.Network/privateDnsZones", name);
  const access = (changes: object) => ({
    apiServerAccessProfile: { ...clusterProperties.apiServerAccessProfile, ...changes },
  });
  const isPublic = { enablePrivateClusterPublicFQDN: true, privateDNSZone: "none" };

  beforeEach(async () => {
    cloud = await newCloud({ runnerNetwork: hub });
    await network(cloud);
    await identities(cloud);
    await cloud.make(hub, space("10.50.0.0/16"));
  });

  const route = (place: Place = "inside") => {
    const resource = cloud.arm.get(cluster);
    assert.ok(resource);
    return cloud.arm.apiServerRoute(resource, place);
  };
  const peer = async () => {
    await cloud.make(peering(hub, "vnet"), to(vnet));
    await cloud.make(peering(vnet, "hub"), to(hub));
  };

  it("has a name that nobody but the cluster's network finds, with a zone of AKS's own", async () => {
    const { properties } = await cloud.make(cluster, clusterBody());
    assert.match(properties.privateFQDN, /\.privatelink\.westeurope\.azmk8s\.io$/);
    await peer();
    assert.deepEqual(route(), { resolves: false, reaches: true });
    assert.deepEqual(route("cluster"), { resolves: true, reaches: true });
    assert.deepEqual(route("outside"), { resolves: false, reaches: false });
  });

  it("has a public name for its private address without a zone", async () => {
    const { properties } = await cloud.make(cluster, clusterBody(access(isPublic)));
    assert.match(properties.fqdn, /^prod-[0-9a-f]{8}\.hcp\.westeurope\.azmk8s\.io$/);
    assert.equal(properties.privateFQDN, properties.fqdn);
    assert.deepEqual(route(), { resolves: true, reaches: false });
    await peer();
    assert.deepEqual(route(), { resolves: true, reaches: true });
    assert.deepEqual(route("outside"), { resolves: true, reaches: false });
  });

  it("has a name or none of a zone of one's own: where it is linked, by the name that AKS prescribes", async () => {
    const own = apiServerZone("prod.private.westeurope.azmk8s.io");
    await cloud.make(own, { location: "global" });
    const body = clusterBody(access({ privateDNSZone: own }));
    const [status, code] = await cloud.refused(cluster, body);
    assert.deepEqual([status, code], [400, "CustomPrivateDNSZoneMissingPermissionError"]);
    const { principalId } = (await cloud.call("GET", identity("control"))).body.properties;
    await cloud.make(assignment(own, 3), {
      properties: {
        ...{ principalId, principalType: "ServicePrincipal" },
        roleDefinitionId: role("b12aa53e-6015-4669-85d0-8515ebb3ae7f"),
      },
    });
    const { properties } = await cloud.make(cluster, body);
    assert.match(properties.privateFQDN, /^prod-[0-9a-f]{8}\.prod\.private\.westeurope\.azmk8s\.io$/);
    assert.deepEqual(route(), { resolves: false, reaches: false });
    await cloud.make(`${own}/virtualNetworkLinks/hub`, link(hub));
    assert.equal(route().resolves, true);
    const changed = await cloud.refused(cluster, clusterBody(access(isPublic)));
    assert.deepEqual(changed.slice(0, 2), [400, "PropertyChangeNotAllowed"]);
    // AKS linked the zone by itself, and does not take that back.
    await cloud.unmake(cluster);
    await cloud.unmake(`${own}/virtualNetworkLinks/hub`);
    assert.deepEqual(outcome(await cloud.call("DELETE", own)).slice(0, 2), [409, "CannotDeleteResource"]);
  });

  const refused: [what: string, zone: string][] = [
    ["the name of a private endpoint's zone", "privatelink.westeurope.azmk8s.io"],
    ["another region's name", "prod.private.northeurope.azmk8s.io"],
    ["a long name of a subzone", `${"a".repeat(33)}.private.westeurope.azmk8s.io`],
  ];
  for (const [what, name] of refused)
    it(`is refused with ${what}`, async () => {
      const own = apiServerZone(name);
      await cloud.make(own, { location: "global" });
      const body = clusterBody(access({ privateDNSZone: own }));
      assert.deepEqual((await cloud.refused(cluster, body)).slice(0, 2), [400, "InvalidParameter"]);
    });

  it("is refused without a zone and without a public name", async () => {
    const body = clusterBody(access({ ...isPublic, enablePrivateClusterPublicFQDN: false }));
    assert.deepEqual((await cloud.refused(cluster, body)).slice(0, 2), [400, "InvalidParameter"]);
  });
});
