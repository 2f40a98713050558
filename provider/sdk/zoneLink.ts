import * as pulumi from "@pulumi/pulumi";

export interface ZoneLinkArgs {
  /** ARM id of the private DNS zone. Another one makes another resource. */
  readonly zoneId: pulumi.Input<string>;
  /** ARM id of the virtual network. Another one makes another resource. */
  readonly networkId: pulumi.Input<string>;
}

/**
 * A virtual network that asks a private DNS zone, also one of another subscription. A link that is there under another name
 * is used and never written or deleted. One that is gone is made anew.
 *
 * It needs Private DNS Zone Contributor on the zone and `Microsoft.Network/virtualNetworks/join/action` on the network.
 *
 * Imported into a stack by the link's ARM id.
 */
export class ZoneLink extends pulumi.CustomResource {
  /** Tells this resource from one that took its place; random. */
  declare readonly instance: pulumi.Output<string | undefined>;

  constructor(name: string, args: ZoneLinkArgs, opts?: pulumi.CustomResourceOptions) {
    super("gitops:index:ZoneLink", name, { ...args, instance: undefined }, opts);
  }
}
