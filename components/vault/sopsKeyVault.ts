import { getClientConfigOutput } from "@pulumi/azure-native/authorization/getClientConfig.js";
import { Vault } from "@pulumi/azure-native/keyvault/vault.js";
import * as pulumi from "@pulumi/pulumi";
import { RandomString } from "@pulumi/random/randomString.js";
import { VaultKey } from "../../provider/sdk/vaultKey.ts";
import { SOPS, VAULT } from "../defaults.ts";
import { after } from "../shared/after.ts";
import { auditLogs } from "../shared/auditLogs.ts";
import { existing, meaningless, notArmId } from "../shared/existing.ts";
import { type Fault, notObjectId, notObjectIds, notRole, refuse, unlike } from "../shared/faults.ts";
import { newFirst } from "../shared/newFirst.ts";
import { type EndpointNetwork, notAddresses, privateAccess } from "../shared/privateEndpoint.ts";
import { BUILT_IN, grant } from "../shared/roles.ts";
import { type Tags, tagFaults, tagged } from "../shared/tags.ts";

/** Custom roles instead of Azure's; each by its definition's GUID or its whole id. */
export interface SopsRoles {
  /** A role that reads a key and encrypts; there is no built-in one. @default none */
  readonly encrypt?: string | undefined;
  /** A role that reads a key and decrypts. @default none: Key Vault Crypto User, which does more */
  readonly decrypt?: string | undefined;
}

/** What a SopsKeyVault is to be; only the resource group has no default. */
export interface SopsKeyVaultArgs {
  /** Name of the resource group that everything is made in, in its region. */
  readonly resourceGroupName: pulumi.Input<string>;
  /**
   * ARM id of a vault that is there already, in any subscription of the tenant; it goes by roles, not by access policies.
   * It stays its owner's: it is neither changed nor deleted, and gets nothing but a key, its roles and a private endpoint.
   * @default none: one is made
   */
  readonly existingVault?: pulumi.Input<string> | undefined;
  /**
   * ARM id of an RSA key that is there already, `<vault's ARM id>/keys/<name>`. Vault and key stay their owner's, who
   * decides which people use it. @default none: one is made
   */
  readonly existingKey?: pulumi.Input<string> | undefined;
  /**
   * Name of the key that is made; one of that name that is there is taken over. 1 to 127 letters, digits and hyphens.
   * @default "sops", and in an existing vault the component's name
   */
  readonly keyName?: string | undefined;
  /**
   * The vault's name, unique in all of Azure: 3 to 24 letters, digits and single hyphens, a letter first, no hyphen last.
   * @default up to 15 characters of the component's name and 8 random ones
   */
  readonly vaultName?: string | undefined;
  /** Whether a deleted vault cannot be purged before its 90 days are over; cannot be taken back. @default true */
  readonly purgeProtection?: boolean | undefined;
  /**
   * Object id of the Entra group that reads the key's public part to encrypt with it. On an existing key its owner lets it
   * (Key Vault Reader).
   * @default none: whoever runs the program may do so already
   */
  readonly deployers?: pulumi.Input<string> | undefined;
  /** Object ids of the Entra groups that decrypt and encrypt. @default none */
  readonly editors?: readonly string[] | undefined;
  /** Object ids of the Entra groups that encrypt only; needs roles.encrypt. @default none */
  readonly encrypters?: readonly string[] | undefined;
  /** Custom roles of editors and encrypters. @default none */
  readonly roles?: SopsRoles | undefined;
  /**
   * Where its private endpoint stands, and who else gets in then. Who gets in by the public address of an existing vault is
   * its owner's decision. @default none: it has a public address
   */
  readonly network?: EndpointNetwork | undefined;
  /** Whether Pulumi refuses to delete vault and key that were made. @default false */
  readonly protect?: boolean | undefined;
  /**
   * ARM id of a Log Analytics workspace that keeps who used the key and changed the vault. The logs of an existing vault are
   * its owner's. @default none: nothing is kept
   */
  readonly logWorkspaceId?: pulumi.Input<string> | undefined;
  /** Tags of every resource that can have them; the key has those that it was made with. @default none */
  readonly tags?: Tags | undefined;
}

/** The vault and the RSA key that SOPS encrypts with, and who may encrypt and decrypt. */
export class SopsKeyVault extends pulumi.ComponentResource {
  /** `https://<name>.vault.azure.net/`. */
  readonly vaultUri: pulumi.Output<string>;
  /** The id of the vault's Entra tenant. */
  readonly tenantId: pulumi.Output<string>;
  /** The key's ARM id, for role assignments. */
  readonly keyId: pulumi.Output<string>;
  /** `https://<vault>.vault.azure.net/keys/sops/<version>`, as soon as the key is there. */
  readonly keyUrl: pulumi.Output<string>;
  /** The key's URL for one who reads its public part: arrives when the deployers may and the vault can be reached. */
  readonly readableKeyUrl: pulumi.Output<string>;
  /** What people need to use the key: their roles, and the way to the vault. */
  readonly keyUsers: readonly pulumi.Resource[];

