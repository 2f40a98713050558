// Whether a caller's place in the network reaches a data plane.
import type { ArmResource, CloudRequest } from "../types.ts";
import type { World } from "./behaviour.ts";
import { key } from "./ids.ts";
import { matchesAny } from "./network.ts";
import { clusterNetworks, endpointsOf, networksReaching } from "./rules/endpoints.ts";
import { part } from "./validate.ts";

/** See Arm.unreachable. */
export function unreachable(
  world: World,
  resource: ArmResource,
  request: Pick<CloudRequest, "place" | "address">,
): string | undefined {
  if (request.place !== "outside") {
    const linked = networksReaching(world, resource);
    const here =
      request.place === "cluster"
        ? clusterNetworks(world)
        : world.store.list("Microsoft.Network/virtualNetworks").map(({ id }) => key(id));
    if (linked.some((network) => here.includes(network))) return undefined;
    if (linked.length === 0 && endpointsOf(world, resource.id).length > 0)
      return publicly(resource, request, "its private endpoint has no private DNS zone linked to this network");
  }
  return publicly(resource, request, "there is no private endpoint that this place in the network reaches");
}

/** Whether the public endpoint lets the caller in. */
function publicly(
  resource: ArmResource,
  request: Pick<CloudRequest, "place" | "address">,
  otherwise: string,
): string | undefined {
  const why = request.place === "outside" ? "" : `, and ${otherwise}`;
  if (resource.properties.publicNetworkAccess === "Disabled")
    return `public network access to ${resource.name} is disabled${why}`;
  const rules = part(resource, "properties.networkAcls");
  const { defaultAction, ipRules } =
    Object.keys(rules).length > 0 ? rules : part(resource, "properties.networkRuleSet");
  if (defaultAction !== "Deny") return undefined;
  const admitted = ((ipRules ?? []) as { value: string }[]).map(({ value }) => value);
  if (matchesAny(request.address, admitted)) return undefined;
  return `the firewall of ${resource.name} does not admit the client address ${request.address}${why}`;
}
