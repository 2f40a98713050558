import { NatGateway } from "@pulumi/azure-native/network/natGateway.js";
import { PublicIPAddress } from "@pulumi/azure-native/network/publicIPAddress.js";
import { VirtualNetwork } from "@pulumi/azure-native/network/virtualNetwork.js";
import * as pulumi from "@pulumi/pulumi";
import type { ClusterSettings } from "../../settings/settings.ts";

export interface AksNetworkArgs {
  readonly resourceGroupName: pulumi.Input<string>;
  readonly settings: ClusterSettings;
  /** Whether there is a subnet for private endpoints. */
  readonly privateEndpoints: boolean;
}

/** The cluster's virtual network, and the one public address that its nodes go out with. */
export class AksNetwork extends pulumi.ComponentResource {
  readonly vnetId: pulumi.Output<string>;
  readonly nodesSubnetId: pulumi.Output<string>;
  /** Only there where the API server is private. */
  readonly apiServerSubnetId: pulumi.Output<string>;
  /** Only there where it was asked for. */
  readonly endpointsSubnetId: pulumi.Output<string>;
  /** The address that the nodes' traffic comes from. */
  readonly egressAddress: pulumi.Output<string>;

  constructor(name: string, args: AksNetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:AksNetwork", name, {}, opts);
    const { resourceGroupName, settings } = args;
    const address = new PublicIPAddress(
      name,
      { resourceGroupName, sku: { name: "Standard" }, publicIPAllocationMethod: "Static" },
      { parent: this },
    );
    const gateway = new NatGateway(
      name,
      { resourceGroupName, sku: { name: "Standard" }, publicIpAddresses: [{ id: address.id }] },
      { parent: this },
    );
    const vnet = new VirtualNetwork(
      name,
      {
        resourceGroupName,
        addressSpace: { addressPrefixes: [settings.network.vnet] },
        // Inline: subnets of their own are lost when the network is written again.
        subnets: subnets(args, gateway.id),
      },
      { parent: this },
    );
    this.vnetId = vnet.id;
    this.nodesSubnetId = pulumi.interpolate`${vnet.id}/subnets/nodes`;
    this.apiServerSubnetId = pulumi.interpolate`${vnet.id}/subnets/api-server`;
    this.endpointsSubnetId = pulumi.interpolate`${vnet.id}/subnets/endpoints`;
    this.egressAddress = address.ipAddress.apply((value) => value ?? "");
    this.registerOutputs({ vnetId: this.vnetId, egressAddress: this.egressAddress });
  }
}

function subnets({ settings, privateEndpoints }: AksNetworkArgs, natGatewayId: pulumi.Output<string>) {
  const { network } = settings;
  return [
    { name: "nodes", addressPrefix: network.nodes, natGateway: { id: natGatewayId }, defaultOutboundAccess: false },
    ...(settings.private ? [apiServerSubnet(network.apiServer)] : []),
    ...(privateEndpoints
      ? [{ name: "endpoints", addressPrefix: network.endpoints, defaultOutboundAccess: false }]
      : []),
  ];
}

function apiServerSubnet(addressPrefix: string) {
  const service = "Microsoft.ContainerService/managedClusters";
  return { name: "api-server", addressPrefix, delegations: [{ name: "aks", serviceName: service }] };
}
