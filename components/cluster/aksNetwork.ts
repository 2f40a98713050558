import { getClientConfigOutput } from "@pulumi/azure-native/authorization/getClientConfig.js";
import { NatGateway } from "@pulumi/azure-native/network/natGateway.js";
import { NetworkSecurityGroup } from "@pulumi/azure-native/network/networkSecurityGroup.js";
import { PublicIPAddress } from "@pulumi/azure-native/network/publicIPAddress.js";
import { RouteTable } from "@pulumi/azure-native/network/routeTable.js";
import { VirtualNetwork } from "@pulumi/azure-native/network/virtualNetwork.js";
import * as pulumi from "@pulumi/pulumi";
import { NatGateway as ZoneRedundantGateway } from "../../provider/sdk/natGateway.ts";
import { NetworkPeering } from "../../provider/sdk/networkPeering.ts";
import { CLUSTER } from "../defaults.ts";
import { after } from "../shared/after.ts";
import { refuse } from "../shared/faults.ts";
import { type DecidedNames, decideNames } from "../shared/names.ts";
import { newFirst } from "../shared/newFirst.ts";
import type { EndpointNetwork } from "../shared/privateEndpoint.ts";
import { SERVICE_SET } from "../shared/serviceSet.ts";
import { type Tags, tagFaults, tagged } from "../shared/tags.ts";
import { withDefaults } from "../shared/withDefaults.ts";
import type { Egress, ZoneArgs } from "./aksClusterArgs.ts";
import type { ClusterNetwork } from "./clusterNetwork.ts";
import { egressFaults, networkFaults, notNetworkId } from "./networkFaults.ts";

/** What an AksNetwork is to be; networks are IPv4, in CIDR notation. */
export interface AksNetworkArgs {
  /** Name of the resource group that everything is made in. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** The virtual network. @default "10.60.0.0/16" */
  readonly vnet?: string | undefined;
  /** Subnet of the nodes. @default "10.60.0.0/20" */
  readonly nodes?: string | undefined;
  /** Subnet of a private API server. @default none: there is no such subnet */
  readonly apiServer?: string | undefined;
  /** Subnet of private endpoints. @default none: there is no such subnet */
  readonly endpoints?: string | undefined;
  /**
   * ARM id of the virtual network from which the program runs, which may be another subscription's: both are peered, and
   * the subnets' ids arrive when they are. @default none
   */
  readonly runnerNetworkId?: string | undefined;
  /** Private DNS zones that are there. @default none */
  readonly zones?: ZoneArgs | undefined;
  /** How the nodes' traffic leaves the network. @default "natGateway" */
  readonly egress?: Egress | undefined;
  /** Azure's region, of such a gateway as next. @default the resource group's */
  readonly location?: pulumi.Input<string> | undefined;
  /** Whether a NAT gateway works as long as one zone of the region does; some regions have none. @default false */
  readonly zoneRedundantEgress?: boolean | undefined;
  /** Ports on which everybody may reach public services of the cluster. @default ["80", "443"] */
  readonly publicPorts?: readonly string[] | undefined;
  /** Tags of network, gateway and address. @default none */
  readonly tags?: Tags | undefined;
}

/** The cluster's virtual network, who gets into its subnets, and how its nodes' traffic gets out. */
export class AksNetwork extends pulumi.ComponentResource implements ClusterNetwork {
  readonly vnetId: pulumi.Output<string>;
  readonly nodesSubnetId: pulumi.Output<string>;
  /** Only there where `apiServer` was given. */
  readonly apiServerSubnetId: pulumi.Output<string>;
  /** Only there where `endpoints` was given. */
  readonly endpointsSubnetId: pulumi.Output<string>;
  readonly forEndpoints: EndpointNetwork;
  readonly egressAddress?: pulumi.Output<string>;

  /** @throws pulumi.ResourceError naming every argument that cannot work. */
  constructor(name: string, args: AksNetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:AksNetwork", name, {}, opts);
    const { resourceGroupName } = args;
    const networks = withDefaults(args, { vnet: CLUSTER.network.vnet, nodes: CLUSTER.network.nodes });
    refuse(this, name, [
      ...networkFaults(given(networks), ""),
      ...notNetworkId("runnerNetworkId", args.runnerNetworkId),
      ...egressFaults(args, given(networks)),
      ...tagFaults(args.tags),
    ]);
    const common = { resourceGroupName, ...tagged(args.tags) };
    const named = decideNames(name, { parent: this }).of;
    const { address, ...egress } = this.#createEgress(name, named, common, args);
    const guarded = this.#createSubnets(name, named, common, networks, args.publicPorts ?? CLUSTER.publicPorts);
    const vnet = new VirtualNetwork(
      name,
      {
        ...common,
        virtualNetworkName: named(name),
        addressSpace: { addressPrefixes: [networks.vnet] },
        // Inline: subnets of their own are lost when the network is written again.
        subnets: guarded.map((subnet) => (subnet.name === "nodes" ? { ...subnet, ...egress } : subnet)),
      },
      newFirst({ parent: this, ignoreChanges: SERVICE_SET.virtualNetwork }),
    );
    // Azure refuses to peer a network that is being written, and whatever goes into a subnet writes it.
    const peerings = args.runnerNetworkId
      ? [new NetworkPeering(name, { networkId: vnet.id, remoteNetworkId: args.runnerNetworkId }, { parent: this })]
      : [];
    const subnet = (part: string) => after(pulumi.interpolate`${vnet.id}/subnets/${part}`, ...peerings);
    this.vnetId = vnet.id;
    this.nodesSubnetId = subnet("nodes");
    this.apiServerSubnetId = subnet("api-server");
    this.endpointsSubnetId = subnet("endpoints");
    this.forEndpoints = {
      vnetId: this.vnetId,
      subnetId: this.endpointsSubnetId,
      ...(args.runnerNetworkId ? { runnerNetworkId: args.runnerNetworkId } : {}),
      ...(args.zones ? { zones: { ...args.zones } } : {}),
    };
    if (address) this.egressAddress = address;
    this.registerOutputs({ vnetId: this.vnetId, egressAddress: this.egressAddress });
  }

