// Images that a chart may run although nothing that it renders names them whole: a person decides about them.
import { parse } from "yaml";
import { isMap } from "../net/values.ts";
import { nameOf, parseReference, type Reference, sourceOf } from "./reference.ts";
import { TARGET } from "./relocation.ts";
import type { RenderedObject } from "./render.ts";
import { formatPath, type Path, walk, type YamlMap } from "./tree.ts";

/** An image to list in the settings, if it is wanted. */
export interface Offer {
  /** Its whole name. */
  readonly image: string;
  /** Where its parts stand, in words. */
  readonly where: string;
  /**
   * joined: a program of the chart puts it together while it runs.
   * off: it appears with other values.
   */
  readonly kind: "joined" | "off";
}

/** Longer texts are no settings of a program. */
const LONGEST = 500_000;

/**
 * What programs join while they run: a registry, a name and a tag in one text of settings; a repository and a tag in
 * variables or arguments beside each other.
 */
export function joinedImages(objects: readonly RenderedObject[], known: readonly Reference[]): Offer[] {
  const offers = new Map<string, Offer>();
  const names = new Set(known.map(nameOf));
  const offer = (text: string, where: string) => {
    const reference = parseReference(text);
    if (reference === undefined || names.has(nameOf(reference))) return;
    const image = sourceOf(reference);
    if (!offers.has(image)) offers.set(image, { image, where, kind: "joined" });
  };
  for (const { id, body } of objects) {
    if (body.kind === "CustomResourceDefinition") continue;
    walk(body, (value, path) => {
      const where = `${id}, ${formatPath(path)}`;
      if (typeof value === "string") for (const image of fromText(value)) offer(image, where);
      else if (Array.isArray(value)) for (const image of fromList(value)) offer(image, where);
      else if (isMap(value)) for (const image of fromVariables(value)) offer(image, where);
      return true;
    });
  }
  return [...offers.values()];
}

/** A text that is JSON or YAML with a registry, a tag and, anywhere below, names of images. */
function fromText(text: string): string[] {
  if (text.length > LONGEST || !/\b(hub|registry|imageRegistry)\b/.test(text) || !/\b(tag|version)\b/.test(text))
    return [];
  let settings: unknown;
  try {
    settings = parse(text, { uniqueKeys: false, logLevel: "silent" });
  } catch {
    return []; // A template, or no settings at all.
  }
  const found: string[] = [];
  walk(settings, (value) => {
    if (isMap(value)) found.push(...below(value));
    return true;
  });
  return found;
}

function below(map: YamlMap): string[] {
  const [registry, tag] = [map.hub ?? map.registry ?? map.imageRegistry, map.tag ?? map.version];
  if (typeof registry !== "string" || !/[./]/.test(registry) || !isTag(tag)) return [];
  const found: string[] = [];
  walk(map, (value, path) => {
    if (value !== map && isMap(value) && (value.hub ?? value.registry) !== undefined) return false;
    if (path.at(-1) === "image" && typeof value === "string" && /^[a-z0-9][\w.-]*$/.test(value))
      found.push(`${registry}/${value}:${tag}`);
    return true;
  });
  return found;
}

const isTag = (value: unknown): value is string | number =>
  (typeof value === "string" && /^\w[\w.-]*$/.test(value)) || typeof value === "number";

/** `X_IMAGE` or `X_REPOSITORY` with `X_TAG` or `X_VERSION`; the same as arguments. */
function fromList(list: readonly unknown[]): string[] {
  const pairs: Record<string, unknown> = {};
  for (const item of list) {
    if (isMap(item) && typeof item.name === "string") pairs[item.name] = item.value;
    const [, flag, value] = (typeof item === "string" && /^--?([\w-]+)=(.+)$/.exec(item)) || [];
    if (flag !== undefined) pairs[flag] = value;
  }
  return fromVariables(pairs);
}

function fromVariables(variables: YamlMap): string[] {
  return Object.entries(variables).flatMap(([key, value]) => {
    const [, lead] = /^(.*[._-])?(?:image|repository|repo|image[_-]?(?:name|repo|repository))$/i.exec(key) ?? [];
    if (typeof value !== "string" || !value.includes("/") || value.includes("://")) return [];
    if (/[@:]/.test(value.slice(value.lastIndexOf("/")))) return [];
    const stems = [lead, `${key}_`, `${key}-`].filter((stem) => stem !== undefined);
    const tag = stems
      .flatMap((stem) => ["tag", "version"].map((word) => find(variables, stem + word)))
      .find((found) => isTag(found));
    return tag === undefined ? [] : [`${value}:${String(tag)}`];
  });
}

function find(map: YamlMap, name: string): unknown {
  return Object.entries(map).find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}

/** Images of a chart's values that are not rendered as the values are now. */
export function imagesThatAreOff(values: YamlMap, known: readonly Reference[]): Offer[] {
  const names = new Set(known.map(nameOf));
  const offers = new Map<string, Offer>();
  walk(values, (value, path) => {
    const text = isMap(value) ? imageOf(value) : wholeImage(value, path);
    const reference = text === undefined ? undefined : parseReference(text);
    // What is in the target registry is somebody's own choice.
    if (reference === undefined || reference.host === TARGET || names.has(nameOf(reference))) return true;
    const image = sourceOf(reference);
    if (!offers.has(image)) offers.set(image, { image, where: formatPath(path), kind: "off" });
    return true;
  });
  return [...offers.values()];
}

function imageOf({ registry, hub, repository, image, name, tag, digest }: YamlMap): string | undefined {
  const part = [repository, image, name].find((each) => typeof each === "string" && each !== "");
  const host = [registry, hub].find((each) => typeof each === "string" && each !== "");
  if (typeof part !== "string" || !isTag(tag) || tag === "") return undefined;
  if (host === undefined && !part.includes("/")) return undefined;
  const suffix = typeof digest === "string" && digest !== "" ? `@${digest}` : "";
  return `${host === undefined ? "" : `${host}/`}${part}:${tag}${suffix}`;
}

function wholeImage(value: unknown, path: Path): string | undefined {
  if (typeof value !== "string" || !/image/i.test(String(path.at(-1)))) return undefined;
  return /\//.test(value) && /[:@][\w.:-]+$/.test(value) && !value.includes("://") ? value : undefined;
}
