// What is kept of a cluster's metrics, and who is told when something is wrong.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { AksCluster } from "../../../components/cluster/aksCluster.ts";
import type { AksClusterArgs } from "../../../components/cluster/aksClusterArgs.ts";
import { fault } from "../../settings/faults.ts";
import { assigned, deploy, idOf, type Registration, roleId } from "../deployment.ts";
import { onArm } from "../onArm.ts";
import { run } from "../programRun.ts";
import { refused } from "../refused.ts";

const CONFIG = {
  deployers: "6f1f2b6e-1111-4e0a-9c60-000000000001",
  flux: { repository: "https://github.com/acme/fleet" },
};
const EMAIL = "platform@acme.example";
const ALERTS = { emails: [EMAIL], fluxConfigurations: true };
const MONITORING = ["AzureMonitorWorkspace", "DataCollectionRuleAssociation"];

const cluster = (args: Partial<AksClusterArgs>) =>
  deploy(() => new AksCluster("aks", { resourceGroupName: "group", ...args }));
const isOn = ({ inputs }: Registration) =>
  (inputs.properties as { azureMonitorProfile?: { metrics: { enabled: boolean } } }).azureMonitorProfile?.metrics
    .enabled;

describe("managed Prometheus", () => {
  it("keeps the cluster's metrics in a workspace of their own", async () => {
    const { find } = await cluster({ metrics: true });
    assert.equal(isOn(find("ManagedCluster", "aks")), true);
    const common = { resourceGroupName: "group" };
    assert.deepEqual(find("AzureMonitorWorkspace", "aks").inputs, {
      ...common,
      azureMonitorWorkspaceName: "aksabcd1234",
    });
    assert.deepEqual(find("DataCollectionRuleAssociation", "aks").inputs, {
      resourceUri: idOf("ManagedCluster", "aks"),
      associationName: "aks",
      // Azure's own of the workspace.
      dataCollectionRuleId: idOf("DataCollectionRule", "aks"),
    });
  });

  it("is on by default, but for the Free tier, and off where it is switched off", async () => {
    for (const [args, expected] of [
      [{}, true],
      [{ sku: "Premium" }, true],
      [{ sku: "Free" }, false],
      [{ sku: "Free", metrics: true }, true],
      [{ metrics: false }, false],
    ] as const) {
      const { find, names } = await cluster(args);
      assert.equal(isOn(find("ManagedCluster", "aks")), expected, JSON.stringify(args));
      assert.deepEqual(MONITORING.flatMap(names), expected ? ["aks", "aks"] : [], JSON.stringify(args));
    }
  });

  it("is no part of the way to the cluster and its Flux", async () => {
    const { resources } = await run({ ...CONFIG, flux: { ...CONFIG.flux, mode: "extension" } });
    const later = resources.filter(({ dependencies }) =>
      dependencies.some((one) => MONITORING.some((type) => one.startsWith(`${type}::`))),
    );
    assert.deepEqual(
      later.map(({ type }) => type.split(":").at(-1)),
      ["DataCollectionRuleAssociation"],
    );
  });

  it("needs to read the workspace's rule, which stands in a group that Azure makes and takes away with it", async () => {
    const { cloud } = await onArm(CONFIG);
    const { arm } = cloud;
    const ids = (type: string) => arm.list(type).map(({ id }) => id.toLowerCase());
    const [account = ""] = ids("Microsoft.Monitor/accounts");
    const name = account.split("/").at(-1);
    const group = `${account.split("/resourcegroups/")[0]}/resourcegroups/ma_${name}_westeurope_managed`;
    const rule = `${group}/providers/microsoft.insights/datacollectionrules/${name}`;
    assert.deepEqual(ids("Microsoft.Insights/dataCollectionRules"), [rule]);
    const [association] = arm.list("Microsoft.Insights/dataCollectionRuleAssociations");
    assert.equal(String(association?.properties.dataCollectionRuleId).toLowerCase(), rule);

    const who = cloud.directory.add("ServicePrincipal", "owner of the stack's group");
    arm.assignRole(who.objectId, "Owner", account.replace(/\/providers\/.*/, ""));
    const { id = "", properties } = association ?? {};
    const [status, code, message] = await cloud.refused(id, { properties }, { as: who });
    assert.deepEqual([status, code], [403, "LinkedAuthorizationFailed"]);
    assert.match(message, /action\(s\) 'Microsoft\.Insights\/dataCollectionRules\/read'/);

    await cloud.finish(await cloud.call("DELETE", account));
    assert.deepEqual(
      arm.all().filter((one) => one.id.toLowerCase().startsWith(group)),
      [],
    );
  });
});

