// Microsoft.Authorization, Microsoft.KeyVault.
import {
  choice,
  fixed,
  flag,
  guid,
  hidden,
  kept,
  list,
  number,
  object,
  or,
  readOnly,
  reference,
  required,
  type TypeDefinition,
  text,
} from "../schema.ts";
import { location, tags } from "./common.ts";

const permissions = object("Permissions", {
  keys: list(
    choice(
      ..."all encrypt decrypt wrapKey unwrapKey sign verify get list create update import delete backup restore recover purge release rotate getrotationpolicy setrotationpolicy".split(
        " ",
      ),
    ),
  ),
  secrets: list(choice(..."all get list set delete backup restore recover purge".split(" "))),
  certificates: list(
    choice(
      ..."all get list delete create import update managecontacts getissuers listissuers setissuers deleteissuers manageissuers recover purge backup restore".split(
        " ",
      ),
    ),
  ),
  storage: list(
    choice(
      ..."all get list delete set update regeneratekey recover purge backup restore setsas listsas getsas deletesas".split(
        " ",
      ),
    ),
  ),
});

const networkAcls = object("NetworkRuleSet", {
  bypass: or(choice("AzureServices", "None"), "AzureServices"),
  defaultAction: or(choice("Allow", "Deny"), "Allow"),
  ipRules: or(list(object("IPRule", { value: required(text()) })), []),
  virtualNetworkRules: or(
    list(
      object("VirtualNetworkRule", {
        id: required(reference("Microsoft.Network/virtualNetworks/subnets")),
        ignoreMissingVnetServiceEndpoint: flag(),
      }),
    ),
    [],
  ),
});

const vault = object("VaultProperties", {
  tenantId: required(fixed(guid())),
  sku: required(object("Sku", { family: required(choice("A")), name: required(choice("standard", "premium")) })),
  accessPolicies: or(
    list(
      object("AccessPolicyEntry", {
        tenantId: required(guid()),
        objectId: required(text()),
        applicationId: guid(),
        permissions: required(permissions),
      }),
    ),
    [],
  ),
  vaultUri: readOnly(text()),
  hsmPoolResourceId: readOnly(text()),
  enabledForDeployment: or(flag(), false),
  enabledForDiskEncryption: flag(),
  enabledForTemplateDeployment: flag(),
  enableSoftDelete: kept(or(flag(), true)),
  softDeleteRetentionInDays: kept(number(7, 90)),
  enableRbacAuthorization: or(flag(), false),
  createMode: hidden(choice("recover", "default")),
  enablePurgeProtection: kept(flag()),
  networkAcls,
  publicNetworkAccess: kept(choice("Enabled", "Disabled")),
  provisioningState: readOnly(choice("Succeeded", "RegisteringDns")),
});

const rotationPolicy = object("RotationPolicy", {
  attributes: object("KeyRotationPolicyAttributes", {
    created: readOnly(number()),
    updated: readOnly(number()),
    expiryTime: text(),
  }),
  lifetimeActions: list(
    object("LifetimeAction", {
      trigger: object("Trigger", { timeAfterCreate: text(), timeBeforeExpiry: text() }),
      action: object("Action", { type: choice("rotate", "notify") }),
    }),
  ),
});

const keyProperties = object("KeyProperties", {
  attributes: or(
    object("KeyAttributes", {
      enabled: or(flag(), true),
      nbf: number(),
      exp: number(),
      created: readOnly(number()),
      updated: readOnly(number()),
      recoveryLevel: readOnly(
        choice("Purgeable", "Recoverable+Purgeable", "Recoverable", "Recoverable+ProtectedSubscription"),
      ),
      exportable: or(flag(), false),
    }),
    {},
  ),
  kty: required(choice("EC", "EC-HSM", "RSA", "RSA-HSM")),
  keyOps: list(choice("encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey", "import", "release")),
  keySize: number(),
  curveName: choice("P-256", "P-384", "P-521", "P-256K"),
  keyUri: readOnly(text()),
  keyUriWithVersion: readOnly(text()),
  rotationPolicy,
});

export const keyVaultTypes: readonly TypeDefinition[] = [
  {
    type: "Microsoft.KeyVault/vaults",
    version: "2024-11-01",
    home: "group",
    stamped: true,
    name: /^(?=.{3,24}$)[a-zA-Z](?:[a-zA-Z0-9]|-(?!-))*[a-zA-Z0-9]$/,
    nameFault: [
      "VaultNameNotValid",
      "The vault name '{name}' is invalid. A vault's name must be between 3-24 alphanumeric characters. The name must begin with a letter, end with a letter or digit, and not contain consecutive hyphens. Follow this link for more information: https://go.microsoft.com/fwlink/?linkid=2147742",
    ],
    body: object("Vault", { location: required(location), tags, properties: required(vault) }),
  },
  {
    type: "Microsoft.KeyVault/vaults/keys",
    version: "2024-11-01",
    home: "child",
    without: ["PATCH", "DELETE"],
    name: /^[a-zA-Z0-9-]{1,127}$/,
    body: object("Key", { tags, properties: required(keyProperties) }),
  },
];

export const authorizationTypes: readonly TypeDefinition[] = [
  {
    type: "Microsoft.Authorization/roleAssignments",
    version: "2022-04-01",
    home: "extension",
    without: ["PATCH"],
    name: /^[0-9a-fA-F]{8}-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}$/,
    nameFault: [
      "InvalidRoleAssignmentId",
      "The role assignment ID '{name}' is not valid. The role assignment ID must be a GUID.",
    ],
    body: object("RoleAssignment", {
      properties: required(
        object("RoleAssignmentProperties", {
          scope: readOnly(text()),
          roleDefinitionId: required(text()),
          principalId: required(text()),
          principalType: choice(
            "User",
            "Group",
            "ServicePrincipal",
            "ForeignGroup",
            "Device",
            "AgentUser",
            "AgentServicePrincipal",
          ),
          condition: text(),
          conditionVersion: text(),
          createdOn: readOnly(text()),
          updatedOn: readOnly(text()),
          createdBy: readOnly(text()),
          updatedBy: readOnly(text()),
        }),
      ),
    }),
  },
];
