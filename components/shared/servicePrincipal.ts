import { Application } from "@pulumi/azuread/application.js";
import { ApplicationPassword } from "@pulumi/azuread/applicationPassword.js";
import { ServicePrincipal } from "@pulumi/azuread/servicePrincipal.js";
import * as pulumi from "@pulumi/pulumi";
import { AcceptedPassword } from "../../provider/sdk/acceptedPassword.ts";
import { PRINCIPAL } from "../defaults.ts";
import { after } from "./after.ts";
import { decideNames } from "./names.ts";
import { newFirst } from "./newFirst.ts";
import { type PasswordSlot, passwordSlots, type Rotation } from "./passwordSlots.ts";
import { grant } from "./roles.ts";

/** What a service principal is for. */
export interface PrincipalArgs extends Rotation {
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
  /** The newest of its passwords that Entra has taken, a secret. */
  readonly clientSecret: pulumi.Output<string>;
  /** Its role. */
  readonly assignment: pulumi.Resource;
}

/** Makes a service principal for what has no managed identity. */
export function createPrincipal(name: string, args: PrincipalArgs, parent: pulumi.Resource): Principal {
  const { role, scope, purpose: displayName, passwordDays = PRINCIPAL.passwordDays, now = new Date() } = args;
  const child = newFirst({ parent });
  // Entra knows no names of applications: by the tag one is found again that an `up` made before it was killed.
  const { digits } = decideNames(name, { parent });
  const tags = [pulumi.interpolate`aks-gitops:${name}-${digits.hex}`];
  const application = new Application(name, { displayName: name, tags }, child);
  const principal = new ServicePrincipal(name, { clientId: application.clientId }, child);
  const passwordOf = ({ key, endDate }: PasswordSlot, opts: pulumi.CustomResourceOptions = {}) =>
    new ApplicationPassword(
      `${name}-until-${key}`,
      { applicationId: application.id, displayName, endDate },
      // Its name says when it ends; a refresh may write the same time in another way.
      { ...child, ignoreChanges: ["displayName", "endDate"], ...opts },
    );
  const whose = `${pulumi.getProject()}/${pulumi.getStack()}/${name}`;
  const [newest, before] = passwordSlots(passwordDays, now, whose);
  const passwords = [
    passwordOf(newest),
    // Once there was one password, without an end: it stays in use until the next slot, as the older one.
    passwordOf(before, { aliases: [{ name }] }),
  ];
  const { objectId: principalId } = principal;
  const assignment = grant(name, { principalId, principalType: "ServicePrincipal", role, scope }, child);
  const accepted = new AcceptedPassword(
    name,
    {
      tenantId: principal.applicationTenantId,
      clientId: application.clientId,
      passwords: passwords.map(({ value }) => value),
    },
    child,
  );
  return {
    clientId: after(application.clientId, assignment),
    clientSecret: pulumi.secret(accepted.password),
    assignment,
  };
}
