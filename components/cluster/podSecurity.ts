// Azure Policy's rules for pods: https://learn.microsoft.com/azure/governance/policy/concepts/policy-for-kubernetes
import { PolicyAssignment } from "@pulumi/azure-native/authorization/policyAssignment.js";
import type * as pulumi from "@pulumi/pulumi";
import { type Fault, unlike } from "../shared/faults.ts";
import { newFirst } from "../shared/newFirst.ts";
import type { Cluster, PodSecurity } from "./aksClusterArgs.ts";
import { NAMESPACE, NEVER_LOOKED_AT } from "./names.ts";

/** The built-in initiatives: https://github.com/Azure/azure-policy, built-in-policies/policySetDefinitions/Kubernetes */
const INITIATIVES = {
  Baseline: "a8640138-9b0a-4a28-b8cb-1666c838647d",
  Restricted: "42b8ef37-b724-4e24-bbc8-7a7708edfe00",
} as const;

/** Has Azure Policy look at every pod of a cluster. */
export function securePods(
  name: string,
  { initiative, effect, excludedNamespaces }: PodSecurity,
  scope: pulumi.Input<string>,
  opts: pulumi.CustomResourceOptions,
): void {
  // Another initiative is another assignment: Azure lets none have another one.
  const assignment = `${name}-pods-${initiative.toLowerCase()}`;
  new PolicyAssignment(
    assignment,
    {
      scope,
      policyAssignmentName: assignment,
      displayName: `${initiative} rules for the pods of ${name}`,
      policyDefinitionId: `/providers/Microsoft.Authorization/policySetDefinitions/${INITIATIVES[initiative]}`,
      parameters: {
        effect: { value: effect },
        excludedNamespaces: { value: [...new Set([...NEVER_LOOKED_AT, ...excludedNamespaces])] },
      },
    },
    newFirst(opts),
  );
}

/** What cannot work of it. */
export const podSecurityFaults = ({ podSecurity }: Pick<Cluster, "podSecurity">): Fault[] =>
  (podSecurity?.excludedNamespaces ?? []).flatMap((namespace, index) =>
    unlike(
      `podSecurity.excludedNamespaces[${index}]`,
      namespace,
      NAMESPACE,
      "is no name of a namespace",
      "give at most 63 lower-case letters, digits and hyphens, a letter or digit first and last",
    ),
  );
