import { isMap } from "../net/values.ts";
import { findReferences, type Occurrence, parseReference } from "./reference.ts";
import type { RenderedObject } from "./render.ts";
import { formatPath, type Path, valueAt, walk, type YamlMap } from "./tree.ts";

/** One image in a rendered object. */
export interface ImageField extends Occurrence {
  /** The object's id and the path in it. */
  readonly object: string;
  readonly path: Path;
  /** The text that holds the image; for a map of `repository` and `tag` what they come to together. */
  readonly text: string;
  /** The part of the text that is the image. */
  readonly written: string;
  /** Whether a kustomization's `images` reach it. */
  readonly kustomizable: boolean;
  /** Of an image that a map names in parts: their keys. */
  readonly parts?: ImageParts;
}

/** The keys of a map that make an image's name together. */
export interface ImageParts {
  readonly registry?: string;
  readonly repository: string;
  readonly tag?: string;
  readonly digest?: string;
}

/** The same field in two renderings has the same key. */
export function fieldKey(field: ImageField, number: number): string {
  return `${field.object} ${placeOf(field)} ${number}`;
}

/** Where a field is in its object. */
export function placeOf({ path, parts }: Pick<ImageField, "path" | "parts">): string {
  return formatPath(path) + (parts === undefined ? "" : ` ${parts.repository}`);
}

/** A field for people: where it is and what it says. */
export function describeField({ object, path, written }: ImageField): string {
  return `${object}, ${formatPath(path)}: ${written}`;
}

/**
 * Every image in an object: in containers of any kind of object, under keys and environment variables named for images,
 * in arguments, in maps of `repository` and `tag`, and names with host and tag or digest in any text.
 */
export function imageFields({ id, body, hook }: Pick<RenderedObject, "id" | "body" | "hook">): ImageField[] {
  const fields: ImageField[] = [];
  const crd = body.kind === "CustomResourceDefinition";
  const taken = new Set<string>();
  walk(body, (value, path) => {
    const key = path.at(-1);
    // What a schema tells people is not run.
    if (crd && (key === "description" || key === "example" || key === "examples" || key === "pattern")) return false;
    if (isMap(value)) {
      for (const parts of partsOf(value, path)) {
        const text = composedImage(value, parts);
        if (text === undefined) continue;
        fields.push(...whole(text).map((found) => ({ ...field(found, text, path, false), parts })));
        for (const each of Object.values(parts)) taken.add(formatPath([...path, each]));
      }
    }
    if (typeof value === "string" && !taken.has(formatPath(path))) {
      const kustomizable = !hook && isKustomizable(path);
      for (const found of occurrences(body, value, path)) fields.push(field(found, value, path, kustomizable));
    }
    return true;
  });
  return fields;

  function field(found: Occurrence, text: string, path: Path, kustomizable: boolean): ImageField {
    return { ...found, object: id, path, text, written: text.slice(found.start, found.end), kustomizable };
  }
}

function isKustomizable(path: Path): boolean {
  return path.at(-1) === "image" && ["containers", "initContainers"].includes(String(path.at(-3)));
}

function occurrences(body: YamlMap, text: string, path: Path): Occurrence[] {
  const key = path.at(-1);
  const list = String(path.at(-3));
  if (key === "image" && /^(c|initC|ephemeralC)ontainers$/.test(list))
    return isFilledIn(body, text, path) ? [] : whole(text);
  if (key === "reference" && path.at(-2) === "image") return whole(text);
  const tagged = whole(text).filter(({ reference }) => reference.tag !== undefined || reference.digest !== undefined);
  if (tagged.length > 0 && isNamedForImages(body, path)) return tagged;
  const argument = /^--?[\w-]*image[\w-]*=/i.exec(text);
  if (argument !== null) {
    const start = argument[0].length;
    const reference = parseReference(text.slice(start));
    if (reference?.tag !== undefined || reference?.digest !== undefined)
      return [{ start, end: text.length, reference }];
  }
  return [...findReferences(text), ...shortNames(text)].sort((a, b) => a.start - b.start);
}

const FILLED_IN = /^(auto|placeholder|dummy|injected|none|null|unset|undefined|image|replace-?me|to-?be-?replaced)$/i;

