import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { LOCATION, newCloud } from "./cloud.ts";
import { cluster } from "./platform.ts";

describe("simulated AKS: a cluster as az writes it", () => {
  it("takes an empty version and size for nothing said, and what was read back for no change", async () => {
    const cloud = await newCloud();
    const made = await cloud.make(cluster, {
      location: LOCATION,
      identity: { type: "SystemAssigned" },
      sku: { name: "Base", tier: "Free" },
      properties: {
        dnsPrefix: "demo",
        kubernetesVersion: "",
        agentPoolProfiles: [{ name: "nodepool1", mode: "System", count: 3, vmSize: "", orchestratorVersion: "" }],
      },
    });
    const [pool] = made.properties.agentPoolProfiles;
    assert.match(made.properties.kubernetesVersion, /^\d+\.\d+/);
    assert.deepEqual([pool.vmSize, pool.count], ["Standard_D4ds_v5", 3]);
    assert.ok(made.properties.identityProfile.kubeletidentity.resourceId, "the kubelet has an identity of AKS's own");

    const { identity, location, properties } = made;
    const body = { identity: { type: identity.type }, location, properties, sku: { name: "Base", tier: "Standard" } };
    assert.equal((await cloud.make(cluster, body)).sku.tier, "Standard");
    const other = structuredClone(properties);
    other.agentPoolProfiles[0].nodeImageVersion = "AKSUbuntu-of-my-own";
    assert.deepEqual((await cloud.refused(cluster, { ...body, properties: other })).slice(0, 2), [
      400,
      "InvalidRequestContent",
    ]);
  });
});
