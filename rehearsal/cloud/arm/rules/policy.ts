// Assignments of Azure's own initiatives for Kubernetes.
import { type Behaviour, propertiesOf } from "../behaviour.ts";
import { armError } from "../errors.ts";
import { POLICY_ASSIGNMENT_TYPE } from "../types/policy.ts";
import { part } from "../validate.ts";

/** https://github.com/Azure/azure-policy, built-in-policies/policySetDefinitions/Kubernetes */
const INITIATIVES = ["a8640138-9b0a-4a28-b8cb-1666c838647d", "42b8ef37-b724-4e24-bbc8-7a7708edfe00"].map(
  (guid) => `/providers/microsoft.authorization/policysetdefinitions/${guid}`,
);
const EFFECTS = ["audit", "Audit", "deny", "Deny", "disabled", "Disabled"];

export const policyRules: Readonly<Record<string, Behaviour>> = {
  [POLICY_ASSIGNMENT_TYPE]: {
    answers: { showsDeleted: true },
    check({ body, old }) {
      const { policyDefinitionId } = propertiesOf(body);
      if (!INITIATIVES.includes(String(policyDefinitionId).toLowerCase()))
        throw armError(
          404,
          "PolicySetDefinitionNotFound",
          `The policy set definition '${policyDefinitionId}' could not be found.`,
        );
      if (old !== undefined && old.properties.policyDefinitionId !== policyDefinitionId)
        throw armError(
          400,
          "InvalidPolicyAssignmentUpdate",
          "The policy definition of an existing policy assignment cannot be changed.",
        );
      const { value } = part(propertiesOf(body), "parameters.effect");
      if (value !== undefined && !EFFECTS.includes(String(value)))
        throw armError(
          400,
          "PolicyParameterValueNotAllowed",
          `The value '${value}' is not allowed for policy parameter 'effect'. The allowed values are '${EFFECTS.join(", ")}'.`,
        );
    },
    accepted(resource, { id }) {
      resource.properties.scope = id.scope;
    },
  },
};
