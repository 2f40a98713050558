// Images of other registries in people's own files of a GitOps repository. Pure: texts in, what is strange out.
import { type Document, parseAllDocuments } from "yaml";
import { isMap } from "../net/values.ts";
import { type StrangeImage, strangeImages } from "./closedWorld.ts";
import { isExempt } from "./exempt.ts";
import { imageFields } from "./imageFields.ts";
import { nameOf, parseReference } from "./reference.ts";
import { formatPath, walk, type YamlMap } from "./tree.ts";

/** An Azure container registry's login server, in any of Azure's clouds. */
const AZURE_REGISTRY = /^[a-z0-9]+(-[a-z0-9]+)?\.azurecr\.(io|cn|us)$/;

/** Whether a host is an Azure container registry, or stands for the stack's own. */
const isAzures = (host: string): boolean => AZURE_REGISTRY.test(host) || host === "{registry}";

/** What no image's name holds. */
const BETWEEN_WORDS = /[\s"'`,;|=<>()[\]{}\\]+/;

/** An object and the file that it stands in. */
export interface FileObject {
  readonly file: string;
  readonly body: YamlMap;
}

/** An image of another registry in somebody's file. */
export interface FoundForeign {
  readonly file: string;
  readonly object: string;
  readonly field: string;
  readonly image: string;
}

/** What is no stranger. */
export interface Known {
  /** Registries that images may come from. @default any Azure container registry */
  readonly registries?: readonly string[];
  /** Images that may come from elsewhere, of all tags or with one. @default none */
  readonly ignored?: readonly string[];
  /** Names, as the files have them, that something outside of the files puts the registry's own in the place of. @default none */
  readonly replaced?: readonly string[];
}

/** The objects of a file, those in lists too; a template or a damaged file has none. */
export function fileObjects(file: string, text: string): FileObject[] {
  const documents = parseAllDocuments(text, { uniqueKeys: false, logLevel: "silent" });
  return ("empty" in documents ? [] : documents).flatMap((document) => {
    const body = document.errors.length > 0 ? undefined : plain(document);
    const items = isMap(body) && Array.isArray(body.items) ? body.items : [body];
    return items.filter(isMap).map((item) => ({ file, body: item }));
  });
}

/** What a document says; undefined where an anchor holds itself, or more than memory does. */
function plain(document: Document.Parsed): unknown {
  try {
    const text = JSON.stringify(document.toJS());
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}

/** The names that kustomizations, Flux's or their own, and post-renderers put an Azure registry's in the place of. */
export function replacedIn(objects: readonly FileObject[]): string[] {
  return objects.flatMap(({ body }) => replacedNames(body, isAzures));
}

/**
 * Whether objects of a text may have images that come from elsewhere, without reading its YAML: where not, they have none.
 * @param replaced names that something puts an Azure registry's in the place of.
 */
export function mayNameForeign(text: string, replaced: ReadonlySet<string>): boolean {
  // An image in parts.
  if (/repository["']?\s*:/i.test(text)) return true;
  const isForeign = (image: string) => !isAzures(image.split("/")[0] ?? "") && !replaced.has(nameIn(image));
  const named = [...text.matchAll(/image["']?\s*:\s*["']?([^\s"',}]+)/gi)].map(([, image = ""]) => image);
  return (
    named.some(isForeign) ||
    text.split(BETWEEN_WORDS).some((word) => /^[^/]*[.:][^/]*\/./.test(word) && isForeign(word))
  );
}

/** An image's name, without tag and digest. */
const nameIn = (image: string): string => image.replace(/@.*$/, "").replace(/:[^/:]*$/, "");

/**
 * The images of objects that come from elsewhere. What a kustomization, a Flux Kustomization or a HelmRelease's
 * post-renderer among them puts in the place of a name is not: `images` with `newName`; nor is what Azure brings.
 */
export function foreignImages(
  objects: readonly FileObject[],
  { registries = [], ignored = [], replaced = [] }: Known,
): FoundForeign[] {
  const isOwn = (host: string) => (registries.length > 0 ? registries.includes(host) : isAzures(host));
  const names = new Set([...replaced, ...objects.flatMap(({ body }) => replacedNames(body, isOwn))]);
  const found: FoundForeign[] = [];
  for (const { file, body } of objects) {
    const metadata = isMap(body.metadata) ? body.metadata : undefined;
    const object = `${body.kind} ${metadata ? metadata.name : "without a name"}`;
    const isFine = (host: string) => isOwn(host) || isExempt(host, metadata?.namespace);
    const rest = withoutImages(body);
    for (const { field, image } of [...strangeImages(rest, isFine), ...inParts(rest, isFine)]) {
      if (names.has(nameIn(image)) || ignored.some((other) => isSame(other, image))) continue;
      found.push({ file, object, field, image });
    }
  }
  return found;
}

/** Images that a map names in parts, as the values of a release do. */
function inParts(body: YamlMap, isOwn: (host: string) => boolean): StrangeImage[] {
  return imageFields({ id: "", body, hook: false })
    .filter(({ parts, reference }) => parts !== undefined && !isOwn(reference.host))
    .map(({ path, written }) => ({ field: formatPath(path), image: written }));
}

/** An image as the settings name it: whole, with host and tag. */
export function fullName(image: string): string {
  const reference = parseReference(image);
  if (reference === undefined) return image;
  const { tag, digest } = reference;
  return `${nameOf(reference)}${tag || !digest ? `:${tag ?? "latest"}` : ""}${digest ? `@${digest}` : ""}`;
}

function isSame(rule: string, image: string): boolean {
  const [one, other] = [parseReference(rule), parseReference(image)];
  if (one === undefined || other === undefined || nameOf(one) !== nameOf(other)) return false;
  return (one.tag ?? other.tag) === other.tag && (one.digest ?? other.digest) === other.digest;
}

/** The names that `images` puts the registry's own in the place of. */
function replacedNames(body: YamlMap, isOwn: (host: string) => boolean): string[] {
  const names: string[] = [];
  walk(body, (value, path) => {
    if (path.at(-1) !== "images" || !Array.isArray(value)) return true;
    for (const entry of value.filter(isMap)) {
      const { name, newName } = entry;
      const host = String(newName ?? "").split("/")[0] ?? "";
      // A variable of Flux's substitution is a registry that is not known here.
      if (typeof name === "string" && (isOwn(host) || host.startsWith("${"))) names.push(name);
    }
    return true;
  });
  return names;
}

/** Names that `images` replaces are no images by themselves. */
function withoutImages(body: YamlMap): YamlMap {
  return JSON.parse(
    JSON.stringify(body, (key, value: unknown) => {
      if (key !== "images" || !Array.isArray(value)) return value;
      return value.map((entry) => (isMap(entry) && "newName" in entry ? { newName: entry.newName } : entry));
    }),
  ) as YamlMap;
}
