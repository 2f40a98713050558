// The Kubernetes objects in a folder of the GitOps repository, as Flux's kustomize-controller would find them.
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { parse, parseAllDocuments } from "yaml";

export interface KubernetesObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec?: Record<string, unknown>;
  /** Present where SOPS encrypted the file. */
  readonly sops?: Record<string, unknown>;
}

export interface FoundObject {
  /** The file, relative to the repository. */
  readonly file: string;
  readonly object: KubernetesObject;
}

export const objectName = ({ kind, metadata }: KubernetesObject) =>
  `${kind} ${metadata.namespace === undefined ? "" : `${metadata.namespace}/`}${metadata.name}`;

/** An entry of a kustomization's `images`. */
interface ImageChange {
  readonly name: string;
  readonly newName?: string;
  readonly newTag?: string;
  readonly digest?: string;
}

/** An object with the images of a kustomization changed, as kustomize does it: by the name without tag and digest. */
function withImages<T>(value: T, changes: readonly ImageChange[], key?: string): T {
  if (Array.isArray(value)) return value.map((item) => withImages(item, changes)) as T;
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([name, item]) => [name, withImages(item, changes, name)]),
    ) as T;
  if (key !== "image" || typeof value !== "string") return value;
  const [, name = value, suffix = ""] = /^(.+?)((?::[^/:@]+)?(?:@.+)?)$/.exec(value) ?? [];
  const change = changes.find((entry) => entry.name === name);
  if (change === undefined) return value;
  const tag = change.newTag === undefined ? "" : `:${change.newTag}`;
  const digest = change.digest === undefined ? "" : `@${change.digest}`;
  return `${change.newName ?? name}${tag === "" && digest === "" ? suffix : tag + digest}` as T;
}

/**
 * The objects of a path: those that its kustomization.yaml names, or every YAML file below where there is none.
 * Of what a kustomization changes only `images` is worked out; patches and names are left as the files have them.
 * @throws Error where a named resource is missing, or a file is not YAML.
 */
export async function objectsBelow(repository: string, path: string): Promise<FoundObject[]> {
  const folder = join(repository, path);
  if (!existsSync(folder)) throw new Error(`the path ${path} is not in the repository`);
  const kustomization = join(folder, "kustomization.yaml");
  if (!existsSync(kustomization)) {
    const files = (await readdir(folder, { recursive: true })).filter((name) => /\.ya?ml$/.test(name)).sort();
    return (await Promise.all(files.map((file) => objectsIn(repository, join(folder, file))))).flat();
  }
  const [document] = parseAllDocuments(await readFile(kustomization, "utf8"));
  const { resources = [], images = [] } = (document?.toJS() ?? {}) as { resources?: string[]; images?: ImageChange[] };
  const found = resources.map(async (resource) => {
    const target = join(folder, resource);
    if (!existsSync(target))
      throw new Error(`${path}/kustomization.yaml names ${resource}, which is not in the repository`);
    return /\.ya?ml$/.test(resource)
      ? objectsIn(repository, target)
      : objectsBelow(repository, relative(repository, target));
  });
  return (await Promise.all(found)).flat().map(({ file, object }) => ({ file, object: withImages(object, images) }));
}

async function objectsIn(repository: string, file: string): Promise<FoundObject[]> {
  const name = relative(repository, file);
  return parseAllDocuments(await readFile(file, "utf8")).flatMap((document) => {
    if (document.errors[0] !== undefined) throw new Error(`${name} is not YAML: ${document.errors[0].message}`);
    const object = document.toJS() as KubernetesObject | null;
    return object?.kind === undefined ||
      (object.kind === "Kustomization" && object.apiVersion.startsWith("kustomize.config.k8s.io/"))
      ? []
      : [{ file: name, object }];
  });
}

/** One of a Flux Kustomization's `patches`: a strategic merge patch and whom it changes. */
export interface Patch {
  readonly patch: string;
  readonly target?: { readonly kind?: string; readonly name?: string; readonly namespace?: string };
}

/**
 * An object with the patches that are meant for it: maps are merged, lists of things with a name are merged by name, as
 * Kubernetes' pod templates want it, everything else is replaced.
 */
export function patched(object: KubernetesObject, patches: readonly Patch[]): KubernetesObject {
  return patches
    .filter(
      ({ target: { kind, name, namespace } = {} }) =>
        [object.kind, undefined].includes(kind) &&
        [object.metadata.name, undefined].includes(name) &&
        [object.metadata.namespace, undefined].includes(namespace),
    )
    .reduce((result, { patch }) => merged(result, parse(patch)) as KubernetesObject, object);
}

function merged(below: unknown, above: unknown): unknown {
  if (isNamedList(below) && isNamedList(above)) {
    const names = new Set([...below, ...above].map(({ name }) => name));
    const find = (list: readonly Named[], name: string) => list.find((item) => item.name === name);
    return [...names].map((name) => merged(find(below, name), find(above, name)));
  }
  if (!isMap(below) || !isMap(above)) return above ?? below;
  const keys = new Set([...Object.keys(below), ...Object.keys(above)]);
  return Object.fromEntries([...keys].map((key) => [key, merged(below[key], above[key])]));
}

interface Named {
  readonly name: string;
}

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isNamedList = (value: unknown): value is Named[] =>
  Array.isArray(value) && value.every((item) => isMap(item) && typeof item.name === "string");

/** Every `image` of a pod template, wherever it stands in an object. */
export function imagesOf(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(imagesOf);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) =>
    key === "image" && typeof item === "string" ? [item] : imagesOf(item),
  );
}