describe("alerts", () => {
  it("are none where nobody is told", async () => {
    const { names } = await cluster({ alerts: { emails: [], fluxConfigurations: true } });
    assert.deepEqual(["ActionGroup", "PrometheusRuleGroup", "ScheduledQueryRule"].flatMap(names), []);
  });

  it("tell people by mail of nodes, pods and volumes that are not as they should be", async () => {
    const { find } = await cluster({ metrics: true, alerts: ALERTS });
    assert.deepEqual(find("ActionGroup", "aks").inputs, {
      ...{ resourceGroupName: "group", actionGroupName: "aksabcd1234", location: "Global" },
      ...{ groupShortName: "aks", enabled: true },
      emailReceivers: [{ name: EMAIL, emailAddress: EMAIL, useCommonAlertSchema: true }],
    });
    const { rules, ...group } = find("PrometheusRuleGroup", "aks").inputs as { rules: Record<string, unknown>[] };
    assert.deepEqual(group, {
      ...{ resourceGroupName: "group", ruleGroupName: "aksabcd1234", enabled: true, interval: "PT1M" },
      ...{ scopes: [idOf("AzureMonitorWorkspace", "aks"), idOf("ManagedCluster", "aks")], clusterName: "aks-abcd1234" },
    });
    assert.deepEqual(
      rules.map(({ alert, severity, actions, for: patience }) => [alert, severity, actions, patience]),
      [
        ["KubeNodeNotReady", 1],
        ["KubePodCrashLooping", 2],
        ["KubePodNotRunning", 2],
        ["KubeDeploymentReplicasMissing", 2],
        ["KubePersistentVolumeFillingUp", 2],
      ].map(([alert, severity]) => [alert, severity, [{ actionGroupId: idOf("ActionGroup", "aks") }], "PT15M"]),
    );
  });

  it("tell people of a fluxConfiguration that is not compliant", async () => {
    const { find } = await cluster({ alerts: ALERTS });
    const { criteria, actions, identity, scopes, skipQueryValidation } = find("ScheduledQueryRule", "aks-flux").inputs;
    const [condition] = (criteria as { allOf: Record<string, unknown>[] }).allOf;
    assert.deepEqual(String(condition?.query).split("\n| "), [
      'arg("").KubernetesConfigurationResources',
      'where type =~ "microsoft.kubernetesconfiguration/fluxconfigurations"',
      `where id startswith "${idOf("ManagedCluster", "aks")}/"`,
      'where tostring(properties.complianceState) =~ "Non-Compliant"',
      "project id, name",
    ]);
    assert.deepEqual(
      [condition?.operator, condition?.threshold, condition?.failingPeriods],
      ["GreaterThan", 0, { numberOfEvaluationPeriods: 3, minFailingPeriodsToAlert: 3 }],
    );
    assert.deepEqual(
      [actions, scopes, identity, skipQueryValidation],
      [
        { actionGroups: [idOf("ActionGroup", "aks")] },
        [idOf("Workspace", "aks")],
        { type: "UserAssigned", userAssignedIdentities: [idOf("UserAssignedIdentity", "aks-flux")] },
        true,
      ],
    );
    const reader = {
      ...{ principalId: "aks-flux-principal", principalType: "ServicePrincipal" },
      roleDefinitionId: roleId("acdd72a7-3385-48ef-bd42-f606fba81ae7"),
    };
    const given = (name: string) => assigned(find("RoleAssignment", name).inputs);
    assert.deepEqual(given("aks-flux-read"), { ...reader, scope: idOf("ManagedCluster", "aks") });
    assert.deepEqual(given("aks-flux-logs"), { ...reader, scope: idOf("Workspace", "aks") });
  });

  it("are of what there is: no metrics where none are kept, no Flux of the extension where it is bootstrapped", async () => {
    const blind = await cluster({ metrics: false, alerts: ALERTS });
    assert.deepEqual([blind.names("PrometheusRuleGroup"), blind.names("ScheduledQueryRule")], [[], ["aks-flux"]]);
    const rules = async (mode: string) => {
      const flux = { ...CONFIG.flux, mode };
      const { names } = await run({ ...CONFIG, flux, cluster: { metrics: true, alerts: { emails: [EMAIL] } } });
      return [names("PrometheusRuleGroup"), names("ScheduledQueryRule")];
    };
    assert.deepEqual(await rules("extension"), [["aks-test"], ["aks-test-flux"]]);
    assert.deepEqual(await rules("bootstrap"), [["aks-test"], []]);
  });

  it("and metrics are made by Azure", async () => {
    const { cloud } = await onArm({ ...CONFIG, cluster: { metrics: true, alerts: { emails: [EMAIL] } } });
    const names = (type: string) =>
      cloud.arm.list(type).map(({ id }) =>
        id
          .split("/")
          .at(-1)
          ?.replace(/[0-9a-f]{8}$/, ""),
      );
    assert.deepEqual(
      [
        "Microsoft.Monitor/accounts",
        "Microsoft.Insights/dataCollectionEndpoints",
        "Microsoft.Insights/dataCollectionRules",
        "Microsoft.Insights/dataCollectionRuleAssociations",
        "Microsoft.Insights/actionGroups",
        "Microsoft.AlertsManagement/prometheusRuleGroups",
        "Microsoft.Insights/scheduledQueryRules",
      ].flatMap(names),
      ["aks-test", "aks-test", "aks-test", "aks-test", "aks-test", "aks-test", "aks-test-flux"],
    );
  });

  it("are refused to whom no mail comes", async () => {
    const args = { resourceGroupName: "group", alerts: { emails: ["platform", EMAIL, EMAIL] } };
    assert.deepEqual(await refused(() => new AksCluster("aks", args)), [
      "alerts.emails[0] is no address of mail",
      "alerts.emails[2] is there twice",
    ]);
    assert.equal(
      fault({ "aks-gitops:cluster": { alerts: { emails: ["platform"] } } })[0],
      "aks-gitops:cluster.alerts.emails[0]",
    );
  });
});
