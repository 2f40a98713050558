// Subnets and private DNS zones that are there, in a stack's settings.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { fault, faults, read, warnings } from "./faults.ts";

const GROUP =
  "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-network/providers/Microsoft.Network";
const VNET = `${GROUP}/virtualNetworks/vnet-spoke`;
const HUB = `${GROUP}/virtualNetworks/vnet-hub`;
const SUBNETS = { nodes: `${VNET}/subnets/nodes`, apiServer: `${VNET}/subnets/api`, endpoints: `${VNET}/subnets/pe` };
const zone = (name: string) => `${GROUP}/privateDnsZones/${name}`;

const cluster = (network: object, more: object = {}) => ({
  "aks-gitops:cluster": { private: true, network, ...more },
  "aks-gitops:registry": { sku: "Premium", private: true },
  "aks-gitops:runner": "inside",
});

describe("subnets that are there", () => {
  it("take the place of a network that is made, whatever else is said of the cluster's own ones", () => {
    const config = cluster({ subnets: SUBNETS, pods: "10.128.0.0/14", services: "10.132.0.0/16" });
    assert.deepEqual(faults(config), []);
    assert.deepEqual(warnings(config), []);
    assert.deepEqual(read(config).cluster.network.subnets, SUBNETS);
  });

  it("are not compared with the defaults of a network that is made", () => {
    assert.deepEqual(faults(cluster({ subnets: SUBNETS, services: "10.60.0.0/16" })), []);
    assert.notDeepEqual(faults(cluster({ services: "10.60.0.0/16" })), []);
  });

  it("are refused beside one", () => {
    assert.deepEqual(fault(cluster({ subnets: SUBNETS, vnet: "10.70.0.0/16" })), [
      "aks-gitops:cluster.network.vnet",
      "10.70.0.0/16",
      "is of a network that is made, and with subnets none is",
    ]);
  });

  it("are refused where they are no subnets, of two networks, or where one is missing", () => {
    assert.equal(fault(cluster({ subnets: { ...SUBNETS, nodes: VNET } }))[2], "does not have the right form");
    const other = `${HUB}/subnets/pe`;
    assert.deepEqual(fault(cluster({ subnets: { ...SUBNETS, endpoints: other } })), [
      "aks-gitops:cluster.network.subnets.endpoints",
      other,
      "lies in another virtual network than the nodes' subnet",
    ]);
    assert.deepEqual(
      faults(cluster({ subnets: { nodes: SUBNETS.nodes } })).map(({ key, problem }) => [
        key.split(".").at(-1),
        problem,
      ]),
      [
        ["apiServer", "is missing: a private API server needs it"],
        ["endpoints", "is missing: a private registry and vault need it"],
      ],
    );
    assert.equal(
      fault(cluster({ subnets: { ...SUBNETS, nodes: undefined } }))[0],
      "aks-gitops:cluster.network.subnets.nodes",
    );
  });

  it("are refused where something else stands in the API server's, or they are another subscription's", () => {
    const shared = cluster({
      subnets: { ...SUBNETS, endpoints: SUBNETS.apiServer.replace("rg-network", "RG-Network") },
    });
    assert.equal(fault(shared)[2], "is the API server's, in which nothing else may stand");
    const subscription = { "azure-native:subscriptionId": "11111111-0000-0000-0000-000000000000" };
    const told = faults({ ...cluster({ subnets: SUBNETS }), ...subscription });
    assert.deepEqual([told.length, told[0]?.rule], [3, "subnets-are-of-the-subscription"]);
  });

  it("go out by what their owner gave them", () => {
    const egress = (value: unknown) => cluster({ subnets: SUBNETS }, { egress: value });
    assert.deepEqual(fault(egress({ firewall: "10.50.1.4" })), [
      "aks-gitops:cluster.egress.firewall",
      "10.50.1.4",
      "needs a route table that is made, and the nodes' subnet has its owner's",
    ]);
    for (const way of ["natGateway", "loadBalancer", { routeTableId: `${GROUP}/routeTables/rt` }])
      assert.deepEqual(faults(egress(way)), []);
  });

  it("come with an identity of their owner's", () => {
    const identity = `${GROUP.replace("Microsoft.Network", "Microsoft.ManagedIdentity")}/userAssignedIdentities/id-aks`;
    assert.equal(read(cluster({ subnets: SUBNETS }, { identity })).cluster.identity, identity);
    assert.equal(fault(cluster({ subnets: SUBNETS }, { identity: "id-aks" }))[2], "does not have the right form");
  });

  it("are warned of where the runner stands in another network, which is not peered then", () => {
    const from = (vnet: string) => ({ ...cluster({ subnets: SUBNETS }), "aks-gitops:runner": { inside: { vnet } } });
    const [told, ...others] = warnings(from(HUB));
    assert.deepEqual(others, []);
    assert.match(told ?? "", /aks-gitops:runner\.inside\.vnet is not peered by this stack: .*both peerings there/);
    assert.deepEqual(warnings(from(VNET)), []);
  });
});

describe("private DNS zones", () => {
  it("are taken by the names that Azure prescribes", () => {
    const zones = {
      apiServer: zone("prod.private.westeurope.azmk8s.io"),
      registry: zone("privatelink.azurecr.io"),
      vault: zone("privatelink.vaultcore.azure.net"),
    };
    assert.deepEqual(faults(cluster({ zones })), []);
    assert.deepEqual(faults(cluster({ zones: { apiServer: "own" } })), []);
    assert.deepEqual(faults(cluster({ zones: { apiServer: zone("private.westeurope.azmk8s.io") } })), []);
  });

  for (const [name, value] of [
    ["apiServer", "system"],
    ["apiServer", zone("privatelink.westeurope.azmk8s.io")],
    ["apiServer", zone(`${"a".repeat(33)}.private.westeurope.azmk8s.io`)],
    ["registry", "own"],
    ["registry", zone("privatelink.azurecr.us")],
    ["vault", zone("privatelink.vault.azure.net")],
  ] as const)
    it(`are refused by others: ${name} ${value.split("/").at(-1)}`, () => {
      assert.deepEqual(fault(cluster({ zones: { [name]: value } })), [
        `aks-gitops:cluster.network.zones.${name}`,
        value,
        "does not have the right form",
      ]);
    });

  it("of an API server are refused where it is public, or of another region", () => {
    const zones = { apiServer: zone("private.northeurope.azmk8s.io") };
    assert.match(fault(cluster({ zones }))[2], /is not a zone of westeurope/);
    const open = { "aks-gitops:cluster": { network: { zones: { apiServer: "own" } } } };
    assert.equal(fault(open)[2], "is for a private API server");
  });
});
