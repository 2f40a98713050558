// IPv4 arithmetic for address prefixes.

/** A range of IPv4 addresses, both ends inclusive, as numbers. */
export interface Range {
  readonly first: number;
  readonly last: number;
  /** Length of the prefix in bits. */
  readonly bits: number;
}

/** The range of an address or a prefix in CIDR notation; undefined where it is neither or has host bits set. */
export function rangeOf(prefix: string): Range | undefined {
  const match = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(prefix);
  if (match === null) return undefined;
  const parts = match.slice(1, 5).map(Number);
  const bits = match[5] === undefined ? 32 : Number(match[5]);
  if (bits > 32 || parts.some((part) => part > 255)) return undefined;
  const first = parts.reduce((sum, part) => sum * 256 + part, 0);
  const size = 2 ** (32 - bits);
  return first % size === 0 ? { first, last: first + size - 1, bits } : undefined;
}

export const contains = (outer: Range, inner: Range): boolean => outer.first <= inner.first && inner.last <= outer.last;

export const overlap = (a: Range, b: Range): boolean => a.first <= b.last && b.first <= a.last;

/** Whether an address lies in one of the prefixes; prefixes that cannot be read match nothing. */
export function matchesAny(address: string, prefixes: readonly string[]): boolean {
  const one = rangeOf(address);
  return (
    one !== undefined &&
    prefixes.some((prefix) => {
      const range = rangeOf(prefix);
      return range !== undefined && contains(range, one);
    })
  );
}
