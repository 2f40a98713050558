// How every write of Microsoft.Network shows while it is under way.
import { randomUUID } from "node:crypto";
import type { ArmResource } from "../../types.ts";
import type { ResourceId } from "../ids.ts";

/** Sets a new etag and marks the resource as being worked on, as Microsoft.Network does. */
export function stampNetwork(resource: ArmResource): void {
  resource.etag = `W/"${randomUUID()}"`;
  resource.properties.provisioningState = "Updating";
}

export const networkConflict = (id: ResourceId) => ({
  status: 409,
  code: "AnotherOperationInProgress",
  message: `Another operation on this or dependent resource is in progress. To retrieve status of the operation use uri: https://management.azure.com${id.parent ?? id.id}.`,
});
