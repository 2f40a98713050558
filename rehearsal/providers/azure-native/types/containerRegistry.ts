import type { ArmType } from "../armType.ts";

const REGISTRY =
  "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.ContainerRegistry/registries/{registryName}";

/** Microsoft.ContainerRegistry. */
export const containerRegistry: readonly ArmType[] = [
  {
    token: "azure-native:containerregistry:Registry",
    path: REGISTRY,
    apiVersion: "2023-01-01-preview",
    names: { registryName: { minLength: 5, maxLength: 50, pattern: /^[a-zA-Z0-9]*$/ } },
    inputs: [
      "adminUserEnabled",
      "anonymousPullEnabled",
      "dataEndpointEnabled",
      "encryption",
      "identity",
      "location",
      "networkRuleBypassOptions",
      "networkRuleSet",
      "policies",
      "publicNetworkAccess",
      "sku",
      "tags",
      "zoneRedundancy",
    ],
    shape: {
      beside: ["id", "name", "type", "location", "tags", "sku", "identity", "systemData"],
      nested: {
        identity: { sets: ["userAssignedIdentities"] },
        networkRuleSet: { nested: { ipRules: { renamed: { iPAddressOrRange: "value" } } } },
      },
    },
    computed: [
      "sku.tier",
      "encryption.keyVaultProperties.versionedKeyIdentifier",
      "encryption.keyVaultProperties.keyRotationEnabled",
      "encryption.keyVaultProperties.lastKeyRotationTimestamp",
      "policies.retentionPolicy.lastUpdatedTime",
      "policies.softDeletePolicy.lastUpdatedTime",
    ],
    forceNew: ["location"],
  },
  {
    token: "azure-native:containerregistry:CacheRule",
    path: `${REGISTRY}/cacheRules/{cacheRuleName}`,
    apiVersion: "2024-11-01-preview",
    names: { cacheRuleName: { minLength: 5, maxLength: 50, pattern: /^[a-zA-Z0-9-]*$/ } },
    inputs: ["credentialSetResourceId", "sourceRepository", "targetRepository"],
    shape: { beside: ["id", "name", "type", "systemData"] },
  },
];
