import * as pulumi from "@pulumi/pulumi";

export interface VaultKeyArgs {
  /** The vault's ARM id. Another one makes another key. */
  readonly vaultId: pulumi.Input<string>;
  /** The key's name in the vault. Another one makes another key. */
  readonly name: pulumi.Input<string>;
  /** What the key is, and whether a hardware module keeps it. Cannot be changed. */
  readonly kty: pulumi.Input<"RSA" | "RSA-HSM">;
  /** The key's length in bits: 2048, 3072 or 4096. Cannot be changed. */
  readonly keySize: pulumi.Input<number>;
  /** What may be done with it, of encrypt, decrypt, sign, verify, wrapKey, unwrapKey. Cannot be changed. */
  readonly keyOps: pulumi.Input<
    readonly pulumi.Input<"encrypt" | "decrypt" | "sign" | "verify" | "wrapKey" | "unwrapKey">[]
  >;
  /** Tags that it is made with; a change of them changes nothing. @default none */
  readonly tags?: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>;
}

/**
 * An RSA key of a key vault, made through Azure Resource Manager: that needs no right in the vault's data plane and no
 * network path to it. A key that is there already is taken over. Deleting it deletes nothing, since what it encrypted
 * could never be read again: the key goes with its vault.
 *
 * Imported into a stack by the key's ARM id: `<vault's ARM id>/keys/<name>`.
 */
export class VaultKey extends pulumi.CustomResource {
  /** `https://<vault>.vault.azure.net/keys/<name>`. */
  declare readonly keyUri: pulumi.Output<string>;
  /** The same with the newest version, when it was made or read last. */
  declare readonly keyUriWithVersion: pulumi.Output<string>;

  constructor(name: string, args: VaultKeyArgs, opts?: pulumi.CustomResourceOptions) {
    super("gitops:index:VaultKey", name, { ...args, keyUri: undefined, keyUriWithVersion: undefined }, opts);
  }

  /** The key with an ARM id, read and never written. */
  static get(name: string, id: pulumi.Input<pulumi.ID>, opts?: pulumi.CustomResourceOptions): VaultKey {
    return new VaultKey(name, {} as VaultKeyArgs, { ...opts, id });
  }
}
