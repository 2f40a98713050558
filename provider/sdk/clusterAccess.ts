import * as pulumi from "@pulumi/pulumi";

export interface ClusterAccessArgs {
  /** The AKS cluster's ARM id. Another one makes another resource. */
  readonly clusterId: pulumi.Input<string>;
}

/**
 * How to reach an AKS cluster's API server. It holds no credential and stays the same as long as the cluster does; only
 * making it needs the right to list the cluster's user credential.
 *
 * Imported into a stack by the cluster's ARM id.
 */
export class ClusterAccess extends pulumi.CustomResource {
  /** The API server's URL. */
  declare readonly endpoint: pulumi.Output<string>;
  /** The API server's certificate authority: PEM, base64. */
  declare readonly certificateAuthority: pulumi.Output<string>;
  /** A kubeconfig (YAML) that gets its tokens through kubelogin. */
  declare readonly kubeconfig: pulumi.Output<string>;

  constructor(name: string, args: ClusterAccessArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = { endpoint: undefined, certificateAuthority: undefined, kubeconfig: undefined };
    super("gitops:index:ClusterAccess", name, { ...args, ...outputs }, opts);
  }
}
