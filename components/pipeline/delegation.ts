// Who deploys assigns roles, so it could give itself any: Azure's conditions on role assignments hold it to those of a list.
import { BUILT_IN } from "../shared/roles.ts";

/** The roles that the components of this project assign. */
const ASSIGNED: readonly string[] = Object.values(BUILT_IN);
const PRINCIPALS = ["Group", "ServicePrincipal"];

/**
 * A condition, in version 2.0, under which roles are assigned and taken away: only those of this project's components and
 * some more, and only those of groups, applications and managed identities.
 * https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples
 * @param more further roles, by GUID or whole id.
 */
export function delegationCondition(more: readonly string[]): string {
  const guids = [...ASSIGNED, ...more.map((role) => role.split("/").at(-1) ?? role)];
  const roles = [...new Set(guids.map((guid) => guid.toLowerCase()))].sort().join(", ");
  const principals = PRINCIPALS.map((kind) => `'${kind}'`).join(", ");
  const only = (action: string, source: string) => {
    const attribute = (name: string) => `@${source}[Microsoft.Authorization/roleAssignments:${name}]`;
    return (
      `((!(ActionMatches{'Microsoft.Authorization/roleAssignments/${action}'})) OR ` +
      `(${attribute("RoleDefinitionId")} ForAnyOfAnyValues:GuidEquals {${roles}} AND ` +
      `${attribute("PrincipalType")} ForAnyOfAnyValues:StringEqualsIgnoreCase {${principals}}))`
    );
  };
  // What is asked for has its attributes in the request, what is there in the resource.
  return `${only("write", "Request")} AND ${only("delete", "Resource")}`;
}
