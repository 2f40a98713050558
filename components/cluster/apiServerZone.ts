import * as pulumi from "@pulumi/pulumi";
import { ZoneLink } from "../../provider/sdk/zoneLink.ts";
import { type LinkedZone, privateZone } from "../shared/privateZone.ts";
import type { Cluster } from "./aksClusterArgs.ts";
import type { ClusterNetwork } from "./clusterNetwork.ts";

/**
 * The private DNS zone of a private API server's name; undefined where the name is public.
 *
 * Its link to the cluster's network is there before the cluster is: AKS would make one itself and leave it behind, and a
 * zone with a link is not deleted (https://github.com/Azure/AKS/issues/2711).
 */
export function apiServerZone(
  name: string,
  { resourceGroupName, network: { zones }, tags }: Cluster,
  region: pulumi.Output<string>,
  { vnetId, forEndpoints }: ClusterNetwork,
  opts: pulumi.CustomResourceOptions,
): LinkedZone | undefined {
  const given = zones?.apiServer;
  if (given === undefined) return undefined;
  const part = `${name}-api-server`;
  if (given !== "own") return { id: given, links: [new ZoneLink(part, { zoneId: given, networkId: vnetId }, opts)] };
  const zone = pulumi.interpolate`${pulumi.getStack()}.private.${region}.azmk8s.io`;
  const { runnerNetworkId } = forEndpoints;
  return privateZone(part, { resourceGroupName, zone, network: { vnetId, runnerNetworkId }, tags }, opts);
}
