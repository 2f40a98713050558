import type { ArmType } from "../armType.ts";

/** Microsoft.Resources. */
export const resources: readonly ArmType[] = [
  {
    token: "azure-native:resources:ResourceGroup",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}",
    apiVersion: "2024-03-01",
    names: { resourceGroupName: { minLength: 1, maxLength: 90, pattern: /^[-\w._()]+$/ } },
    inputs: ["location", "managedBy", "tags"],
    shape: {},
    forceNew: ["location"],
  },
];
