import type * as pulumi from "@pulumi/pulumi";

/** How to reach a cluster's API server; without credentials. */
export interface ApiAccess {
  /** The cluster's ARM id. */
  readonly clusterId: pulumi.Input<string>;
  /** `https://host:port` of the API server. */
  readonly endpoint: pulumi.Input<string>;
  /** The certificate authority of the API server: PEM, base64. */
  readonly certificateAuthority: pulumi.Input<string>;
}
