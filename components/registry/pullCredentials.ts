import type * as pulumi from "@pulumi/pulumi";

/** User name and password of one who may pull. */
export interface PullCredentials {
  /** The name to sign in with, a client id for one. */
  readonly username: pulumi.Input<string>;
  /** A secret. */
  readonly password: pulumi.Input<string>;
}
