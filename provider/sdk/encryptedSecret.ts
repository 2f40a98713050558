import * as pulumi from "@pulumi/pulumi";

export interface EncryptedSecretArgs {
  /** The Secret's name. Another name makes another Secret. */
  readonly name: pulumi.Input<string>;
  /** The namespace it will stand in. Another one makes another Secret. */
  readonly namespace: pulumi.Input<string>;
  /** The Secret's type. @default Opaque */
  readonly type?: pulumi.Input<string>;
  /** Plain values by key; always treated as secret. */
  readonly stringData: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>;
  /** Labels; they stay readable in Git. */
  readonly labels?: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>;
  /**
   * `https://<vault>.vault.azure.net/keys/<name>/<version>`, an RSA key. Without the version the newest one is read
   * from the vault once; a later rotation changes nothing until another input changes.
   */
  readonly keyUrl: pulumi.Input<string>;
  /**
   * The key's public part (PEM). With it and a version in `keyUrl` the vault is not asked, so the caller needs neither
   * a right on it nor a network path to it. @default read from the vault
   */
  readonly publicKey?: pulumi.Input<string>;
}

/** A Kubernetes Secret encrypted whole as a SOPS file for Azure Key Vault; encrypted anew only when an input changes. */
export class EncryptedSecret extends pulumi.CustomResource {
  /** The YAML text of the SOPS file; no secret, made to be committed. */
  declare readonly content: pulumi.Output<string>;
  /** The URL of the key version that the file names. */
  declare readonly keyUrl: pulumi.Output<string>;

  constructor(name: string, args: EncryptedSecretArgs, opts?: pulumi.CustomResourceOptions) {
    const inputs = { ...args, stringData: pulumi.secret(args.stringData), content: undefined };
    super("gitops:index:EncryptedSecret", name, inputs, {
      ...opts,
      additionalSecretOutputs: ["stringData", ...(opts?.additionalSecretOutputs ?? [])],
    });
  }
}
