// ARM's errors: {"error": {"code", "message", ...}} with the status that the service uses.
import { type ArmResource, ServiceError } from "../types.ts";
import { same } from "./ids.ts";

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

/** Types whose write Microsoft.Network refuses with 400, not 429, while what they use is being written. */
const REFUSED_FOR_GOOD = [
  "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
  "Microsoft.Network/privateEndpoints/privateDnsZoneGroups",
];

/** What Microsoft.Network calls its types in the names of operations, where that is not the type's singular. */
const OPERATED: Readonly<Record<string, string>> = {
  publicIPAddresses: "PublicIpAddress",
  privateDnsZoneGroups: "PrivateDnsZoneGroup",
};

/**
 * The refusal of Microsoft.Network while another resource, which the refused one uses, is being written or deleted: one
 * to repeat, but for some types.
 * @param state of the other one.
 */
export function notProvisioned(user: { type: string; id: string }, used: ArmResource, state: string): ServiceError {
  const plural = used.type.split("/").at(-1) ?? "";
  const name = OPERATED[plural] ?? `${plural.charAt(0).toUpperCase()}${plural.slice(1, -1)}`;
  const operation = `${state === "Deleting" ? "Delete" : "Put"}${name}Operation`;
  const message =
    `Cannot proceed with operation because resource ${used.id} used by resource ${user.id} is not in Succeeded state. ` +
    `Resource is in ${state} state and the last operation that updated/is updating the resource is ${operation}.`;
  const code = "ReferencedResourceNotProvisioned";
  if (REFUSED_FOR_GOOD.some((type) => same(type, user.type))) return armError(400, code, message, { details: [] });
  return armError(429, "RetryableError", "A retryable error occurred.", { details: [{ code, message }] });
}

/** 400 of a body that the service cannot read. */
export function badContent(what: string): ServiceError {
  return armError(
    400,
    "InvalidRequestContent",
    `The request content was invalid and could not be deserialized: '${what}'.`,
  );
}
