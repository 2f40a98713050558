// What Azure refuses for a while only: another operation is in progress, or what somebody may is not known everywhere yet.

import { Again, retry, type Try } from "../../net/retry.ts";
import type { Context } from "../../plugin/handler.ts";
import { ArmError } from "./armClient.ts";
import type { Cloud } from "./cloud.ts";

/** Waits in milliseconds while Azure does something else with a cluster: a quarter of an hour in all. */
export const BUSY_WAITS = [5000, 10_000, 15_000, ...Array<number>(29).fill(30_000)];

/**
 * Waits in milliseconds while a new role assignment makes its way: ten minutes in all, which is enough for most
 * (https://learn.microsoft.com/azure/role-based-access-control/troubleshooting).
 */
export const ROLE_WAITS: readonly number[] = [1000, 2000, 4000, 8000, 15_000, ...Array<number>(19).fill(30_000)];

/** Whether ARM's refusal may be one of a role assignment that is too new; a policy's refusal is not. */
export function isUnauthorized(error: unknown): error is ArmError {
  return (
    error instanceof ArmError &&
    error.status === 403 &&
    ["AuthorizationFailed", "LinkedAuthorizationFailed"].includes(error.code)
  );
}

/** A look of a preview, which goes on without it where whoever runs it may not look. @param what it looks for. */
export async function lookingFor(what: string, look: () => Promise<void>, context: Context): Promise<void> {
  try {
    await look();
  } catch (error) {
    if (!isUnauthorized(error)) throw error;
    context.log("warning", `${what} is not known, as whoever runs this may not look: ${error.message}`);
  }
}

/** Codes of a right that may have been given a moment ago: an assignment takes minutes to be known everywhere. */
const MISSING_RIGHT = /MissingPermission(Error)?$|^LinkedAuthorizationFailed$/;

const lacksRight = (error: unknown): boolean => error instanceof ArmError && MISSING_RIGHT.test(error.code);

/**
 * Codes of what another operation holds, where the status is not 409 or 429. OperationNotAllowed is none of them: with 400
 * it is said of what will never be allowed, such as a lower version.
 */
const HELD = ["ReferencedResourceNotProvisioned", "AnotherOperationInProgress", "OperationPreempted", "RetryableError"];

/** Whether another operation holds what was asked for, by ARM's word for it. */
export const isHeld = ({ code }: ArmError): boolean => HELD.includes(code);

/** Whether trying again may help with what Azure said of a cluster. */
export function isPassing(error: unknown, attempt: number): error is ArmError {
  if (!(error instanceof ArmError)) return false;
  if (lacksRight(error)) return attempt <= ROLE_WAITS.length;
  return error.status === 409 || error.status === 429 || isHeld(error);
}

/**
 * Says why it is tried again later: a right that is missing is looked for as often as everywhere, whatever else is waited
 * for. @throws Error saying why, when there is no time left.
 */
export function later(reason: string, { attempt, wait }: Try, context: Context, error = new Error(reason)): Again {
  if (wait === undefined) throw error;
  if (!(error instanceof ArmError && lacksRight(error))) return again(reason, wait, context);
  // Azure's own words take ten lines beside the resource; they are told where waiting did not help.
  const short = `${error.status} ${error.code}, as long as a new role is not known everywhere`;
  return again(short, Math.min(wait, ROLE_WAITS[attempt - 1] ?? wait), context);
}

function again(reason: string, wait: number, context: Context): Again {
  context.log("info", `${reason}; trying again in ${wait / 1000} s`);
  return new Again(wait);
}

/** How something is asked of Azure again. */
interface Patience {
  /** In milliseconds, one after another. */
  readonly waits: readonly number[];
  /** Whether trying again may help. */
  readonly passes: (error: ArmError, attempt: number) => boolean;
}

/** Asks ARM for something until it is done, or refused for good. @throws ArmError */
export async function patiently(
  ask: () => Promise<unknown>,
  { waits, passes }: Patience,
  context: Context,
): Promise<void> {
  const once = async (current: Try): Promise<undefined | Again> => {
    try {
      await ask();
      return undefined;
    } catch (error) {
      if (!(error instanceof ArmError && passes(error, current.attempt))) throw error;
      return later(error.message, current, context, error);
    }
  };
  await retry(once, { waits, signal: context.signal });
}

/** How a deletion goes on. */
export interface Removal extends Patience {
  readonly apiVersion: string;
}

/** Deletes a resource of ARM; one that is gone, with what it was in or alone, is fine. @throws ArmError */
export async function removed(
  cloud: Cloud,
  id: string,
  { apiVersion, ...patience }: Removal,
  context: Context,
): Promise<void> {
  const remove = async () => {
    try {
      await cloud.arm().request("DELETE", id, apiVersion, undefined, { signal: context.signal });
    } catch (error) {
      if (!(error instanceof ArmError && error.status === 404)) throw error;
    }
  };
  await patiently(remove, patience, context);
}
