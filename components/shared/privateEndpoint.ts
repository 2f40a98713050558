import { PrivateDnsZoneGroup } from "@pulumi/azure-native/network/privateDnsZoneGroup.js";
import { PrivateEndpoint } from "@pulumi/azure-native/network/privateEndpoint.js";
import type * as pulumi from "@pulumi/pulumi";
import { ZoneLink } from "../../provider/sdk/zoneLink.ts";
import { type Fault, notNetwork } from "./faults.ts";
import { decideNames } from "./names.ts";
import { newFirst } from "./newFirst.ts";
import { type LinkedZone, privateZone } from "./privateZone.ts";
import { SERVICE_SET } from "./serviceSet.ts";
import { type Tags, tagged } from "./tags.ts";

/** Where private endpoints stand. */
export interface EndpointNetwork {
  /** Id of the virtual network whose members reach them. */
  readonly vnetId: pulumi.Input<string>;
  /** Id of their subnet. */
  readonly subnetId: pulumi.Input<string>;
  /** Id of another network, peered with that one, whose members reach them too. @default none */
  readonly runnerNetworkId?: pulumi.Input<string> | undefined;
  /**
   * ARM ids of private DNS zones that are there, in any subscription, by what they are for: `registry`, `vault`. A network
   * that is made is linked to them. @default none: zones are made, and linked to both networks
   */
  readonly zones?: { readonly [groupId: string]: string | undefined } | undefined;
  /** Whether the virtual network was there before: then whoever has it links it to {@link zones}. @default false */
  readonly isThere?: boolean | undefined;
  /**
   * Public networks in CIDR notation whose members get in by the public address, which is shut to all others.
   * @default none: the private endpoint is the only way in
   */
  readonly allowedAddresses?: readonly string[] | undefined;
}

/** A service to reach privately. */
export interface PrivateAccessArgs {
  /** Name of the resource group that everything is made in. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** Where its address stands. */
  readonly network: EndpointNetwork;
  /** Id of the service that gets an address in the network. */
  readonly serviceId: pulumi.Input<string>;
  /** Which part of the service, in Azure's words: `registry`, `vault`. */
  readonly groupId: string;
  /** The private DNS zone that Azure prescribes for it: https://learn.microsoft.com/azure/private-link/private-endpoint-dns */
  readonly zone: string;
  /** Tags of endpoint, zone and link. @default none */
  readonly tags?: Tags | undefined;
}

/** The faults of allowed addresses that are no networks. */
export function notAddresses(addresses: readonly string[] = []): Fault[] {
  return addresses.flatMap((value, index) => notNetwork(`network.allowedAddresses[${index}]`, value));
}

/**
 * Gives a service an address in a virtual network, and its host name that address there.
 * @returns the resources that have to be there before the service can be reached.
 */
export function privateAccess(
  name: string,
  args: PrivateAccessArgs,
  opts: pulumi.CustomResourceOptions,
): pulumi.Resource[] {
  const { resourceGroupName, network } = args;
  const tags = tagged(args.tags);
  const own = newFirst(opts);
  const zone = linkedZone(name, args, opts);
  // Azure leads no endpoint to another service or subnet, so there has to be another endpoint, with a name of its own.
  const trigger = { serviceId: args.serviceId, subnetId: network.subnetId };
  const endpoint = new PrivateEndpoint(
    `${name}-endpoint`,
    {
      resourceGroupName,
      privateEndpointName: decideNames(`${name}-endpoint`, opts, trigger).of(`${name}-endpoint`),
      subnet: { id: network.subnetId },
      privateLinkServiceConnections: [
        { name: args.groupId, privateLinkServiceId: args.serviceId, groupIds: [args.groupId] },
      ],
      ...tags,
    },
    // Azure refuses to lead an endpoint to another service: CannotChangePrivateLinkConnectionOnPrivateEndpoint.
    {
      ...own,
      replaceOnChanges: ["privateLinkServiceConnections[*].privateLinkServiceId"],
      ignoreChanges: SERVICE_SET.privateEndpoint,
    },
  );
  const records = new PrivateDnsZoneGroup(
    `${name}-records`,
    {
      resourceGroupName,
      privateEndpointName: endpoint.name,
      privateDnsZoneGroupName: "default",
      privateDnsZoneConfigs: [{ name: args.groupId, privateDnsZoneId: zone.id }],
    },
    own,
  );
  return [...zone.links, records];
}

/** The zone that has the service's name: one that is there, or else one that is made. */
function linkedZone(name: string, args: PrivateAccessArgs, opts: pulumi.CustomResourceOptions): LinkedZone {
  const { network } = args;
  const id = network.zones?.[args.groupId];
  if (id === undefined) return privateZone(name, args, opts);
  // Whoever has both links them, or has names found otherwise.
  if (network.isThere) return { id, links: [] };
  return { id, links: [new ZoneLink(name, { zoneId: id, networkId: network.vnetId }, opts)] };
}
