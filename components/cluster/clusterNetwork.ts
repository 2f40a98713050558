import type * as pulumi from "@pulumi/pulumi";
import type { EndpointNetwork } from "../shared/privateEndpoint.ts";

/** The virtual network that a cluster is in, be it made or there before. */
export interface ClusterNetwork {
  /** ARM id of the virtual network. */
  readonly vnetId: pulumi.Output<string>;
  /** ARM id of the nodes' subnet. */
  readonly nodesSubnetId: pulumi.Output<string>;
  /** ARM id of the API server's subnet; only there where the cluster is private. */
  readonly apiServerSubnetId: pulumi.Output<string>;
  /** ARM id of the private endpoints' subnet; only there where there are some. */
  readonly endpointsSubnetId: pulumi.Output<string>;
  /** What private endpoints need to know of it. */
  readonly forEndpoints: EndpointNetwork;
  /** The public IPv4 address that the nodes' traffic comes from; only there where a NAT gateway of its own has it. */
  readonly egressAddress?: pulumi.Output<string>;
}
