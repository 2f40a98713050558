// Peerings of virtual networks: each side is a resource of its own, and only both together are a way.
import { randomUUID } from "node:crypto";
import type { ArmResource } from "../../types.ts";
import { type Behaviour, propertiesOf, type World, type Write } from "../behaviour.ts";
import { armError, notProvisioned } from "../errors.ts";
import { key, same } from "../ids.ts";
import { overlap, rangeOf } from "../network.ts";
import { PEERING_TYPE } from "../types/network.ts";
import { part } from "../validate.ts";
import { networkConflict, stampNetwork } from "./networkWrites.ts";

const localOf = (peeringId: string): string => peeringId.replace(/\/virtualNetworkPeerings\/[^/]+$/i, "");

const remoteOf = (peering: unknown): string => String(part(peering, "properties.remoteVirtualNetwork").id);

const peeringsOf = (world: World, network: string): ArmResource[] =>
  world.store.list(PEERING_TYPE).filter(({ id }) => same(localOf(id), network));

/** The peering that leads back. */
const counterpart = (world: World, { id, ...rest }: Pick<ArmResource, "id" | "properties">): ArmResource | undefined =>
  peeringsOf(world, remoteOf(rest)).find((one) => key(remoteOf(one)) === key(localOf(id)));

const prefixesOf = (network: ArmResource | undefined): string[] =>
  (part(network, "properties.addressSpace").addressPrefixes ?? []) as string[];

/** Prefixes of one network that share an address with the other's. */
function overlapping(one: ArmResource | undefined, other: ArmResource | undefined): string[] {
  const ranges = prefixesOf(other).flatMap((prefix) => rangeOf(prefix) ?? []);
  return prefixesOf(one).filter((prefix) => {
    const range = rangeOf(prefix);
    return range !== undefined && ranges.some((another) => overlap(range, another));
  });
}

/**
 * Whether traffic gets from one network to another: they are the same, or peered with both peerings Connected and open.
 * A network peered with a peered one is not reached.
 */
export function leadsTo(world: World, from: string, to: string): boolean {
  if (key(from) === key(to)) return true;
  const there = peeringsOf(world, from).find((one) => key(remoteOf(one)) === key(to));
  const back = there && counterpart(world, there);
  return [there, back].every(
    (one) =>
      one?.properties.peeringState === "Connected" &&
      one.properties.provisioningState === "Succeeded" &&
      one.properties.allowVirtualNetworkAccess === true,
  );
}

/** A network's body shows its peerings. */
function showPeerings(world: World, network: string): void {
  const resource = world.store.get(network);
  if (resource === undefined) return;
  resource.properties.virtualNetworkPeerings = peeringsOf(world, network).map(({ id, name, etag, properties }) => ({
    ...{ id, name, etag, type: PEERING_TYPE },
    properties,
  }));
}

/** @throws ServiceError for a peering in a network's own body that is not there yet: nothing is known of how that goes. */
export function checkInlinePeerings(world: World, network: string, inline: unknown): void {
  const known = peeringsOf(world, network);
  const other = ((inline ?? []) as { name: string }[]).find(({ name }) => !known.some((one) => same(one.name, name)));
  if (other !== undefined)
    throw armError(
      400,
      "InvalidRequestFormat",
      `Cannot parse the request: the peering '${other.name}' of ${network} has to be made by a request of its own.`,
      { details: [] },
    );
}

/** A PUT of a network that does not name peerings keeps them; one that lists them drops the others. */
export function keepPeerings(world: World, network: ArmResource, inline: unknown): void {
  const kept = inline as { name: string }[] | undefined;
  for (const one of kept === undefined ? [] : peeringsOf(world, network.id)) {
    if (kept?.some(({ name }) => same(name, one.name))) continue;
    world.store.remove(one.id);
    disconnect(world, one);
  }
  network.properties.virtualNetworkPeerings = [];
  world.store.put(network);
  showPeerings(world, network.id);
}

/** The other side of a peering that is gone. */
function disconnect(world: World, peering: ArmResource): void {
  const other = counterpart(world, peering);
  if (other === undefined) return;
  Object.assign(other.properties, { peeringState: "Disconnected" });
  showPeerings(world, localOf(other.id));
}

