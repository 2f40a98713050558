import type * as pulumi from "@pulumi/pulumi";

/** User name and password of one who may pull. */
export interface PullCredentials {
  readonly username: pulumi.Input<string>;
  /** A secret. */
  readonly password: pulumi.Input<string>;
}
