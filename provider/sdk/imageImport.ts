import * as pulumi from "@pulumi/pulumi";

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
    super("gitops:index:ImageImport", name, { tag: undefined, ...args, reference: undefined }, opts);
  }
}
