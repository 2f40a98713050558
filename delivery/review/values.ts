// The values of resources' properties as the engine's events hold them: looked up by path, compared, and put in words.
import { isMap } from "../../net/values.ts";
import { HIDDEN, isSecret, isTelling, type Mask } from "./secrets.ts";

/** Stands where the value is not known before the update. */
export const UNKNOWN = "[unknown]";

/** What an event holds in place of a value that is not known yet (github.com/pulumi/pulumi, pkg/resource/stack). */
const PLACEHOLDER = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** One property of a resource before and after. */
export interface PropertyChange {
  /** As the engine writes it: `properties.networkProfile.podCidr`, `files["a.yaml"]`. */
  readonly path: string;
  /** The value before; undefined where there was none. `[hidden]` is a secret, `[unknown]` is told by the update alone. */
  readonly from?: string;
  /** The value after; undefined where there will be none. */
  readonly to?: string;
  /** Whether only another resource can have the new value. @default false */
  readonly replaces?: true;
}

export const isUnknown = (value: unknown): boolean => value === PLACEHOLDER;

/** The keys of a property path: of `a.b[0]["c.d"]` a, b, 0 and c.d. */
export function pathKeys(path: string): string[] {
  return [...path.matchAll(/\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|([^.[\]]+)/g)].map(
    ([, quoted, index, name]) => quoted?.replace(/\\(.)/g, "$1") ?? index ?? name ?? "",
  );
}

/** A property path of keys, as the engine writes it. */
export function pathOf(keys: readonly (string | number)[]): string {
  return keys.reduce<string>((path, key) => {
    if (typeof key === "number") return `${path}[${key}]`;
    if (!/^[\w$-]+$/.test(key)) return `${path}[${JSON.stringify(key)}]`;
    return path === "" ? key : `${path}.${key}`;
  }, "");
}

/** What stands at a path; what is below something secret or unknown is that too. */
export function valueAt(value: unknown, keys: readonly string[]): unknown {
  let at = value;
  for (const key of keys) {
    if (isUnknown(at) || isSecret(at)) return at;
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at;
}

/** How two values at a path differ, leaf by leaf; between two secrets nothing can be seen. */
export function changesBetween(
  keys: readonly (string | number)[],
  from: unknown,
  to: unknown,
  mask: Mask,
): PropertyChange[] {
  if (same(from, to)) return [];
  if (Array.isArray(from) && Array.isArray(to) && from.every(isScalar) && to.every(isScalar))
    return [change(keys, from, to, mask)];
  const parts = [from, to].filter((value) => value !== undefined);
  const areMaps = parts.every((value) => isMap(value) && !isSecret(value) && !isAsset(value));
  const areLists = parts.every((value) => Array.isArray(value) && !value.every(isScalar));
  if (!areMaps && !areLists) return [change(keys, from, to, mask)];
  const names = new Set(parts.flatMap((value) => Object.keys(value as object)));
  if (names.size === 0) return [change(keys, from, to, mask)];
  return [...names].flatMap((name) =>
    changesBetween([...keys, areLists ? Number(name) : name], child(from, name), child(to, name), mask),
  );
}

/** The leaves of a value that is new. */
export const newValues = (value: Readonly<Record<string, unknown>>, mask: Mask): PropertyChange[] =>
  Object.entries(value).flatMap(([name, item]) => changesBetween([name], undefined, item, mask));

/** A change at a path as a whole. */
export function change(keys: readonly (string | number)[], from: unknown, to: unknown, mask: Mask): PropertyChange {
  const telling = keys.some((key) => typeof key === "string" && isTelling(key));
  const shown = (value: unknown) =>
    telling && typeof value !== "boolean" && !isUnknown(value) ? HIDDEN : shownValue(value, mask);
  return {
    path: pathOf(keys.map((key) => (typeof key === "string" ? mask.text(key) : key))),
    ...(from !== undefined && { from: shown(from) }),
    ...(to !== undefined && { to: shown(to) }),
  };
}

/** A value in words, without what is secret in it. */
export function shownValue(value: unknown, mask: Mask): string {
  if (isUnknown(value)) return UNKNOWN;
  if (isSecret(value)) return HIDDEN;
  if (isAsset(value)) return `[file ${String((value as Record<string, unknown>).hash ?? "").slice(0, 12)}]`;
  if (typeof value === "string") return mask.text(value);
  return mask.known(JSON.stringify(plain(value, mask)) ?? "");
}

/** A value whose secret and unknown parts are words. */
function plain(value: unknown, mask: Mask): unknown {
  if (isUnknown(value)) return UNKNOWN;
  if (isSecret(value)) return HIDDEN;
  if (typeof value === "string") return mask.text(value);
  if (Array.isArray(value)) return value.map((item) => plain(item, mask));
  if (!isMap(value)) return value;
  const shown = (name: string, item: unknown) =>
    isTelling(name) && typeof item !== "boolean" ? HIDDEN : plain(item, mask);
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [mask.text(name), shown(name, item)]));
}

const ASSETS = ["c44067f5952c0a294b673a41bacd8c17", "0def7320c3a5731c473e5ecbe6d01bc7"];

/** Whether a value stands for a file, whose content no event holds. */
const isAsset = (value: unknown): boolean =>
  isMap(value) && ASSETS.includes(String(value["4dabf18193072939515e22adb298388d"]));

const isScalar = (value: unknown): boolean => typeof value !== "object" || value === null || isSecret(value);

const same = (one: unknown, other: unknown): boolean => one === other || JSON.stringify(one) === JSON.stringify(other);

function child(value: unknown, name: string): unknown {
  return value !== undefined && Object.hasOwn(value as object, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
