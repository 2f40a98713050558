// What Azure refuses for a while only: another operation is in progress, or what somebody may is not known everywhere yet.

import { Again, type Try } from "../../net/retry.ts";
import type { Context } from "../../plugin/handler.ts";
import { ArmError } from "./armClient.ts";

/** Waits in milliseconds while Azure does something else with a cluster: a quarter of an hour in all. */
export const BUSY_WAITS = [5000, 10_000, 15_000, ...Array<number>(29).fill(30_000)];

/** Tries until a right counts as not given: the waits before the last of them are ten minutes. */
const TRIES_FOR_RIGHTS = 22;

/** Codes of a right that may have been given a moment ago: an assignment takes minutes to be known everywhere. */
const MISSING_RIGHT = /MissingPermission(Error)?$|^LinkedAuthorizationFailed$/;

/**
 * Codes of what another operation holds, where the status is not 409 or 429. OperationNotAllowed is none of them: with 400
 * it is said of what will never be allowed, such as a lower version.
 */
const HELD = ["ReferencedResourceNotProvisioned", "AnotherOperationInProgress", "OperationPreempted"];

/** Whether trying again may help with what Azure said of a cluster. */
export function isPassing(error: unknown, attempt: number): error is ArmError {
  if (!(error instanceof ArmError)) return false;
  if (MISSING_RIGHT.test(error.code)) return attempt < TRIES_FOR_RIGHTS;
  return error.status === 409 || error.status === 429 || HELD.includes(error.code);
}

/** Says why it is tried again later. @throws Error saying why, when there is no time left. */
export function later(reason: string, { wait }: Try, context: Context, error = new Error(reason)): Again {
  if (wait === undefined) throw error;
  context.log("info", `${reason}; trying again in ${wait / 1000} s`);
  return new Again();
}
