import type { ArmType } from "../armType.ts";

const VAULT =
  "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.KeyVault/vaults/{vaultName}";
const NAME = { pattern: /^[a-zA-Z0-9-]{1,127}$/ };

/** Microsoft.KeyVault. */
export const keyVault: readonly ArmType[] = [
  {
    token: "azure-native:keyvault:Vault",
    path: VAULT,
    apiVersion: "2024-11-01",
    names: { vaultName: { pattern: /^[a-zA-Z0-9-]{3,24}$/ } },
    inputs: ["location", "properties", "tags"],
    shape: {},
    computed: [
      "properties.vaultUri",
      "properties.hsmPoolResourceId",
      "properties.privateEndpointConnections",
      "properties.provisioningState",
    ],
    children: [["properties", "accessPolicies"]],
  },
  {
    token: "azure-native:keyvault:Key",
    path: `${VAULT}/keys/{keyName}`,
    apiVersion: "2024-11-01",
    names: { keyName: NAME },
    inputs: ["properties", "tags"],
    shape: {
      nested: {
        properties: {
          renamed: { releasePolicy: "release_policy" },
          nested: { attributes: { renamed: { expires: "exp", notBefore: "nbf" } } },
        },
      },
    },
  },
];
