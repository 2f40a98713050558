// What the program asks of Microsoft.Network, put to the simulated Resource Manager.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { LOCATION, newCloud, ROOT } from "../../rehearsal/cloud/arm/cloud.ts";
import { armRequests } from "../armRequests.ts";

const TYPES =
  /\/providers\/Microsoft\.Network\/(publicIPAddresses|natGateways|routeTables|networkSecurityGroups|virtualNetworks)\/[^/?]+\?/;
const CONFIG = {
  deployers: "6f1f2b6e-1111-4e0a-9c60-000000000001",
  flux: { repository: "https://github.com/acme/fleet" },
};

describe("the network that the program asks for", () => {
  for (const egress of ["natGateway", "loadBalancer", { firewall: "10.50.1.4" }] as const)
    it(`is made by Azure, with egress ${JSON.stringify(egress)}`, async () => {
      const cloud = await newCloud();
      const requests = await armRequests({ ...CONFIG, cluster: { private: true, egress } });
      const subscription = (text: string) => text.replaceAll(/\/subscriptions\/[0-9a-f-]{36}/g, ROOT);
      const networks = requests.filter(({ url }) => TYPES.test(url));
      for (const { url, body } of networks) {
        const path = subscription(url.replace(/\?.*$/, ""));
        const [group = ""] = path.split("/providers/");
        if (cloud.arm.get(group) === undefined) await cloud.make(group, { location: LOCATION });
        await cloud.make(path, JSON.parse(subscription(JSON.stringify(body))));
      }
      const [network] = cloud.arm.list("Microsoft.Network/virtualNetworks");
      const subnets = network?.properties.subnets as { properties: Record<string, unknown> }[];
      assert.equal(subnets.length, 2);
      for (const { properties } of subnets) assert.ok(properties.networkSecurityGroup);
      const [{ properties: nodes } = { properties: {} }] = subnets;
      const ways = ["natGateway", "routeTable"].filter((way) => (nodes as Record<string, unknown>)[way] !== undefined);
      assert.deepEqual(
        ways,
        egress === "natGateway" ? ["natGateway"] : egress === "loadBalancer" ? [] : ["routeTable"],
      );
    });
});
