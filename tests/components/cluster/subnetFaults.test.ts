// What AksCluster refuses of subnets and zones that are there: by their ids, and as Azure has them.
import { strict as assert } from "node:assert";
import { setTimeout as sleep } from "node:timers/promises";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { AksCluster } from "../../../components/cluster/aksCluster.ts";
import { type AksClusterArgs, filled } from "../../../components/cluster/aksClusterArgs.ts";
import {
  type FoundNetwork,
  foundFaults,
  idFaults,
  regionFaults,
  subscriptionFaults,
} from "../../../components/cluster/subnetFaults.ts";
import { deploy } from "../deployment.ts";
import { refused } from "../refused.ts";

const SUBSCRIPTION = "00000000-0000-0000-0000-00000000000a";
const GROUP = `/subscriptions/${SUBSCRIPTION}/resourceGroups/rg-network/providers/Microsoft.Network`;
const VNET = `${GROUP}/virtualNetworks/vnet-spoke`;
const SUBNETS = { nodes: `${VNET}/subnets/nodes`, apiServer: `${VNET}/subnets/api`, endpoints: `${VNET}/subnets/pe` };
const AKS = [{ serviceName: "Microsoft.ContainerService/managedClusters" }];
const PRIVATE = { private: true, privateEndpoints: true };

describe("the subnets of an AksCluster", () => {
  const told = (args: Partial<AksClusterArgs>) =>
    refused(() => new AksCluster("aks", { resourceGroupName: "group", ...args }));

  it("are refused by their ids, all faults at once", async () => {
    const network = { subnets: { nodes: SUBNETS.nodes, endpoints: `${GROUP}/virtualNetworks/other/subnets/pe` } };
    assert.deepEqual(await told({ ...PRIVATE, network, egress: { firewall: "10.50.1.4" } }), [
      "network.subnets.apiServer is missing: a private API server needs it",
      "network.subnets.endpoints lies in another virtual network than the nodes' subnet",
      "egress.firewall needs a route table that is made, and the nodes' subnet has its owner's",
    ]);
    assert.deepEqual(await told({ network: { subnets: { nodes: VNET } } }), [
      "network.subnets.nodes is no ARM id of a subnet",
    ]);
    assert.deepEqual(await told({ private: true, network: { subnets: { ...SUBNETS, nodes: SUBNETS.apiServer } } }), [
      "network.subnets.nodes is the API server's, in which nothing else may stand",
    ]);
  });

  it("come with an identity that is one", async () => {
    assert.deepEqual(await told({ network: { subnets: SUBNETS }, identityId: "id-aks" }), [
      "identityId is no ARM id of a user-assigned identity",
    ]);
  });

  it("are refused with a zone that Azure does not take, or has no use for", async () => {
    const zones = {
      apiServer: "system",
      registry: `${GROUP}/privateDnsZones/privatelink.vaultcore.azure.net`,
      vault: `${GROUP}/privateDnsZones/privatelink.azurecr.io`,
    };
    const problem = "is no ARM id of a private DNS zone with the name that Azure prescribes";
    assert.deepEqual(await told({ network: { zones } }), [
      ...["apiServer", "registry", "vault"].map((name) => `network.zones.${name} ${problem}`),
      "network.zones.apiServer is for a private API server",
    ]);
  });

  it("are refused with a zone of a stack whose name is none of a subzone", () => {
    const own = filled({ resourceGroupName: "group", private: true, network: { zones: { apiServer: "own" } } });
    const zone = "network.zones.apiServer";
    assert.deepEqual(idFaults(own, "prod"), []);
    for (const stack of ["Prod", "prod_1", "a".repeat(33)])
      assert.deepEqual(
        idFaults(own, stack).map(({ argument, value }) => [argument, value]),
        [[zone, stack]],
      );
  });

  it("are taken whatever the addresses of a network that is made would be", async () => {
    assert.deepEqual(await told({ ...PRIVATE, network: { subnets: SUBNETS, services: "10.60.0.0/16" } }), []);
  });
});

/** The errors that end a program, each once, as its process sees them. */
async function ending(program: () => Promise<unknown>): Promise<Error[]> {
  const errors = new Set<Error>();
  const others = process.listeners("unhandledRejection");
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", (error: Error) => errors.add(error));
  try {
    await program();
    // Rejections are told at the end of a turn.
    await sleep(50);
  } finally {
    process.removeAllListeners("unhandledRejection");
    for (const other of others) process.on("unhandledRejection", other);
  }
  return [...errors];
}

describe("subnets that are looked at", () => {
  for (const preview of [true, false])
    it(`end ${preview ? "a preview" : "an update"} with all their faults in plain words, before a cluster is made`, async () => {
      const network = { subnets: { nodes: `${VNET}/subnets/nodes`, endpoints: `${VNET}/subnets/pe` } };
      let made: readonly string[] = [];
      const errors = await ending(async () => {
        const args = { resourceGroupName: "group", egress: { routeTableId: `${GROUP}/routeTables/rt` }, network };
        const { names } = await deploy(() => new AksCluster("aks", args), preview);
        made = names("ManagedCluster");
      });
      assert.deepEqual(made, []);
      assert.equal(errors.length, 1);
      assert.ok(pulumi.ResourceError.isInstance(errors[0]));
      assert.deepEqual(errors[0].message.split("\n"), [
        "AksCluster aks has 2 arguments that cannot work:",
        "",
        "  network.subnets.nodes has no route table, and egress.routeTableId is another one",
        `    value   ${VNET}/subnets/nodes`,
        "    remedy  give the route table that the subnet has, or have its owner associate the other one",
        "",
        "  network.subnets.endpoints is not in its virtual network",
        `    value   ${VNET}/subnets/pe`,
        `    remedy  choose one of ${["nodes", "api-server", "endpoints"].map((name) => `${VNET}/subnets/${name}`).join(", ")}`,
      ]);
    });
});

