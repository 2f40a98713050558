import type { ArmType } from "../armType.ts";

/** Microsoft.OperationalInsights and Microsoft.Insights. */
export const monitoring: readonly ArmType[] = [
  {
    token: "azure-native:operationalinsights:Workspace",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.OperationalInsights/workspaces/{workspaceName}",
    apiVersion: "2023-09-01",
    names: { workspaceName: { minLength: 4, maxLength: 63, pattern: /^[A-Za-z0-9][A-Za-z0-9-]+[A-Za-z0-9]$/ } },
    inputs: [
      "defaultDataCollectionRuleResourceId",
      "features",
      "forceCmkForQuery",
      "identity",
      "location",
      "publicNetworkAccessForIngestion",
      "publicNetworkAccessForQuery",
      "retentionInDays",
      "sku",
      "tags",
      "workspaceCapping",
    ],
    shape: {
      beside: ["id", "name", "type", "location", "tags", "etag", "identity", "systemData"],
      nested: { identity: { sets: ["userAssignedIdentities"] } },
    },
    computed: [
      "identity.principalId",
      "identity.tenantId",
      "sku.lastSkuUpdate",
      "features.legacy",
      "features.searchVersion",
      "workspaceCapping.quotaNextResetTime",
      "workspaceCapping.dataIngestionStatus",
    ],
    forceNew: ["location"],
  },
  {
    token: "azure-native:monitor:DiagnosticSetting",
    path: "/{resourceUri}/providers/Microsoft.Insights/diagnosticSettings/{name}",
    apiVersion: "2021-05-01-preview",
    inputs: [
      "eventHubAuthorizationRuleId",
      "eventHubName",
      "logAnalyticsDestinationType",
      "logs",
      "marketplacePartnerId",
      "metrics",
      "serviceBusRuleId",
      "storageAccountId",
      "workspaceId",
    ],
    shape: { beside: ["id", "name", "type", "systemData"] },
  },
];
