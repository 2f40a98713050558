// What groups of people may do in the cluster.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { AksCluster } from "../../../components/cluster/aksCluster.ts";
import type { AccessArgs } from "../../../components/cluster/aksClusterArgs.ts";
import { faults, read } from "../../settings/faults.ts";
import { assigned, deploy, idOf, roleId } from "../deployment.ts";
import { onArm } from "../onArm.ts";
import { refused } from "../refused.ts";

const [TEAM_A, TEAM_B, DEPLOYERS] = [5, 6, 1].map((number) => `6f1f2b6e-1111-4e0a-9c60-00000000000${number}`) as [
  string,
  string,
  string,
];
const ACCESS: readonly AccessArgs[] = [
  { group: TEAM_A, role: "Writer", namespaces: ["team-a", "team-a-jobs"] },
  { group: TEAM_A, role: "Reader" },
  { group: TEAM_B, role: "ClusterAdmin" },
];
const CLUSTER_USER = "4abbcc35-e782-43d8-92c5-2d3f1bd2253f";
const READER = "7f6c6a51-bcf8-42ba-9220-52d62157d7db";
const WRITER = "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb";
const CLUSTER_ADMIN = "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b";

describe("people's access to the cluster", () => {
  it("is Azure's roles on the cluster and on namespaces, and the role to sign in", async () => {
    const { find, names } = await deploy(() => new AksCluster("aks", { resourceGroupName: "group", access: ACCESS }));
    assert.deepEqual(
      names("RoleAssignment").filter((name) => !["aks-network", "aks-kubelet"].includes(name)),
      [
        `aks-${TEAM_A}-Reader`,
        `aks-${TEAM_A}-user`,
        `aks-${TEAM_A}-Writer-team-a`,
        `aks-${TEAM_A}-Writer-team-a-jobs`,
        `aks-${TEAM_B}-ClusterAdmin`,
        `aks-${TEAM_B}-user`,
      ].sort(),
    );
    const clusterId = idOf("ManagedCluster", "aks");
    const given = (name: string) => assigned(find("RoleAssignment", name).inputs);
    const group = { principalId: TEAM_A, principalType: "Group" };
    assert.deepEqual(given(`aks-${TEAM_A}-Writer-team-a`), {
      ...group,
      roleDefinitionId: roleId(WRITER),
      scope: `${clusterId}/namespaces/team-a`,
    });
    assert.deepEqual(given(`aks-${TEAM_A}-Reader`), { ...group, roleDefinitionId: roleId(READER), scope: clusterId });
    assert.deepEqual(given(`aks-${TEAM_A}-user`), {
      ...group,
      roleDefinitionId: roleId(CLUSTER_USER),
      scope: clusterId,
    });
    assert.deepEqual(given(`aks-${TEAM_B}-ClusterAdmin`), {
      ...{ principalId: TEAM_B, principalType: "Group" },
      ...{ roleDefinitionId: roleId(CLUSTER_ADMIN), scope: clusterId },
    });
  });

  it("ends at the namespace's border in Azure", async () => {
    const config = { deployers: DEPLOYERS, flux: { repository: "https://github.com/acme/fleet" } };
    const { cloud } = await onArm({ ...config, cluster: { access: ACCESS } }, async ({ directory }) => {
      for (const objectId of [TEAM_A, TEAM_B])
        directory.principals.set(objectId, { objectId, kind: "Group", displayName: objectId });
    });
    const [id = ""] = cloud.arm.list("Microsoft.ContainerService/managedClusters").map((one) => one.id);
    const principal = cloud.directory.add("User", "somebody of team A");
    const may = (action: string, below = "", kind: "data" | "control" = "data") =>
      cloud.arm.allows(
        { principal, groups: [TEAM_A] },
        `Microsoft.ContainerService/managedClusters/${action}`,
        `${id}${below}`,
        kind,
      );
    assert.deepEqual(
      [may("pods/write", "/namespaces/team-a"), may("secrets/read", "/namespaces/team-a-jobs")],
      [true, true],
    );
    assert.deepEqual([may("pods/read", "/namespaces/other"), may("pods/read")], [true, true]);
    assert.deepEqual(
      [may("pods/write", "/namespaces/other"), may("secrets/read", "/namespaces/other")],
      [false, false],
    );
    assert.deepEqual([may("namespaces/write"), may("listClusterUserCredential/action", "", "control")], [false, true]);
  });

  it("is refused where it is none, or given twice", async () => {
    const access = [
      { group: "team-a", role: "Reader" },
      { group: TEAM_A, role: "Writer", namespaces: ["Team_A"] },
      { group: TEAM_B, role: "ClusterAdmin", namespaces: ["team-b"] },
      { group: TEAM_A, role: "Reader" },
      { group: TEAM_A.toUpperCase(), role: "Reader" },
    ] as const;
    assert.deepEqual(await refused(() => new AksCluster("aks", { resourceGroupName: "group", access })), [
      "access[0].group is no object id",
      "access[1].namespaces[0] is no name of a namespace",
      "access[2].namespaces says nothing beside ClusterAdmin, who may everything in the cluster",
      "access[4] gives a group a second time what it has",
    ]);
  });

  it("is a setting, refused in the same cases", () => {
    assert.deepEqual(read({ "aks-gitops:cluster": { access: ACCESS } }).cluster.access, [
      ACCESS[0],
      { ...ACCESS[1], namespaces: undefined },
      { ...ACCESS[2], namespaces: undefined },
    ]);
    const found = (access: readonly object[], mode = "extension") =>
      faults({
        "aks-gitops:cluster": { access },
        "aks-gitops:flux": { repository: "https://github.com/acme/fleet", mode },
      }).map(({ key, rule }) => [key, rule]);
    const key = "aks-gitops:cluster.access";
    assert.deepEqual(found([{ group: "team-a", role: "Owner", namespaces: ["Team_A"] }]), [
      [`${key}[0].group`, undefined],
      [`${key}[0].role`, undefined],
      [`${key}[0].namespaces[0]`, undefined],
    ]);
    assert.deepEqual(found([{ group: TEAM_B, role: "ClusterAdmin", namespaces: ["team-b"] }]), [
      [`${key}[0].namespaces`, "cluster-admins-are-of-the-whole-cluster"],
    ]);
    const once = { group: TEAM_A, role: "Reader" };
    assert.deepEqual(found([once, { ...once, group: TEAM_A.toUpperCase() }]), [[`${key}[1]`, "access-is-given-once"]]);
    assert.deepEqual(found([{ ...once, namespaces: ["a", "a"] }]), [[`${key}[0]`, "access-is-given-once"]]);
    const deployers = [{ group: DEPLOYERS, role: "ClusterAdmin" }];
    assert.deepEqual(found(deployers, "bootstrap"), [[`${key}[0]`, "access-is-given-once"]]);
    assert.deepEqual(found(deployers), []);
  });
});