/**
 * Whether a container's image is a word that something else puts the image in the place of when the pod is made, as
 * Istio does with `auto` where a label or an annotation asks for it.
 */
export function isFilledIn(body: YamlMap, text: string, path: Path): boolean {
  if (/[/:@]/.test(text)) return false;
  if (FILLED_IN.test(text)) return true;
  const { labels, annotations } = (valueAt(body, [...path.slice(0, -4), "metadata"]) ?? {}) as YamlMap;
  return [labels, annotations].some((map) => isMap(map) && Object.keys(map).some((key) => INJECTION.test(key)));
}

/** A pod that asks for containers' parts to be put in. */
const INJECTION = /(^|[./-])inject(or|ion)?([./-](templates?|image))?$/i;

function isNamedForImages(body: YamlMap, path: Path): boolean {
  if (path.includes("metadata")) return false;
  const key = String(path.at(-1));
  if (/image(name|ref|reference)?$/i.test(key)) return true;
  if (key === "value") return /image/i.test(String(valueAt(body, [...path.slice(0, -1), "name"])));
  const before = typeof path.at(-1) === "number" ? valueAt(body, [...path.slice(0, -1), Number(key) - 1]) : undefined;
  return typeof before === "string" && /^--?[\w-]*image[\w-]*$/i.test(before);
}

/**
 * `image: busybox:1.36` inside a longer text, as in a template of a pod kept in a ConfigMap; or `natsImage: nats:2.10` and
 * `NATS_IMAGE=nats:2.10` in the settings of a program.
 */
function shortNames(text: string): Occurrence[] {
  const found: Occurrence[] = [];
  for (const match of text.matchAll(
    /(?:^|\n)[ \t]*(?:- )?"?[\w.-]*image(?:name|ref|reference)?"?[ \t]*[:=][ \t]*["']?([\w./-]+:[\w][\w.-]*)(?=["']?[ \t,]*(?:\n|$))/gi,
  )) {
    const name = match[1] ?? "";
    const reference = parseReference(name);
    const start = match.index + match[0].length - name.length;
    // With a host it was found already.
    if (reference !== undefined && findReferences(name).length === 0)
      found.push({ start, end: start + name.length, reference });
  }
  return found;
}

function whole(text: string): Occurrence[] {
  const reference = parseReference(text);
  return reference === undefined ? [] : [{ start: 0, end: text.length, reference }];
}

/** What a map of a custom resource or of settings names in parts: `repository` and `tag`, or `x.repository` and `x.tag`. */
function partsOf(map: YamlMap, path: Path): ImageParts[] {
  return Object.entries(map).flatMap(([key, repository]) => {
    const [, lead, word] = /^(|.*[._-])(repository)$/i.exec(key) ?? [];
    if (lead === undefined || word === undefined || typeof repository !== "string") return [];
    if (repository.includes("://") || (!repository.includes("/") && !/image/i.test(lead || String(path.at(-1)))))
      return [];
    const named = (...words: string[]) =>
      words.map((each) => lead + (word === word.toUpperCase() ? each.toUpperCase() : each)).find((each) => each in map);
    const [registry, tag, digest] = [named("registry"), named("tag", "version"), named("digest")];
    if (tag === undefined && digest === undefined) return [];
    // With a lead only a tag makes sure that it is an image.
    if (lead !== "" && !(typeof map[tag ?? ""] === "string" && map[tag ?? ""])) return [];
    return [{ repository: key, ...(registry && { registry }), ...(tag && { tag }), ...(digest && { digest }) }];
  });
}

/** The image that a map names in these parts; undefined where it names none. */
export function composedImage(map: YamlMap, parts: ImageParts): string | undefined {
  const part = (key: string | undefined) => (key === undefined ? undefined : map[key]);
  const [registry, repository, tag, digest] = [
    part(parts.registry),
    map[parts.repository],
    part(parts.tag),
    part(parts.digest),
  ];
  if (typeof repository !== "string") return undefined;
  const name = typeof registry === "string" && registry !== "" ? `${registry}/${repository}` : repository;
  return `${name}${tag ? `:${tag}` : ""}${digest ? `@${digest}` : ""}`;
}
