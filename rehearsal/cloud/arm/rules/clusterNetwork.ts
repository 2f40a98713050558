// What AKS refuses of a cluster's networks.
import type { ArmResource } from "../../types.ts";
import { propertiesOf, type World, type Write } from "../behaviour.ts";
import { armError } from "../errors.ts";
import { key, same } from "../ids.ts";
import { contains, overlap, type Range, rangeOf } from "../network.ts";
import { SUBNET_TYPE } from "../types/network.ts";
import { type Body, part } from "../validate.ts";
import { delegationsOf, networkOf, rangesOf, usersOf } from "./network.ts";

/** 400 in the form of AKS. */
export const refuse = (code: string, message: string, target: string) => armError(400, code, message, { target });

/** Plugins, outbound type and address ranges. */
export function checkNetwork({ world, body, old }: Write): void {
  const properties = propertiesOf(body);
  const network = part(properties, "networkProfile");
  const pools = properties.agentPoolProfiles as Body[];
  const before = old && part(old, "properties.networkProfile");
  if (before?.networkPluginMode === "overlay" && network.networkPluginMode !== "overlay")
    throw refuse(
      "PropertyChangeNotAllowed",
      "Changing property 'networkProfile.networkPluginMode' is not allowed.",
      "networkProfile.networkPluginMode",
    );
  if (before?.networkDataplane === "cilium" && network.networkDataplane !== "cilium")
    throw refuse(
      "PropertyChangeNotAllowed",
      "Changing property 'networkProfile.networkDataplane' is not allowed.",
      "networkProfile.networkDataplane",
    );
  if (network.networkPluginMode === "overlay" && network.networkPlugin !== "azure")
    throw refuse(
      "InvalidNetworkPluginMode",
      `Network plugin mode overlay requires network plugin azure, not '${network.networkPlugin}'.`,
      "networkProfile.networkPluginMode",
    );
  const cilium = network.networkDataplane === "cilium";
  const routed = network.networkPluginMode === "overlay" || pools.every(({ podSubnetID }) => podSubnetID !== undefined);
  if (cilium && (network.networkPlugin !== "azure" || !routed))
    throw refuse(
      "InvalidNetworkDataplane",
      "Network dataplane cilium requires network plugin azure with network plugin mode overlay or with pod subnets.",
      "networkProfile.networkDataplane",
    );
  if (cilium ? !["cilium", "none"].includes(String(network.networkPolicy)) : network.networkPolicy === "cilium")
    throw refuse(
      "InvalidNetworkPolicy",
      `Network policy '${network.networkPolicy}' cannot be used with network dataplane '${network.networkDataplane}'.`,
      "networkProfile.networkPolicy",
    );
  if (part(network, "advancedNetworking.security").enabled === true && !cilium)
    throw refuse(
      "InvalidParameter",
      "Advanced network security requires network dataplane cilium.",
      "networkProfile.advancedNetworking.security",
    );
  checkOutbound(world, network, pools);
  checkRanges(world, network, pools);
}

function checkOutbound(world: World, network: Body, pools: readonly Body[]): void {
  for (const { name, vnetSubnetID } of pools) {
    if (network.outboundType === "managedNATGateway" && vnetSubnetID !== undefined)
      throw armError(
        400,
        "InvalidParameter",
        `Outbound type is managedNATGateway but agent pool '${name}' is using custom VNet, which is not allowed.`,
        { subcode: "ManagedNATGatewayWithCustomVNetNotAllowed", target: "properties.vnetSubnetID" },
      );
    if (network.outboundType !== "userAssignedNATGateway" && network.outboundType !== "userDefinedRouting") continue;
    if (vnetSubnetID === undefined)
      throw refuse(
        "InvalidParameter",
        `Outbound type is ${network.outboundType} but agent pool '${name}' is not using custom VNet, which is not allowed.`,
        "properties.vnetSubnetID",
      );
    const subnet = world.store.get(String(vnetSubnetID));
    if (network.outboundType === "userAssignedNATGateway" && part(subnet, "properties.natGateway").id === undefined)
      throw refuse(
        "InvalidParameter",
        `Outbound type is userAssignedNATGateway but subnet '${vnetSubnetID}' of agent pool '${name}' has no NAT gateway associated with it.`,
        "properties.networkProfile.outboundType",
      );
    if (network.outboundType === "userDefinedRouting" && part(subnet, "properties.routeTable").id === undefined)
      throw refuse(
        "ExistingRouteTableNotAssociatedWithSubnet",
        "An existing route table has not been associated with subnet. Please update the route table association",
        "properties.networkProfile.outboundType",
      );
  }
}

