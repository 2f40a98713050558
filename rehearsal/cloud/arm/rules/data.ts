// Registries, vaults with soft delete, workspaces and diagnostic settings.
import { randomUUID } from "node:crypto";
import type { ArmResource } from "../../types.ts";
import { type Behaviour, propertiesOf, type World } from "../behaviour.ts";
import { armError, badContent } from "../errors.ts";
import { same } from "../ids.ts";
import { rangeOf } from "../network.ts";
import { part } from "../validate.ts";

const REGISTRY_TYPE = "Microsoft.ContainerRegistry/registries";
const VAULT_TYPE = "Microsoft.KeyVault/vaults";
/** How long a deleted vault is kept that does not say so, in days. */
const RETENTION = 90;
const DAY = 24 * 60 * 60 * 1000;

/** Properties of a registry that need the Premium SKU, with the value that every SKU has. */
function premiumOnly(body: ArmResource["properties"]): string | undefined {
  const policies = part({ body }, "body.policies");
  const uses: Record<string, boolean> = {
    publicNetworkAccess: body.publicNetworkAccess === "Disabled",
    networkRuleSet: body.networkRuleSet !== undefined && part({ body }, "body.networkRuleSet").defaultAction === "Deny",
    dataEndpointEnabled: body.dataEndpointEnabled === true,
    zoneRedundancy: body.zoneRedundancy === "Enabled",
    "policies.retentionPolicy": part(policies, "retentionPolicy").status === "enabled",
    "policies.trustPolicy": part(policies, "trustPolicy").status === "enabled",
    "policies.exportPolicy": part(policies, "exportPolicy").status === "disabled",
  };
  return Object.keys(uses).find((name) => uses[name]);
}

function checkAddresses(rules: unknown, where: string): void {
  for (const { value } of (rules ?? []) as { value: string }[])
    if (rangeOf(value) === undefined)
      throw armError(
        400,
        "InvalidIpAddress",
        `The IP address or range '${value}' in ${where} is invalid. Only IPv4 addresses and ranges in CIDR notation are supported.`,
      );
}

/** 409 of a name that another vault has, alive or deleted. */
function vaultNameTaken(world: World, name: string, id: string): void {
  const alive = world.store.list(VAULT_TYPE).find((vault) => same(vault.name, name) && !same(vault.id, id));
  if (alive !== undefined)
    throw armError(
      409,
      "VaultAlreadyExists",
      `The vault name '${name}' is already in use. Vault names are globally unique so it is possible that the name is already taken. If you are sure that the vault name was not taken then it is possible that a vault with the same name was recently deleted but not purged after being placed in a recoverable state. If the vault is in a recoverable state then the vault will need to be purged before reusing the name. For more information about VaultAlreadyExists, soft delete and purging a vault follow this link https://go.microsoft.com/fwlink/?linkid=2147740.`,
    );
}

