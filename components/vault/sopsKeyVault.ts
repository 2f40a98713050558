import { getClientConfigOutput } from "@pulumi/azure-native/authorization/getClientConfig.js";
import { Key } from "@pulumi/azure-native/keyvault/key.js";
import { Vault } from "@pulumi/azure-native/keyvault/vault.js";
import * as pulumi from "@pulumi/pulumi";
import { RandomString } from "@pulumi/random/randomString.js";
import type { SopsSettings } from "../../settings/settings.ts";
import { after } from "../shared/after.ts";
import { type EndpointNetwork, privateAccess } from "../shared/privateEndpoint.ts";
import { BUILT_IN, grant } from "../shared/roles.ts";

export interface SopsKeyVaultArgs {
  readonly resourceGroupName: pulumi.Input<string>;
  readonly settings: SopsSettings;
  /** Object id of the group that reads the key's public part to encrypt with it. */
  readonly deployers: string;
  /** The network of the private endpoint; without it the vault has a public address. */
  readonly network?: EndpointNetwork;
  /** Whether Pulumi refuses to delete vault and key. */
  readonly protect: boolean;
}

/** The vault and the RSA key that SOPS encrypts with, and who may encrypt and decrypt. */
export class SopsKeyVault extends pulumi.ComponentResource {
  /** `https://<name>.vault.azure.net/`. */
  readonly vaultUri: pulumi.Output<string>;
  /** The key's ARM id, for role assignments. */
  readonly keyId: pulumi.Output<string>;
  /** `https://<vault>.vault.azure.net/keys/sops/<version>`, as soon as the key is there. */
  readonly keyUrl: pulumi.Output<string>;
  /** The key's URL for one who reads its public part: arrives when the deployers may and the vault can be reached. */
  readonly readableKeyUrl: pulumi.Output<string>;

  constructor(name: string, args: SopsKeyVaultArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:SopsKeyVault", name, {}, opts);
    const vault = this.createVault(name, args);
    const key = this.createKey(name, args, vault);
    const reader = grant(
      `${name}-deployers-read`,
      { principalId: args.deployers, principalType: "Group", role: BUILT_IN.keyVaultReader, scope: key.id },
      { parent: this },
    );
    this.grantPeople(name, args.settings, key);
    const access = args.network
      ? privateAccess(
          name,
          {
            resourceGroupName: args.resourceGroupName,
            network: args.network,
            serviceId: vault.id,
            groupId: "vault",
            zone: "privatelink.vaultcore.azure.net",
          },
          { parent: this },
        )
      : [];
    this.vaultUri = vault.properties.vaultUri.apply((uri) => uri ?? "");
    this.keyId = key.id;
    this.keyUrl = key.keyUriWithVersion;
    this.readableKeyUrl = after(key.keyUriWithVersion, reader, ...access);
    this.registerOutputs({ vaultUri: this.vaultUri, keyId: this.keyId, keyUrl: this.keyUrl });
  }

  private createVault(name: string, args: SopsKeyVaultArgs): Vault {
    const isPrivate = args.network !== undefined;
    return new Vault(
      name,
      {
        resourceGroupName: args.resourceGroupName,
        vaultName: args.settings.vault ?? this.randomName(name),
        properties: {
          tenantId: getClientConfigOutput({ parent: this }).tenantId,
          sku: { family: "A", name: "standard" },
          enableRbacAuthorization: true,
          enableSoftDelete: true,
          softDeleteRetentionInDays: 90,
          // Azure takes true or nothing: what is protected stays so.
          ...(args.settings.purgeProtection ? { enablePurgeProtection: true } : {}),
          publicNetworkAccess: isPrivate ? "Disabled" : "Enabled",
          networkAcls: { bypass: "AzureServices", defaultAction: isPrivate ? "Deny" : "Allow" },
        },
      },
      { parent: this, protect: args.protect },
    );
  }

  private createKey(name: string, args: SopsKeyVaultArgs, vault: Vault): Key {
    return new Key(
      name,
      {
        resourceGroupName: args.resourceGroupName,
        vaultName: vault.name,
        keyName: "sops",
        properties: { kty: "RSA", keySize: 3072, keyOps: ["encrypt", "decrypt", "wrapKey", "unwrapKey"] },
      },
      // Deleting a key alone needs a right in the data plane that nobody should have; it goes with its vault.
      { parent: this, protect: args.protect, deletedWith: vault },
    );
  }

  private grantPeople(name: string, { editors, encrypters, roles }: SopsSettings, key: Key): void {
    const editorRoles = roles.encrypt && roles.decrypt ? roles : { use: BUILT_IN.keyVaultCryptoUser };
    for (const principalId of editors)
      for (const [what, role] of Object.entries(editorRoles))
        this.grantGroup(`${name}-editor-${what}`, principalId, role, key);
    for (const principalId of encrypters)
      if (roles.encrypt) this.grantGroup(`${name}-encrypter`, principalId, roles.encrypt, key);
  }

  private grantGroup(name: string, principalId: string, role: string | undefined, key: Key): void {
    if (role === undefined) return;
    grant(`${name}-${principalId}`, { principalId, principalType: "Group", role, scope: key.id }, { parent: this });
  }

  // Names of vaults are unique in all of Azure, deleted ones included, and have at most 24 characters.
  private randomName(name: string): pulumi.Output<string> {
    const suffix = new RandomString(`${name}-suffix`, { length: 8, upper: false, special: false }, { parent: this });
    const start = name.slice(0, 15).replace(/-+$/, "");
    return pulumi.interpolate`${start}-${suffix.result}`;
  }
}
