import * as pulumi from "@pulumi/pulumi";

export interface NatGatewayArgs {
  /** ARM id of the resource group. Another one makes another gateway. */
  readonly resourceGroupId: pulumi.Input<string>;
  /** The name of gateway and address, decided before they are made. Another one makes another gateway. */
  readonly name: pulumi.Input<string>;
  /** Tags of both; those that others give them stay. @default none */
  readonly tags?: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>;
}

/**
 * A NAT gateway of the StandardV2 tier, which works as long as one zone of the region does, and its public IPv4 address of
 * the same name and tier; both in their resource group's region. What an interrupted update left is taken over.
 *
 * Imported into a stack by the gateway's ARM id.
 */
export class NatGateway extends pulumi.CustomResource {
  /** The public IPv4 address that traffic comes from. */
  declare readonly ipAddress: pulumi.Output<string>;
  /** Tells this resource from one that took its place; random. */
  declare readonly instance: pulumi.Output<string | undefined>;

  constructor(name: string, args: NatGatewayArgs, opts?: pulumi.CustomResourceOptions) {
    super("gitops:index:NatGateway", name, { ...args, ipAddress: undefined, instance: undefined }, opts);
  }
}
