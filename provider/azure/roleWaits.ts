// New role assignments take time: minutes as a rule, up to ten for most
// (https://learn.microsoft.com/azure/role-based-access-control/troubleshooting).

import { ArmError } from "./armClient.ts";

/** Waits in milliseconds while a new role assignment makes its way: ten minutes in all. */
export const ROLE_WAITS: readonly number[] = [1000, 2000, 4000, 8000, 15_000, ...Array<number>(19).fill(30_000)];

/** Whether ARM's refusal may be one of a role assignment that is too new; a policy's refusal is not. */
export function isUnauthorized(error: unknown): error is ArmError {
  return (
    error instanceof ArmError &&
    error.status === 403 &&
    ["AuthorizationFailed", "LinkedAuthorizationFailed"].includes(error.code)
  );
}