function checkRemote({ world, id, sent }: Omit<Write, "body">): void {
  const remote = remoteOf(sent);
  const found = world.store.get(remote);
  const state = found?.properties.provisioningState;
  if (found === undefined || (state === "Succeeded" && world.store.busy(remote) === undefined)) return;
  throw notProvisioned(id, found, "Updating");
}

function check({ world, id, body, old }: Write): void {
  const local = localOf(id.id);
  const remote = remoteOf(body);
  const refuse = (code: string, words: string) => armError(400, code, words, { details: [] });
  if (same(local, remote))
    throw refuse(
      "PeeringReferencesItself",
      `Peering ${id.id} cannot reference its own parent virtual network ${local}.`,
    );
  if (old !== undefined && key(remoteOf(old)) !== key(remote))
    throw refuse(
      "ChangingRemoteVirtualNetworkNotAllowed",
      `Changing the remote virtual network of peering ${id.id} is not allowed.`,
    );
  const another = peeringsOf(world, local).find((one) => !same(one.id, id.id) && key(remoteOf(one)) === key(remote));
  if (another !== undefined)
    throw refuse(
      "AnotherPeeringAlreadyReferencesRemoteVnet",
      `Peering ${id.id} already exists and references the same remote virtual network ${remote} as ${another.id}.`,
    );
  checkSpaces(world, id.id, local, remote, refuse);
  const back = counterpart(world, { id: id.id, properties: propertiesOf(body) });
  if (back?.properties.peeringState === "Disconnected")
    throw refuse(
      "RemotePeeringIsDisconnected",
      `Cannot create or update peering ${id.id} because remote peering ${back.id} referencing parent virtual network ${local} is in Disconnected state. Update or re-create the remote peering to get it back to Initiated state. Peering gets Disconnected when remote vnet or remote peering is deleted and re-created.`,
    );
}

function checkSpaces(
  world: World,
  peering: string,
  local: string,
  remote: string,
  refuse: (code: string, words: string) => Error,
): void {
  const start = `Cannot create or update peering ${peering}. Virtual networks ${local} and ${remote} cannot be peered because`;
  const own = world.store.get(local);
  const shared = overlapping(own, world.store.get(remote));
  if (shared.length > 0)
    throw refuse(
      "VnetAddressSpacesOverlap",
      `${start} their address spaces overlap. Overlapping address prefixes: ${shared.join(", ")}.`,
    );
  for (const other of peeringsOf(world, remote).map(remoteOf)) {
    if (same(other, local)) continue;
    const taken = overlapping(own, world.store.get(other));
    if (taken.length > 0)
      throw refuse(
        "VnetAddressSpaceOverlapsWithAlreadyPeeredVnet",
        `${start} address space of the first virtual network overlaps with address space of virtual network ${other} already peered with the second virtual network. Overlapping address prefixes: ${taken.join(", ")}.`,
      );
  }
}

function accepted(resource: ArmResource, { world, old }: Write): void {
  stampNetwork(resource);
  const { properties } = resource;
  const space = { addressPrefixes: prefixesOf(world.store.get(remoteOf(resource))) };
  Object.assign(properties, {
    resourceGuid: old?.properties.resourceGuid ?? randomUUID(),
    peeringState: old?.properties.peeringState === "Connected" ? "Connected" : "Initiated",
    peeringSyncLevel: old?.properties.peeringState === "Connected" ? "FullyInSync" : "RemoteNotInSync",
    remoteAddressSpace: space,
    remoteVirtualNetworkAddressSpace: space,
  });
}

function finished(resource: ArmResource, world: World): void {
  const other = counterpart(world, resource);
  if (other !== undefined && other.properties.peeringState !== "Disconnected")
    for (const { properties } of [resource, other])
      Object.assign(properties, { peeringState: "Connected", peeringSyncLevel: "FullyInSync" });
  showPeerings(world, localOf(resource.id));
  showPeerings(world, remoteOf(resource));
}

function gone(resource: ArmResource, world: World): void {
  disconnect(world, resource);
  showPeerings(world, localOf(resource.id));
}

export const peeringRules: Readonly<Record<string, Behaviour>> = {
  [PEERING_TYPE]: {
    conflict: networkConflict,
    holds: (id) => (id.parent === undefined ? [] : [id.parent]),
    before: checkRemote,
    check,
    accepted,
    finished,
    gone,
  },
};
