import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { fault, faults, read, warnings } from "./faults.ts";

const HUB = "/subscriptions/s/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/vnet-hub";
const PRIVATE = { "aks-gitops:registry": { sku: "Premium", private: true } };
const chart = { name: "a", repository: "https://a.b/c", version: "1.0.0", namespace: "a" };
const runner = (value: unknown) => ({ "aks-gitops:runner": value });

describe("how the nodes' traffic leaves the network", () => {
  const cluster = (value: object) => ({ "aks-gitops:cluster": value });

  it("is a word, a firewall or a route table", () => {
    for (const egress of ["loadBalancer", "natGateway"]) assert.equal(read(cluster({ egress })).cluster.egress, egress);
    const { egress } = read(cluster({ egress: { firewall: "10.50.1.4" } })).cluster;
    assert.deepEqual(egress, { firewall: "10.50.1.4", routeTableId: undefined });
    assert.equal(fault(cluster({ egress: { firewall: "10.50.1.400" } }))[0], "aks-gitops:cluster.egress.firewall");
    assert.equal(fault(cluster({ egress: {} }))[2], "does not say one way");
    assert.equal(fault(cluster({ egress: "firewall" }))[2], "is not a known word");
    assert.equal(fault(cluster({ publicPorts: ["http"] }))[0], "aks-gitops:cluster.publicPorts[0]");
  });

  it("is not AKS's own where few addresses reach the API server", () => {
    const authorizedIpRanges = ["203.0.113.0/24"];
    assert.deepEqual(fault(cluster({ egress: "loadBalancer", authorizedIpRanges })), [
      "aks-gitops:cluster.authorizedIpRanges",
      authorizedIpRanges,
      "would keep out the nodes, whose addresses are AKS's own with egress loadBalancer",
    ]);
  });
});

describe("where the runner stands", () => {
  const place = (value: unknown) => {
    const { runner: place, runnerNetworkId, runnerAddresses } = read(runner(value));
    return [place, runnerNetworkId, runnerAddresses];
  };

  it("is a word, a network that is peered, or outside at known addresses", () => {
    assert.deepEqual(place("inside"), ["inside", undefined, undefined]);
    assert.deepEqual(place("outside"), ["outside", undefined, undefined]);
    assert.deepEqual(place({ inside: { vnet: HUB } }), ["inside", HUB, undefined]);
    const addresses = ["203.0.113.10/32"];
    assert.deepEqual(place({ outside: { addresses } }), ["outside", undefined, addresses]);
    assert.deepEqual(place(JSON.stringify({ inside: { vnet: HUB } })), ["inside", HUB, undefined]);
  });

  it("is refused where it is no place, two places, or no network", () => {
    assert.deepEqual(fault(runner({ inside: { vnet: "vnet-hub" } })), [
      "aks-gitops:runner.inside.vnet",
      "vnet-hub",
      "does not have the right form",
    ]);
    assert.deepEqual(fault(runner({ inside: {} }))[0], "aks-gitops:runner.inside.vnet");
    assert.equal(
      faults(runner({ insid: { vnet: HUB } }))[0]?.remedy,
      "did you mean inside? known keys are inside, outside",
    );
    const both = { inside: { vnet: HUB }, outside: { addresses: ["203.0.113.10/32"] } };
    assert.deepEqual(fault(runner(both)), ["aks-gitops:runner", both, "does not say one place"]);
    assert.deepEqual(fault(runner({ outside: { addresses: ["203.0.113.10"] } })), [
      "aks-gitops:runner.outside.addresses[0]",
      "203.0.113.10",
      "is not an IPv4 network in CIDR notation",
    ]);
    assert.equal(fault(runner(["inside"]))[2], "is a list where a text is expected");
  });

  it("reaches a private registry and vault from a peered network, and from outside where it is let in", () => {
    const config = (value: unknown) => ({ ...PRIVATE, "aks-gitops:charts": [chart], ...runner(value) });
    assert.deepEqual(faults(config({ inside: { vnet: HUB } })), []);
    assert.deepEqual(faults(config({ outside: { addresses: ["203.0.113.10/32"] } })), []);
    for (const shut of ["outside", { outside: { addresses: [] } }]) {
      const [{ key, value, remedy } = { key: "", value: "", remedy: "" }] = faults(config(shut));
      assert.equal(JSON.stringify([key, value]), JSON.stringify(["aks-gitops:runner", shut]));
      assert.match(remedy, /inside: \{vnet: <its id>\}.*outside: \{addresses: \[\.\.\.\]\}/);
    }
  });

  it("reaches a private API server from a network alone", () => {
    const config = (value: unknown) => ({
      "aks-gitops:cluster": { private: true },
      "aks-gitops:flux": { repository: "https://github.com/acme/fleet", mode: "bootstrap" },
      ...runner(value),
    });
    assert.deepEqual(faults(config({ inside: { vnet: HUB } })), []);
    assert.equal(fault(config({ outside: { addresses: ["203.0.113.10/32"] } }))[0], "aks-gitops:runner");
  });

  it("is warned of where nothing says how it comes into a network that is only made now", () => {
    const [told, ...others] = warnings({ ...PRIVATE, ...runner("inside") });
    assert.deepEqual(others, []);
    assert.match(told ?? "", /aks-gitops:runner.*does not say in which network/);
    assert.deepEqual(warnings({ ...PRIVATE, ...runner({ inside: { vnet: HUB } }) }), []);
    assert.deepEqual(warnings(runner("inside")), []);
  });

  it("is warned of where its addresses are let in by nothing", () => {
    const addresses = runner({ outside: { addresses: ["203.0.113.10/32"] } });
    assert.match(warnings(addresses)[0] ?? "", /aks-gitops:runner\.outside\.addresses.*is not used/);
    assert.deepEqual(warnings({ ...addresses, ...PRIVATE }), []);
    assert.deepEqual(warnings({ ...addresses, "aks-gitops:cluster": { authorizedIpRanges: ["192.0.2.0/24"] } }), []);
  });
});
