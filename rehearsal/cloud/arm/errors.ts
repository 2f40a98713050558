// ARM's errors: {"error": {"code", "message", ...}} with the status that the service uses.
import { ServiceError } from "../types.ts";

/**
 * An error in ARM's form.
 * @param more further members of the error object, for example `target` or `details`.
 */
export function armError(
  status: number,
  code: string,
  message: string,
  more: Record<string, unknown> = {},
): ServiceError {
  return new ServiceError({ status, body: { error: { code, message, ...more } } }, `${code}: ${message}`);
}

/** 404 of a resource that is not there. `id` without a leading subscription part is spelled as ARM does. */
export function notFound(type: string, name: string, group: string | undefined): ServiceError {
  const where = group === undefined ? "" : ` under resource group '${group}'`;
  return armError(
    404,
    "ResourceNotFound",
    `The Resource '${type}/${name}'${where} was not found. For more details please go to https://aka.ms/ARMResourceNotFoundFix`,
  );
}

/** 400 of a body that the service cannot read. */
export function badContent(what: string): ServiceError {
  return armError(
    400,
    "InvalidRequestContent",
    `The request content was invalid and could not be deserialized: '${what}'.`,
  );
}
