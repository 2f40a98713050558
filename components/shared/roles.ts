import { createHash } from "node:crypto";
import { RoleAssignment } from "@pulumi/azure-native/authorization/roleAssignment.js";
import * as pulumi from "@pulumi/pulumi";
import { newFirst } from "./newFirst.ts";

/** Azure's built-in roles that are assigned here, by GUID: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles */
export const BUILT_IN = {
  acrPull: "7f951dda-4ed3-4680-a7ca-43fe172d538d",
  acrPush: "8311e382-0749-4cb8-b61a-304f252e45ec",
  /** Container Registry Data Importer and Data Reader. */
  acrImporter: "577a9874-89fd-4f24-9dbd-b5034d0ad23a",
  /** Azure Kubernetes Service Cluster User: asks Azure for a kubeconfig. */
  aksClusterUser: "4abbcc35-e782-43d8-92c5-2d3f1bd2253f",
  aksRbacAdmin: "3498e952-d568-435e-9b2c-8d77e338d7f7",
  aksRbacClusterAdmin: "b1ff04bb-8a4e-4dc4-8eb5-8693973ce19b",
  aksRbacReader: "7f6c6a51-bcf8-42ba-9220-52d62157d7db",
  aksRbacWriter: "a7ffa36f-339b-4b5c-8bdf-e2c188b2c0eb",
  keyVaultCryptoUser: "12338af0-0e69-4776-bea7-57ae8d297424",
  keyVaultReader: "21090545-7ca7-4776-b22c-e363652d74d2",
  managedIdentityOperator: "f1a07417-d97a-45cb-824c-7a7467783830",
  networkContributor: "4d97b98b-1d4f-4787-a291-c67834d212e7",
  reader: "acdd72a7-3385-48ef-bd42-f606fba81ae7",
  privateDnsZoneContributor: "b12aa53e-6015-4669-85d0-8515ebb3ae7f",
} as const;

export interface Grant {
  /** Object id of who may. */
  readonly principalId: pulumi.Input<string>;
  /**
   * Always given: with it Azure does not look the principal up, so one that was just made and is not replicated yet
   * is accepted.
   */
  readonly principalType: "Group" | "ServicePrincipal";
  /** A role definition's GUID, or its whole id. */
  readonly role: string;
  /** The id of the resource on which. */
  readonly scope: pulumi.Input<string>;
  /** A condition of Azure's, in version 2.0, under which alone. @default none */
  readonly condition?: string | undefined;
}

/** Lets somebody act in a role on a resource. */
export function grant(name: string, args: Grant, opts: pulumi.CustomResourceOptions): RoleAssignment {
  const { role, condition, ...rest } = args;
  const roleDefinitionId = pulumi.output(args.scope).apply((scope) => roleId(role, scope));
  // Azure has one assignment of a role, principal and scope: a name made of the three is never a second one's.
  const roleAssignmentName = pulumi.all([args.scope, args.principalId, roleDefinitionId]).apply(guidOf);
  const conditional = condition === undefined ? {} : { condition, conditionVersion: "2.0" };
  return new RoleAssignment(name, { ...rest, ...conditional, roleAssignmentName, roleDefinitionId }, newFirst(opts));
}

/** A GUID made of texts, whatever their case (RFC 9562, version 8). */
function guidOf(parts: readonly string[]): string {
  const hex = createHash("sha256").update(parts.join("\n").toLowerCase()).digest("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    "-",
  );
}

// ARM answers with the id below the subscription; giving it in the same form keeps a refresh without differences.
function roleId(role: string, scope: string): string {
  const [subscription = ""] = /^\/subscriptions\/[^/]+/i.exec(scope) ?? [];
  return role.startsWith("/") ? role : `${subscription}/providers/Microsoft.Authorization/roleDefinitions/${role}`;
}
