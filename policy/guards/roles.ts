// Guards of who may do what in Azure.
import type { RoleAssignmentArgs } from "@pulumi/azure-native/authorization/roleAssignment.js";
import { found, type Given, type Guard, type Seen, text } from "../guard.ts";

const LEARN = "https://learn.microsoft.com/azure/role-based-access-control";
const kinds = ["roleAssignment"] as const;

// https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
const BROAD: Readonly<Record<string, string>> = {
  "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
  "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
};
const ASSIGNING: Readonly<Record<string, string>> = {
  "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
  "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
};

const assignment = ({ props }: Seen) => props as Given<RoleAssignmentArgs>;

/** The GUID of the role, which its id ends with. */
const roleOf = (seen: Seen) => text(assignment(seen).roleDefinitionId)?.split("/").at(-1)?.toLowerCase() ?? "";

export const roleGuards: readonly Guard[] = [
  {
    name: "roles-are-narrow",
    description: "Nobody is made an Owner or a Contributor, who may do everything in a scope.",
    level: "mandatory",
    remedy: "give the role that has just the actions that are needed, on the resource that they are needed on",
    link: `${LEARN}/best-practices`,
    kinds,
    find: (seen) => {
      const role = BROAD[roleOf(seen)];
      return found(role && `It gives the role ${role}`);
    },
  },
  {
    name: "roles-that-give-roles-are-bounded",
    description: "Whoever may give roles may give listed ones only.",
    level: "mandatory",
    remedy: 'set condition, which lists the roles that may be given, and conditionVersion: "2.0"',
    link: `${LEARN}/delegate-role-assignments-overview`,
    kinds,
    find: (seen) => {
      const role = ASSIGNING[roleOf(seen)];
      return found(role && !assignment(seen).condition && `It gives the role ${role} without a condition`);
    },
  },
];
