// Azure DevOps' refusals, in its words.

import { ServiceError } from "../types.ts";

/** @param typeKey the name of the exception there. */
export function fault(status: number, typeKey: string, message: string): ServiceError {
  const body = { $id: "1", innerException: null, message, typeKey, errorCode: 0, eventId: 3000 };
  return new ServiceError({ status, headers: { "content-type": "application/json; charset=utf-8" }, body }, message);
}

export const wrongArgument = (message: string, name: string): ServiceError =>
  fault(400, "InvalidArgumentValueException", `${message}\r\nParameter name: ${name}`);

/** @param identity the caller as it is told there: `Build\\<guid>`. */
export const mayNotContribute = (identity: string): ServiceError =>
  fault(
    403,
    "GitNeedsPermissionException",
    "TF401027: You need the Git 'PullRequestContribute' permission to perform this action. Details: identity " +
      `'${identity}', scope 'repository'.`,
  );
