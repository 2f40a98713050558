import * as pulumi from "@pulumi/pulumi";

export interface FluxReadyArgs {
  /** The API server's URL, as ClusterAccess gives it. Another one is another cluster. */
  readonly endpoint: pulumi.Input<string>;
  /** The API server's authority: PEM, base64. */
  readonly certificateAuthority: pulumi.Input<string>;
  /** The commit that the cluster shall come to; a new one is waited for. */
  readonly commit: pulumi.Input<string>;
  /** The names of Flux's Kustomizations that have to be Ready. */
  readonly kustomizations: pulumi.Input<readonly pulumi.Input<string>[]>;
  /** How long to wait, in minutes. @default 15 */
  readonly readyMinutes?: pulumi.Input<number>;
}

/**
 * Arrives when Flux has fetched the commit (or a later one) and every Kustomization named is Ready at that revision;
 * otherwise it fails with the messages of all that is not. Deleting it does nothing.
 */
export class FluxReady extends pulumi.CustomResource {
  declare readonly commit: pulumi.Output<string>;

  constructor(name: string, args: FluxReadyArgs, opts?: pulumi.CustomResourceOptions) {
    super("gitops:index:FluxReady", name, { ...args }, opts);
  }
}
