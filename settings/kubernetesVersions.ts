// How long AKS supports which minor version of Kubernetes. The last day of a month, where Microsoft names the month only.

/** Where the table is from, and when it was read. */
export const SOURCE = {
  url: "https://learn.microsoft.com/azure/aks/supported-kubernetes-versions#aks-kubernetes-release-calendar",
  read: "2026-08",
} as const;

export interface SupportedVersion {
  /** `1.<minor>`. */
  readonly minor: number;
  /** The last day of community support. */
  readonly end: string;
  /** The last day of long-term support, which is for clusters of the Premium tier that ask for it. */
  readonly longTermEnd: string;
}

/** In the order of versions, without a gap. */
export const VERSIONS: readonly SupportedVersion[] = [
  { minor: 29, end: "2025-03-31", longTermEnd: "2026-04-30" },
  { minor: 30, end: "2025-08-22", longTermEnd: "2026-07-31" },
  { minor: 31, end: "2025-11-01", longTermEnd: "2026-11-30" },
  { minor: 32, end: "2026-03-31", longTermEnd: "2027-03-31" },
  { minor: 33, end: "2026-07-31", longTermEnd: "2027-07-31" },
  { minor: 34, end: "2026-11-30", longTermEnd: "2027-11-30" },
  { minor: 35, end: "2027-03-31", longTermEnd: "2028-03-31" },
  { minor: 36, end: "2027-06-30", longTermEnd: "2028-06-30" },
  { minor: 37, end: "2027-10-31", longTermEnd: "2028-10-31" },
];

/**
 * The day after which a version is out of support, as `YYYY-MM-DD`; "before" for versions that are older than the table;
 * undefined for those that it does not know yet, of which nothing is said.
 */
export function endOfSupport(version: string, isLongTerm: boolean): string | undefined {
  const [major, minor] = version.split(".").map(Number);
  if (major !== 1 || minor === undefined || Number.isNaN(minor)) return undefined;
  const found = VERSIONS.find((known) => known.minor === minor);
  if (found !== undefined) return isLongTerm ? found.longTermEnd : found.end;
  return minor < (VERSIONS[0]?.minor ?? 0) ? "before" : undefined;
}
