// What is changed in a chart's objects after Helm rendered them, as Flux's HelmRelease does it with kustomize.
import { isMap } from "../net/values.ts";
import type { PostRenderImage, PostRenderPatch } from "./lock.ts";
import { type Path, withValue, type YamlMap } from "./tree.ts";

/** A HelmRelease's `postRenderers` (https://fluxcd.io/flux/components/helm/helmreleases/#post-renderers). */
export type PostRenderers = readonly { readonly kustomize: Readonly<Record<string, readonly object[]>> }[];

/** The post-renderers that do all of this; none where there is nothing to do. */
export function postRenderers(
  images: readonly PostRenderImage[],
  patches: readonly PostRenderPatch[] = [],
): PostRenderers {
  if (images.length === 0 && patches.length === 0) return [];
  const kustomize = {
    ...(images.length > 0 ? { images: images.map((image) => ({ ...image })) } : {}),
    ...(patches.length > 0 ? { patches: patches.map(({ target, ops }) => ({ target, patch: patchText(ops) })) } : {}),
  };
  return [{ kustomize }];
}

/** JSON is YAML, and says exactly which text stands there. */
function patchText(ops: PostRenderPatch["ops"]): string {
  return `${JSON.stringify(ops, null, 2)}\n`;
}

/** A path as a JSON pointer (RFC 6901). */
export function pointerTo(path: Path): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** An object as these patches and then these images leave it. */
export function postRendered(
  body: YamlMap,
  images: readonly PostRenderImage[],
  patches: readonly PostRenderPatch[],
): YamlMap {
  let result = body;
  for (const { target, ops } of patches) {
    const { name, namespace } = isMap(body.metadata) ? body.metadata : {};
    const meant = target.kind === body.kind && target.name === name;
    if (!meant || (target.namespace ?? namespace) !== namespace) continue;
    for (const { op, path, value } of ops) if (op === "replace") result = put(result, path, value);
  }
  return body.kind === "CustomResourceDefinition" ? result : (renamed(result, images) as YamlMap);
}

function put(body: YamlMap, pointer: string, value: string): YamlMap {
  let node: unknown = body;
  const path = pointer
    .split("/")
    .slice(1)
    .map((part) => {
      const key = part.replaceAll("~1", "/").replaceAll("~0", "~");
      const step = Array.isArray(node) ? Number(key) : key;
      node = (node as Record<string | number, unknown> | undefined)?.[step];
      return step;
    });
  return node === undefined ? body : (withValue(body, path, value) as YamlMap);
}

/** The images of containers and init containers, wherever those are. */
function renamed(node: unknown, images: readonly PostRenderImage[]): unknown {
  if (Array.isArray(node)) return node.map((item) => renamed(item, images));
  if (!isMap(node)) return node;
  const entries = Object.entries(node).map(([key, value]) => {
    if (!["containers", "initContainers"].includes(key) || !Array.isArray(value)) return [key, renamed(value, images)];
    return [key, value.map((item) => container(item, images))];
  });
  return Object.fromEntries(entries);
}

function container(item: unknown, images: readonly PostRenderImage[]): unknown {
  if (!isMap(item) || typeof item.image !== "string") return item;
  const [, name = "", tag = "", digest = ""] = /^(.*?)(:[\w.{}-]*)?(@sha256:[\w.{}-]*)?$/.exec(item.image) ?? [];
  const entry = images.find((image) => image.name === name);
  if (entry === undefined) return item;
  const { newName, newTag } = entry;
  const suffix = entry.digest ? `@${entry.digest}` : newTag ? `:${newTag}` : tag + digest;
  return { ...item, image: newName + suffix };
}
