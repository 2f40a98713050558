// Who may do what with a vault's keys, and from where.

import type { Arm, ArmResource, Caller, CloudRequest } from "../types.ts";
import { keyVaultError } from "./errors.ts";
import type { Operation } from "./keys.ts";

/** The data action below `Microsoft.KeyVault/vaults/keys` of each operation. */
export const actions: Readonly<Record<Operation, string>> = {
  encrypt: "encrypt/action",
  decrypt: "decrypt/action",
  wrapKey: "wrap/action",
  unwrapKey: "unwrap/action",
};

/** A request to a vault by somebody who is known. */
export interface Call {
  readonly request: CloudRequest;
  readonly caller: Caller;
  readonly vault: ArmResource;
  readonly tenantId: string;
}

/** @throws ServiceError 403 where the vault's network rules do not let the caller in. */
export function demandReachable(arm: Arm, call: Call): void {
  const { request, vault } = call;
  if (arm.unreachable(vault, request) === undefined) return;
  const rest = `Caller: ${describeCaller(call)}\r\nVault: ${vault.name};location=${vault.location}`;
  if (vault.properties.publicNetworkAccess === "Disabled") {
    const word =
      "Public network access is disabled and request is not from a trusted service nor via an approved private link.";
    throw keyVaultError(403, "Forbidden", `${word}\r\n${rest}`, "ForbiddenByConnection");
  }
  const word = "Client address is not authorized and caller is not a trusted service.";
  const address = `Client address: ${request.address}`;
  throw keyVaultError(403, "Forbidden", [word, address, rest].join("\r\n"), "ForbiddenByFirewall");
}

/**
 * @param action what follows `Microsoft.KeyVault/vaults/keys/`.
 * @param name of the key whose scope counts; without it the vault's does.
 * @throws ServiceError 403 where no role assignment, or no access policy in a vault of that kind, allows the action.
 */
export function demandAllowed(arm: Arm, call: Call, action: string, name?: string): void {
  const { caller, vault } = call;
  const full = `Microsoft.KeyVault/vaults/keys/${action}`;
  const scope = name === undefined ? vault.id : `${vault.id}/keys/${name}`;
  if (vault.properties.enableRbacAuthorization !== true) demandPolicy(call, action);
  else if (!arm.allows(caller, full, scope, "data")) throw forbiddenByRoles(call, full, scope);
}

function demandPolicy(call: Call, action: string): void {
  const { caller, vault } = call;
  const permission = permissionOf(action);
  if (hasPolicy(vault, caller, permission)) return;
  const word =
    `The user, group or application '${describeCaller(call)}' does not have keys ${permission} permission on key vault ` +
    `'${vault.name};location=${vault.location}'. For help resolving this issue, please see ` +
    "https://go.microsoft.com/fwlink/?linkid=2125287";
  throw keyVaultError(403, "Forbidden", word, "AccessDenied");
}

function forbiddenByRoles(call: Call, action: string, scope: string) {
  const lines = [
    "Caller is not authorized to perform action on resource.",
    "If role assignments, deny assignments or role definitions were changed recently, please observe propagation time.",
    `Caller: ${describeCaller(call)}`,
    `Action: '${action}'`,
    `Resource: '${scope.toLowerCase()}'`,
    "Assignment: (not found)",
    "DenyAssignmentId: null",
    "DecisionReason: null ",
    `Vault: ${call.vault.name};location=${call.vault.location}`,
    "",
  ];
  return keyVaultError(403, "Forbidden", lines.join("\r\n"), "ForbiddenByRbac");
}

function describeCaller({ caller: { principal }, tenantId }: Call): string {
  return `appid=${principal.clientId};oid=${principal.objectId};iss=https://sts.windows.net/${tenantId}/`;
}

/** The permission of an access policy that a data action stands for. */
function permissionOf(action: string): string {
  const operation = Object.entries(actions).find(([, known]) => known === action)?.[0];
  return operation ?? (action === "read" ? "get" : action.replace(/\/action$/, ""));
}

function hasPolicy(vault: ArmResource, { principal, groups }: Caller, permission: string): boolean {
  const policies = (vault.properties.accessPolicies ?? []) as { objectId: string; permissions: { keys?: string[] } }[];
  const ids = [principal.objectId, ...groups].map((id) => id.toLowerCase());
  const wanted = [permission.toLowerCase(), "all"];
  return policies.some(
    ({ objectId, permissions }) =>
      ids.includes(objectId.toLowerCase()) &&
      (permissions.keys ?? []).some((own) => wanted.includes(own.toLowerCase())),
  );
}
