// Microsoft.Resources and Microsoft.ManagedIdentity.
import { fixed, list, object, readOnly, required, type TypeDefinition, text } from "../schema.ts";
import { IDENTITY_TYPE, location, provisioningState, tags } from "./common.ts";

export const resourceTypes: readonly TypeDefinition[] = [
  {
    type: "Microsoft.Resources/resourceGroups",
    version: "2024-03-01",
    home: "subscription",
    name: /^[-\w._()]{1,90}(?<!\.)$/,
    nameFault: [
      "InvalidResourceGroup",
      "The provided resource group name '{name}' has these invalid characters or length. The name can only be a letter, digit, '-', '.', '(', ')' or '_' and at most 90 long.",
    ],
    body: object("ResourceGroupDefinition", {
      location: required(location),
      tags,
      managedBy: fixed(text()),
      properties: object("ResourceGroupProperties", { provisioningState }),
    }),
  },
];

export const identityTypes: readonly TypeDefinition[] = [
  {
    type: IDENTITY_TYPE,
    version: "2023-01-31",
    home: "group",
    name: /^[a-zA-Z0-9][-_a-zA-Z0-9]{2,127}$/,
    body: object("Identity", {
      location: required(location),
      tags,
      properties: readOnly(
        object("UserAssignedIdentityProperties", {
          tenantId: readOnly(text()),
          principalId: readOnly(text()),
          clientId: readOnly(text()),
        }),
      ),
    }),
  },
  {
    type: `${IDENTITY_TYPE}/federatedIdentityCredentials`,
    version: "2023-01-31",
    home: "child",
    without: ["PATCH"],
    name: /^[a-zA-Z0-9]{1}[a-zA-Z0-9-_]{2,119}$/,
    body: object("FederatedIdentityCredential", {
      properties: required(
        object("FederatedIdentityCredentialProperties", {
          issuer: required(text({ min: 1, max: 600 })),
          subject: required(text({ min: 1, max: 600 })),
          audiences: required(list(text({ max: 600 }))),
        }),
      ),
    }),
  },
];
