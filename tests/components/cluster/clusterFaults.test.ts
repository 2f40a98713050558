import { strict as assert } from "node:assert";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { AksCluster } from "../../../components/cluster/aksCluster.ts";
import type { AksClusterArgs } from "../../../components/cluster/aksClusterArgs.ts";
import { AksNetwork } from "../../../components/cluster/aksNetwork.ts";
import { refused } from "../refused.ts";

const PRIVATE: Partial<AksClusterArgs> = {
  private: true,
  privateEndpoints: true,
  systemPool: { zones: ["1", "2", "3"], minCount: 3 },
  userPools: [{ name: "apps", vmSize: "Standard_D8s_v5", minCount: 2, maxCount: 9 }],
};

describe("AksCluster refuses", () => {
  const faults = (args: Partial<AksClusterArgs>) =>
    refused(() => new AksCluster("aks", { resourceGroupName: "group", ...args }));

  it("nothing that works", async () => {
    assert.deepEqual(await faults({}), []);
    assert.deepEqual(await faults({ ...PRIVATE, adminGroups: [pulumi.output("known later")] }), []);
  });

  it("a runner's network that is none", async () => {
    assert.deepEqual(await faults({ runnerNetworkId: "vnet-hub" }), [
      "runnerNetworkId is no ARM id of a virtual network",
    ]);
  });

  it("a way out or ports that are none, and ranges that would keep its own nodes out", async () => {
    assert.deepEqual(await faults({ egress: { firewall: "10.50.1", routeTableId: "table" }, publicPorts: ["http"] }), [
      "egress does not say one way",
      "egress.firewall is no IPv4 address",
      "egress.routeTableId is no ARM id of a route table",
      "publicPorts[0] is no port",
    ]);
    assert.deepEqual(await faults({ egress: {} }), ["egress does not say one way"]);
    assert.deepEqual(await faults({ egress: "loadBalancer", authorizedIpRanges: ["203.0.113.0/24"] }), [
      "authorizedIpRanges would keep out the nodes, whose addresses are AKS's own with egress loadBalancer",
    ]);
    assert.deepEqual(await faults({ egress: { firewall: "10.50.1.4" }, authorizedIpRanges: ["203.0.113.0/24"] }), []);
  });

  it("networks that are none, too small, outside or on top of each other", async () => {
    const network = {
      nodes: "10.60.0.1/20",
      apiServer: "10.60.16.0/29",
      endpoints: "10.61.0.0/24",
      pods: "10.0.0.0/8",
    };
    assert.deepEqual(await faults({ network }), [
      "network.nodes is not an IPv4 network in CIDR notation",
      "network.apiServer is too small",
      "network.endpoints does not lie within vnet 10.60.0.0/16",
      "network.pods overlaps vnet 10.60.0.0/16",
      "network.pods overlaps apiServer 10.60.16.0/29",
      "network.pods overlaps endpoints 10.61.0.0/24",
      "network.services overlaps pods 10.0.0.0/8",
    ]);
  });

  it("the same networks where AksNetwork is used alone", async () => {
    const args = { resourceGroupName: "group", nodes: "10.60.0.1/20", endpoints: "10.61.0.0/24" };
    assert.deepEqual(await refused(() => new AksNetwork("aks", args)), [
      "nodes is not an IPv4 network in CIDR notation",
      "endpoints does not lie within vnet 10.60.0.0/16",
    ]);
  });

  it("who cannot be let in", async () => {
    assert.deepEqual(
      await faults({ private: true, authorizedIpRanges: ["198.51.100.7"], adminGroups: ["platform-admins"] }),
      [
        "adminGroups[0] is no object id",
        "authorizedIpRanges[0] is not an IPv4 network in CIDR notation",
        "authorizedIpRanges cannot go with a private API server, which no public address reaches",
      ],
    );
  });

  it("pools that Azure would not make", async () => {
    const userPools = [
      { name: "apps", vmSize: "D4ds_v5", maxCount: 1001 },
      { name: "apps", minCount: 6 },
      { name: "system", minCount: -1 },
      { name: "Big-Pool" },
    ];
    assert.deepEqual(await faults({ userPools, systemPool: { minCount: 1.5 } }), [
      "systemPool.minCount is no number of nodes",
      "userPools[0].vmSize is no size",
      "userPools[0].maxCount is no number of nodes",
      "userPools[1].minCount is more than maxCount 5",
      "userPools[2].minCount is no number of nodes",
      "userPools[1].name is the name of another pool",
      "userPools[2].name is the name of another pool",
      "userPools[3].name is no name of a Linux pool",
    ]);
  });

  it("a system pool without nodes, and too many of a fixed number", async () => {
    const fixed = { enableAutoScaling: false, minCount: 8 };
    assert.deepEqual(await faults({ systemPool: { minCount: 0 }, userPools: [{ name: "apps", minCount: 0 }] }), [
      "systemPool.minCount is no number of nodes",
    ]);
    assert.deepEqual(await faults({ systemPool: fixed }), []);
    assert.deepEqual(await faults({ systemPool: fixed, network: { pods: "10.244.0.0/21" } }), [
      "network.pods is too small for 11 nodes, as many as the pools have at most while they are upgraded: they need 2816 addresses",
    ]);
  });

  it("windows that are none, and channels that do not go together", async () => {
    const maintenance = {
      utcOffset: "CET",
      autoUpgrade: { startTime: "1:00" },
      nodeOSUpgrade: { durationHours: 3 },
    };
    assert.deepEqual(
      await faults({ maintenance, upgradeChannel: "node-image", nodeOSUpgradeChannel: "SecurityPatch" }),
      [
        "maintenance.utcOffset is no offset from UTC",
        "maintenance.autoUpgrade.startTime is no time of day",
        "maintenance.nodeOSUpgrade.durationHours is no length of a window",
        "nodeOSUpgradeChannel does not go with upgradeChannel node-image, which upgrades nodes by image",
      ],
    );
  });

  it("networks that AKS uses itself or does not take, and those without room for all nodes", async () => {
    const network = { vnet: "172.16.0.0/12", nodes: "172.16.0.0/28", apiServer: "172.16.16.0/28" };
    const many = "nodes, as many as the pools have at most while they are upgraded";
    assert.deepEqual(
      await faults({
        network: { ...network, endpoints: "172.16.17.0/24", pods: "192.0.0.0/20", services: "10.0.0.0/11" },
        userPools: [{ name: "apps", maxCount: 10 }],
      }),
      [
        "network.vnet touches 172.30.0.0/16, which AKS uses itself",
        "network.pods touches 192.0.2.0/24, which AKS uses itself",
        "network.services is too large",
        `network.nodes is too small for 21 ${many}: they need 26 addresses`,
        `network.pods is too small for 21 ${many}: they need 5376 addresses`,
      ],
    );
  });

  it("what no network in Azure has, and subnets of it outside their network", async () => {
    const network = { nodes: "172.30.0.0/20", pods: "224.0.0.0/12", services: "168.63.128.0/20" };
    assert.deepEqual(await faults({ network }), [
      "network.nodes touches 172.30.0.0/16, which AKS uses itself",
      "network.nodes does not lie within vnet 10.60.0.0/16",
      "network.pods touches 224.0.0.0/4, which no network in Azure has",
      "network.services touches 168.63.129.16/32, which no network in Azure has",
    ]);
  });

  it("pools that AKS would not make, by size, disk, zones and number", async () => {
    const wide = {
      vnet: "10.64.0.0/10",
      nodes: "10.64.0.0/18",
      apiServer: "10.64.64.0/28",
      endpoints: "10.64.65.0/24",
    };
    assert.deepEqual(
      await faults({
        sku: "Free",
        network: { ...wide, pods: "11.0.0.0/8" },
        systemPool: { vmSize: "Standard_D2ds_v5", osDiskType: "Ephemeral", maxCount: 1000 },
        userPools: [
          { name: "one", vmSize: "Standard_F1s", zones: ["1", "1"] },
          { name: "fits", vmSize: "Standard_D4ds_v5", osDiskType: "Ephemeral" },
        ],
      }),
      [
        "systemPool.osDiskType does not go with Standard_D2ds_v5, which has a local disk of 75 GiB, and the nodes' system " +
          "takes 128 GiB",
        "userPools[0].vmSize has one processor, and AKS takes no node with fewer than two",
        "userPools[0].zones[1] is there twice",
        "sku takes 1000 nodes at most, and the pools may have 1010",
      ],
    );
    const userPools = Array.from({ length: 100 }, (_, n) => ({ name: `p${n}` }));
    assert.deepEqual(await faults({ network: { ...wide, pods: "11.0.0.0/8" }, userPools }), [
      "userPools are more pools than the 100 that a cluster has, its system pool among them",
    ]);
  });

  it("callers whom the internet brings from nowhere, and ports and firewalls that are not there", async () => {
    assert.deepEqual(await faults({ authorizedIpRanges: ["10.1.0.0/16", "0.0.0.0/32"] }), [
      "authorizedIpRanges[0] is within 10.0.0.0/8, whose addresses nobody comes from through the internet",
      "authorizedIpRanges has 0.0.0.0/32, which lets nobody in, beside others",
    ]);
    const many = Array.from({ length: 200 }, (_, n) => `203.0.113.${n}/32`);
    assert.deepEqual(await faults({ authorizedIpRanges: many }), []);
    assert.deepEqual(await faults({ authorizedIpRanges: many, runnerAddresses: ["198.51.100.7/32"] }), [
      "authorizedIpRanges are more than 200 networks",
    ]);
    assert.deepEqual(await faults({ egress: { firewall: "10.60.1.4" }, publicPorts: ["0", "90-80", "65535"] }), [
      "egress.firewall is an address of vnet 10.60.0.0/16, and the firewall is in a network that the stack's is peered with",
      "publicPorts[0] is no port that there is",
      "publicPorts[1] ends before it begins",
    ]);
    assert.deepEqual(await faults({ egress: { firewall: "203.0.113.4" } }), [
      "egress.firewall is a public address, and no route leads to one",
    ]);
  });

  it("a channel that leaves the minor version of long-term support", async () => {
    assert.deepEqual(await faults({ sku: "Premium", upgradeChannel: "rapid" }), [
      "upgradeChannel does not go with sku Premium, whose long-term support stays on a minor version",
    ]);
    assert.deepEqual(await faults({ sku: "Premium", upgradeChannel: "node-image" }), []);
    assert.deepEqual(await faults({ sku: "Premium", upgradeChannel: "none" }), []);
    assert.deepEqual(await faults({ upgradeChannel: "node-image", nodeOSUpgradeChannel: "Unmanaged" }), [
      "nodeOSUpgradeChannel does not go with upgradeChannel node-image, which upgrades nodes by image",
    ]);
  });

  it("versions that are none, and channels that go beyond the one that is said", async () => {
    assert.deepEqual(await faults({ kubernetesVersion: "v1.34" }), ["kubernetesVersion is no version of Kubernetes"]);
    for (const upgradeChannel of ["none", "patch", "node-image"] as const)
      assert.deepEqual(await faults({ kubernetesVersion: "1.34", upgradeChannel }), []);
    for (const upgradeChannel of ["stable", "rapid"] as const)
      assert.deepEqual(await faults({ kubernetesVersion: "1.34", upgradeChannel }), [
        "upgradeChannel does not go with kubernetesVersion 1.34: AKS would go on to later minor versions by itself, and never back",
      ]);
    for (const upgradeChannel of ["none", "node-image"] as const)
      assert.deepEqual(await faults({ kubernetesVersion: "1.34.1", upgradeChannel }), []);
    assert.deepEqual(await faults({ kubernetesVersion: "1.34.1", upgradeChannel: "patch" }), [
      "upgradeChannel does not go with kubernetesVersion 1.34.1: AKS would go on to later patches by itself, and never back",
    ]);
  });

  it("with what, where, which value and what to do", async () => {
    assert.throws(
      () => new AksCluster("aks", { resourceGroupName: "group", systemPool: { minCount: 9 } }),
      (error) => {
        assert.equal(
          (error as Error).message,
          `AksCluster aks has an argument that cannot work:

  systemPool.minCount is more than maxCount 5
    value   9
    remedy  raise maxCount or lower minCount`,
        );
        return true;
      },
    );
  });
});
