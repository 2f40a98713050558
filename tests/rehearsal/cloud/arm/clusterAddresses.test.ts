import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { type Cloud, LOCATION, newCloud } from "./cloud.ts";
import {
  cluster,
  clusterBody,
  clusterProperties,
  gateway,
  identities,
  NODES,
  network,
  systemPool,
  vnet,
} from "./platform.ts";

const POOL = { ...systemPool, upgradeSettings: { maxSurge: "33%" } };
const APPS = { mode: "User", vmSize: "Standard_D4ds_v5", vnetSubnetID: NODES, enableAutoScaling: true, minCount: 1 };

describe("simulated ARM: a cluster's addresses and channels", () => {
  let cloud: Cloud;

  beforeEach(async () => {
    cloud = await newCloud();
    await network(cloud);
    await identities(cloud);
  });

  const networked = (changes: object, more: object = {}) =>
    clusterBody({
      agentPoolProfiles: [POOL],
      networkProfile: { ...clusterProperties.networkProfile, ...changes },
      ...more,
    });
  const refused = (body: object) => cloud.refused(cluster, body);

  for (const reserved of ["169.254.0.0/16", "172.30.0.0/16", "172.31.0.0/16", "192.0.2.0/24"])
    it(`refuses pods and services in ${reserved}, which AKS uses itself`, async () => {
      const inside = reserved.replace(/\d+\/\d+$/, "0/26");
      const dnsServiceIP = inside.replace("0/26", "10");
      for (const [what, changes] of [
        ["podCidr", { podCidr: inside }],
        ["serviceCidr", { serviceCidr: inside, dnsServiceIP }],
      ] as const) {
        const [status, code, message] = await refused(networked(changes));
        assert.deepEqual([status, code], [400, "InvalidParameter"]);
        assert.match(
          String(message),
          new RegExp(`^The ${what} overlaps with ${reserved}, which is reserved by AKS\\. `),
        );
      }
    });

  it("refuses a virtual network that touches a reserved range", async () => {
    await cloud.make(vnet, {
      location: LOCATION,
      properties: {
        addressSpace: { addressPrefixes: ["10.60.0.0/16", "172.16.0.0/12"] },
        subnets: [
          { name: "nodes", properties: { addressPrefix: "10.60.0.0/20", natGateway: { id: gateway } } },
          {
            name: "api",
            properties: {
              addressPrefix: "10.60.16.0/28",
              delegations: [{ name: "aks", properties: { serviceName: "Microsoft.ContainerService/managedClusters" } }],
            },
          },
        ],
      },
    });
    const [status, code, message] = await refused(networked({}));
    assert.deepEqual([status, code], [400, "InvalidParameter"]);
    assert.match(String(message), /^The virtual network overlaps with 172\.30\.0\.0\/16, which is reserved by AKS\. /);
  });

  it("takes 100.64.0.0/10 for pods, as the service does", async () => {
    assert.equal((await cloud.call("PUT", cluster, networked({ podCidr: "100.64.0.0/10" }))).status, 201);
  });

  it("refuses more than a /12 of services", async () => {
    const services = (prefix: number) =>
      networked({ podCidr: "192.168.0.0/16", serviceCidr: `10.96.0.0/${prefix}`, dnsServiceIP: "10.96.0.10" });
    const dnsServiceIP = "10.64.0.10";
    const [status, code, message] = await refused(
      networked({ podCidr: "192.168.0.0/16", serviceCidr: "10.64.0.0/11", dnsServiceIP }),
    );
    assert.deepEqual([status, code, message], [400, "InvalidParameter", "ServiceCidr is too large"]);
    assert.equal((await cloud.call("PUT", cluster, services(12))).status, 201);
  });

  it("counts a /24 of pods for every node that the pools may have, an upgrade's included", async () => {
    // 5 nodes and 2 of an upgrade.
    const [status, code, message] = await refused(networked({ podCidr: "10.244.0.0/22" }));
    assert.deepEqual([status, code], [400, "InsufficientSubnetSize"]);
    assert.match(
      String(message),
      /^Pre-allocated IPs 1792 exceeds IPs available 1024 in Subnet Cidr 10\.244\.0\.0\/22, Subnet Name networkProfile\.podCIDR\. If Autoscaler is enabled, the max-count /,
    );
    assert.equal((await cloud.call("PUT", cluster, networked({ podCidr: "10.244.0.0/21" }))).status, 201);
  });

  it("counts an address of the subnet for every node, and the pools that come later too", async () => {
    await cloud.make(cluster, networked({ podCidr: "10.128.0.0/9" }));
    const pool = (maxCount: number) => ({ properties: { ...APPS, maxCount, upgradeSettings: { maxSurge: "33%" } } });
    // 7 of the system pool, 1000 and 330, and 5 that Azure keeps of 4096: three such pools are the most.
    for (const name of ["one", "two", "three"]) await cloud.make(`${cluster}/agentPools/${name}`, pool(1000));
    const [status, code, message] = await cloud.refused(`${cluster}/agentPools/four`, pool(100));
    assert.deepEqual([status, code], [400, "InsufficientSubnetSize"]);
    assert.match(
      String(message),
      /^Pre-allocated IPs 4130 exceeds IPs available 4091 in Subnet Cidr 10\.60\.0\.0\/20, /,
    );
  });

  it("keeps a cluster of long-term support on its minor version", async () => {
    const premium = (upgradeChannel: string) =>
      clusterBody(
        {
          agentPoolProfiles: [POOL],
          supportPlan: "AKSLongTermSupport",
          autoUpgradeProfile: { upgradeChannel, nodeOSUpgradeChannel: "NodeImage" },
        },
        { sku: { name: "Base", tier: "Premium" } },
      );
    for (const channel of ["stable", "rapid"]) {
      const [status, code, message] = await refused(premium(channel));
      assert.deepEqual([status, code], [400, "InvalidParameter"]);
      assert.match(String(message), new RegExp(`^The upgrade channel ${channel} is not supported`));
    }
    assert.equal((await cloud.call("PUT", cluster, premium("patch"))).status, 201);
  });

  it("takes only NodeImage beside the channel node-image", async () => {
    const channels = (nodeOSUpgradeChannel: string) =>
      clusterBody({
        agentPoolProfiles: [POOL],
        autoUpgradeProfile: { upgradeChannel: "node-image", nodeOSUpgradeChannel },
      });
    for (const channel of ["SecurityPatch", "Unmanaged", "None"])
      assert.deepEqual((await refused(channels(channel))).slice(0, 2), [400, "InvalidParameter"]);
    assert.equal((await cloud.call("PUT", cluster, channels("NodeImage"))).status, 201);
  });
});
