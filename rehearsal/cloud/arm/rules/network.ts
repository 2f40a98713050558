// Virtual networks: subnets live both inside their network's body and as resources of their own.
import { randomUUID } from "node:crypto";
import type { ArmResource } from "../../types.ts";
import { type Behaviour, propertiesOf, type World } from "../behaviour.ts";
import { armError } from "../errors.ts";
import { key, same } from "../ids.ts";
import { contains, overlap, type Range, rangeOf } from "../network.ts";
import { definitionOf } from "../types/index.ts";
import { ROUTE_TABLE_TYPE, SUBNET_TYPE } from "../types/network.ts";
import { type Body, part, references } from "../validate.ts";
import { networkConflict, stampNetwork } from "./networkWrites.ts";
import { checkInlinePeerings, keepPeerings, peeringRules } from "./peering.ts";

export const NETWORK_TYPE = "Microsoft.Network/virtualNetworks";

/** The id of the network that a subnet's id lies in. */
export const networkOf = (subnetId: string): string => subnetId.replace(/\/subnets\/[^/]+$/i, "");

const prefixesOf = (subnet: Body): string[] => {
  const { addressPrefix, addressPrefixes } = subnet;
  return Array.isArray(addressPrefixes) ? addressPrefixes : typeof addressPrefix === "string" ? [addressPrefix] : [];
};

/** The ranges of a subnet's or network's properties. */
export const rangesOf = (properties: Body): Range[] =>
  prefixesOf(properties).flatMap((prefix) => rangeOf(prefix) ?? []);

/** The services that a subnet is delegated to. */
export const delegationsOf = (subnet: ArmResource | undefined): string[] =>
  ((subnet?.properties.delegations ?? []) as Body[]).map((one) => String(part(one, "properties").serviceName));

interface Named {
  readonly name: string;
  readonly properties: Body;
}

/** @throws ServiceError where a subnet is outside of its network or overlaps another one. */
function checkSubnets(space: readonly string[], subnets: readonly Named[], network: string): void {
  const outer = space.map((prefix) => {
    const range = rangeOf(prefix);
    if (range === undefined)
      throw armError(
        400,
        "InvalidAddressPrefixFormat",
        `Address prefix ${prefix} of resource ${network} is not formatted correctly. It should follow CIDR notation, for example 10.0.0.0/24.`,
        { details: [] },
      );
    return range;
  });
  const seen: { name: string; range: Range }[] = [];
  for (const { name, properties } of subnets) {
    const prefixes = prefixesOf(properties);
    if (prefixes.length === 0)
      throw armError(
        400,
        "NetcfgInvalidSubnet",
        `Subnet '${name}' is not valid in virtual network '${network}': it has no address prefix.`,
        { details: [] },
      );
    for (const prefix of prefixes) {
      const range = rangeOf(prefix);
      if (range === undefined)
        throw armError(
          400,
          "InvalidCIDRNotation",
          `The address prefix ${prefix} in resource ${name} has an invalid CIDR notation. For the given prefix length, the address prefix should be a network address.`,
          { details: [] },
        );
      if (range.bits > 29 || !outer.some((one) => contains(one, range)))
        throw armError(400, "NetcfgInvalidSubnet", `Subnet '${name}' is not valid in virtual network '${network}'.`, {
          details: [],
        });
      const other = seen.find((one) => overlap(one.range, range));
      if (other !== undefined)
        throw armError(
          400,
          "NetcfgSubnetRangesOverlap",
          `Subnet '${name}' is not valid because its IP address range overlaps with that of an existing subnet in virtual network '${network}'.`,
          { details: [] },
        );
      seen.push({ name, range });
    }
  }
}

const childrenOf = (world: World, network: string): ArmResource[] =>
  world.store.list(SUBNET_TYPE).filter((subnet) => same(networkOf(subnet.id), network));