function checkRanges(world: World, network: Body, pools: readonly Body[]): void {
  const range = (name: string): Range | undefined => {
    const value = network[name];
    if (value === undefined) return undefined;
    const found = rangeOf(String(value));
    if (found === undefined)
      throw refuse("InvalidCIDR", `The value '${value}' of ${name} is not a valid CIDR.`, `networkProfile.${name}`);
    return found;
  };
  const service = range("serviceCidr");
  const pod = range("podCidr");
  const dns = range("dnsServiceIP");
  if (service && dns && (!contains(service, dns) || dns.first <= service.first + 1))
    throw refuse(
      "InvalidParameter",
      `The dnsServiceIP ${network.dnsServiceIP} must be within the serviceCidr ${network.serviceCidr} and not its first address.`,
      "networkProfile.dnsServiceIP",
    );
  if (service && pod && overlap(service, pod))
    throw refuse(
      "PodCidrOverlapServiceCidr",
      `The pod CIDR ${network.podCidr} overlaps with the service CIDR ${network.serviceCidr}.`,
      "networkProfile.podCidr",
    );
  const vnets = new Set(
    pools.flatMap(({ vnetSubnetID }) => (vnetSubnetID === undefined ? [] : [key(networkOf(String(vnetSubnetID)))])),
  );
  const subnets = world.store.list(SUBNET_TYPE).filter(({ id }) => vnets.has(key(networkOf(id))));
  for (const [name, one, code] of [
    ["service", service, "ServiceCidrOverlapExistingSubnetsCidr"],
    ["pod", pod, "PodCidrOverlapExistingSubnetsCidr"],
  ] as const) {
    const hit = one && subnets.find(({ properties }) => rangesOf(properties).some((subnet) => overlap(subnet, one)));
    if (hit)
      throw refuse(
        code,
        `The specified ${name} CIDR ${network[`${name}Cidr`]} is conflicted with an existing subnet CIDR ${hit.properties.addressPrefix ?? hit.properties.addressPrefixes}`,
        `networkProfile.${name}Cidr`,
      );
  }
}

/** Who reaches the API server, and from which subnet it works. */
export function checkApiServer({ world, body }: Write): void {
  const access = part(body, "properties.apiServerAccessProfile");
  const ranges = (access.authorizedIPRanges ?? []) as string[];
  if (access.enablePrivateCluster === true && ranges.length > 0)
    throw refuse(
      "InvalidParameter",
      "Authorized IP ranges are not supported for private clusters.",
      "apiServerAccessProfile.authorizedIPRanges",
    );
  const wrong = ranges.find((range) => rangeOf(range) === undefined);
  if (wrong !== undefined)
    throw refuse(
      "InvalidParameter",
      `The authorized IP range '${wrong}' is not an IPv4 address or CIDR.`,
      "apiServerAccessProfile.authorizedIPRanges",
    );
  if (access.enablePrivateCluster !== true && access.privateDNSZone !== undefined)
    throw refuse(
      "InvalidParameter",
      "privateDNSZone is only supported for private clusters.",
      "apiServerAccessProfile.privateDNSZone",
    );
  if (access.subnetId === undefined) return;
  if (access.enableVnetIntegration !== true)
    throw refuse("InvalidParameter", "subnetId needs enableVnetIntegration.", "apiServerAccessProfile.subnetId");
  const subnet = world.store.get(String(access.subnetId)) as ArmResource;
  const delegations = delegationsOf(subnet);
  const delegated = delegations.some((service) => same(service, "Microsoft.ContainerService/managedClusters"));
  if (delegations.length > 0 && !delegated)
    throw refuse(
      "SubnetDelegationConflict",
      `The API server subnet ${subnet.id} is delegated to another service.`,
      "apiServerAccessProfile.subnetId",
    );
  // https://learn.microsoft.com/azure/aks/api-server-vnet-integration has it delegated before; nothing is known without.
  if (!delegated)
    throw refuse(
      "InvalidParameter",
      `The API server subnet ${subnet.id} must be delegated to Microsoft.ContainerService/managedClusters.`,
      "apiServerAccessProfile.subnetId",
    );
  // "You can't use the subnet for any other workloads, but you can use it for multiple AKS clusters".
  const other = usersOf(world, subnet.id).find((user) => !/\/managedClusters\//i.test(user));
  if (other !== undefined)
    throw refuse(
      "InvalidParameter",
      `The API server subnet ${subnet.id} cannot be used by other resources, it is by ${other}.`,
      "apiServerAccessProfile.subnetId",
    );
  if (rangesOf(subnet.properties).some(({ bits }) => bits > 28))
    throw refuse(
      "InvalidParameter",
      `The API server subnet ${subnet.id} is smaller than /28.`,
      "apiServerAccessProfile.subnetId",
    );
  const pools = propertiesOf(body).agentPoolProfiles as Body[];
  if (pools.some(({ vnetSubnetID }) => vnetSubnetID !== undefined && same(String(vnetSubnetID), subnet.id)))
    throw refuse(
      "InvalidParameter",
      "The API server subnet cannot be used by an agent pool.",
      "apiServerAccessProfile.subnetId",
    );
  if (
    pools.some(
      ({ vnetSubnetID }) => vnetSubnetID === undefined || !same(networkOf(String(vnetSubnetID)), networkOf(subnet.id)),
    )
  )
    throw refuse(
      "InvalidParameter",
      "The API server subnet must be in the VNET of the agent pools.",
      "apiServerAccessProfile.subnetId",
    );
}
