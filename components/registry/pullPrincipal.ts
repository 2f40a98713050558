import * as pulumi from "@pulumi/pulumi";
import { refuse } from "../shared/faults.ts";
import { type Rotation, rotationFaults } from "../shared/passwordSlots.ts";
import { BUILT_IN } from "../shared/roles.ts";
import { createPrincipal } from "../shared/servicePrincipal.ts";

/** What a PullPrincipal may pull from. */
export interface PullPrincipalArgs extends Rotation {
  /** ARM id of the registry. */
  readonly registryId: pulumi.Input<string>;
}

/** A service principal that may pull and nothing else, for what cannot use a managed identity. */
export class PullPrincipal extends pulumi.ComponentResource {
  /** What it signs in as; arrives when it may pull. */
  readonly clientId: pulumi.Output<string>;
  /** The newest of its passwords that Entra has taken, a secret; another one after `passwordDays`. */
  readonly clientSecret: pulumi.Output<string>;

  /** @throws pulumi.ResourceError naming every argument that cannot work. */
  constructor(name: string, args: PullPrincipalArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:PullPrincipal", name, {}, opts);
    refuse(this, name, rotationFaults(args));
    const { registryId: scope, ...rotation } = args;
    const pulls = { ...rotation, role: BUILT_IN.acrPull, scope, purpose: "pull from the registry" };
    const { clientId, clientSecret } = createPrincipal(name, pulls, this);
    this.clientId = clientId;
    this.clientSecret = clientSecret;
    this.registerOutputs({ clientId, clientSecret });
  }
}