/** Who uses a subnet: any resource but its own network with its id in a body. */
export function usersOf(world: World, subnetId: string): string[] {
  return world.store.all().flatMap((resource) => {
    if (same(resource.type, NETWORK_TYPE) || same(resource.type, SUBNET_TYPE)) return [];
    const definition = definitionOf(resource.type);
    const uses = definition && references(definition.body, resource).some(({ id }) => key(id) === key(subnetId));
    return uses ? [resource.id] : [];
  });
}

function refuseInUse(world: World, subnetId: string): void {
  const [user] = usersOf(world, subnetId);
  if (user !== undefined)
    throw armError(
      400,
      "InUseSubnetCannotBeDeleted",
      `Subnet ${subnetId.split("/").at(-1)} is in use by ${user} and cannot be deleted. In order to delete the subnet, delete all the resources within the subnet. See aka.ms/deletesubnet.`,
      { details: [] },
    );
}

/** A network's subnets as its own body shows them. */
const shownSubnets = (world: World, network: string): Body[] =>
  childrenOf(world, network).map(({ name, id, etag, properties }) => ({
    name,
    id,
    etag,
    type: SUBNET_TYPE,
    properties,
  }));

/** Copies the subnets' resources into their network's body, which shows them too. */
export function showSubnets(world: World, network: string): void {
  const resource = world.store.get(network);
  if (resource !== undefined) resource.properties.subnets = shownSubnets(world, network);
  showGateways(world);
}

/** Gateways tell which subnets use them. */
function showGateways(world: World): void {
  for (const gateway of world.store.list("Microsoft.Network/natGateways")) {
    const users = world.store
      .list(SUBNET_TYPE)
      .filter((subnet) => key(String(part(subnet, "properties.natGateway").id ?? "")) === key(gateway.id));
    if (users.length > 0) gateway.properties.subnets = users.map(({ id }) => ({ id }));
    else delete gateway.properties.subnets;
  }
}

/** Addresses tell which gateway uses them. */
function showAddresses(world: World): void {
  const gateways = world.store.list("Microsoft.Network/natGateways");
  for (const address of world.store.list("Microsoft.Network/publicIPAddresses")) {
    const user = gateways.find(({ properties }) =>
      ((properties.publicIpAddresses ?? []) as Body[]).some(({ id }) => key(String(id)) === key(address.id)),
    );
    if (user !== undefined) address.properties.natGateway = { id: user.id };
    else delete address.properties.natGateway;
  }
}

/** A subnet that refers to a resource. */
function subnetWith(world: World, property: string, { id }: ArmResource): ArmResource | undefined {
  return world.store
    .list(SUBNET_TYPE)
    .find((subnet) => key(String(part(subnet, `properties.${property}`).id ?? "")) === key(id));
}

/** Regions without such gateways: https://learn.microsoft.com/azure/nat-gateway/nat-sku */
const WITHOUT_STANDARD_V2 = "canadaeast indonesiacentral israelnorthwest qatarcentral swedensouth westindia".split(" ");

