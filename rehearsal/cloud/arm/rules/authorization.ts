// Role assignments.

import { ASSIGNMENT_TYPE } from "../access.ts";
import { type Behaviour, propertiesOf, type World } from "../behaviour.ts";
import { type AssignmentAttributes, parseCondition } from "../conditions.ts";
import { armError } from "../errors.ts";
import { key, same } from "../ids.ts";
import { GUID_PATTERN } from "../schema.ts";
import { part } from "../validate.ts";

/** What conditions look at: of an assignment that is asked for, or of one that is there. */
export function assignmentAttributes(world: World, assignment: unknown, isNew: boolean): AssignmentAttributes {
  const { roleDefinitionId, principalId, principalType } = part(assignment, "properties");
  return {
    source: isNew ? "Request" : "Resource",
    role: String(roleDefinitionId).split("/").at(-1) ?? "",
    principalType: String(principalType ?? world.directory.find(String(principalId))?.kind),
  };
}

export const authorizationRules: Readonly<Record<string, Behaviour>> = {
  [ASSIGNMENT_TYPE]: {
    answers: {
      showsDeleted: true,
      missing: ({ name }) => armError(404, "RoleAssignmentNotFound", `The role assignment '${name}' is not found.`),
    },
    before({ sent }) {
      const { principalId } = propertiesOf(sent);
      if (!GUID_PATTERN.test(String(principalId)))
        throw armError(
          400,
          "InvalidPrincipalId",
          `The Principal ID '${principalId}' is not valid. Principal ID must be a GUID.`,
        );
    },
    derive({ world, body, old }) {
      const properties = propertiesOf(body);
      const role = world.access.role(String(properties.roleDefinitionId));
      const known = String(properties.roleDefinitionId).toLowerCase().includes("/roledefinitions/");
      if (role === undefined || !known)
        throw armError(
          404,
          "RoleDefinitionDoesNotExist",
          `The specified role definition with ID '${String(properties.roleDefinitionId).split("/").at(-1)}' does not exist.`,
        );
      properties.roleDefinitionId = world.access.definitionId(role);
      const principal = world.directory.find(String(properties.principalId));
      properties.principalType ??= old?.properties.principalType ?? principal?.kind;
    },
    check({ world, id, sent, body, old }) {
      const { principalId, roleDefinitionId } = propertiesOf(body);
      const sentType = propertiesOf(sent).principalType;
      const principal = world.directory.find(String(principalId));
      const age = world.settings.now() - (world.born.get(key(String(principalId))) ?? 0);
      if (principal === undefined || (sentType === undefined && age < world.settings.replicationDelay))
        throw armError(
          400,
          "PrincipalNotFound",
          `Principal ${String(principalId).replaceAll("-", "")} does not exist in the directory ${world.tenantId}. Check that you have the correct principal ID. If you are creating this principal and then immediately assigning a role, this error might be related to a replication delay. In this case, set the role assignment principalType property to a value, such as ServicePrincipal, User, or Group.  See https://aka.ms/docs-principaltype`,
        );
      if (sentType !== undefined && !same(String(sentType), principal.kind))
        throw armError(
          400,
          "UnmatchedPrincipalType",
          `The PrincipalId '${principalId}' has type '${principal.kind}', which is different from specified PrinciaplType '${sentType}'.`,
        );
      if (
        old !== undefined &&
        (old.properties.principalId !== principalId ||
          !same(String(old.properties.roleDefinitionId), String(roleDefinitionId)))
      )
        throw armError(
          409,
          "RoleAssignmentUpdateNotPermitted",
          "Tenant ID, application ID, principal ID, and scope are not allowed to be updated.",
        );
      checkCondition(propertiesOf(body));
      const role = String(roleDefinitionId).split("/").at(-1) ?? "";
      const existing = world.access.existing(String(principalId), role, id.scope);
      if (existing !== undefined && !same(existing.name, id.name))
        throw armError(
          409,
          "RoleAssignmentExists",
          `The role assignment already exists. The ID of the existing role assignment is ${existing.name.replaceAll("-", "")}.`,
        );
    },
    accepted(resource, { world, id, caller, old }) {
      const now = new Date(world.settings.now()).toISOString();
      Object.assign(resource.properties, {
        scope: id.scope,
        createdOn: old?.properties.createdOn ?? now,
        updatedOn: now,
        createdBy: old?.properties.createdBy ?? caller.principal.objectId,
        updatedBy: caller.principal.objectId,
      });
    },
  },
};

function checkCondition({ condition, conditionVersion }: Readonly<Record<string, unknown>>): void {
  if (condition === undefined || condition === null) return;
  if (conditionVersion !== "2.0")
    throw armError(400, "InvalidConditionVersion", "The condition version is not valid. Only '2.0' is supported.");
  if (parseCondition(String(condition)) === undefined)
    throw armError(400, "InvalidCondition", "The simulation understands no condition of this form.");
}
