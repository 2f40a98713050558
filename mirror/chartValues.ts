import { parse } from "yaml";
import { type Allowance, chartAllowance, readTarGz, type TarFile } from "../net/archive.ts";
import { isMap } from "../net/values.ts";
import { findReferences, parseReference } from "./reference.ts";
import { mergeValues, type Path, valueAt, walk, withValue, type YamlMap } from "./tree.ts";

/** One value of a chart that may have a say in an image's name. */
export interface Candidate {
  readonly path: Path;
  /** The value is `before + x + after`; both are empty but for an image in the middle of a longer text. */
  readonly before: string;
  readonly after: string;
  /** A value that stands out in what is rendered. */
  readonly canary: string;
}

/** All values of a chart: its own defaults, those of its subcharts below their names, and the given ones over them. */
export async function effectiveValues(tgz: Buffer, given: YamlMap): Promise<YamlMap> {
  const allowance = chartAllowance();
  const files = await readTarGz(tgz, allowance);
  const root = files[0]?.path.split("/")[0] ?? "";
  return mergeValues(await defaults(files, `${root}/`, allowance), given);
}

async function defaults(files: readonly TarFile[], folder: string, allowance: Allowance): Promise<YamlMap> {
  const own = yamlFile(files, `${folder}values.yaml`);
  const dependencies = yamlFile(files, `${folder}Chart.yaml`).dependencies;
  let below: YamlMap = {};
  for await (const [chart, values] of subcharts(files, folder, allowance)) {
    const entries = (Array.isArray(dependencies) ? dependencies : [])
      .filter(isMap)
      .filter(({ name }) => name === chart);
    // One subchart may be there several times, under other names.
    const names = entries.length === 0 ? [chart] : entries.map(({ alias, name }) => String(alias ?? name));
    for (const name of names) below = { ...below, [name]: values };
  }
  return mergeValues(below, own);
}

async function* subcharts(
  files: readonly TarFile[],
  folder: string,
  allowance: Allowance,
): AsyncGenerator<[string, YamlMap]> {
  const inside = files.filter(({ path }) => path.startsWith(`${folder}charts/`));
  for (const { path, content } of inside) {
    const rest = path.slice(folder.length + "charts/".length);
    if (/^[^/]+\.tgz$/.test(rest)) {
      const packed = await readTarGz(content, allowance);
      const root = packed[0]?.path.split("/")[0] ?? "";
      yield [String(yamlFile(packed, `${root}/Chart.yaml`).name), await defaults(packed, `${root}/`, allowance)];
    } else if (/^[^/]+\/Chart\.yaml$/.test(rest)) {
      yield [String(yamlFile(files, path).name), await defaults(files, path.slice(0, -"Chart.yaml".length), allowance)];
    }
  }
}

function yamlFile(files: readonly TarFile[], path: string): YamlMap {
  const file = files.find((entry) => entry.path === path);
  const content: unknown = file === undefined ? {} : parse(file.content.toString("utf8"), { logLevel: "silent" });
  return isMap(content) ? content : {};
}

const NAMED = /image|registr|repositor|digest|(^|[a-z])tag$|^tag|^hub$|^sha/i;
const NEVER = /pull|secret|credential|password/i;

/**
 * The values that may have a say in one of these images: by their name, or because a part of an image's name is their
 * value; also keys that are only written in comments, beside a repository.
 */
export function candidates(values: YamlMap, images: readonly string[]): Candidate[] {
  const found: Candidate[] = [];
  const add = (path: Path, value: string, before = "", after = "") =>
    found.push({ path, before, after, canary: canary(String(path.at(-1)), value, found.length) });
  walk(values, (value, path) => {
    const names = path.filter((part) => typeof part === "string");
    if (names.some((name) => NEVER.test(name))) return false;
    if (isMap(value)) {
      if (typeof value.repository === "string" || typeof value.image === "string") {
        for (const key of ["registry", "tag", "digest"]) if (value[key] === undefined) add([...path, key], "");
      }
    } else if (value === null || value === undefined || typeof value === "string" || typeof value === "number") {
      const text = String(value ?? "");
      const inside = findReferences(text);
      const [only] = inside;
      if (only !== undefined && only.end - only.start < text.length) {
        if (inside.length === 1)
          add(path, text.slice(only.start, only.end), text.slice(0, only.start), text.slice(only.end));
      } else if (
        names.some((name) => NAMED.test(name)) ||
        (text.length > 2 && images.some((image) => image.includes(text)))
      ) {
        add(path, text);
      }
    }
    return true;
  });
  return found;
}

function canary(key: string, value: string, number: number): string {
  if (/digest|^sha/i.test(key)) return `sha256:${number.toString(16).padStart(64, "c")}`;
  // Charts compare tags as versions, so it stays one.
  if (/tag$|^tag|version$/i.test(key)) return `${value}${value === "" ? "" : "-"}canary${number}`;
  if (/registry$|^hub$/i.test(key)) return `canary${number}.invalid`;
  const reference = parseReference(value);
  const complete = reference?.tag !== undefined || reference?.digest !== undefined;
  return `canary${number}.invalid/canary${complete ? ":canary" : ""}`;
}

/** Values that change nothing but some paths of the given ones; a list on a path is repeated as a whole. */
export function valuesFor(effective: YamlMap, changes: ReadonlyMap<Path, string>): YamlMap {
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
