import { NatGateway } from "@pulumi/azure-native/network/natGateway.js";
import { PublicIPAddress } from "@pulumi/azure-native/network/publicIPAddress.js";
import { VirtualNetwork } from "@pulumi/azure-native/network/virtualNetwork.js";
import * as pulumi from "@pulumi/pulumi";
import { NetworkPeering } from "../../provider/sdk/networkPeering.ts";
import { CLUSTER } from "../defaults.ts";
import { after } from "../shared/after.ts";
import { refuse } from "../shared/faults.ts";
import { decideNames } from "../shared/names.ts";
import { newFirst } from "../shared/newFirst.ts";
import type { EndpointNetwork } from "../shared/privateEndpoint.ts";
import { SERVICE_SET } from "../shared/serviceSet.ts";
import { type Tags, tagFaults, tagged } from "../shared/tags.ts";
import { withDefaults } from "../shared/withDefaults.ts";
import { networkFaults, notNetworkId } from "./networkFaults.ts";

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
  /** Tags of network, gateway and address. @default none */
  readonly tags?: Tags | undefined;
}

/** The cluster's virtual network, and the one public address that its nodes go out with. */
export class AksNetwork extends pulumi.ComponentResource {
  /** ARM id of the virtual network. */
  readonly vnetId: pulumi.Output<string>;
  /** ARM id of the nodes' subnet. */
  readonly nodesSubnetId: pulumi.Output<string>;
  /** ARM id of the API server's subnet; only there where apiServer was given. */
  readonly apiServerSubnetId: pulumi.Output<string>;
  /** ARM id of the private endpoints' subnet; only there where endpoints was given. */
  readonly endpointsSubnetId: pulumi.Output<string>;
  /** What private endpoints need to know of it. */
  readonly forEndpoints: EndpointNetwork;
  /** The public IPv4 address that the nodes' traffic comes from. */
  readonly egressAddress: pulumi.Output<string>;

  /** @throws pulumi.ResourceError naming every argument that cannot work. */
  constructor(name: string, args: AksNetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:AksNetwork", name, {}, opts);
    const { resourceGroupName } = args;
    const networks = withDefaults(args, { vnet: CLUSTER.network.vnet, nodes: CLUSTER.network.nodes });
    refuse(this, name, [
      ...networkFaults(given(networks), ""),
      ...notNetworkId("runnerNetworkId", args.runnerNetworkId),
      ...tagFaults(args.tags),
    ]);
    const sku = { name: "Standard" };
    const common = { resourceGroupName, ...tagged(args.tags) };
    const named = decideNames(name, { parent: this }).of(name);
    const address = new PublicIPAddress(
      name,
      { ...common, publicIpAddressName: named, sku, publicIPAllocationMethod: "Static" },
      newFirst({ parent: this, ignoreChanges: SERVICE_SET.publicIPAddress }),
    );
    const gateway = new NatGateway(
      name,
      { ...common, natGatewayName: named, sku, publicIpAddresses: [{ id: address.id }] },
      newFirst({ parent: this }),
    );
    const vnet = new VirtualNetwork(
      name,
      {
        ...common,
        virtualNetworkName: named,
        addressSpace: { addressPrefixes: [networks.vnet] },
        // Inline: subnets of their own are lost when the network is written again.
        subnets: subnets(networks, gateway.id),
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
    };
    this.egressAddress = address.ipAddress.apply((value) => value ?? "");
    this.registerOutputs({ vnetId: this.vnetId, egressAddress: this.egressAddress });
  }
}

type Networks = Pick<AksNetworkArgs, "apiServer" | "endpoints"> & { readonly vnet: string; readonly nodes: string };

function given({ vnet, nodes, apiServer, endpoints }: Networks): Record<string, string> {
  return { vnet, nodes, ...(apiServer ? { apiServer } : {}), ...(endpoints ? { endpoints } : {}) };
}

function subnets({ nodes, apiServer, endpoints }: Networks, natGatewayId: pulumi.Output<string>) {
  return [
    { name: "nodes", addressPrefix: nodes, natGateway: { id: natGatewayId }, defaultOutboundAccess: false },
    ...(apiServer ? [apiServerSubnet(apiServer)] : []),
    ...(endpoints ? [{ name: "endpoints", addressPrefix: endpoints, defaultOutboundAccess: false }] : []),
  ];
}

function apiServerSubnet(addressPrefix: string) {
  const service = "Microsoft.ContainerService/managedClusters";
  return { name: "api-server", addressPrefix, delegations: [{ name: "aks", serviceName: service }] };
}