export const networkRules: Readonly<Record<string, Behaviour>> = {
  ...peeringRules,
  [NETWORK_TYPE]: {
    conflict: networkConflict,
    check({ world, id, sent, body }) {
      checkInlinePeerings(world, id.id, propertiesOf(sent).virtualNetworkPeerings);
      const { addressSpace, subnets } = propertiesOf(body);
      const kept: Named[] = childrenOf(world, id.id);
      const inline = propertiesOf(sent).subnets as { name: string; properties?: Body }[] | undefined;
      const named = inline?.map(({ name, properties }) => ({ name, properties: properties ?? {} })) ?? kept;
      const duplicate = named.find((one, i) => named.findIndex((other) => same(other.name, one.name)) !== i);
      if (duplicate !== undefined)
        throw armError(
          400,
          "InvalidRequestFormat",
          `Cannot parse the request: the subnet name '${duplicate.name}' is used more than once.`,
        );
      checkSubnets(
        (part({ addressSpace }, "addressSpace").addressPrefixes as string[] | undefined) ?? [],
        named,
        id.name,
      );
      if (subnets === undefined) return;
      for (const child of childrenOf(world, id.id))
        if (!named.some(({ name }) => same(name, child.name))) refuseInUse(world, child.id);
    },
    accepted(resource, { world, sent, body }) {
      stampNetwork(resource);
      resource.properties.resourceGuid ??= randomUUID();
      const inline = propertiesOf(sent).subnets === undefined ? undefined : (propertiesOf(body).subnets as Named[]);
      if (inline !== undefined) {
        for (const child of childrenOf(world, resource.id))
          if (!inline.some(({ name }) => same(name, child.name))) world.store.remove(child.id);
        for (const { name, properties } of inline) {
          const subnet: ArmResource = {
            id: `${resource.id}/subnets/${name}`,
            name,
            type: SUBNET_TYPE,
            properties: { ...properties, provisioningState: "Succeeded" },
          };
          stampNetwork(subnet);
          subnet.properties.provisioningState = "Succeeded";
          world.store.put(subnet);
        }
      }
      resource.properties.subnets = shownSubnets(world, resource.id);
      keepPeerings(world, resource, propertiesOf(sent).virtualNetworkPeerings);
    },
    mayDelete({ world, resource }) {
      for (const subnet of childrenOf(world, resource.id)) refuseInUse(world, subnet.id);
      const link = world.store
        .list("Microsoft.Network/privateDnsZones/virtualNetworkLinks")
        .find((one) => key(String(part(one, "properties.virtualNetwork").id)) === key(resource.id));
      if (link !== undefined)
        throw armError(
          400,
          "InUseVirtualNetworkCannotBeDeleted",
          `Virtual network ${resource.name} is in use by ${link.id} and cannot be deleted.`,
          { details: [] },
        );
    },
    finished: (_resource, world) => showGateways(world),
    gone: (_resource, world) => showGateways(world),
  },
  [SUBNET_TYPE]: {
    conflict: networkConflict,
    holds: (id) => (id.parent === undefined ? [] : [id.parent]),
    check({ world, id, body }) {
      const network = world.store.get(id.parent ?? "") as ArmResource;
      const others: Named[] = childrenOf(world, network.id).filter((one) => !same(one.id, id.id));
      const space = part(network, "properties.addressSpace").addressPrefixes as string[];
      checkSubnets(space, [...others, { name: id.name, properties: propertiesOf(body) }], network.name);
    },
    accepted: stampNetwork,
    finished: (resource, world) => showSubnets(world, networkOf(resource.id)),
    mayDelete: ({ world, resource }) => refuseInUse(world, resource.id),
    gone: (resource, world) => showSubnets(world, networkOf(resource.id)),
  },
  "Microsoft.Network/natGateways": {
    conflict: networkConflict,
    check({ world, body, id }) {
      const sku = part(body, "sku").name;
      if (sku === "StandardV2" && WITHOUT_STANDARD_V2.includes(String(body.location)))
        throw armError(
          400,
          "SkuNotAvailable",
          `The requested sku 'StandardV2' of NAT gateway ${id.id} is not available in location '${body.location}'.`,
          { details: [] },
        );
      for (const { id: address } of (propertiesOf(body).publicIpAddresses ?? []) as { id: string }[]) {
        const found = world.store.get(address) as ArmResource;
        // "The StandardV2 SKU requires StandardV2 public IP addresses": the code is not known.
        if (sku === "StandardV2" && part(found, "sku").name !== "StandardV2")
          throw armError(
            400,
            "NatGatewayPublicIPAddressMustBeStandardV2Sku",
            `NAT gateway ${id.id} of the StandardV2 SKU can only be associated with public IP addresses of the StandardV2 SKU, not with ${address}.`,
            { details: [] },
          );
        if (sku === "StandardV2") continue;
        if (part(found, "sku").name !== "Standard" || found.properties.publicIPAllocationMethod !== "Static")
          throw armError(
            400,
            "NatGatewayPublicIPAddressMustBeStandardSku",
            `NAT gateway ${id.id} can only be associated with static public IP addresses of the Standard SKU, not with ${address}.`,
            { details: [] },
          );
      }
    },
    accepted(resource) {
      stampNetwork(resource);
      resource.properties.resourceGuid ??= randomUUID();
    },
    finished: (_resource, world) => showAddresses(world),
    gone: (_resource, world) => showAddresses(world),
    mayDelete({ world, resource }) {
      const user = world.store
        .list(SUBNET_TYPE)
        .find((subnet) => key(String(part(subnet, "properties.natGateway").id ?? "")) === key(resource.id));
      if (user !== undefined)
        throw armError(
          400,
          "InUseNatGatewayCannotBeDeleted",
          `Nat Gateway ${resource.name} is in use by ${user.id} and cannot be deleted.`,
          { details: [] },
        );
    },
  },
  "Microsoft.Network/publicIPAddresses": {
    conflict: networkConflict,
    check({ body }) {
      const { name } = part(body, "sku");
      if (name !== "Basic" && propertiesOf(body).publicIPAllocationMethod !== "Static")
        throw armError(
          400,
          "PublicIPAndSkuAllocationMethodMismatch",
          `${name} SKU public IP addresses must have AllocationMethod set to Static.`,
          { details: [] },
        );
    },
    accepted(resource, { world, old }) {
      stampNetwork(resource);
      resource.properties.resourceGuid ??= randomUUID();
      const count = world.store.list(resource.type).length;
      resource.properties.ipAddress ??= old?.properties.ipAddress ?? `203.0.113.${10 + (count % 200)}`;
    },
    mayDelete({ world, resource }) {
      const user = world.store
        .list("Microsoft.Network/natGateways")
        .find((gateway) =>
          references(definitionOf(gateway.type)?.body ?? { kind: "object", name: "", properties: {} }, gateway).some(
            ({ id }) => key(id) === key(resource.id),
          ),
        );
      if (user !== undefined)
        throw armError(
          400,
          "PublicIPAddressCannotBeDeleted",
          `Public IP address ${resource.id} can not be deleted since it is still allocated to resource ${user.id}.`,
          { details: [] },
        );
    },
  },
  [ROUTE_TABLE_TYPE]: {
    conflict: networkConflict,
    check({ body, id }) {
      const routes = (propertiesOf(body).routes ?? []) as Named[];
      for (const { name, properties } of routes) {
        const isAppliance = properties.nextHopType === "VirtualAppliance";
        if (rangeOf(String(properties.addressPrefix)) === undefined)
          throw armError(
            400,
            "InvalidAddressPrefixFormat",
            `Address prefix ${properties.addressPrefix} of resource ${id.id}/routes/${name} is not formatted correctly. It should follow CIDR notation, for example 10.0.0.0/24.`,
            { details: [] },
          );
        if (isAppliance !== (properties.nextHopIpAddress !== undefined))
          throw armError(
            400,
            "InvalidNextHopIpAddress",
            `Route ${id.id}/routes/${name} with next hop type ${properties.nextHopType} ${isAppliance ? "needs a next hop IP address" : "cannot have a next hop IP address"}.`,
            { details: [] },
          );
      }
    },
    accepted(resource) {
      stampNetwork(resource);
      resource.properties.resourceGuid ??= randomUUID();
    },
    mayDelete({ world, resource }) {
      const user = subnetWith(world, "routeTable", resource);
      if (user !== undefined)
        throw armError(
          400,
          "InUseRouteTableCannotBeDeleted",
          `Route table ${resource.name} is in use and cannot be deleted: ${user.id} is associated with it.`,
          { details: [] },
        );
    },
  },
  "Microsoft.Network/networkSecurityGroups": {
    conflict: networkConflict,
    accepted(resource) {
      stampNetwork(resource);
      resource.properties.resourceGuid ??= randomUUID();
    },
    mayDelete({ world, resource }) {
      const user = subnetWith(world, "networkSecurityGroup", resource);
      if (user !== undefined)
        throw armError(
          400,
          "InUseNetworkSecurityGroupCannotBeDeleted",
          `Network security group ${resource.id} cannot be deleted because it is in use by the following resources: ${user.id}.`,
          { details: [] },
        );
    },
  },
};
