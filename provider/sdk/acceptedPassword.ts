import * as pulumi from "@pulumi/pulumi";

export interface AcceptedPasswordArgs {
  /** The id of the application's Entra tenant. */
  readonly tenantId: pulumi.Input<string>;
  /** The application's client id; it needs a service principal. Another one is another resource. */
  readonly clientId: pulumi.Input<string>;
  /** Its passwords, the newest first. */
  readonly passwords: pulumi.Input<readonly pulumi.Input<string>[]>;
}

/**
 * The newest of an application's passwords with which Entra gives a token. Entra takes a new password some seconds after
 * it was made; it is waited for, and where it is still not taken then, an older one goes on and the next update tries
 * again. It has nothing in the cloud.
 */
export class AcceptedPassword extends pulumi.CustomResource {
  /** The newest that Entra took. */
  declare readonly password: pulumi.Output<string>;

  constructor(name: string, args: AcceptedPasswordArgs, opts?: pulumi.CustomResourceOptions) {
    const inputs = { ...args, passwords: pulumi.secret(args.passwords), password: undefined };
    super("gitops:index:AcceptedPassword", name, inputs, {
      ...opts,
      additionalSecretOutputs: ["passwords", "password", ...(opts?.additionalSecretOutputs ?? [])],
    });
  }
}
