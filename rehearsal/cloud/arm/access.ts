// Who may do what: role definitions and assignments, inherited from scope to scope and through groups.
import { randomUUID } from "node:crypto";
import type { ArmResource, Caller } from "../types.ts";
import { type AssignmentAttributes, conditionHolds } from "./conditions.ts";
import { armError } from "./errors.ts";
import { key, within } from "./ids.ts";
import { builtInRoles, type Role } from "./roles.ts";
import type { Store } from "./store.ts";
import { part } from "./validate.ts";

export const ASSIGNMENT_TYPE = "Microsoft.Authorization/roleAssignments";

/** An action pattern as a regular expression; `/*` + `/` also matches nothing, as it does in Azure's own roles. */
const matcher = (pattern: string): RegExp => {
  const piece = (text: string) =>
    text
      .split("*")
      .map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&"))
      .join(".*");
  return new RegExp(`^${pattern.split("/*/").map(piece).join("/(?:.*/)?")}$`, "i");
};

const matches = (patterns: readonly string[] | undefined, action: string): boolean =>
  (patterns ?? []).some((pattern) => matcher(pattern).test(action));

/** Whether one role allows an action on the control or the data plane. */
export function roleAllows(role: Role, action: string, kind: "control" | "data"): boolean {
  return kind === "control"
    ? matches(role.actions, action) && !matches(role.notActions, action)
    : matches(role.dataActions, action) && !matches(role.notDataActions, action);
}

/** When a new role assignment takes effect. */
export interface RoleTimes {
  /** The time in milliseconds since 1970. */
  readonly now: () => number;
  /** How long a new role assignment allows nothing yet, in milliseconds. */
  readonly roleDelay: number;
}

export class Access {
  readonly #store: Store;
  readonly #roles: Role[] = [...builtInRoles];
  readonly #time: RoleTimes;

  /** @param time what decides whether an assignment has taken effect. */
  constructor(store: Store, time: RoleTimes) {
    this.#store = store;
    this.#time = time;
  }

  /** A role by name, GUID or definition id (whatever its scope); undefined for an unknown one. */
  role(idOrName: string): Role | undefined {
    const last = idOrName.split("/").at(-1)?.toLowerCase();
    return this.#roles.find((role) => role.id === last || role.name.toLowerCase() === idOrName.toLowerCase());
  }

  /** All known roles. */
  definitions(): readonly Role[] {
    return this.#roles;
  }

  /**
   * Adds a custom role.
   * @returns its GUID.
   */
  define(role: Omit<Role, "id"> & { readonly id?: string }): string {
    const id = role.id?.toLowerCase() ?? randomUUID();
    this.#roles.push({ ...role, id });
    return id;
  }

  /** The id of a role's definition within the subscription. */
  definitionId(role: Role): string {
    return `/subscriptions/${this.#store.subscriptionId}/providers/Microsoft.Authorization/roleDefinitions/${role.id}`;
  }

  /** Writes an assignment without any check, for what exists before a rehearsal begins. */
  assign(objectId: string, idOrName: string, scope: string, condition?: string): ArmResource {
    const role = this.role(idOrName);
    if (role === undefined) throw new Error(`There is no role "${idOrName}": define it before assigning it.`);
    const name = randomUUID();
    const assignment = {
      id: `${scope.replace(/\/+$/, "")}/providers/${ASSIGNMENT_TYPE}/${name}`,
      name,
      type: ASSIGNMENT_TYPE,
      properties: {
        roleDefinitionId: this.definitionId(role),
        principalId: objectId,
        scope,
        ...(condition === undefined ? {} : { condition, conditionVersion: "2.0" }),
      },
    };
    this.#store.put(assignment);
    return assignment;
  }

