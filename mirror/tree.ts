// Small helpers for parsed YAML.

import { isMap } from "../net/values.ts";

export type Path = readonly (string | number)[];
export type YamlMap = Record<string, unknown>;

/** Visits every map, list and leaf, parents first; a visitor that returns false skips what is below. */
export function walk(node: unknown, visit: (value: unknown, path: Path) => boolean, path: Path = []): void {
  if (!visit(node, path)) return;
  if (Array.isArray(node)) for (const [index, item] of node.entries()) walk(item, visit, [...path, index]);
  else if (isMap(node)) for (const [key, item] of Object.entries(node)) walk(item, visit, [...path, key]);
}

/** What stands at a path; undefined where nothing does. */
export function valueAt(node: unknown, path: Path): unknown {
  let value = node;
  for (const part of path) value = (value as Record<string | number, unknown> | null | undefined)?.[part];
  return value;
}

/** A copy of values with one of them set; maps that are missing on the way are made. */
export function withValue(node: unknown, path: Path, value: unknown): unknown {
  const [part, ...rest] = path;
  if (part === undefined) return value;
  if (Array.isArray(node)) return node.map((item, index) => (index === part ? withValue(item, rest, value) : item));
  const map = isMap(node) ? node : {};
  return { ...map, [part]: withValue(map[part], rest, value) };
}

/** Values merged as Helm does: maps key by key, all else replaced, and null taking a key that is there away. */
export function mergeValues(base: YamlMap, over: YamlMap): YamlMap {
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const old = result[key];
    if (value === null && key in base) delete result[key];
    else result[key] = isMap(old) && isMap(value) ? mergeValues(old, value) : value;
  }
  return result;
}

/** A path as people write it: `spec.containers[0].image`. */
export function formatPath(path: Path): string {
  return path.map((part, index) => (typeof part === "number" ? `[${part}]` : index === 0 ? part : `.${part}`)).join("");
}
