// Azure Policy's rules for pods.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { AksCluster } from "../../../components/cluster/aksCluster.ts";
import type { PodSecurityArgs } from "../../../components/cluster/aksClusterArgs.ts";
import { PipelineIdentity } from "../../../components/pipeline/pipelineIdentity.ts";
import { faults, read } from "../../settings/faults.ts";
import { deploy, idOf } from "../deployment.ts";
import { onArm } from "../onArm.ts";
import { refused } from "../refused.ts";

const CONFIG = {
  deployers: "6f1f2b6e-1111-4e0a-9c60-000000000001",
  flux: { repository: "https://github.com/acme/fleet" },
};
const BASELINE = "/providers/Microsoft.Authorization/policySetDefinitions/a8640138-9b0a-4a28-b8cb-1666c838647d";
const KURED = {
  name: "kured",
  repository: "https://kubereboot.github.io/charts",
  version: "6.1.0",
  namespace: "baseline",
};

describe("Azure Policy's rules for pods", () => {
  const cluster = (podSecurity?: PodSecurityArgs) =>
    deploy(() => new AksCluster("aks", { resourceGroupName: "group", podSecurity }));

  it("are Azure's baseline initiative on the cluster, without the namespaces that need privilege", async () => {
    const { find } = await cluster({ effect: "Deny", excludedNamespaces: ["baseline", "kube-system"] });
    assert.deepEqual(find("PolicyAssignment", "aks-pods-baseline").inputs, {
      scope: idOf("ManagedCluster", "aks"),
      policyAssignmentName: "aks-pods-baseline",
      displayName: "Baseline rules for the pods of aks",
      // The SDK's own default.
      enforcementMode: "Default",
      policyDefinitionId: BASELINE,
      parameters: {
        effect: { value: "Deny" },
        excludedNamespaces: { value: ["kube-system", "gatekeeper-system", "azure-arc", "baseline"] },
      },
    });
  });

  it("are none by default, and only look where nothing else is said", async () => {
    assert.deepEqual((await cluster()).names("PolicyAssignment"), []);
    const { find } = await cluster({ initiative: "Restricted" });
    const { parameters, policyDefinitionId } = find("PolicyAssignment", "aks-pods-restricted").inputs;
    assert.deepEqual((parameters as { effect: object }).effect, { value: "Audit" });
    assert.match(String(policyDefinitionId), /42b8ef37-b724-4e24-bbc8-7a7708edfe00$/);
  });

  it("are taken by Azure of one who may assign policies, and of no Contributor", async () => {
    const { cloud } = await onArm({ ...CONFIG, cluster: { podSecurity: { excludedNamespaces: ["baseline"] } } });
    const [assignment] = cloud.arm.list("Microsoft.Authorization/policyAssignments");
    assert.equal(assignment?.properties.policyDefinitionId, BASELINE);
    const principal = cloud.directory.add("ServicePrincipal", "deployer");
    const may = (role: string) => {
      cloud.arm.assignRole(principal.objectId, role, `/subscriptions/${assignment?.id.split("/")[2]}`);
      const action = "Microsoft.Authorization/policyAssignments/write";
      return cloud.arm.allows({ principal, groups: [] }, action, assignment?.id ?? "", "control");
    };
    assert.deepEqual([may("Contributor"), may("Resource Policy Contributor")], [false, true]);
  });

  it("may be assigned by the deployer of a pipeline that is told so", async () => {
    const roles = async (assignsPolicies: boolean) => {
      const { names } = await deploy(
        () =>
          new PipelineIdentity("ci", {
            ...{ stack: "prod", scope: "/subscriptions/00000000-0000-0000-0000-00000000000a", assignsPolicies },
            azureDevOps: { deploySubject: "/eid1/deploy", previewSubject: "/eid1/preview" },
          }),
      );
      return names("RoleAssignment");
    };
    const usual = ["ci-deployer-assign", "ci-deployer-contribute", "ci-reader-read"];
    assert.deepEqual(await roles(false), usual);
    assert.deepEqual(await roles(true), [...usual, "ci-deployer-policies"].sort());
  });

  it("are refused where they would keep Kured out", () => {
    const found = (podSecurity: object) =>
      faults({
        "aks-gitops:cluster": { nodeOSUpgradeChannel: "Unmanaged", podSecurity },
        "aks-gitops:charts": [KURED],
      });
    const [{ key, value, problem, rule } = {}] = found({ effect: "Deny" });
    assert.deepEqual(
      [key, value, problem, rule],
      [
        "aks-gitops:charts[0].namespace",
        "baseline",
        "is where cluster.podSecurity lets no privileged pod in, and Kured's are",
        "pods-that-need-privilege-are-let-in",
      ],
    );
    assert.deepEqual(found({ effect: "Audit" }), []);
    assert.deepEqual(found({ effect: "Deny", excludedNamespaces: ["baseline"] }), []);
    const { podSecurity } = read({ "aks-gitops:cluster": { podSecurity: {} } }).cluster;
    assert.deepEqual(podSecurity, { initiative: "Baseline", effect: "Audit", excludedNamespaces: [] });
  });

  it("are refused with a namespace that is none", async () => {
    const args = { resourceGroupName: "group", podSecurity: { excludedNamespaces: ["Base_line"] } };
    assert.deepEqual(await refused(() => new AksCluster("aks", args)), [
      "podSecurity.excludedNamespaces[0] is no name of a namespace",
    ]);
  });
});
