import * as pulumi from "@pulumi/pulumi";

/** What signs in at a registry. */
export interface SourceCredentialsArgs {
  /** The user, or what a token wants here. */
  readonly username: pulumi.Input<string>;
  /** Give it as a secret, then it is encrypted in the state. */
  readonly password: pulumi.Input<string>;
}

/** What belongs to an image or chart, by its manifest. */
export interface AttachedArgs {
  /** `sha256:<hex>` of its manifest. */
  readonly digest: pulumi.Input<string>;
  /** Its tag, which is replaced where it has moved. @default none */
  readonly tag?: pulumi.Input<string>;
}

export interface ImageImportArgs {
  /** The target registry's ARM id. Another one makes another import. */
  readonly registryId: pulumi.Input<string>;
  /** The target registry's login server: `<name>.azurecr.io`. */
  readonly loginServer: pulumi.Input<string>;
  /**
   * When the target registry was made, as Azure tells it. Another time is another registry, though of the same name: what
   * it holds is looked at again. @default the registry counts as the same
   */
  readonly registryCreated?: pulumi.Input<string>;
  /** The image with its registry's host and a tag or digest: `ghcr.io/kubereboot/kured:1.23.0`. */
  readonly source: pulumi.Input<string>;
  /** `sha256:<hex>` of the manifest, or of the index where there are several platforms; this is what is imported. */
  readonly digest: pulumi.Input<string>;
  /** The repository in the target: `<source host>/<full repository>` by convention. Another one makes another import. */
  readonly repository: pulumi.Input<string>;
  /** The tag in the target. Another one makes another import. @default none: the image is there by its digest */
  readonly tag?: pulumi.Input<string>;
  /**
   * The ARM id of the Azure registry to import from; whoever runs this needs the right to pull there. @default the registry
   * of the source's host
   */
  readonly sourceRegistryId?: pulumi.Input<string>;
  /** The repository in the registry to import from. @default that of the source */
  readonly sourceRepository?: pulumi.Input<string>;
  /** What signs in at the source's registry. @default nobody signs in */
  readonly credentials?: pulumi.Input<SourceCredentialsArgs>;
  /**
   * A public key in PEM, as `cosign generate-key-pair` writes it: what is not signed by its private half is not imported.
   * The source has to be reachable from here. @default signatures are not looked at
   */
  readonly publicKey?: pulumi.Input<string>;
  /**
   * What belongs to it and comes along into the same repository: signatures and attestations by their tags, and what refers
   * to its digest. @default nothing
   */
  readonly attached?: pulumi.Input<readonly pulumi.Input<AttachedArgs>[]>;
  /** Whether a tag that holds another digest is replaced; else that is an error. @default false */
  readonly allowMovedTag?: pulumi.Input<boolean>;
}

/**
 * An image in an Azure container registry, imported by Azure itself. Where the registry already holds the digest nothing
 * is done. Deleting it removes nothing from the registry, since pods or other stacks may use the image.
 *
 * Imported into a stack by `<registry's ARM id>/images/<repository>:<tag>` (or `@<digest>`); with `?source=<image>` where
 * the repository is not named after its source.
 */
export class ImageImport extends pulumi.CustomResource {
  /** `<login server>/<repository>@<digest>`, what a pod can run. */
  declare readonly reference: pulumi.Output<string>;
  declare readonly digest: pulumi.Output<string>;
  declare readonly repository: pulumi.Output<string>;
  declare readonly source: pulumi.Output<string>;
  declare readonly tag: pulumi.Output<string | undefined>;

  constructor(name: string, args: ImageImportArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "gitops:index:ImageImport",
      name,
      { tag: undefined, ...secretly(args), reference: undefined },
      {
        ...opts,
        additionalSecretOutputs: ["credentials", ...(opts?.additionalSecretOutputs ?? [])],
      },
    );
  }
}

/** Arguments with the credentials as a secret. */
export function secretly<A extends { readonly credentials?: pulumi.Input<SourceCredentialsArgs> }>(args: A): A {
  return args.credentials === undefined ? args : { ...args, credentials: pulumi.secret(args.credentials) };
}
