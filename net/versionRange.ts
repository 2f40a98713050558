// Ranges of versions as Helm and Flux read them (https://github.com/Masterminds/semver#checking-version-constraints): npm's
// way differs, it knows no commas and other rules for prereleases.

/** One exact version, as Helm wants a chart's: `6.1.0`, `v1.2.3-rc.1+build`. */
export const EXACT_VERSION = /^v?\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?$/;

const PART = "(0|[1-9]\\d*|[xX*])";
const VERSION = `v?${PART}(?:\\.${PART})?(?:\\.${PART})?(?:-([0-9A-Za-z.-]+))?(?:\\+[0-9A-Za-z.-]+)?`;
const TERM = `(~|\\^|<=|>=|<|>|=)?\\s*${VERSION}`;
const uncaptured = TERM.replaceAll(/\((?!\?)/g, "(?:");
const ALTERNATIVE = `\\s*${uncaptured}(?:(?:\\s*,\\s*|\\s+)${uncaptured})*\\s*`;

/** A range: `~6.1`, `^1.2`, `6.x`, `>=6 <7`, and several of them with `||` between. */
export const VERSION_RANGE = new RegExp(`^${ALTERNATIVE}(?:\\|\\|${ALTERNATIVE})*$`);

/** Whether a text is one exact version. */
export const isExact = (version: string): boolean => EXACT_VERSION.test(version);

type Numbers = readonly [number, number, number];

interface Version {
  readonly numbers: Numbers;
  /** The prerelease's parts; none for a release. */
  readonly pre: readonly string[];
}

/** What lies between two versions. */
interface Span {
  readonly from?: Version;
  readonly isFromOut?: boolean;
  readonly to?: Version;
  readonly isToIn?: boolean;
}

/** Whether a version is within a range; an exact version takes itself alone. A text that is no version is in none. */
export function satisfies(version: string, range: string): boolean {
  if (version === range) return true;
  const found = versionOf(version);
  if (found === undefined || isExact(range)) return false;
  return range.split("||").some((alternative) => {
    const terms = [...alternative.matchAll(new RegExp(TERM, "g"))];
    // Prereleases are meant only where one is named.
    const takesPre = terms.some((term) => term[5] !== undefined);
    return (found.pre.length === 0 || takesPre) && terms.every((term) => isWithin(found, spanOf(term)));
  });
}

/** The highest of some versions that is within a range; undefined where none is. */
export function highestOf(versions: readonly string[], range: string): string | undefined {
  return versions
    .filter((version) => satisfies(version, range))
    .sort(compareVersions)
    .at(-1);
}

/** Orders versions, the lowest first; what is no version comes before all. */
export function compareVersions(a: string, b: string): number {
  const [one, other] = [versionOf(a), versionOf(b)];
  if (one === undefined || other === undefined) return Number(one !== undefined) - Number(other !== undefined);
  return compare(one, other);
}

function versionOf(text: string): Version | undefined {
  const [, major, minor, patch, pre] = /^v?(\d+)\.(\d+)\.(\d+)(?:-([^+]+))?(?:\+.*)?$/.exec(text) ?? [];
  if (major === undefined) return undefined;
  return { numbers: [Number(major), Number(minor), Number(patch)], pre: pre?.split(".") ?? [] };
}

function compare(a: Version, b: Version): number {
  for (const [i, number] of a.numbers.entries()) {
    const difference = number - (b.numbers[i] ?? 0);
    if (difference !== 0) return difference;
  }
  // A prerelease comes before its release.
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length;
  for (let i = 0; i < Math.max(a.pre.length, b.pre.length); i++) {
    const difference = comparePart(a.pre[i], b.pre[i]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Numbers come before words, and less before more. */
function comparePart(a: string | undefined, b: string | undefined): number {
  if (a === undefined || b === undefined) return Number(a !== undefined) - Number(b !== undefined);
  const isNumber = (part: string) => /^\d+$/.test(part);
  if (isNumber(a) && isNumber(b)) return Number(a) - Number(b);
  if (isNumber(a) !== isNumber(b)) return isNumber(a) ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}

function spanOf([, operator = "", ...parts]: RegExpExecArray): Span {
  const [major, minor, patch] = parts.slice(0, 3).map((part) => (/^\d+$/.test(part ?? "") ? Number(part) : undefined));
  if (major === undefined) return {};
  const from: Version = { numbers: [major, minor ?? 0, patch ?? 0], pre: parts[3]?.split(".") ?? [] };
  // Its prereleases are of the next version already.
  const next = (...numbers: Numbers): Version => ({ numbers, pre: ["0"] });
  const isWhole = patch !== undefined;
  /** What all versions of the written parts come before. */
  const after = minor === undefined ? next(major + 1, 0, 0) : next(major, minor + 1, 0);
  switch (operator) {
    case ">=":
      return { from };
    case "<":
      return { to: from };
    case ">":
      return isWhole ? { from, isFromOut: true } : { from: after };
    case "<=":
      return isWhole ? { to: from, isToIn: true } : { to: after };
    case "~":
      return { from, to: after };
    case "^":
      if (major > 0 || minor === undefined) return { from, to: next(major + 1, 0, 0) };
      return { from, to: minor > 0 || !isWhole ? next(0, minor + 1, 0) : next(0, 0, patch + 1) };
    default:
      return isWhole ? { from, to: from, isToIn: true } : { from, to: after };
  }
}

function isWithin(version: Version, { from, isFromOut = false, to, isToIn = false }: Span): boolean {
  if (from !== undefined && compare(version, from) < (isFromOut ? 1 : 0)) return false;
  return to === undefined || compare(version, to) < (isToIn ? 1 : 0);
}
