import type { ArmType } from "../armType.ts";

const IDENTITY =
  "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}";

/** Microsoft.ManagedIdentity and Microsoft.Authorization. */
export const identity: readonly ArmType[] = [
  {
    token: "azure-native:managedidentity:UserAssignedIdentity",
    path: IDENTITY,
    apiVersion: "2023-01-31",
    inputs: ["location", "tags"],
    shape: { beside: ["id", "name", "type", "location", "tags", "systemData"] },
    forceNew: ["location"],
  },
  {
    token: "azure-native:managedidentity:FederatedIdentityCredential",
    path: `${IDENTITY}/federatedIdentityCredentials/{federatedIdentityCredentialResourceName}`,
    apiVersion: "2023-01-31",
    names: { federatedIdentityCredentialResourceName: { pattern: /^[a-zA-Z0-9]{1}[a-zA-Z0-9-_]{2,119}$/ } },
    inputs: ["audiences", "issuer", "subject"],
    shape: { beside: ["id", "name", "type", "systemData"] },
  },
  {
    token: "azure-native:authorization:RoleAssignment",
    path: "/{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
    apiVersion: "2022-04-01",
    inputs: [
      "condition",
      "conditionVersion",
      "delegatedManagedIdentityResourceId",
      "description",
      "principalId",
      "principalType",
      "roleDefinitionId",
    ],
    shape: { beside: ["id", "name", "type", "systemData"] },
    forceNew: ["principalId"],
  },
  {
    token: "azure-native:authorization:PolicyAssignment",
    path: "/{scope}/providers/Microsoft.Authorization/policyAssignments/{policyAssignmentName}",
    apiVersion: "2025-01-01",
    names: { policyAssignmentName: { pattern: /^[^<>*%&:\\?.+/]*[^<>*%&:\\?.+/ ]+$/ } },
    inputs: [
      "assignmentType",
      "definitionVersion",
      "description",
      "displayName",
      "enforcementMode",
      "identity",
      "location",
      "metadata",
      "nonComplianceMessages",
      "notScopes",
      "overrides",
      "parameters",
      "policyDefinitionId",
      "resourceSelectors",
    ],
    shape: {
      beside: ["id", "name", "type", "location", "identity", "systemData"],
      nested: { identity: { sets: ["userAssignedIdentities"] } },
    },
    computed: ["identity.principalId", "identity.tenantId"],
  },
];
