// Where a name leads from a place in the network, whether there is a way to what it leads to, and whom the public door of
// a data plane lets in.
import type { ArmResource, CloudRequest, Place } from "../types.ts";
import type { World } from "./behaviour.ts";
import { key } from "./ids.ts";
import { matchesAny } from "./network.ts";
import { clusterNetworks, endpointsOf, linkable, recordsIn, zonesLinkedTo } from "./rules/endpoints.ts";
import { networkOf } from "./rules/network.ts";
import { leadsTo } from "./rules/peering.ts";
import { part } from "./validate.ts";

/** What a name stands for: the public address, a private one in a network, or nothing. */
type Meaning = "public" | { readonly network: string } | "nothing";

/** The networks in which a caller stands. */
function networksAt(world: World, place: Place): string[] {
  if (place === "cluster") return clusterNetworks(world);
  const { runnerNetwork } = world.settings;
  return place === "inside" && runnerNetwork !== undefined ? [key(runnerNetwork)] : [];
}

/**
 * What the name of a registry or vault means within a network. Public DNS leads to the private zone's name as soon as
 * there is a private endpoint; a linked zone answers for all of its names, also for those that it has not.
 */
function meaningIn(world: World, network: string, resource: ArmResource): Meaning {
  const endpoints = endpointsOf(world, resource.id);
  const zone = zonesLinkedTo(world, network).find(
    (one) => one.zone.name.toLowerCase() === linkable[resource.type]?.zone,
  );
  if (endpoints.length === 0 || zone === undefined) return "public";
  const endpoint = recordsIn(world, zone.zone, endpoints)[0];
  if (endpoint !== undefined) return { network: networkOf(String(part(endpoint, "properties.subnet").id)) };
  return zone.resolutionPolicy === "NxDomainRedirect" ? "public" : "nothing";
}

/** See Arm.noWay. */
export function noWay(world: World, resource: ArmResource, host: string, place: Place): string | undefined {
  const meanings = networksAt(world, place).map((from) => ({ from, meaning: meaningIn(world, from, resource) }));
  const isWay = ({ from, meaning }: (typeof meanings)[number]) =>
    meaning === "public" || (meaning !== "nothing" && leadsTo(world, from, meaning.network));
  const [first] = meanings;
  if (first === undefined || meanings.some(isWay)) return undefined;
  return first.meaning === "nothing"
    ? `lookup ${host}: no such host (the private DNS zone linked to ${first.from} has no record of it)`
    : `${host}: timeout (there is no route from ${first.from} to ${(first.meaning as { network: string }).network})`;
}

/** See Arm.unreachable. */
export function unreachable(
  world: World,
  resource: ArmResource,
  request: Pick<CloudRequest, "place" | "address">,
): string | undefined {
  if (request.place === "outside") return publicly(resource, request, "");
  const blocked = noWay(world, resource, resource.name, request.place);
  if (blocked !== undefined) return blocked;
  const meanings = networksAt(world, request.place).map((from) => meaningIn(world, from, resource));
  if (meanings.some((meaning) => typeof meaning === "object")) return undefined;
  const why =
    endpointsOf(world, resource.id).length > 0
      ? "its private endpoint has no private DNS zone linked to this network"
      : "there is no private endpoint that this place in the network reaches";
  return publicly(resource, request, `, and ${why}`);
}

/** Whether the public endpoint lets the caller in. */
function publicly(
  resource: ArmResource,
  request: Pick<CloudRequest, "place" | "address">,
  why: string,
): string | undefined {
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

/** Whether a caller finds the private address of an API server by its private name, and whether it gets there. */
export interface ApiServerRoute {
  readonly resolves: boolean;
  readonly reaches: boolean;
}

/** See ArmService.apiServerRoute. */
export function apiServerRoute(world: World, { properties }: ArmResource, place: Place): ApiServerRoute {
  // Nodes and pods have the address from the cluster itself.
  if (place === "cluster") return { resolves: true, reaches: true };
  const access = part({ properties }, "properties.apiServerAccessProfile");
  const pools = (properties.agentPoolProfiles ?? []) as { vnetSubnetID?: string }[];
  const subnet = access.subnetId ?? pools[0]?.vnetSubnetID;
  const network = typeof subnet === "string" ? key(networkOf(subnet)) : undefined;
  const here = networksAt(world, place);
  const zone = String(access.privateDNSZone ?? "system");
  // AKS keeps its own zone where nobody else may link anything, in the cluster's own resource group.
  const knows = (from: string) =>
    zone.startsWith("/") ? zonesLinkedTo(world, from).some((one) => key(one.zone.id) === key(zone)) : from === network;
  return {
    resolves: zone === "none" || here.some(knows),
    reaches: network !== undefined && here.some((from) => leadsTo(world, from, network)),
  };
}
