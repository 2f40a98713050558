// Private endpoints, their DNS zone groups, private DNS zones and the networks that see them.
import type { ArmResource } from "../../types.ts";
import { type Behaviour, propertiesOf, type World } from "../behaviour.ts";
import { armError, notProvisioned } from "../errors.ts";
import { key, same } from "../ids.ts";
import { type Body, part } from "../validate.ts";
import { checkEndpointSubnet } from "./clusterSubnets.ts";
import { networkOf, rangesOf, usersOf } from "./network.ts";
import { networkConflict, stampNetwork } from "./networkWrites.ts";

export const ENDPOINT_TYPE = "Microsoft.Network/privateEndpoints";
export const ZONE_GROUP_TYPE = `${ENDPOINT_TYPE}/privateDnsZoneGroups`;
export const ZONE_TYPE = "Microsoft.Network/privateDnsZones";
export const ZONE_LINK_TYPE = `${ZONE_TYPE}/virtualNetworkLinks`;

/** What can be linked privately: its sub-resource (group id), its public domain and its private zone. */
export const linkable: Readonly<Record<string, { group: string; domain: string; zone: string }>> = {
  "Microsoft.ContainerRegistry/registries": {
    group: "registry",
    domain: "azurecr.io",
    zone: "privatelink.azurecr.io",
  },
  "Microsoft.KeyVault/vaults": {
    group: "vault",
    domain: "vault.azure.net",
    zone: "privatelink.vaultcore.azure.net",
  },
};

interface Connection {
  readonly properties: { privateLinkServiceId: string; groupIds: string[] };
}

/** All connections of an endpoint, those that wait for an approval last. */
const connectionsOf = (endpoint: Body): Connection[] =>
  (["privateLinkServiceConnections", "manualPrivateLinkServiceConnections"] as const).flatMap(
    (name) => (propertiesOf(endpoint)[name] ?? []) as Connection[],
  );

/** The endpoints whose connection to a resource is approved. */
export const endpointsOf = (world: World, resourceId: string): ArmResource[] =>
  world.store.list(ENDPOINT_TYPE).filter((endpoint) => {
    const approved = (endpoint.properties.privateLinkServiceConnections ?? []) as Connection[];
    return approved.some(({ properties }) => key(properties.privateLinkServiceId) === key(resourceId));
  });

const zoneOf = (linkId: string): string => linkId.replace(/\/virtualNetworkLinks\/[^/]+$/i, "");

/** Zones tell how many networks are linked to them. */
function countLinks(world: World, linkId: string): void {
  const zone = world.store.get(zoneOf(linkId));
  if (zone !== undefined)
    zone.properties.numberOfVirtualNetworkLinks = world.store
      .below(zone.id)
      .filter(({ type }) => same(type, ZONE_LINK_TYPE)).length;
}

const subnetOf = (endpoint: Body): string => String(part(endpoint, "properties.subnet").id);

/** What an endpoint's write or deletion waits for: another endpoint of its subnet, or a cluster that joins it. */
function refuseBusySubnet(world: World, endpoint: Pick<ArmResource, "type" | "id">, subnetId: string): void {
  const subnet = world.store.get(subnetId) as ArmResource;
  const isJoined = usersOf(world, subnetId)
    .map((id) => world.store.get(id))
    .some(
      (user) =>
        user?.type.startsWith("Microsoft.ContainerService/") && user.properties.provisioningState === "Creating",
    );
  if (isJoined || world.store.busy(subnetId) !== undefined) throw notProvisioned(endpoint, subnet, "Updating");
}

/** @throws ServiceError while an operation on the endpoint above a zone group runs. */
function refuseBusyEndpoint(world: World, group: Pick<ArmResource, "type" | "id">): void {
  const endpoint = world.store.get(group.id.split("/").slice(0, -2).join("/"));
  const operation = endpoint && world.store.busy(endpoint.id);
  if (endpoint === undefined || operation === undefined) return;
  throw notProvisioned(group, endpoint, operation.verb === "Deleting" ? "Deleting" : "Updating");
}

