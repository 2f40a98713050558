// Who reaches a managed cluster's API server over the network.
import { BlockList } from "node:net";
import type { ApiServerRoute } from "../cloud/arm/reach.ts";
import type { Tunnel } from "../cloud/door/door.ts";
import type { ArmResource } from "../cloud/types.ts";

/**
 * Why a caller does not get to the API server: a private one has no public address, and its private name is found where
 * its zone is linked; a public one may admit few.
 * @returns undefined for a caller that does.
 */
export function apiServerRefusal(
  { properties }: ArmResource,
  { host, place, address }: Tunnel,
  { resolves, reaches }: ApiServerRoute,
): string | undefined {
  const { fqdn, privateFQDN } = properties;
  if (typeof privateFQDN === "string") {
    if (host === privateFQDN && host !== fqdn && !resolves)
      return `lookup ${host}: no such host (the API server is private)`;
    return reaches ? undefined : `${host}: timeout (the API server is private)`;
  }
  if (place !== "outside") return undefined;
  const access = properties.apiServerAccessProfile as { authorizedIPRanges?: readonly string[] } | undefined;
  const ranges = access?.authorizedIPRanges ?? [];
  if (ranges.length === 0) return undefined;
  const admitted = new BlockList();
  for (const range of ranges) {
    const [network = "", prefix = "32"] = range.split("/");
    admitted.addSubnet(network, Number(prefix));
  }
  return admitted.check(address) ? undefined : `${host}: timeout (${address} is not in authorizedIPRanges)`;
}
