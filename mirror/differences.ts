// In what two renderings of an object differ.
import { isMap } from "../net/values.ts";
import { composedImage, type ImageField, placeOf } from "./imageFields.ts";
import { formatPath, type Path, valueAt, walk, type YamlMap } from "./tree.ts";

export interface Difference {
  readonly path: Path;
  /** As {@link placeOf} names it. */
  readonly place: string;
  /** Empty where nothing stood there. */
  readonly old: string;
  /** Undefined where nothing stands there any more. */
  readonly now: string | undefined;
}

/**
 * The places where an object says something else; `null` is nothing, as it is for Kubernetes.
 * @param fields the object's images: those that a map names in parts are one place.
 */
export function differences(
  old: YamlMap,
  now: YamlMap | undefined,
  fields: readonly (readonly [string, ImageField])[],
): Difference[] {
  const found: Difference[] = [];
  const seen = new Set<string>();
  for (const [, { path, parts, ...field }] of fields) {
    if (parts === undefined) continue;
    const [map, other] = [valueAt(old, path), valueAt(now, path)];
    const [a, b] = [map, other].map((each) => (isMap(each) ? composedImage(each, parts) : undefined));
    if (a !== undefined && a !== b) found.push({ path, place: placeOf({ path, parts, ...field }), old: a, now: b });
    for (const key of Object.values(parts)) seen.add(formatPath([...path, key]));
  }
  walk(old, (value, path) => {
    const place = formatPath(path);
    if (typeof value === "object") return true;
    if (seen.has(place)) return true;
    seen.add(place);
    const other = valueAt(now, path) ?? undefined;
    if (value !== other)
      found.push({ path, place, old: String(value), now: other === undefined ? undefined : String(other) });
    return true;
  });
  walk(now, (value, path) => {
    if (typeof value === "object" || value === undefined) return true;
    const place = formatPath(path);
    if (!seen.has(place)) found.push({ path, place, old: "", now: String(value) });
    return true;
  });
  return found;
}

/** A checksum; in an object's name it may be as short as a commit's. */
const SUM = /(?<![\w+/])(?=[\w+/]*\d)[\w+/]{8,}={0,2}|(?<=-)[0-9a-f]{7,}(?!\w)/g;

/** Whether two lines differ in nothing but checksums, random words and the time. */
export function isSum(old: string, now: string | undefined): boolean {
  if (now === undefined || old === "") return false;
  return old.replaceAll(SUM, "#") === now.replaceAll(SUM, "#");
}