export const endpointRules: Readonly<Record<string, Behaviour>> = {
  [ENDPOINT_TYPE]: {
    conflict: networkConflict,
    holds: (_id, resource) => (resource === undefined ? [] : [subnetOf(resource)]),
    mayDelete: ({ world, resource }) => refuseBusySubnet(world, resource, subnetOf(resource)),
    check({ world, body, id, old }) {
      refuseBusySubnet(world, id, subnetOf(body));
      checkEndpointSubnet(world, id, body.location, subnetOf(body));
      const connections = connectionsOf(body);
      if (connections.length !== 1)
        throw armError(
          400,
          "InvalidRequestFormat",
          `Cannot parse the request: private endpoint ${id.id} must have exactly one private link service connection, it has ${connections.length}.`,
        );
      const [before, now] = [old === undefined ? [] : connectionsOf(old), connections].map(([one]) => one?.properties);
      if (before !== undefined && key(before.privateLinkServiceId) !== key(now?.privateLinkServiceId ?? ""))
        throw armError(
          400,
          "CannotChangePrivateLinkConnectionOnPrivateEndpoint",
          `Cannot change the private link connection on private endpoint ${id.id}. Please ensure you are not updating the details of existing private link connection. That is not allowed.`,
          { details: [] },
        );
      for (const { properties } of connections) {
        const target = world.store.get(properties.privateLinkServiceId) as ArmResource;
        const group = linkable[target.type]?.group;
        if (properties.groupIds.length !== 1 || properties.groupIds[0]?.toLowerCase() !== group)
          throw armError(
            400,
            "PrivateEndpointInvalidGroupId",
            `Call to ${target.type.split("/")[0]} failed. Error message: the group ids ${properties.groupIds.join(", ")} are not supported, the resource supports '${group}'.`,
            { details: [] },
          );
        if (group === "registry" && part(target, "sku").name !== "Premium")
          throw armError(
            400,
            "FeatureNotSupported",
            `Private endpoint connections are not supported for the registry '${target.name}': they need the Premium SKU.`,
            { details: [] },
          );
      }
    },
    accepted(resource, { world }) {
      stampNetwork(resource);
      const [connection] = connectionsOf(resource);
      const target = world.store.get(connection?.properties.privateLinkServiceId ?? "") as ArmResource;
      const subnet = world.store.get(subnetOf(resource)) as ArmResource;
      const offset = world.store.list(ENDPOINT_TYPE).filter((one) => !same(one.id, resource.id)).length;
      const first = (rangesOf(subnet.properties)[0]?.first ?? 0) + 4 + offset;
      resource.properties.customDnsConfigs = [
        {
          fqdn: `${target.name.toLowerCase()}.${linkable[target.type]?.domain}`,
          ipAddresses: [[24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join(".")],
        },
      ];
    },
  },
  [ZONE_GROUP_TYPE]: {
    conflict: networkConflict,
    holds: (id, resource) => (resource === undefined || id.parent === undefined ? [] : [id.parent]),
    before: ({ world, id, definition }) => refuseBusyEndpoint(world, { type: definition.type, id: id.id }),
    mayDelete: ({ world, resource }) => refuseBusyEndpoint(world, resource),
    accepted: stampNetwork,
    // From then on the zone has the names.
    finished(group, world) {
      const endpoint = world.store.get(group.id.split("/").slice(0, -2).join("/"));
      if (endpoint !== undefined) endpoint.properties.customDnsConfigs = [];
    },
  },
  [ZONE_TYPE]: {
    conflict: networkConflict,
    accepted(resource) {
      stampNetwork(resource);
      resource.properties.maxNumberOfRecordSets = 25000;
      resource.properties.numberOfRecordSets ??= 1;
      resource.properties.numberOfVirtualNetworkLinks ??= 0;
    },
    mayDelete({ world, resource }) {
      const links = world.store.below(resource.id).filter(({ type }) => same(type, ZONE_LINK_TYPE));
      if (links.length > 0)
        throw armError(
          409,
          "CannotDeleteResource",
          `Cannot delete resource while nested resources exist. Some existing nested resource IDs include: '${links[0]?.id}'. Please delete all nested resources before deleting this resource.`,
        );
    },
  },
  [ZONE_LINK_TYPE]: {
    conflict: networkConflict,
    check({ world, id, body }) {
      const network = key(String(part(body, "properties.virtualNetwork").id));
      const other = world.store
        .below(id.parent ?? "")
        .find((one) => !same(one.id, id.id) && key(String(part(one, "properties.virtualNetwork").id)) === network);
      if (other !== undefined)
        throw armError(
          409,
          "Conflict",
          `A virtual network cannot be linked to multiple zones with overlapping namespaces. You tried to link virtual network with '${id.path.split("/")[0]}' zone, to which it is linked already by '${other.name}'.`,
        );
      const name = id.path.split("/")[0] ?? "";
      const isTaken = zonesLinkedTo(world, network).some(
        ({ zone }) => same(zone.name, name) && !same(zone.id, zoneOf(id.id)),
      );
      if (isTaken)
        throw armError(
          400,
          "BadRequest",
          `A virtual network cannot be linked to multiple zones with overlapping namespaces. You tried to link virtual network with '${name}' and '${name}' zones.`,
        );
    },
    accepted(resource, { old }) {
      stampNetwork(resource);
      resource.properties.virtualNetworkLinkState = old === undefined ? "InProgress" : "Completed";
    },
    finished(resource, world) {
      resource.properties.virtualNetworkLinkState = "Completed";
      countLinks(world, resource.id);
    },
    gone: (resource, world) => countLinks(world, resource.id),
  },
};

/** The private zones that a network asks, with what becomes of names that they have not. */
export function zonesLinkedTo(
  world: World,
  network: string,
): { readonly zone: ArmResource; readonly resolutionPolicy: unknown }[] {
  return world.store.list(ZONE_LINK_TYPE).flatMap((link) => {
    const zone = world.store.get(zoneOf(link.id));
    const { virtualNetwork, virtualNetworkLinkState, resolutionPolicy } = link.properties;
    const isHere = key(String(part({ virtualNetwork }, "virtualNetwork").id)) === key(network);
    return zone !== undefined && isHere && virtualNetworkLinkState === "Completed" ? [{ zone, resolutionPolicy }] : [];
  });
}

/** Those endpoints whose address a zone tells, written there by a zone group. */
export function recordsIn(world: World, zone: ArmResource, endpoints: readonly ArmResource[]): ArmResource[] {
  return endpoints.filter((endpoint) =>
    world.store
      .below(endpoint.id)
      .filter(({ type, properties }) => same(type, ZONE_GROUP_TYPE) && properties.provisioningState === "Succeeded")
      .flatMap(({ properties }) => (properties.privateDnsZoneConfigs ?? []) as ZoneConfig[])
      .some(({ properties }) => key(properties.privateDnsZoneId) === key(zone.id)),
  );
}

interface ZoneConfig {
  readonly properties: { readonly privateDnsZoneId: string };
}

/** The networks in which the clusters' nodes are. */
export function clusterNetworks(world: World): string[] {
  return world.store
    .list("Microsoft.ContainerService/managedClusters/agentPools")
    .map(({ properties }) => properties.vnetSubnetID)
    .filter((subnet) => typeof subnet === "string")
    .map((subnet) => key(networkOf(subnet)));
}