  /**
   * Whether assignments at the scope or above it allow the action already; see Arm.allows.
   * @param attributes what an assignment of a role is about, which conditions look at.
   */
  allows(
    caller: Caller,
    action: string,
    scope: string,
    kind: "control" | "data",
    attributes?: AssignmentAttributes,
  ): boolean {
    return this.#assignments(caller, scope).some((assignment) => {
      const { roleDefinitionId, condition } = assignment.properties;
      if (typeof condition === "string" && !conditionHolds(condition, action, attributes)) return false;

      const role = this.role(String(roleDefinitionId));
      return role !== undefined && roleAllows(role, action, kind);
    });
  }

  /**
   * What a caller may do at a scope, a role each, without its conditions.
   * https://learn.microsoft.com/rest/api/authorization/permissions/list-for-resource-group
   */
  permissions(caller: Caller, scope: string): object[] {
    return this.#assignments(caller, scope)
      .map(({ properties }) => this.role(String(properties.roleDefinitionId)))
      .filter((role) => role !== undefined)
      .map(({ actions = [], notActions = [], dataActions = [], notDataActions = [] }) => ({
        ...{ actions, notActions, dataActions, notDataActions },
      }));
  }

  /** The assignments of a caller, direct or through a group, at a scope or above it, that have taken effect. */
  #assignments(caller: Caller, scope: string): ArmResource[] {
    const who = new Set([caller.principal.objectId, ...caller.groups].map((id) => id.toLowerCase()));
    return this.#store
      .list(ASSIGNMENT_TYPE)
      .filter(({ properties: { principalId } }) => who.has(String(principalId).toLowerCase()))
      .filter(({ properties }) => within(scope, String(properties.scope)))
      .filter((assignment) => this.#isInEffect(assignment));
  }

  /** What was there before a rehearsal began is; Azure gives others some minutes. */
  #isInEffect({ properties: { createdOn } }: ArmResource): boolean {
    const { now, roleDelay } = this.#time;
    return createdOn === undefined || now() - Date.parse(String(createdOn)) >= roleDelay;
  }

  /** @throws ServiceError 403 in ARM's words where the caller may not. */
  demand(caller: Caller, action: string, scope: string, attributes?: AssignmentAttributes): void {
    if (this.allows(caller, action, scope, "control", attributes)) return;
    const authorization = attributes ? "authorization or an ABAC condition not fulfilled" : "authorization";
    throw armError(
      403,
      "AuthorizationFailed",
      `The client '${clientOf(caller)}' with object id '${caller.principal.objectId}' does not have ${authorization} to perform action '${action}' over scope '${scope}' or the scope is invalid. If access was recently granted, please refresh your credentials.`,
    );
  }

  /** @throws ServiceError 403 where the caller may write the resource, but may not use what it refers to. */
  demandLinked(caller: Caller, action: string, scope: string, linkedAction: string, linked: string): void {
    if (this.allows(caller, linkedAction, linked, "control")) return;
    throw armError(
      403,
      "LinkedAuthorizationFailed",
      `The client '${clientOf(caller)}' with object id '${caller.principal.objectId}' has permission to perform action '${action}' on scope '${scope}'; however, it does not have permission to perform action(s) '${linkedAction}' on the linked scope(s) '${linked}' (respectively) or the linked scope(s) are invalid.`,
    );
  }

  /** The assignment of a role to a principal at exactly this scope, if there is one. */
  existing(principalId: string, roleId: string, scope: string): ArmResource | undefined {
    return this.#store.list(ASSIGNMENT_TYPE).find((assignment) => {
      const properties = part(assignment, "properties");
      return (
        key(String(properties.principalId)) === key(principalId) &&
        String(properties.roleDefinitionId).toLowerCase().endsWith(roleId) &&
        key(String(properties.scope)) === key(scope)
      );
    });
  }
}

/** A role as ARM shows it. */
export const roleDefinition = (access: Access, role: Role) => ({
  id: access.definitionId(role),
  name: role.id,
  type: "Microsoft.Authorization/roleDefinitions",
  properties: {
    roleName: role.name,
    type: builtInRoles.includes(role) ? "BuiltInRole" : "CustomRole",
    assignableScopes: builtInRoles.includes(role) ? ["/"] : [access.definitionId(role).split("/providers/")[0]],
    permissions: [
      {
        actions: role.actions ?? [],
        notActions: role.notActions ?? [],
        dataActions: role.dataActions ?? [],
        notDataActions: role.notDataActions ?? [],
      },
    ],
  },
});

/** How ARM names a caller: the application's id or the person's name. */
export const clientOf = (caller: Caller): string => caller.principal.clientId ?? caller.principal.displayName;
