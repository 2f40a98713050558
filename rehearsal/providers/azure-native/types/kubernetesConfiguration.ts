import type { ArmType } from "../armType.ts";

const CLUSTER =
  "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/{clusterRp}/{clusterResourceName}/{clusterName}/providers/Microsoft.KubernetesConfiguration";
const API = "2023-05-01";

/** Microsoft.KubernetesConfiguration: extensions of a cluster and their Flux configurations. */
export const kubernetesConfiguration: readonly ArmType[] = [
  {
    token: "azure-native:kubernetesconfiguration:Extension",
    path: `${CLUSTER}/extensions/{extensionName}`,
    apiVersion: API,
    inputs: [
      "aksAssignedIdentity",
      "autoUpgradeMinorVersion",
      "configurationProtectedSettings",
      "configurationSettings",
      "extensionType",
      "identity",
      "plan",
      "releaseTrain",
      "scope",
      "statuses",
      "version",
    ],
    shape: { beside: ["id", "name", "type", "identity", "plan", "systemData"] },
    computed: [
      "aksAssignedIdentity.principalId",
      "aksAssignedIdentity.tenantId",
      "identity.principalId",
      "identity.tenantId",
    ],
  },
  {
    token: "azure-native:kubernetesconfiguration:FluxConfiguration",
    path: `${CLUSTER}/fluxConfigurations/{fluxConfigurationName}`,
    apiVersion: API,
    inputs: [
      "azureBlob",
      "bucket",
      "configurationProtectedSettings",
      "gitRepository",
      "kustomizations",
      "namespace",
      "reconciliationWaitDuration",
      "scope",
      "sourceKind",
      "suspend",
      "waitForReconciliation",
    ],
    shape: { beside: ["id", "name", "type", "systemData"] },
    computed: ["kustomizations.*.name"],
  },
];
