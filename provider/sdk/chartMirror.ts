import * as pulumi from "@pulumi/pulumi";
import { type AttachedArgs, type SourceCredentialsArgs, secretly } from "./imageImport.ts";

/** What the lock says of a chart, and where it goes. */
export interface ChartMirrorArgs {
  /** The target registry's ARM id. Another one makes another mirror. */
  readonly registryId: pulumi.Input<string>;
  /** The target registry's login server: `<name>.azurecr.io`. */
  readonly loginServer: pulumi.Input<string>;
  /**
   * When the target registry was made, as Azure tells it. Another time is another registry, though of the same name: what
   * it holds is looked at again. @default the registry counts as the same
   */
  readonly registryCreated?: pulumi.Input<string>;
  /** The repository in the target; its last part is the chart's name: `charts/kured`. Another one makes another mirror. */
  readonly repository: pulumi.Input<string>;
  /** The chart's version. Another one makes another mirror. */
  readonly version: pulumi.Input<string>;
  /** Where the tgz is: `https://...`, or `oci://<host>/<repository>:<version>`; read only when the target lacks it. */
  readonly url: pulumi.Input<string>;
  /** SHA-256 of the tgz, hex. */
  readonly sha256: pulumi.Input<string>;
  /** The time that goes into the manifest (RFC 3339); pinned, or every push would be another digest. */
  readonly created: pulumi.Input<string>;
  /** `sha256:<hex>` of the OCI manifest that must come out. */
  readonly manifest: pulumi.Input<string>;
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
}

/**
 * A Helm chart in an Azure container registry, byte for byte what its publisher released. The registry must be reachable
 * from here. Deleting it removes nothing from the registry, since releases or other stacks may use the chart.
 *
 * Imported into a stack by the id in the state, `<registry's ARM id>/charts/<repository>:<version>`. The registry does
 * not know where a chart came from: its `url` is the one in the registry then, unless `?url=<where it comes from>` is
 * added to the id.
 */
export class ChartMirror extends pulumi.CustomResource {
  /** `oci://<login server>/<repository>:<version>`, with `_` for a `+` of the version. */
  declare readonly reference: pulumi.Output<string>;
  /** The digest of the manifest in the registry. */
  declare readonly digest: pulumi.Output<string>;
  declare readonly repository: pulumi.Output<string>;
  declare readonly version: pulumi.Output<string>;

  constructor(name: string, args: ChartMirrorArgs, opts?: pulumi.CustomResourceOptions) {
    super(
      "gitops:index:ChartMirror",
      name,
      { ...secretly(args), reference: undefined, digest: undefined },
      {
        ...opts,
        additionalSecretOutputs: ["credentials", ...(opts?.additionalSecretOutputs ?? [])],
      },
    );
  }
}
