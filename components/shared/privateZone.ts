import { PrivateZone } from "@pulumi/azure-native/privatedns/privateZone.js";
import { VirtualNetworkLink } from "@pulumi/azure-native/privatedns/virtualNetworkLink.js";
import type * as pulumi from "@pulumi/pulumi";
import { newFirst } from "./newFirst.ts";
import { type Tags, tagged } from "./tags.ts";

/** A private DNS zone that is made. */
export interface PrivateZoneArgs {
  /** Name of the resource group that it is made in. */
  readonly resourceGroupName: pulumi.Input<string>;
  readonly zone: pulumi.Input<string>;
  /** Ids of the virtual networks that ask it: the services', and the one from which the program runs. */
  readonly network: {
    readonly vnetId: pulumi.Input<string>;
    readonly runnerNetworkId?: pulumi.Input<string> | undefined;
  };
  /** Tags of zone and links. @default none */
  readonly tags?: Tags | undefined;
}

/** A private DNS zone, and the links that have to be there before anybody finds a name in it. */
export interface LinkedZone {
  readonly id: pulumi.Input<string>;
  readonly links: readonly pulumi.Resource[];
}

/** Makes a private DNS zone that networks ask. */
export function privateZone(name: string, args: PrivateZoneArgs, opts: pulumi.CustomResourceOptions): LinkedZone {
  const { resourceGroupName, network } = args;
  const tags = tagged(args.tags);
  const own = newFirst(opts);
  const zone = new PrivateZone(
    `${name}-zone`,
    { resourceGroupName, privateZoneName: args.zone, location: "Global", ...tags },
    own,
  );
  const link = (suffix: string, id: pulumi.Input<string>) =>
    new VirtualNetworkLink(
      `${name}-${suffix}`,
      {
        resourceGroupName,
        privateZoneName: zone.name,
        location: "Global",
        virtualNetwork: { id },
        registrationEnabled: false,
        ...tags,
      },
      own,
    );
  const links = [
    link("link", network.vnetId),
    ...(network.runnerNetworkId === undefined ? [] : [link("runner-link", network.runnerNetworkId)]),
  ];
  return { id: zone.id, links };
}