export const dataRules: Readonly<Record<string, Behaviour>> = {
  [REGISTRY_TYPE]: {
    answers: { changesAtOnce: true, deletion: "location", namesVerb: true, showsDeleted: true },
    check({ world, id, body }) {
      const taken = world.store.list(REGISTRY_TYPE).some((one) => same(one.name, id.name) && !same(one.id, id.id));
      if (taken)
        throw armError(
          409,
          "AlreadyInUse",
          `The registry DNS name ${id.name.toLowerCase()}.azurecr.io is already in use. You can check if the name is already claimed using following API: https://docs.microsoft.com/en-us/rest/api/containerregistry/registries/checknameavailability`,
        );
      const properties = propertiesOf(body);
      const feature = part(body, "sku").name === "Premium" ? undefined : premiumOnly(properties);
      if (feature !== undefined)
        throw armError(
          400,
          "FeatureNotSupported",
          `The property '${feature}' of the registry '${id.name}' needs the Premium SKU, the registry has '${part(body, "sku").name}'.`,
        );
      const policies = part(body, "properties.policies");
      if (
        part(policies, "softDeletePolicy").status === "enabled" &&
        part(policies, "retentionPolicy").status === "enabled"
      )
        throw armError(
          400,
          "InvalidRequest",
          "The soft delete policy cannot be enabled together with the retention policy.",
        );
      if (properties.anonymousPullEnabled === true && part(body, "sku").name === "Basic")
        throw armError(400, "FeatureNotSupported", "Anonymous pull needs the Standard or Premium SKU.");
      checkAddresses(part(body, "properties.networkRuleSet").ipRules, "networkRuleSet");
    },
    accepted(resource, { old }) {
      const sku = part(resource, "sku");
      sku.tier = sku.name;
      resource.properties.loginServer = `${resource.name.toLowerCase()}.azurecr.io`;
      resource.properties.creationDate ??= new Date().toISOString();
      resource.properties.dataEndpointHostNames ??= [];
      resource.properties.privateEndpointConnections ??= [];
      // Only Premium has network rules, and then always.
      if (sku.name === "Premium") resource.properties.networkRuleSet ??= { defaultAction: "Allow", ipRules: [] };
      for (const policy of ["retentionPolicy", "softDeletePolicy"])
        part(resource, `properties.policies.${policy}`).lastUpdatedTime = new Date().toISOString();
      resource.properties.provisioningState = old === undefined ? "Creating" : "Updating";
    },
  },
  [VAULT_TYPE]: {
    answers: { created: 200 },
    before({ world, id, sent, old }) {
      vaultNameTaken(world, id.name, id.id);
      const deleted = world.deletedVaults.get(id.name.toLowerCase());
      const recover = propertiesOf(sent).createMode === "recover";
      if (deleted === undefined || old !== undefined) {
        if (recover && old === undefined)
          throw armError(
            404,
            "DeletedVaultNotFound",
            `A soft-deleted vault with the name '${id.name}' does not exist and cannot be recovered.`,
          );
        return;
      }
      if (!recover || !same(deleted.vault.id, id.id))
        throw armError(
          409,
          "ConflictError",
          "A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.",
        );
    },
    check({ world, id, body, old }) {
      const properties = propertiesOf(body);
      if (properties.tenantId !== world.tenantId)
        throw armError(
          400,
          "BadRequest",
          `An invalid value was provided for 'tenantId': ${properties.tenantId} is not the tenant of the subscription.`,
        );
      if (properties.enableSoftDelete === false)
        throw armError(
          400,
          "BadRequest",
          'The property "enableSoftDelete" for the vault can be set to True or null. It cannot be set to False. This is to prevent accidental data loss.',
        );
      if (properties.enablePurgeProtection === false)
        throw armError(
          400,
          "BadRequest",
          'The property "enablePurgeProtection" cannot be set to false. Enabling the purge protection for a vault is an irreversible action.',
        );
      const retention = ({ softDeleteRetentionInDays: days = RETENTION }: ArmResource["properties"]) => days;
      if (old !== undefined && retention(old.properties) !== retention(properties))
        throw armError(
          400,
          "BadRequest",
          'The property "softDeleteRetentionInDays" has been set already and it can\'t be modified.',
        );
      if (properties.enableRbacAuthorization !== true && propertiesOf(body).accessPolicies === undefined)
        throw badContent(
          `Required property 'accessPolicies' not found in JSON. Path 'properties' of vault '${id.name}'`,
        );
      checkAddresses(part(body, "properties.networkAcls").ipRules, "networkAcls");
    },
    accepted(resource, { world, definition, old }) {
      const deleted = world.deletedVaults.get(resource.name.toLowerCase());
      const uri = `https://${resource.name.toLowerCase()}.vault.azure.net`;
      Object.assign(resource.properties, { vaultUri: `${uri}/`, provisioningState: "Succeeded" });
      if (deleted === undefined) {
        if (old !== undefined) return;
        // The name has to become known first, and until then the URI is told without its last slash.
        Object.assign(resource.properties, { vaultUri: uri, provisioningState: "RegisteringDns" });
        world.store.begin(resource, "Creating", world.settings.duration(definition.type), [], () => {
          Object.assign(resource.properties, { vaultUri: `${uri}/`, provisioningState: "Succeeded" });
        });
        return;
      }
      // A recovered vault is as it was: the service takes nothing else from the request.
      Object.assign(resource, structuredClone(deleted.vault));
      world.deletedVaults.delete(resource.name.toLowerCase());
      for (const content of deleted.contents) world.store.put(content);
    },
    gone(resource, world) {
      const now = Date.now();
      world.deletedVaults.set(resource.name.toLowerCase(), {
        vault: resource,
        // Role assignments on a deleted vault are gone; a recovery brings back only what is in it.
        contents: world.store.below(resource.id).filter(({ type }) => type.startsWith(VAULT_TYPE)),
        deletedAt: new Date(now).toISOString(),
        purgeAt: new Date(now + Number(resource.properties.softDeleteRetentionInDays ?? RETENTION) * DAY).toISOString(),
      });
    },
  },
  [`${VAULT_TYPE}/keys`]: {
    answers: { created: 200 },
    check({ body }) {
      const { kty, keySize, keyOps, curveName } = propertiesOf(body);
      if (String(kty).startsWith("RSA") && ![undefined, 2048, 3072, 4096].includes(keySize as number | undefined))
        throw armError(
          400,
          "BadParameter",
          `Property keySize has invalid value ${keySize}: RSA keys have 2048, 3072 or 4096 bits.`,
        );
      if (String(kty).startsWith("RSA") && curveName !== undefined)
        throw armError(400, "BadParameter", "Property curveName is only for keys of type EC.");
      if (Array.isArray(keyOps) && new Set(keyOps).size !== keyOps.length)
        throw armError(400, "BadParameter", "Property keyOps has duplicate values.");
    },
    accepted(resource, { world, id }) {
      const now = Math.floor(Date.now() / 1000);
      const properties = resource.properties;
      if (String(properties.kty).startsWith("RSA")) properties.keySize ??= 2048;
      properties.keyOps ??= ["encrypt", "decrypt", "sign", "verify", "wrapKey", "unwrapKey"];
      const vault = world.store.get(id.parent ?? "") as ArmResource;
      resource.location = vault.location as string;
      properties.keyUri = `${vault.properties.vaultUri}keys/${resource.name}`;
      const recoveryLevel = vault.properties.enablePurgeProtection === true ? "Recoverable" : "Recoverable+Purgeable";
      properties.attributes = { ...part(properties, "attributes"), created: now, updated: now, recoveryLevel };
    },
  },
  "Microsoft.OperationalInsights/workspaces": {
    answers: {
      location: ({ id }) => `https://management.azure.com${id}?api-version=2023-09-01`,
      deletesAtOnce: true,
    },
    accepted(resource, { old }) {
      const now = new Date().toISOString();
      const properties = resource.properties;
      properties.customerId ??= randomUUID();
      properties.createdDate ??= now;
      properties.modifiedDate = now;
      const sku = part(properties, "sku");
      sku.lastSkuUpdate ??= now;
      // The name of an earlier price list.
      if (sku.name === "Standalone") sku.name = "PerGB2018";
      Object.assign(part(properties, "features"), { legacy: 0, searchVersion: 1 });
      Object.assign(part(properties, "workspaceCapping"), {
        dataIngestionStatus: "RespectQuota",
        quotaNextResetTime: new Date(Date.now() + DAY).toISOString(),
      });
      resource.etag = `"${randomUUID()}"`;
      properties.provisioningState = old === undefined ? "Creating" : "Updating";
    },
  },
  "Microsoft.Insights/diagnosticSettings": {
    answers: { created: 200 },
    check({ body, id, world }) {
      const { workspaceId, logs, metrics } = propertiesOf(body) as {
        workspaceId?: string;
        logs: { category?: string; categoryGroup?: string }[];
        metrics: { category?: string }[];
      };
      if (workspaceId === undefined) throw armError(400, "BadRequest", "At least one data sink needs to be specified.");
      if (logs.length + metrics.length === 0)
        throw armError(400, "BadRequest", "The diagnostic setting has no log and no metric category.");
      if (logs.some(({ category, categoryGroup }) => (category === undefined) === (categoryGroup === undefined)))
        throw armError(400, "BadRequest", "Exactly one of 'category' and 'categoryGroup' must be set for each log.");
      const type = world.store.get(id.scope)?.type ?? "";
      const known = logCategories[type.toLowerCase()];
      const foreign = known && logs.find(({ category }) => category !== undefined && !known.includes(category));
      if (foreign) throw armError(400, "BadRequest", `Category '${foreign.category}' is not supported.`);
      const sharing = world.store
        .list("Microsoft.Insights/diagnosticSettings")
        .find(
          (one) =>
            same(one.id.split("/providers/Microsoft.Insights")[0] ?? "", id.scope) &&
            !same(one.name, id.name) &&
            part(one, "properties").workspaceId === workspaceId,
        );
      if (sharing !== undefined)
        throw armError(
          409,
          "Conflict",
          `Data sink '${workspaceId}' is already used in diagnostic setting '${sharing.name}' for category '${logs[0]?.category ?? metrics[0]?.category}'. Data sinks can't be reused in different settings on the same category for the same resource.`,
        );
    },
  },
};

const logCategories: Readonly<Record<string, readonly string[]>> = {
  "microsoft.containerservice/managedclusters": [
    "kube-apiserver",
    "kube-audit",
    "kube-audit-admin",
    "kube-controller-manager",
    "kube-scheduler",
    "cluster-autoscaler",
    "cloud-controller-manager",
    "guard",
    "csi-azuredisk-controller",
    "csi-azurefile-controller",
    "csi-snapshot-controller",
    "fleet-member-agent",
    "fleet-member-net-controller-manager",
    "fleet-mcs-controller-manager",
    "karpenter-events",
  ],
  "microsoft.containerregistry/registries": ["ContainerRegistryRepositoryEvents", "ContainerRegistryLoginEvents"],
  "microsoft.keyvault/vaults": ["AuditEvent", "AzurePolicyEvaluationDetails"],
};
