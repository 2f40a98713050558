// What Flux applies of a branch, as it stands in the files: kustomize itself does not run.

import { posix } from "node:path";
import { parse } from "yaml";
import { GIT_REPOSITORY } from "../../../components/repository/names.ts";
import { isMap } from "../../../net/values.ts";
import { KUSTOMIZATIONS, leadsTo } from "../../../provider/git/treeLook.ts";
import type { BranchFiles } from "./branch.ts";
import { type Manifest, objectsIn } from "./manifests.ts";

export interface AppliedOptions {
  /** Names of sources that are no branch of this repository: their Kustomizations are left out. */
  readonly otherSources: readonly string[];
  /** Whether the cluster reads an artifact in place of this repository. @default false */
  readonly isPushed?: boolean | undefined;
  /** Files that are not looked at. */
  readonly without: readonly string[];
}

/** The lists of a kustomization.yaml whose objects are applied. */
const APPLIED = ["resources", "components", "bases"];

/**
 * The objects that Flux applies of folders, and of those that Kustomizations among these objects name: of a folder with a
 * kustomization.yaml what that leads to, else all of its YAML.
 */
export async function appliedManifests(
  branch: BranchFiles,
  folders: readonly string[],
  options: AppliedOptions,
): Promise<Manifest[]> {
  const files = new Set(branch.paths);
  const seen = new Set<string>(options.without);
  const found: Manifest[] = [];
  const patches: Patch[] = [];
  let waiting: readonly string[] = folders.map(normal);
  while (waiting.length > 0) {
    const now = [...new Set(waiting)].filter((path) => !seen.has(path));
    for (const path of now) seen.add(path);
    const beneath = now.filter((path) => !files.has(path)).map((folder) => contentOf(folder, branch.paths));
    const kustomizations = beneath.flatMap(({ kustomization }) => kustomization ?? []);
    const plain = [...now.filter((path) => files.has(path)), ...beneath.flatMap((one) => one.files)];
    const texts = await branch.texts([...kustomizations, ...plain]);
    const objects = plain.flatMap((path) => objectsIn(texts.get(path) ?? "", path));
    const next = kustomizations.flatMap((path) => leadsTo(path, texts.get(path) ?? "", APPLIED));
    const own = objects.filter((one) => isKustomization(one, options));
    const bodies = kustomizations.map((path) => [path, parsed(texts.get(path) ?? "")] as const);
    patches.push(...bodies.flatMap(([path, body]) => patchesOf(body, posix.dirname(path))));
    patches.push(...own.flatMap(({ body }) => patchesOf(body.spec, ".")));
    found.push(...objects);
    waiting = [
      ...next.map(normal),
      ...beneath.flatMap((one) => one.folders),
      ...own.map(({ body }) => normal(isMap(body.spec) && typeof body.spec.path === "string" ? body.spec.path : ".")),
    ];
  }
  const targets = await targetsOf(patches, branch);
  return found.map((one) => (targets.some((target) => isMeant(target, one)) ? { ...one, isPatched: true } : one));
}

/** A path from the repository's root, which is empty itself. */
const normal = (path: string): string => posix.join("/", path).slice(1).replace(/\/$/, "");

/** What is applied of a folder: its kustomization.yaml, or else its files, and folders that have one. */
function contentOf(folder: string, paths: readonly string[]) {
  const prefix = folder === "" ? "" : `${folder}/`;
  const kustomization = KUSTOMIZATIONS.map((name) => prefix + name).find((path) => paths.includes(path));
  if (kustomization !== undefined) return { kustomization, files: [], folders: [] };
  const inside = paths.filter((path) => path.startsWith(prefix));
  const folders = inside
    .filter((path) => KUSTOMIZATIONS.includes(posix.basename(path)))
    .map((path) => posix.dirname(path));
  const files = inside.filter(
    (path) => /\.ya?ml$/.test(path) && !folders.some((inner) => path.startsWith(`${inner}/`)),
  );
  const top = folders.filter((path) => !folders.some((outer) => path.startsWith(`${outer}/`)));
  return { kustomization: undefined, files, folders: top };
}

/** Whether an object is a Kustomization of Flux of the repository itself. */
function isKustomization({ apiVersion, kind, body }: Manifest, { otherSources, isPushed }: AppliedOptions): boolean {
  if (kind !== "Kustomization" || !apiVersion.startsWith("kustomize.toolkit.fluxcd.io/")) return false;
  const { sourceRef, suspend } = isMap(body.spec) ? body.spec : {};
  if (suspend === true || !isMap(sourceRef)) return false;
  if (isPushed && sourceRef.kind === "OCIRepository") return sourceRef.name === GIT_REPOSITORY;
  if (sourceRef.kind !== "GitRepository") return false;
  return !otherSources.includes(String(sourceRef.name));
}

/** Which objects are changed: kind and name as regular expressions, anything where they are not said. */
interface Target {
  readonly kind?: unknown;
  readonly name?: unknown;
}

/** A change of objects; of a file, those that it names. */
type Patch = { readonly target: Target } | { readonly text: string } | { readonly path: string };

/** The changes of a kustomization.yaml, or of a Kustomization of Flux, which names them in the same way. */
function patchesOf(body: unknown, folder: string): Patch[] {
  if (!isMap(body)) return [];
  const list = (key: string) => (Array.isArray(body[key]) ? (body[key] as unknown[]) : []);
  const patched = list("patches").filter(isMap);
  const merged = list("patchesStrategicMerge").filter((one) => typeof one === "string");
  return [
    ...patched.flatMap(({ target, patch, path }): Patch[] => {
      if (isMap(target)) return [{ target }];
      return typeof patch === "string"
        ? [{ text: patch }]
        : typeof path === "string"
          ? [{ path: posix.join(folder, path) }]
          : [];
    }),
    ...merged.map((one): Patch => (one.includes("\n") ? { text: one } : { path: posix.join(folder, one) })),
    ...list("replicas")
      .filter(isMap)
      .map(({ name }): Patch => ({ target: { name } })),
  ];
}

/** Which objects patches are of. */
async function targetsOf(patches: readonly Patch[], branch: BranchFiles): Promise<Target[]> {
  const texts = await branch.texts(patches.flatMap((patch) => ("path" in patch ? [patch.path] : [])));
  return patches.flatMap((patch): Target[] => {
    if ("target" in patch) return [patch.target];
    const text = "text" in patch ? patch.text : (texts.get(patch.path) ?? "");
    return objectsIn(text, "").map(({ kind, name }) => ({ kind, name }));
  });
}

const isMeant = ({ kind, name }: Target, object: Manifest): boolean =>
  fits(kind, object.kind) && fits(name, object.name);

/** Kustomize takes both for whole names. */
function fits(pattern: unknown, text: string): boolean {
  if (typeof pattern !== "string") return true;
  try {
    return new RegExp(`^(?:${pattern})$`).test(text);
  } catch {
    return true;
  }
}

function parsed(text: string): unknown {
  try {
    return parse(text, { logLevel: "silent", uniqueKeys: false });
  } catch {
    return undefined;
  }
}
