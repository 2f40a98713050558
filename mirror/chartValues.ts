import { isMap } from "../net/values.ts";
import { findReferences, parseReference } from "./reference.ts";
import { type Path, valueAt, walk, withValue, type YamlMap } from "./tree.ts";

/** One value of a chart that may have a say in an image's name. */
export interface Candidate {
  readonly path: Path;
  /** The value is `before + x + after`; both are empty but for an image in the middle of a longer text. */
  readonly before: string;
  readonly after: string;
  /** The `x` that it is now; empty where it is none. */
  readonly value: string;
  /** A value that stands out in what is rendered. */
  readonly canary: string;
  /** The part of it that no other canary has. */
  readonly mark: string;
  /** What kind of part of an image's name it seems to be; parts of one image are of different kinds. */
  readonly kind: "registry" | "name" | "tag" | "digest" | "other";
  /** Whether it may stand for the values of several images. */
  readonly shared: boolean;
  /**
   * Whether itself is named for images; else it stands below something that is (a registry may be a component of the
   * chart), or an image's name has its value in it, which may be by chance.
   */
  readonly named: boolean;
}

const NAMED = /image|registr|repositor|digest|(^|[a-z])tag$|^tag|^hub$|^sha(256)?$|^release$/i;
const NEVER = /pull(policy|secrets?)?$|^pull|credential|password/i;
/** Istio's charts keep their defaults below this key, over which a person's values are laid. */
const LAID_UNDER = "_internal_defaults_do_not_set";

/**
 * The values that may have a say in one of these images: by their name, or because a part of an image's name is their
 * value; also keys that are only written in comments, beside a repository, where templates name them.
 * @param templates the text of the chart's templates.
 */
export function candidates(values: YamlMap, images: readonly string[], templates: string): Candidate[] {
  const found: Candidate[] = [];
  const unwritten = ["registry", "tag", "digest"].filter((key) => new RegExp(`\\b${key}\\b`).test(templates));
  const add = (place: Path, value: string, named: boolean, before = "", after = "") => {
    const path = place[0] === LAID_UNDER ? place.slice(1) : place;
    const key = String(path.at(-1));
    const kind = kindOf(key, value);
    const mark = kind === "digest" ? found.length.toString(16).padStart(64, "c") : `canary${lettersOf(found.length)}`;
    const shared = path.length < 2 || path.some((part) => /^(global|common|defaults?)$/i.test(String(part)));
    found.push({ path, before, after, value, mark, canary: canary(kind, value, mark), kind, shared, named });
  };
  walk(values, (value, path) => {
    const names = path.filter((part) => typeof part === "string");
    const name = String(names.at(-1) ?? "");
    if (names.some((name) => NEVER.test(name))) return false;
    if (isMap(value)) {
      if (typeof value.repository === "string" || typeof value.image === "string") {
        for (const key of unwritten) if (value[key] === undefined) add([...path, key], "", true);
      }
    } else if (value === null || value === undefined || typeof value === "string" || typeof value === "number") {
      if (/secret(?!.*image)/i.test(name)) return false;
      const text = String(value ?? "");
      const inside = findReferences(text);
      const [only] = inside;
      if (only !== undefined && only.end - only.start < text.length) {
        if (inside.length === 1)
          add(path, text.slice(only.start, only.end), true, text.slice(0, only.start), text.slice(only.end));
      } else {
        const occurs = text.length > 2 && images.some((image) => image.includes(text));
        const named = NAMED.test(name) || /images?$/i.test(String(names.at(-2))) || only !== undefined;
        if (occurs || names.some((name) => NAMED.test(name))) add(path, text, named);
      }
    }
    return true;
  });
  return found;
}

function kindOf(key: string, value: string): Candidate["kind"] {
  if (/digest|^sha(256)?$/i.test(key)) return "digest";
  if (/tag$|^tag|version$/i.test(key)) return "tag";
  if (/registry$|^hub$/i.test(key)) return "registry";
  return /repositor|image|name$/i.test(key) || value.includes("/") ? "name" : "other";
}

/** A value that a chart may well take for one of that kind. */
function canary(kind: Candidate["kind"], value: string, mark: string): string {
  if (kind === "digest") return `sha256:${mark}`;
  // Charts compare tags as versions, so it stays one.
  if (kind === "tag") return `${value}${value === "" ? "" : "-"}${mark}`;
  if (kind === "registry") return `${mark}.invalid`;
  const reference = parseReference(value);
  const complete = reference?.tag !== undefined || reference?.digest !== undefined;
  return `${mark}.invalid/canary${complete ? ":canary" : ""}`;
}

/** Three letters for a number, so that none begins another. */
function lettersOf(number: number): string {
  const letter = (place: number) => String.fromCharCode(97 + (Math.floor(number / 26 ** place) % 26));
  return `${letter(2)}${letter(1)}${letter(0)}`;
}

/** Values that change nothing but some paths of the given ones; a list on a path is repeated as a whole. */
export function valuesFor(effective: YamlMap, changes: ReadonlyMap<Path, unknown>): YamlMap {
  let result: YamlMap = {};
  for (const [path, value] of changes) {
    const list = path.findIndex((part) => typeof part === "number");
    const top = list === -1 ? path : path.slice(0, list);
    if (list !== -1 && valueAt(result, top) === undefined) {
      result = withValue(result, top, valueAt(effective, top)) as YamlMap;
    }
    result = withValue(result, path, value) as YamlMap;
  }
  return result;
}