  /** @throws pulumi.ResourceError naming every argument that cannot work. */
  constructor(name: string, args: SopsKeyVaultArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:SopsKeyVault", name, {}, opts);
    refuse(this, name, vaultFaults(args));
    const vaultId = args.existingKey === undefined ? args.existingVault : vaultOf(args.existingKey);
    const vault = vaultId === undefined ? this.#createVault(name, args) : this.#existingVault(name, vaultId, args);
    const { existingKey, deployers, logWorkspaceId: workspaceId } = args;
    if (workspaceId !== undefined)
      auditLogs(
        name,
        { resourceUri: vault.id, workspaceId, categories: ["AuditEvent"], dedicated: true },
        { parent: this },
      );
    const key =
      existingKey === undefined ? this.#createKey(name, args, vault) : this.#existingKey(name, existingKey, vault);
    const readers =
      deployers === undefined || existingKey !== undefined ? [] : [this.#grantReader(name, deployers, key)];
    const people = this.#grantPeople(name, args, key);
    const access = this.#createAccess(name, args, vault);
    this.vaultUri = vault.properties.vaultUri.apply((uri) => uri ?? "");
    this.tenantId = vault.properties.tenantId;
    this.keyId = key.id;
    this.keyUrl = key.keyUriWithVersion;
    this.readableKeyUrl = after(key.keyUriWithVersion, ...readers, ...access);
    this.keyUsers = [...readers, ...people, ...access];
    this.registerOutputs({ vaultUri: this.vaultUri, keyId: this.keyId, keyUrl: this.keyUrl });
  }

  /** Read and never written. Where the stack has made it itself it lets go of it. */
  #existingVault(name: string, id: pulumi.Input<string>, { network, existingKey }: SopsKeyVaultArgs): Vault {
    const argument = existingKey === undefined ? "existingVault" : "existingKey's vault";
    const { tenantId } = getClientConfigOutput({ parent: this });
    const use = { privateEndpoint: network !== undefined, callers: [...(network?.allowedAddresses ?? [])], tenantId };
    return Vault.get(name, existing(argument, id, pulumi.output(use), this), { parent: this });
  }

