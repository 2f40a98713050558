import { Application } from "@pulumi/azuread/application.js";
import { ApplicationPassword } from "@pulumi/azuread/applicationPassword.js";
import { ServicePrincipal } from "@pulumi/azuread/servicePrincipal.js";
import * as pulumi from "@pulumi/pulumi";
import { after } from "./after.ts";
import { decideNames } from "./names.ts";
import { newFirst } from "./newFirst.ts";
import { grant } from "./roles.ts";

/** What a service principal is for. */
export interface PrincipalArgs {
  /** The role that it has, by its definition's GUID or its whole id. */
  readonly role: string;
  /** ARM id of what it has it on. */
  readonly scope: pulumi.Input<string>;
  /** What its password is for, in words. */
  readonly purpose: string;
}

/** A service principal with one role and a password. */
export interface Principal {
  /** What it signs in as; arrives when it has its role. */
  readonly clientId: pulumi.Output<string>;
  /** Its password, a secret. */
  readonly clientSecret: pulumi.Output<string>;
  /** Its role. */
  readonly assignment: pulumi.Resource;
}

/** Makes a service principal for what has no managed identity. */
export function createPrincipal(name: string, args: PrincipalArgs, parent: pulumi.Resource): Principal {
  const { role, scope, purpose: displayName } = args;
  const child = newFirst({ parent });
  // Entra knows no names of applications: by the tag one is found again that an `up` made before it was killed.
  const { digits } = decideNames(name, { parent });
  const tags = [pulumi.interpolate`aks-gitops:${name}-${digits.hex}`];
  const application = new Application(name, { displayName: name, tags }, child);
  const principal = new ServicePrincipal(name, { clientId: application.clientId }, child);
  const password = new ApplicationPassword(name, { applicationId: application.id, displayName }, child);
  const { objectId: principalId } = principal;
  const assignment = grant(name, { principalId, principalType: "ServicePrincipal", role, scope }, child);
  return {
    clientId: after(application.clientId, assignment),
    clientSecret: pulumi.secret(password.value),
    assignment,
  };
}