  /** What the nodes' subnet goes out with. */
  #createEgress(
    name: string,
    named: Named,
    common: Common,
    { egress = CLUSTER.egress, zoneRedundantEgress = CLUSTER.zoneRedundantEgress, location }: AksNetworkArgs,
  ): { address?: pulumi.Output<string>; natGateway?: SubResource; routeTable?: SubResource } {
    if (egress === "loadBalancer") return {};
    if (typeof egress === "object" && egress.routeTableId !== undefined)
      return { routeTable: { id: egress.routeTableId } };
    const opts = newFirst({ parent: this });
    if (typeof egress === "object") {
      const toFirewall = { nextHopType: "VirtualAppliance", nextHopIpAddress: egress.firewall ?? "" };
      const routes = [{ name: "firewall", addressPrefix: "0.0.0.0/0", ...toFirewall }];
      const table = new RouteTable(
        name,
        { ...common, routeTableName: named(name), routes },
        { ...opts, ignoreChanges: SERVICE_SET.routeTable },
      );
      return { routeTable: { id: table.id } };
    }
    if (zoneRedundantEgress) return this.#createZoneRedundant(name, named, common, location);
    const sku = { name: "Standard" };
    const address = new PublicIPAddress(
      name,
      { ...common, publicIpAddressName: named(name), sku, publicIPAllocationMethod: "Static" },
      { ...opts, ignoreChanges: SERVICE_SET.publicIPAddress },
    );
    const gateway = new NatGateway(
      name,
      { ...common, natGatewayName: named(name), sku, publicIpAddresses: [{ id: address.id }] },
      opts,
    );
    return { address: address.ipAddress.apply((value) => value ?? ""), natGateway: { id: gateway.id } };
  }

  /** A gateway that azure-native does not know yet. */
  #createZoneRedundant(
    name: string,
    named: Named,
    { resourceGroupName, ...tags }: Common,
    location: AksNetworkArgs["location"],
  ) {
    const { subscriptionId } = getClientConfigOutput({ parent: this });
    const gateway = new ZoneRedundantGateway(
      name,
      {
        resourceGroupId: pulumi.interpolate`/subscriptions/${subscriptionId}/resourceGroups/${resourceGroupName}`,
        name: named(name),
        ...(location && { location }),
        ...tags,
      },
      { parent: this },
    );
    return { address: gateway.ipAddress, natGateway: { id: gateway.id } };
  }

  /** Every subnet with the security group that guards it. */
  #createSubnets(name: string, named: Named, common: Common, networks: Networks, publicPorts: readonly string[]) {
    const { nodes, apiServer, endpoints } = networks;
    const guarded = (subnet: string, securityRules: ReturnType<typeof allow>[]) => {
      const networkSecurityGroupName = named(`${name}-${subnet}`);
      const group = new NetworkSecurityGroup(
        `${name}-${subnet}`,
        { ...common, networkSecurityGroupName, securityRules },
        newFirst({ parent: this, ignoreChanges: SERVICE_SET.networkSecurityGroup }),
      );
      return { name: subnet, networkSecurityGroup: { id: group.id } };
    };
    return [
      {
        ...guarded("nodes", publicPorts.length > 0 ? [allow("public", 100, "Internet", "*", publicPorts)] : []),
        addressPrefix: nodes,
        defaultOutboundAccess: false,
      },
      ...(apiServer
        ? [{ ...guarded("api-server", apiServerRules(nodes, apiServer)), ...apiServerSubnet(apiServer) }]
        : []),
      ...(endpoints ? [{ ...guarded("endpoints", []), addressPrefix: endpoints, defaultOutboundAccess: false }] : []),
    ];
  }
}

type Named = DecidedNames["of"];
type Common = { readonly resourceGroupName: pulumi.Input<string>; readonly tags?: Tags };
type SubResource = { readonly id: pulumi.Input<string> };

/** A rule that lets traffic in; what comes from the network itself or one that is peered, Azure's own rules let in. */
function allow(name: string, priority: number, from: string, to: string, ports: readonly string[]) {
  return {
    ...{ name, priority, access: "Allow", direction: "Inbound", protocol: "Tcp" },
    ...{ sourceAddressPrefix: from, sourcePortRange: "*", destinationAddressPrefix: to },
    destinationPortRanges: [...ports],
  };
}

// https://learn.microsoft.com/azure/aks/api-server-vnet-integration
const apiServerRules = (nodes: string, apiServer: string) => [
  allow("nodes", 100, nodes, apiServer, ["443", "4443"]),
  allow("probes", 110, "AzureLoadBalancer", apiServer, ["9988"]),
];

type Networks = Pick<AksNetworkArgs, "apiServer" | "endpoints"> & { readonly vnet: string; readonly nodes: string };

function given({ vnet, nodes, apiServer, endpoints }: Networks): Record<string, string> {
  return { vnet, nodes, ...(apiServer ? { apiServer } : {}), ...(endpoints ? { endpoints } : {}) };
}

function apiServerSubnet(addressPrefix: string) {
  const service = "Microsoft.ContainerService/managedClusters";
  return { addressPrefix, delegations: [{ name: "aks", serviceName: service }] };
}