describe("subnets as Azure has them", () => {
  const subnet = (id: string, addressPrefix: string, more: object = {}) => ({ id, addressPrefix, ...more });
  const nodes = subnet(SUBNETS.nodes, "10.90.0.0/20", { natGateway: { id: "gateway" } });
  const apiServer = subnet(SUBNETS.apiServer.toUpperCase(), "10.90.16.0/28", { delegations: AKS });
  const endpoints = subnet(SUBNETS.endpoints, "10.90.17.0/24");
  const GOOD: FoundNetwork = {
    id: VNET,
    location: "westeurope",
    addressSpace: { addressPrefixes: ["10.90.0.0/16"] },
    subnets: [nodes, apiServer, endpoints],
  };
  const cluster = (args: Partial<AksClusterArgs> = {}) =>
    filled({ resourceGroupName: "group", ...PRIVATE, network: { subnets: SUBNETS }, ...args });
  const faults = (changes: Partial<FoundNetwork>, args: Partial<AksClusterArgs> = {}) =>
    foundFaults({ ...GOOD, ...changes }, SUBNETS, cluster(args)).map(
      ({ argument, problem }) => `${argument} ${problem}`,
    );

  it("are taken as they should be", () => {
    assert.deepEqual(faults({}), []);
    assert.deepEqual(faults({ subnets: [{ ...nodes, addressPrefixes: ["10.90.0.0/20"] }, apiServer, endpoints] }), []);
  });

  const wrong: [what: string, changes: Partial<FoundNetwork>, fault: RegExp][] = [
    ["are not there", { subnets: [nodes, apiServer] }, /^network\.subnets\.endpoints is not in its virtual network$/],
    [
      "are delegated, for nodes",
      { subnets: [{ ...nodes, delegations: AKS }, apiServer, endpoints] },
      /^network\.subnets\.nodes is delegated to Microsoft\.ContainerService\/managedClusters, and nodes do not stand/,
    ],
    [
      "are delegated, for endpoints",
      {
        subnets: [nodes, apiServer, { ...endpoints, delegations: [{ serviceName: "Microsoft.Sql/managedInstances" }] }],
      },
      /^network\.subnets\.endpoints is delegated to Microsoft\.Sql\/managedInstances, and private endpoints do not stand/,
    ],
    [
      "are not delegated, for the API server",
      { subnets: [nodes, { ...apiServer, delegations: [] }, endpoints] },
      /^network\.subnets\.apiServer is not delegated to Microsoft\.ContainerService\/managedClusters$/,
    ],
    [
      "are small, for the API server",
      { subnets: [nodes, { ...apiServer, addressPrefix: "10.90.16.0/29" }, endpoints] },
      /^network\.subnets\.apiServer is too small: 10\.90\.16\.0\/29$/,
    ],
    [
      "are small, for all nodes that there may be",
      { subnets: [{ ...nodes, addressPrefix: "10.90.0.0/29" }, apiServer, endpoints] },
      /^network\.subnets\.nodes is too small \(10\.90\.0\.0\/29\) for 7 nodes, .*: they need 12 addresses$/,
    ],
    [
      "have no NAT gateway, where that is the way out",
      { subnets: [{ ...nodes, natGateway: undefined }, apiServer, endpoints] },
      /^network\.subnets\.nodes has no NAT gateway, and egress is natGateway$/,
    ],
    [
      "touch what AKS uses itself",
      { addressSpace: { addressPrefixes: ["10.90.0.0/16", "172.31.0.0/16"] } },
      /^network\.subnets\.nodes lies in a network whose 172\.31\.0\.0\/16 touches 172\.31\.0\.0\/16, which AKS uses itself$/,
    ],
    [
      "share addresses with the cluster's pods",
      { addressSpace: { addressPrefixes: ["10.244.0.0/20"] } },
      /^network\.pods overlaps 10\.244\.0\.0\/20 of the virtual network \S+\/vnet-spoke$/,
    ],
  ];
  for (const [what, changes, fault] of wrong)
    it(`are refused where they ${what}`, () => {
      const [told, ...others] = faults(changes);
      assert.deepEqual(others, []);
      assert.match(told ?? "", fault);
    });

  it("are refused where they have another route table than the one that is the way out", () => {
    const egress = { routeTableId: `${GROUP}/routeTables/rt` };
    const having = (id: string | undefined) => [
      { ...nodes, routeTable: id === undefined ? undefined : { id } },
      apiServer,
      endpoints,
    ];
    assert.deepEqual(faults({ subnets: having(egress.routeTableId.toLowerCase()) }, { egress }), []);
    assert.match(
      faults({ subnets: having(undefined) }, { egress })[0] ?? "",
      /has no route table, and egress\.routeTableId is another/,
    );
    assert.match(
      faults({ subnets: having("other") }, { egress })[0] ?? "",
      /has other, and egress\.routeTableId is another one$/,
    );
  });

  it("are refused in another subscription or region than the cluster's", () => {
    assert.deepEqual(subscriptionFaults(SUBNETS, SUBSCRIPTION.toUpperCase()), []);
    assert.match(subscriptionFaults(SUBNETS, "another")[0]?.problem ?? "", /is not of the subscription another/);
    assert.deepEqual(regionFaults(GOOD, SUBNETS, "West Europe"), []);
    assert.equal(
      regionFaults(GOOD, SUBNETS, "northeurope")[0]?.problem,
      "lies in the region westeurope, and the cluster is made in northeurope",
    );
  });
});
