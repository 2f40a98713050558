// Microsoft.Authorization/policyAssignments, with the parameters of the initiatives that the simulation knows.
import { choice, list, object, or, required, type TypeDefinition, text } from "../schema.ts";
import { location } from "./common.ts";

export const POLICY_ASSIGNMENT_TYPE = "Microsoft.Authorization/policyAssignments";

const values = (name: string) => object(name, { value: required(list(text())) });

export const policyTypes: readonly TypeDefinition[] = [
  {
    type: POLICY_ASSIGNMENT_TYPE,
    version: "2025-01-01",
    home: "extension",
    stamped: true,
    without: ["PATCH"],
    name: /^[^<>*%&:\\?.+/]{0,63}[^<>*%&:\\?.+/ ]$/,
    body: object("PolicyAssignment", {
      location,
      properties: required(
        object("PolicyAssignmentProperties", {
          displayName: text({ max: 128 }),
          policyDefinitionId: required(text({ min: 1 })),
          enforcementMode: or(choice("Default", "DoNotEnforce", "Enroll"), "Default"),
          notScopes: list(text()),
          parameters: object("Parameters", {
            effect: object("Effect", { value: required(text()) }),
            excludedNamespaces: values("ExcludedNamespaces"),
            namespaces: values("Namespaces"),
          }),
        }),
      ),
    }),
  },
];
