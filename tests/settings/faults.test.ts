import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import type { Fault } from "../../settings/settings.ts";
import { fault, faults, read } from "./faults.ts";

describe("a fault of stack, network, pools or names", () => {
  it("names an unknown key and the nearest known one", () => {
    const [{ key, value, problem, remedy } = {} as Fault] = faults({ "aks-gitops:cluster": { privat: true } });
    assert.deepEqual([key, value, problem], ["aks-gitops:cluster.privat", true, "is not a known key"]);
    assert.match(remedy, /^did you mean private\? known keys are sku, private, /);
  });

  it("names a wrong type", () => {
    assert.deepEqual(fault({ "aks-gitops:demo": { image: "ghcr.io/a/b:1", replicas: "5" } }), [
      "aks-gitops:demo.replicas",
      "5",
      "is a text where a number is expected",
    ]);
  });

  it("names a missing repository", () => {
    assert.deepEqual(fault({ "aks-gitops:flux": null }), ["aks-gitops:flux.repository", undefined, "is missing"]);
  });

  it("names a missing region", () => {
    assert.deepEqual(fault({ "azure-native:location": undefined }), ["azure-native:location", undefined, "is missing"]);
  });

  it("asks for the owner that GitHub's provider is to use, and for the same as the repository's", () => {
    assert.deepEqual(fault({ "github:owner": undefined }), ["github:owner", undefined, "is missing"]);
    assert.deepEqual(fault({ "github:owner": "other" }), [
      "github:owner",
      "other",
      "is not the owner of aks-gitops:flux.repository",
    ]);
    assert.equal(read({ "github:owner": "ACME" }).flux.owner, "acme");
  });

  it("names an unfit name of a stack", () => {
    assert.deepEqual(fault({}, { stack: "My_Stack" }), ["stack", "My_Stack", "does not have the right form"]);
  });

  for (const cidr of ["10.60.0.0/33", "10.60.1.0/16", "10.60.0/16", "10.60.0.0"])
    it(`names ${cidr} as no network`, () => {
      assert.deepEqual(fault({ "aks-gitops:cluster": { network: { vnet: cidr } } }), [
        "aks-gitops:cluster.network.vnet",
        cidr,
        "is not an IPv4 network in CIDR notation",
      ]);
    });

  it("names networks that overlap", () => {
    assert.deepEqual(fault({ "aks-gitops:cluster": { network: { services: "10.244.128.0/20" } } }), [
      "aks-gitops:cluster.network.services",
      "10.244.128.0/20",
      "overlaps pods 10.244.0.0/16",
    ]);
  });

  it("names a subnet outside the network", () => {
    assert.deepEqual(fault({ "aks-gitops:cluster": { network: { endpoints: "10.61.0.0/24" } } }), [
      "aks-gitops:cluster.network.endpoints",
      "10.61.0.0/24",
      "does not lie within vnet 10.60.0.0/16",
    ]);
  });

  it("names a network that is too small", () => {
    assert.deepEqual(fault({ "aks-gitops:cluster": { network: { apiServer: "10.60.16.0/29" } } }), [
      "aks-gitops:cluster.network.apiServer",
      "10.60.16.0/29",
      "is too small",
    ]);
  });

  it("names address ranges of a private API server", () => {
    const cluster = { private: true, authorizedIpRanges: ["203.0.113.0/24"] };
    assert.deepEqual(fault({ "aks-gitops:cluster": cluster }), [
      "aks-gitops:cluster.authorizedIpRanges",
      ["203.0.113.0/24"],
      "cannot go with a private API server, which no public address reaches",
    ]);
  });

  it("names an upgrade channel that is never right", () => {
    assert.deepEqual(fault({ "aks-gitops:cluster": { nodeOSUpgradeChannel: "Managed" } }), [
      "aks-gitops:cluster.nodeOSUpgradeChannel",
      "Managed",
      "is not a known word",
    ]);
  });

  for (const nodeOSUpgradeChannel of ["SecurityPatch", "Unmanaged", "None"])
    it(`names channels that exclude each other: node-image and ${nodeOSUpgradeChannel}`, () => {
      const cluster = { upgradeChannel: "node-image", nodeOSUpgradeChannel };
      assert.equal(fault({ "aks-gitops:cluster": cluster })[0], "aks-gitops:cluster.nodeOSUpgradeChannel");
    });

  for (const upgradeChannel of ["stable", "rapid"])
    it(`names ${upgradeChannel} as no channel of long-term support`, () => {
      assert.deepEqual(fault({ "aks-gitops:cluster": { sku: "Premium", upgradeChannel } }), [
        "aks-gitops:cluster.upgradeChannel",
        upgradeChannel,
        "does not go with sku Premium, whose long-term support stays on a minor version",
      ]);
    });

  const RESERVED: [key: string, value: string, reserved: string][] = [
    ["services", "169.254.16.0/20", "169.254.0.0/16"],
    ["pods", "172.16.0.0/12", "172.30.0.0/16"],
    ["pods", "172.31.0.0/16", "172.31.0.0/16"],
    ["services", "192.0.2.0/26", "192.0.2.0/24"],
  ];
  for (const [key, value, reserved] of RESERVED)
    it(`names ${value} as ${key}, for AKS uses ${reserved} itself`, () => {
      assert.deepEqual(fault({ "aks-gitops:cluster": { network: { [key]: value } } }), [
        `aks-gitops:cluster.network.${key}`,
        value,
        `touches ${reserved}, which AKS uses itself`,
      ]);
    });

  it("names a virtual network that AKS would not take, and that once, whatever its subnets", () => {
    const network = {
      vnet: "172.31.0.0/16",
      nodes: "172.31.0.0/20",
      apiServer: "172.31.16.0/28",
      endpoints: "172.31.17.0/24",
    };
    assert.deepEqual(fault({ "aks-gitops:cluster": { network } }), [
      "aks-gitops:cluster.network.vnet",
      "172.31.0.0/16",
      "touches 172.31.0.0/16, which AKS uses itself",
    ]);
  });

  it("names more services than AKS takes", () => {
    assert.deepEqual(fault({ "aks-gitops:cluster": { network: { services: "10.128.0.0/11" } } }), [
      "aks-gitops:cluster.network.services",
      "10.128.0.0/11",
      "is too large",
    ]);
    const network = { services: "10.128.0.0/12", pods: "100.64.0.0/10" };
    assert.deepEqual(faults({ "aks-gitops:cluster": { network } }), []);
  });

  it("names networks without room for every node of the pools and of an upgrade", () => {
    // 5 + 2 of the system pool, 10 + 4 of apps: 21 nodes, each with an address and a /24 of pods.
    const pools = { userPools: [{ name: "apps", maxCount: 10 }] };
    const found = (network: object) =>
      faults({ "aks-gitops:cluster": { ...pools, network } }).map(({ key, problem, remedy }) => [key, problem, remedy]);
    const many = "nodes, as many as the pools have at most while they are upgraded";
    assert.deepEqual(found({ nodes: "10.60.0.0/28", pods: "10.244.0.0/20" }), [
      [
        "aks-gitops:cluster.network.nodes",
        `is too small for 21 ${many}: they need 26 addresses`,
        "write a prefix length of 27 or less (a larger network), or lower maxCount",
      ],
      [
        "aks-gitops:cluster.network.pods",
        `is too small for 21 ${many}: they need 5376 addresses`,
        "write a prefix length of 19 or less (a larger network), or lower maxCount",
      ],
    ]);
    assert.deepEqual(found({ nodes: "10.60.0.0/27", pods: "10.244.0.0/19" }), []);
  });

  it("names maintenance windows that overlap, across the end of the week too", () => {
    const maintenance = {
      autoUpgrade: { dayOfWeek: "Sunday", startTime: "22:00", durationHours: 8 },
      nodeOSUpgrade: { dayOfWeek: "Monday", startTime: "03:00", durationHours: 4 },
    };
    assert.equal(fault({ "aks-gitops:cluster": { maintenance } })[0], "aks-gitops:cluster.maintenance.nodeOSUpgrade");
  });

  it("names a burstable system pool", () => {
    assert.deepEqual(fault({ "aks-gitops:cluster": { systemPool: { vmSize: "Standard_B4ms" } } }), [
      "aks-gitops:cluster.systemPool.vmSize",
      "Standard_B4ms",
      "is burstable and starves the system pods once its credits are spent",
    ]);
  });

  it("names counts the wrong way round", () => {
    assert.deepEqual(fault({ "aks-gitops:cluster": { systemPool: { minCount: 6 } } }), [
      "aks-gitops:cluster.systemPool.minCount",
      6,
      "is more than maxCount 5",
    ]);
  });

  it("says of zones that YAML reads as numbers how to write them", () => {
    const [{ key, problem, remedy } = assert.fail()] = faults({ "aks-gitops:cluster": { systemPool: { zones: [1] } } });
    assert.deepEqual(
      [key, problem, remedy],
      ["aks-gitops:cluster.systemPool.zones[0]", "is a number where a text is expected", 'write one of "1", "2", "3"'],
    );
  });

  it("names zones of a region without any", () => {
    const config = { "azure-native:location": "westus", "aks-gitops:cluster": { systemPool: { zones: ["1"] } } };
    assert.deepEqual(fault(config), [
      "aks-gitops:cluster.systemPool.zones",
      ["1"],
      "do not exist in the region westus",
    ]);
  });

  for (const name of ["thirteenchars", "Apps", "a-b", "1st"])
    it(`names ${name} as no pool's name`, () => {
      assert.equal(
        fault({ "aks-gitops:cluster": { userPools: [{ name }] } })[0],
        "aks-gitops:cluster.userPools[0].name",
      );
    });

  it("names a pool that is there twice", () => {
    assert.deepEqual(fault({ "aks-gitops:cluster": { userPools: [{ name: "system" }] } }), [
      "aks-gitops:cluster.userPools[0].name",
      "system",
      "is the name of another pool",
    ]);
  });

  for (const name of ["acr", "acr-prod", "a".repeat(51)])
    it(`names ${name.slice(0, 10)} as no registry's name`, () => {
      assert.equal(fault({ "aks-gitops:registry": { name } })[0], "aks-gitops:registry.name");
    });

  for (const vault of ["kv", "1vault", "a--b", "vault-", "v".repeat(25)])
    it(`names ${vault} as no vault's name`, () => {
      assert.equal(fault({ "aks-gitops:sops": { vault } })[0], "aks-gitops:sops.vault");
    });
});
