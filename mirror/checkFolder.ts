// `npm run mirror -- check FOLDER`: whether people's own files of a GitOps repository name images of other registries.
import { glob, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { parseAllDocuments } from "yaml";
import { isMap } from "../net/values.ts";
import { type StrangeImage, strangeImages } from "./closedWorld.ts";
import { imageFields } from "./imageFields.ts";
import { nameOf, parseReference } from "./reference.ts";
import { formatPath, walk, type YamlMap } from "./tree.ts";

export const CHECK_USAGE = `npm run mirror -- check <folder> [--registry HOST]... [--ignore IMAGE]...
  --registry  a registry that images may come from; default: any Azure container registry
  --ignore    an image that may come from elsewhere, of all tags or with one
  The exit status is 1 where an image comes from elsewhere.`;

/** An Azure container registry's login server, in any of Azure's clouds. */
const AZURE_REGISTRY = /^[a-z0-9]+(-[a-z0-9]+)?\.azurecr\.(io|cn|us)$/;

/** An image of another registry in somebody's file. */
export interface FoundForeign {
  /** Relative to the folder. */
  readonly file: string;
  readonly object: string;
  readonly field: string;
  readonly image: string;
}

/**
 * The images in a folder's YAML files that come from elsewhere. What a kustomization, a Flux Kustomization or a
 * HelmRelease's post-renderer there puts in the place of a name is not: `images` with `newName`.
 * @throws Error when the folder cannot be read.
 */
export async function foreignIn(
  folder: string,
  { registries = [], ignored = [] }: { readonly registries?: readonly string[]; readonly ignored?: readonly string[] },
): Promise<FoundForeign[]> {
  const isOwn = (host: string) =>
    registries.length > 0 ? registries.includes(host) : AZURE_REGISTRY.test(host) || host === "{registry}";
  const objects = await objectsIn(folder);
  const replaced = new Set(objects.flatMap(({ body }) => replacedNames(body, isOwn)));
  const found: FoundForeign[] = [];
  for (const { file, body } of objects) {
    const object = `${body.kind} ${isMap(body.metadata) ? body.metadata.name : "without a name"}`;
    const rest = withoutImages(body);
    for (const { field, image } of [...strangeImages(rest, isOwn), ...inParts(rest, isOwn)]) {
      const name = image.replace(/@.*$/, "").replace(/:[^/:]*$/, "");
      if (replaced.has(name) || ignored.some((other) => isSame(other, image))) continue;
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

/**
 * Checks a folder.
 * @returns what to print, and whether everything comes from the registry.
 */
export async function checkFolder(args: readonly string[]): Promise<{ text: string; isWhole: boolean }> {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      registry: { type: "string", multiple: true, default: [] },
      ignore: { type: "string", multiple: true, default: [] },
    },
  });
  const [folder, ...more] = positionals;
  if (folder === undefined || more.length > 0) throw new Error(`Name one folder.\n${CHECK_USAGE}`);
  const found = await foreignIn(folder, { registries: values.registry, ignored: values.ignore });
  const lines = found.map(({ file, object, field, image }) => {
    return `${file}: ${object}, ${field}: ${image}\n  mirror it: aks-gitops:images: [${fullName(image)}]`;
  });
  const count = `${found.length === 0 ? "no image" : `${found.length} image${found.length === 1 ? "" : "s"}`} from elsewhere`;
  return { text: `${[...lines, `${folder}: ${count}`].join("\n")}\n`, isWhole: found.length === 0 };
}

function fullName(image: string): string {
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

async function objectsIn(folder: string): Promise<{ file: string; body: YamlMap }[]> {
  const found: { file: string; body: YamlMap }[] = [];
  const files: string[] = [];
  for await (const file of glob("**/*.{yaml,yml}", { cwd: folder })) files.push(file);
  for (const file of files.sort()) {
    const text = await readFile(join(folder, file), "utf8");
    const documents = parseAllDocuments(text, { uniqueKeys: false, logLevel: "silent" });
    for (const document of "empty" in documents ? [] : documents) {
      // A template or a damaged file is not for this check.
      const body: unknown = document.errors.length > 0 ? undefined : document.toJS();
      for (const item of isMap(body) && Array.isArray(body.items) ? body.items : [body])
        if (isMap(item)) found.push({ file: relative(".", file), body: item });
    }
  }
  return found;
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
