// What Flux applies of a branch, as it stands in the files: kustomize itself does not run.

import { posix } from "node:path";
import { parse } from "yaml";
import { isMap } from "../../../net/values.ts";
import { folderApplied, type Sources, walkApplied } from "../../../provider/git/applied.ts";
import type { BranchFiles } from "../../../provider/git/branch.ts";
import { type Manifest, objectsIn } from "./manifests.ts";

export interface AppliedOptions extends Sources {
  /** Files that are not looked at. */
  readonly without: readonly string[];
}

/**
 * The objects that Flux applies of folders, and of those that Kustomizations among these objects name: of a folder with a
 * kustomization.yaml what that leads to, else all of its YAML.
 */
export async function appliedManifests(
  branch: BranchFiles,
  folders: readonly string[],
  { without, ...sources }: AppliedOptions,
): Promise<Manifest[]> {
  const found: Manifest[] = [];
  const patches: Patch[] = [];
  await walkApplied(branch, folders, {
    without,
    kustomization: (path, text) => {
      patches.push(...patchesOf(parsed(text), posix.dirname(path)));
    },
    file: (path, text) => {
      const objects = objectsIn(text, path);
      found.push(...objects);
      return objects.flatMap(({ body }) => {
        const folder = folderApplied(body, sources);
        if (folder === undefined) return [];
        patches.push(...patchesOf(body.spec, "."));
        return [folder];
      });
    },
  });
  const targets = await targetsOf(patches, branch);
  return found.map((one) => (targets.some((target) => isMeant(target, one)) ? { ...one, isPatched: true } : one));
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
