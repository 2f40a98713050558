// IPv4 networks in CIDR notation, as far as the configuration needs to compare them.
import { Address4 } from "ip-address";

/** A whole text that is an IPv4 address. */
export const IPV4_ADDRESS = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;

/** An IPv4 network. */
export interface Network {
  /** Its first address as a number. */
  readonly first: number;
  /** How many addresses it has. */
  readonly size: number;
  readonly prefix: number;
}

/** The network that a text names, or undefined when it names none or has bits set behind its prefix. */
export function parseNetwork(cidr: string): Network | undefined {
  if (!Address4.isValid(cidr)) return undefined;
  const address = new Address4(cidr);
  // There is one way to write a network: Azure takes neither 10.0.0.1/8 nor 10.0.0.0/08, nor an address alone.
  if (address.networkForm() !== cidr) return undefined;
  const prefix = address.subnetMask;
  return { first: Number(address.bigInt()), size: 2 ** (32 - prefix), prefix };
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
  return Address4.fromBigInt(BigInt(network.first + offset)).correctForm();
}
