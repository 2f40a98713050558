// Microsoft.ContainerRegistry.
import { choice, flag, list, number, object, or, readOnly, required, type TypeDefinition, text } from "../schema.ts";
import { assignedIdentities, enabledOrDisabled, location, provisioningState, tags } from "./common.ts";

const onOff = choice("enabled", "disabled");

const policies = object("Policies", {
  quarantinePolicy: or(object("QuarantinePolicy", { status: or(onOff, "disabled") }), {}),
  trustPolicy: or(object("TrustPolicy", { type: or(choice("Notary"), "Notary"), status: or(onOff, "disabled") }), {}),
  retentionPolicy: or(
    object("RetentionPolicy", {
      days: or(number(0, 365), 7),
      lastUpdatedTime: readOnly(text()),
      status: or(onOff, "disabled"),
    }),
    {},
  ),
  exportPolicy: or(object("ExportPolicy", { status: or(onOff, "enabled") }), {}),
  azureADAuthenticationAsArmPolicy: or(
    object("AzureADAuthenticationAsArmPolicy", { status: or(onOff, "enabled") }),
    {},
  ),
  softDeletePolicy: or(
    object("SoftDeletePolicy", {
      retentionDays: or(number(1, 90), 7),
      lastUpdatedTime: readOnly(text()),
      status: or(onOff, "disabled"),
    }),
    {},
  ),
});

export const containerRegistryTypes: readonly TypeDefinition[] = [
  {
    type: "Microsoft.ContainerRegistry/registries",
    version: "2023-01-01-preview",
    home: "group",
    slow: true,
    stamped: true,
    name: /^[a-zA-Z0-9]{5,50}$/,
    nameFault: [
      "InvalidResourceName",
      "The registry name '{name}' is invalid. Registry names may contain alpha numeric characters only and must be between 5 and 50 characters.",
    ],
    body: object("Registry", {
      location: required(location),
      tags,
      sku: required(
        object("Sku", {
          name: required(choice("Classic", "Basic", "Standard", "Premium")),
          tier: readOnly(choice("Classic", "Basic", "Standard", "Premium")),
        }),
      ),
      identity: object("IdentityProperties", {
        type: choice("SystemAssigned", "UserAssigned", "SystemAssigned, UserAssigned", "None"),
        userAssignedIdentities: assignedIdentities("UserIdentityProperties"),
      }),
      properties: or(
        object("RegistryProperties", {
          loginServer: readOnly(text()),
          creationDate: readOnly(text()),
          provisioningState,
          adminUserEnabled: or(flag(), false),
          networkRuleSet: object("NetworkRuleSet", {
            defaultAction: required(choice("Allow", "Deny")),
            ipRules: or(list(object("IPRule", { action: or(choice("Allow"), "Allow"), value: required(text()) })), []),
          }),
          policies: or(policies, {}),
          encryption: or(object("EncryptionProperty", { status: or(onOff, "disabled") }), {}),
          dataEndpointEnabled: or(flag(), false),
          dataEndpointHostNames: readOnly(list(text())),
          publicNetworkAccess: or(enabledOrDisabled, "Enabled"),
          networkRuleBypassOptions: or(choice("AzureServices", "None"), "AzureServices"),
          zoneRedundancy: or(enabledOrDisabled, "Disabled"),
          anonymousPullEnabled: or(flag(), false),
        }),
        {},
      ),
    }),
  },
];
