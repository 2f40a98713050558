import * as pulumi from "@pulumi/pulumi";
import { BUILT_IN } from "../shared/roles.ts";
import { createPrincipal } from "../shared/servicePrincipal.ts";

/** What a PullPrincipal may pull from. */
export interface PullPrincipalArgs {
  /** ARM id of the registry. */
  readonly registryId: pulumi.Input<string>;
}

/** A service principal that may pull and nothing else, for what cannot use a managed identity. */
export class PullPrincipal extends pulumi.ComponentResource {
  /** What it signs in as; arrives when it may pull. */
  readonly clientId: pulumi.Output<string>;
  /** Its password, a secret. */
  readonly clientSecret: pulumi.Output<string>;

  constructor(name: string, args: PullPrincipalArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:PullPrincipal", name, {}, opts);
    const pulls = { role: BUILT_IN.acrPull, scope: args.registryId, purpose: "pull from the registry" };
    const { clientId, clientSecret } = createPrincipal(name, pulls, this);
    this.clientId = clientId;
    this.clientSecret = clientSecret;
    this.registerOutputs({ clientId, clientSecret });
  }
}
