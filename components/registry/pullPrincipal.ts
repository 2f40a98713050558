import { Application } from "@pulumi/azuread/application.js";
import { ApplicationPassword } from "@pulumi/azuread/applicationPassword.js";
import { ServicePrincipal } from "@pulumi/azuread/servicePrincipal.js";
import * as pulumi from "@pulumi/pulumi";
import { after } from "../shared/after.ts";
import { decideNames } from "../shared/names.ts";
import { newFirst } from "../shared/newFirst.ts";
import { BUILT_IN, grant } from "../shared/roles.ts";

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
    const child = newFirst({ parent: this });
    // Entra knows no names of applications: by the tag one is found again that an `up` made before it was killed.
    const { digits } = decideNames(name, { parent: this });
    const tags = [pulumi.interpolate`aks-gitops:${name}-${digits.hex}`];
    const application = new Application(name, { displayName: name, tags }, child);
    const principal = new ServicePrincipal(name, { clientId: application.clientId }, child);
    const password = new ApplicationPassword(
      name,
      { applicationId: application.id, displayName: "pull from the registry" },
      child,
    );
    const pull = grant(
      name,
      {
        principalId: principal.objectId,
        principalType: "ServicePrincipal",
        role: BUILT_IN.acrPull,
        scope: args.registryId,
      },
      child,
    );
    this.clientId = after(application.clientId, pull);
    this.clientSecret = pulumi.secret(password.value);
    this.registerOutputs({ clientId: this.clientId, clientSecret: this.clientSecret });
  }
}
