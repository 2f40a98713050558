// Who reaches a managed cluster's API server over the network.
import { BlockList } from "node:net";
import type { Tunnel } from "../cloud/door/door.ts";
import type { ArmResource } from "../cloud/types.ts";

/**
 * Why a caller does not get to the API server: a private one has no public address, whatever its name; a public one may
 * admit few.
 * @returns undefined for a caller that does.
 */
export function apiServerRefusal({ properties }: ArmResource, { host, place, address }: Tunnel): string | undefined {
  if (place !== "outside") return undefined;
  if (host === properties.privateFQDN) return `lookup ${host}: no such host (the API server is private)`;
  if (typeof properties.privateFQDN === "string") return `${host}: timeout (the API server is private)`;
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
