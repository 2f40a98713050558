// IPv4 networks in CIDR notation, as far as the configuration needs to compare them.
import { isIPv4 } from "node:net";

/** An IPv4 network. */
export interface Network {
  /** Its first address as a number. */
  readonly first: number;
  /** How many addresses it has. */
  readonly size: number;
  readonly prefix: number;
}

const toNumber = (address: string): number => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);

const toAddress = (number: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");

/** The network that a text names, or undefined when it names none or has bits set behind its prefix. */
export function parseNetwork(cidr: string): Network | undefined {
  const [address = "", length = "", ...rest] = cidr.split("/");
  if (rest.length > 0 || !isIPv4(address) || !/^(\d|[12]\d|3[0-2])$/.test(length)) return undefined;
  const size = 2 ** (32 - Number(length));
  const first = toNumber(address);
  return first % size === 0 ? { first, size, prefix: Number(length) } : undefined;
}

/** Whether two networks share an address. */
export function overlap(one: Network, other: Network): boolean {
  return one.first < other.first + other.size && other.first < one.first + one.size;
}

/** Whether a network holds another as a whole. */
export function contains(outer: Network, inner: Network): boolean {
  return outer.first <= inner.first && inner.first + inner.size <= outer.first + outer.size;
}

/** The address at an offset from a network's first. */
export function addressAt(network: Network, offset: number): string {
  return toAddress(network.first + offset);
}