  #existingKey(name: string, id: pulumi.Input<string>, vault: Vault): VaultKey {
    // What is wrong with its vault is said first.
    return VaultKey.get(name, existing("existingKey", after(id, vault), {}, this), { parent: this });
  }

  #createVault(name: string, args: SopsKeyVaultArgs): Vault {
    const isPrivate = args.network !== undefined;
    const { allowedAddresses = [] } = args.network ?? {};
    return new Vault(
      name,
      {
        resourceGroupName: args.resourceGroupName,
        vaultName: args.vaultName ?? this.#randomName(name, args),
        properties: {
          tenantId: getClientConfigOutput({ parent: this }).tenantId,
          sku: { family: "A", name: "standard" },
          enableRbacAuthorization: true,
          enableSoftDelete: true,
          softDeleteRetentionInDays: 90,
          // Azure takes true or nothing: what is protected stays so.
          ...((args.purgeProtection ?? VAULT.purgeProtection) ? { enablePurgeProtection: true } : {}),
          publicNetworkAccess: isPrivate && allowedAddresses.length === 0 ? "Disabled" : "Enabled",
          networkAcls: {
            bypass: "AzureServices",
            defaultAction: isPrivate ? "Deny" : "Allow",
            ...(allowedAddresses.length > 0 ? { ipRules: allowedAddresses.map((value) => ({ value })) } : {}),
          },
        },
        ...tagged(args.tags),
      },
      newFirst({ parent: this, protect: args.protect ?? false }),
    );
  }

  #createKey(name: string, args: SopsKeyVaultArgs, vault: Vault): VaultKey {
    return new VaultKey(
      name,
      {
        vaultId: vault.id,
        name: args.keyName ?? (args.existingVault === undefined ? SOPS.keyName : name),
        kty: "RSA",
        keySize: 3072,
        keyOps: ["encrypt", "decrypt", "wrapKey", "unwrapKey"],
        ...tagged(args.tags),
      },
      { parent: this, protect: args.protect ?? false },
    );
  }

  #grantReader(name: string, principalId: pulumi.Input<string>, key: VaultKey): pulumi.Resource {
    return grant(
      `${name}-deployers-read`,
      { principalId, principalType: "Group", role: BUILT_IN.keyVaultReader, scope: key.id },
      { parent: this },
    );
  }

  #grantPeople(name: string, args: SopsKeyVaultArgs, key: VaultKey): pulumi.Resource[] {
    const { editors = SOPS.editors, encrypters = SOPS.encrypters, roles: { encrypt, decrypt } = {} } = args;
    const editorRoles = encrypt && decrypt ? { encrypt, decrypt } : { use: BUILT_IN.keyVaultCryptoUser };
    return [
      ...editors.flatMap((principalId) =>
        Object.entries(editorRoles).map(([what, role]) =>
          this.#grantGroup(`${name}-editor-${what}`, principalId, role, key),
        ),
      ),
      ...(encrypt
        ? encrypters.map((principalId) => this.#grantGroup(`${name}-encrypter`, principalId, encrypt, key))
        : []),
    ];
  }

  #grantGroup(name: string, principalId: string, role: string, key: VaultKey): pulumi.Resource {
    const group = { principalId, principalType: "Group", role, scope: key.id } as const;
    return grant(`${name}-${principalId}`, group, { parent: this });
  }

  #createAccess(name: string, args: SopsKeyVaultArgs, vault: Vault): pulumi.Resource[] {
    const { resourceGroupName, network, tags } = args;
    if (network === undefined) return [];
    const service = { serviceId: vault.id, groupId: "vault", zone: "privatelink.vaultcore.azure.net" };
    return privateAccess(name, { resourceGroupName, network, tags, ...service }, { parent: this });
  }

  // Names of vaults are unique in all of Azure, deleted ones included, and have at most 24 characters. A vault that takes
  // another's place has another name.
  #randomName(name: string, { resourceGroupName }: SopsKeyVaultArgs): pulumi.Output<string> {
    const suffix = new RandomString(
      `${name}-suffix`,
      { length: 8, upper: false, special: false },
      newFirst({ parent: this, replacementTrigger: { resourceGroupName } }),
    );
    const start = name.slice(0, 15).replace(/-+$/, "");
    return pulumi.interpolate`${start}-${suffix.result}`;
  }
}

/** The vault that a key is in. */
function vaultOf(keyId: pulumi.Input<string>): pulumi.Output<string> {
  return pulumi.output(keyId).apply((id) => id.replace(/\/keys\/[^/]*$/i, ""));
}

function vaultFaults(args: SopsKeyVaultArgs): Fault[] {
  const { vaultName, network, deployers, editors = [], encrypters = [], roles = {}, tags } = args;
  const { existingVault, existingKey, keyName, purgeProtection, logWorkspaceId } = args;
  const made = { vaultName, purgeProtection, logWorkspaceId };
  return [
    ...notArmId("existingVault", existingVault, "Microsoft.KeyVault/vaults"),
    ...notArmId("logWorkspaceId", logWorkspaceId, "Microsoft.OperationalInsights/workspaces"),
    ...notArmId("existingKey", existingKey, "Microsoft.KeyVault/vaults", "/keys/<name>"),
    ...(existingVault === undefined ? [] : meaningless("existingVault", made)),
    ...(existingKey === undefined
      ? []
      : meaningless("existingKey", {
          ...made,
          existingVault,
          keyName,
          editors,
          encrypters,
          "roles.encrypt": roles.encrypt,
        })),
    ...unlike(
      "keyName",
      keyName,
      /^[a-zA-Z0-9-]{1,127}$/,
      "is no name of a key",
      "give 1 to 127 letters, digits and hyphens",
    ),
    ...unlike(
      "vaultName",
      vaultName,
      /^[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]$/,
      "is no name of a vault",
      "give 3 to 24 letters, digits and single hyphens, a letter first, no hyphen last; or leave it out for a random name",
    ),
    ...notObjectId("deployers", deployers),
    ...notAddresses(network?.allowedAddresses),
    ...notObjectIds("editors", editors),
    ...notObjectIds("encrypters", encrypters),
    ...tagFaults(tags),
    ...notRole("roles.encrypt", roles.encrypt),
    ...notRole("roles.decrypt", roles.decrypt),
    ...(encrypters.length > 0 && !roles.encrypt
      ? [
          {
            argument: "encrypters",
            value: encrypters,
            problem: "needs a role that can encrypt but not decrypt, and Azure has no built-in one",
            remedy:
              "create a custom role with the data actions Microsoft.KeyVault/vaults/keys/read and " +
              ".../keys/encrypt/action and name it in roles.encrypt",
          },
        ]
      : []),
  ];
}
