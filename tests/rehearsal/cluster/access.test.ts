import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { Entra } from "../../../rehearsal/cloud/entra/service.ts";
import type { Caller } from "../../../rehearsal/cloud/types.ts";
import { aksUsers, SERVER_ID } from "../../../rehearsal/cluster/aksUsers.ts";
import { apiServerRefusal } from "../../../rehearsal/cluster/apiServerAccess.ts";
import { FakeArm } from "../cloud/fakeArm.ts";

const CLUSTER_ID = "/subscriptions/s/resourceGroups/g/providers/Microsoft.ContainerService/managedClusters/c";
const cluster = (properties: Record<string, unknown>) => ({
  ...{ id: CLUSTER_ID, name: "c", type: "Microsoft.ContainerService/managedClusters", location: "westeurope" },
  properties,
});

describe("the way to a managed cluster's API server", () => {
  const [fqdn, privateFQDN] = ["c-1.hcp.westeurope.azmk8s.io", "c-1.2.privatelink.westeurope.azmk8s.io"];
  const from = (place: "outside" | "inside" | "cluster", host: string, address = "203.0.113.10") => ({
    ...{ place, host, address },
  });
  const refusalOf = (resource: ReturnType<typeof cluster>, tunnel: ReturnType<typeof from>, resolves?: boolean) => {
    const reaches = tunnel.place !== "outside";
    return apiServerRefusal(resource, tunnel, { resolves: resolves ?? reaches, reaches });
  };

  it("is open to everybody where the server is public", () => {
    assert.equal(refusalOf(cluster({ fqdn }), from("outside", fqdn)), undefined);
    const none = cluster({ fqdn, apiServerAccessProfile: { authorizedIPRanges: [] } });
    assert.equal(refusalOf(none, from("outside", fqdn)), undefined);
  });

  it("leads nobody outside to a private one, by neither of its names", () => {
    const both = cluster({ fqdn, privateFQDN });
    assert.equal(
      refusalOf(both, from("outside", privateFQDN)),
      `lookup ${privateFQDN}: no such host (the API server is private)`,
    );
    assert.equal(refusalOf(both, from("outside", fqdn)), `${fqdn}: timeout (the API server is private)`);
    for (const place of ["inside", "cluster"] as const)
      for (const host of [fqdn, privateFQDN]) assert.equal(refusalOf(both, from(place, host)), undefined);
  });

  it("finds a private name where its zone is known alone, though the address is reached", () => {
    const both = cluster({ fqdn, privateFQDN });
    assert.equal(
      refusalOf(both, from("inside", privateFQDN), false),
      `lookup ${privateFQDN}: no such host (the API server is private)`,
    );
    assert.equal(refusalOf(both, from("inside", fqdn), false), undefined);
    const publicName = cluster({ fqdn, privateFQDN: fqdn });
    assert.equal(refusalOf(publicName, from("inside", fqdn), false), undefined);
    assert.equal(refusalOf(publicName, from("outside", fqdn)), `${fqdn}: timeout (the API server is private)`);
  });

  it("admits the authorized ranges and single addresses alone from outside", () => {
    const some = cluster({ fqdn, apiServerAccessProfile: { authorizedIPRanges: ["203.0.113.0/28", "198.51.100.7"] } });
    const refusal = (address: string) => refusalOf(some, from("outside", fqdn, address));
    assert.deepEqual([refusal("203.0.113.10"), refusal("198.51.100.7")], [undefined, undefined]);
    for (const address of ["203.0.113.16", "198.51.100.8"])
      assert.equal(refusal(address), `${fqdn}: timeout (${address} is not in authorizedIPRanges)`);
    assert.equal(refusalOf(some, from("cluster", fqdn, "10.60.0.5")), undefined);
  });
});

describe("whom AKS takes a token for", () => {
  const writes = "Microsoft.ContainerService/managedClusters/namespaces/write";
  const reads = "Microsoft.ContainerService/managedClusters/pods/read";
  const team = "6f1f2b6e-1111-4e0a-9c60-00000000000a";
  const setUp = async () => {
    const entra = await Entra.create({ tenantId: "5b6f3f4e-0d6a-4f0f-9a55-7e1f6c2d0a01" });
    entra.addGroup(team, "team");
    const arm = new FakeArm();
    const somebody = entra.addClient("somebody", [team]);
    const principal = entra.find(somebody.objectId);
    assert.ok(principal);
    const token = (audience: string) => entra.issuer.issue(principal, audience, "1", [team]);
    return { arm, entra, objectId: somebody.objectId, token, user: aksUsers(entra, arm, CLUSTER_ID) };
  };

  it("is the caller's object id with all groups, and one more for each role of Azure", async () => {
    const { arm, objectId, token, user } = await setUp();
    assert.deepEqual(await user(token(SERVER_ID)), { username: objectId, groups: [team] });
    arm.allowed.push(`${objectId} ${reads} ${CLUSTER_ID}`);
    assert.deepEqual(await user(token(SERVER_ID)), { username: objectId, groups: [team, "azure:view"] });
    arm.allowed.push(`${objectId} ${writes} /subscriptions/s`);
    const groups = [team, "azure:cluster-admin", "azure:view"];
    assert.deepEqual(await user(token(SERVER_ID)), { username: objectId, groups });
  });

  it("counts roles on this very cluster alone, and what they say of data", async () => {
    const { entra, objectId, token } = await setUp();
    const asked: string[] = [];
    const allows = ({ principal }: Caller, action: string, scope: string, kind: string) => {
      asked.push(`${principal.objectId} ${kind} ${action} ${scope}`);
      return false;
    };
    await aksUsers(entra, { allows }, CLUSTER_ID)(token(SERVER_ID));
    assert.deepEqual(
      asked,
      [writes, reads].map((action) => `${objectId} data ${action} ${CLUSTER_ID}`),
    );
  });

  it("is nobody for a token of another service or another tenant, or for none", async () => {
    const { token, user } = await setUp();
    const { token: foreign } = await setUp();
    for (const each of [token("https://management.azure.com"), foreign(SERVER_ID), "x", ""])
      assert.equal(await user(each), undefined);
  });
});
