// Subnets, and a zone of one's own, that AKS or a private endpoint does not take.
import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { type Cloud, GROUP, id, LOCATION, newCloud } from "./cloud.ts";
import {
  assignment,
  cluster,
  clusterBody,
  clusterProperties,
  identities,
  identity,
  NETWORK_CONTRIBUTOR,
  network,
  registry,
  registryBody,
  role,
  systemPool,
  vnet,
} from "./platform.ts";

const AKS = [{ name: "aks", properties: { serviceName: "Microsoft.ContainerService/managedClusters" } }];
const OTHERS = [{ name: "sql", properties: { serviceName: "Microsoft.Sql/managedInstances" } }];
const subnet = (name: string) => `${vnet}/subnets/${name}`;

describe("simulated ARM: a cluster's subnets", () => {
  let cloud: Cloud;

  beforeEach(async () => {
    cloud = await newCloud({ otherSubscriptions: ["66666666-2222-4333-8444-555555555555"] });
    await network(cloud);
    await identities(cloud);
  });

  const make = (name: string, addressPrefix: string, delegations: object[] = []) =>
    cloud.make(subnet(name), { properties: { addressPrefix, delegations } });
  const onNodes = (vnetSubnetID: string) => ({ agentPoolProfiles: [{ ...systemPool, vnetSubnetID }] });
  const onApiServer = (subnetId: string, changes: object = {}) => ({
    apiServerAccessProfile: { ...clusterProperties.apiServerAccessProfile, subnetId, ...changes },
  });

  it("are refused for nodes where they are delegated, be it to AKS itself", async () => {
    await make("mine", "10.60.32.0/24", AKS);
    const body = clusterBody({
      ...onNodes(subnet("mine")),
      networkProfile: { ...clusterProperties.networkProfile, outboundType: "loadBalancer" },
    });
    const [status, code, message] = await cloud.refused(cluster, body);
    assert.deepEqual([status, code], [400, "SubnetIsDelegated"]);
    assert.match(message, /^AgentPoolProfile\.VnetSubnetID \S+\/mine cannot be used as it's a delegated subnet\./);
    await cloud.make(cluster, clusterBody());
    const { name: _, ...pool } = { ...systemPool, mode: "User", nodeTaints: [], vnetSubnetID: subnet("mine") };
    const refused = await cloud.refused(`${cluster}/agentPools/apps`, { properties: pool });
    assert.deepEqual(refused.slice(0, 2), [400, "SubnetIsDelegated"]);
  });

  it("are refused in another region or subscription than the cluster's", async () => {
    const far = id("Microsoft.Network/virtualNetworks", "far");
    const elsewhere = far.replace(GROUP, "/subscriptions/66666666-2222-4333-8444-555555555555/resourceGroups/rg");
    const space = { addressSpace: { addressPrefixes: ["10.70.0.0/16"] } };
    const subnets = [{ name: "nodes", properties: { addressPrefix: "10.70.0.0/20" } }];
    cloud.arm.assignRole(cloud.owner.objectId, "Owner", elsewhere.split("/providers/")[0] ?? "");
    await cloud.make(elsewhere.split("/providers/")[0] ?? "", { location: LOCATION });
    for (const [one, location, said] of [
      [far, "northeurope", /vnet far is in region northeurope/],
      [elsewhere, LOCATION, /is not in the subscription of the cluster/],
    ] as const) {
      await cloud.make(one, { location, properties: { ...space, subnets } });
      const body = clusterBody({
        ...onNodes(`${one}/subnets/nodes`),
        apiServerAccessProfile: {},
        networkProfile: { ...clusterProperties.networkProfile, outboundType: "loadBalancer" },
      });
      const [status, code, message] = await cloud.refused(cluster, body);
      assert.deepEqual([status, code], [400, "InvalidParameter"]);
      assert.match(message, said);
    }
  });

  it("are refused for the API server where they are not delegated to AKS, or to another service", async () => {
    await make("plain", "10.60.32.0/28");
    await make("sql", "10.60.33.0/28", OTHERS);
    const [status, code, message] = await cloud.refused(cluster, clusterBody(onApiServer(subnet("plain"))));
    assert.deepEqual([status, code], [400, "InvalidParameter"]);
    assert.match(message, /must be delegated to Microsoft\.ContainerService\/managedClusters/);
    const refused = await cloud.refused(cluster, clusterBody(onApiServer(subnet("sql"))));
    assert.deepEqual(refused.slice(0, 2), [400, "SubnetDelegationConflict"]);
  });

  describe("and a private endpoint's", () => {
    const acr = registry("acrone");
    const endpoint = id("Microsoft.Network/privateEndpoints", "pe");
    const body = (subnetId: string, location = LOCATION) => ({
      location,
      properties: {
        subnet: { id: subnetId },
        privateLinkServiceConnections: [
          { name: "x", properties: { privateLinkServiceId: acr, groupIds: ["registry"] } },
        ],
      },
    });

    it("are refused in another region than the endpoint's, and where they are delegated", async () => {
      await cloud.make(acr, registryBody("Premium"));
      const elsewhere = await cloud.refused(endpoint, body(subnet("endpoints"), "northeurope"));
      assert.deepEqual(elsewhere.slice(0, 2), [400, "InvalidResourceReference"]);
      const delegated = await cloud.refused(endpoint, body(subnet("api")));
      assert.match(delegated[2], /has a delegation and cannot be used with a private endpoint/);
      await cloud.make(endpoint, body(subnet("endpoints")));
    });

    it("are refused for the API server too while an endpoint stands in them", async () => {
      await cloud.make(acr, registryBody("Premium"));
      await make("shared", "10.60.32.0/28");
      await cloud.make(endpoint, body(subnet("shared")));
      await make("shared", "10.60.32.0/28", AKS);
      const [, code, message] = await cloud.refused(cluster, clusterBody(onApiServer(subnet("shared"))));
      assert.equal(code, "InvalidParameter");
      assert.match(message, /cannot be used by other resources, it is by \S+\/pe\.$/);
    });
  });

  describe("and a zone of one's own", () => {
    const zone = id("Microsoft.Network/privateDnsZones", "prod.private.westeurope.azmk8s.io");
    const withZone = clusterBody(onApiServer(subnet("api"), { privateDNSZone: zone }));

    it("need the right to link the network, which AKS does by itself", async () => {
      await cloud.make(zone, { location: "global" });
      const { principalId } = (await cloud.call("GET", identity("control"))).body.properties;
      const grant = (scope: string, number: number, guid: string) =>
        cloud.make(assignment(scope, number), {
          properties: { principalId, principalType: "ServicePrincipal", roleDefinitionId: role(guid) },
        });
      await grant(zone, 3, "b12aa53e-6015-4669-85d0-8515ebb3ae7f");
      await cloud.unmake(assignment(vnet, 1));
      await grant(subnet("nodes"), 4, NETWORK_CONTRIBUTOR);
      await grant(subnet("api"), 5, NETWORK_CONTRIBUTOR);
      const [status, code, message] = await cloud.refused(cluster, withZone);
      assert.deepEqual([status, code], [403, "LinkedAuthorizationFailed"]);
      assert.match(message, /Microsoft\.Network\/virtualNetworks\/join\/action' on the linked scope\(s\) '\S+\/vnet'/);
      await cloud.make(cluster, clusterBody());
    });

    it("are not given to a cluster that stands", async () => {
      const open = { enablePrivateClusterPublicFQDN: true, privateDNSZone: "none" };
      await cloud.make(cluster, clusterBody(onApiServer(subnet("api"), open)));
      await cloud.make(zone, { location: "global" });
      assert.deepEqual((await cloud.refused(cluster, withZone)).slice(0, 2), [400, "PropertyChangeNotAllowed"]);
    });
  });
});
