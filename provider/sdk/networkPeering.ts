import * as pulumi from "@pulumi/pulumi";

export interface NetworkPeeringArgs {
  /** ARM id of a virtual network. Another one makes another resource. */
  readonly networkId: pulumi.Input<string>;
  /** ARM id of the network that it is peered with. Another one makes another resource. */
  readonly remoteNetworkId: pulumi.Input<string>;
}

/**
 * Two virtual networks that reach each other, also those of two subscriptions: both peerings, each named after the network
 * that it leads to, one after the other, and there when both are Connected. A peering that is there under another name is
 * used and never written or deleted. One that is gone or not Connected is made anew.
 *
 * It needs Network Contributor on both networks, or a role with `virtualNetworkPeerings/*` and `peer/action`.
 *
 * Imported into a stack by `<ARM id of the network>/virtualNetworkPeerings/<name of the remote network>`.
 */
export class NetworkPeering extends pulumi.CustomResource {
  /** Tells this resource from one that took its place; random. */
  declare readonly instance: pulumi.Output<string | undefined>;

  constructor(name: string, args: NetworkPeeringArgs, opts?: pulumi.CustomResourceOptions) {
    super("gitops:index:NetworkPeering", name, { ...args, instance: undefined }, opts);
  }
}
