// Which files of a branch Flux applies, as they stand there: kustomize itself does not run.

import { posix } from "node:path";
import { isMap } from "../../net/values.ts";
import type { BranchFiles } from "./branch.ts";
import { KUSTOMIZATIONS, leadsTo } from "./treeLook.ts";

export interface Applied {
  /** Files that are not looked at. */
  readonly without: readonly string[];
  /**
   * Called once with each file of objects, after each kustomization.yaml that leads to it.
   * @returns paths from the repository's root that Flux applies too, for the Kustomizations among the objects.
   */
  file(path: string, text: string): readonly string[];
  /** Called once with each kustomization.yaml. */
  kustomization(path: string, text: string): void;
}

/** The lists of a kustomization.yaml whose objects are applied. */
const APPLIED = ["resources", "components", "bases"];

/**
 * Goes through what Flux applies of folders: of one with a kustomization.yaml what that leads to, else all of its YAML.
 * Each step of the way is fetched in one go.
 */
export async function walkApplied(branch: BranchFiles, folders: readonly string[], look: Applied): Promise<void> {
  const files = new Set(branch.paths);
  const seen = new Set<string>(look.without);
  let waiting: readonly string[] = folders.map(normal);
  while (waiting.length > 0) {
    const now = [...new Set(waiting)].filter((path) => !seen.has(path));
    for (const path of now) seen.add(path);
    const beneath = now.filter((path) => !files.has(path)).map((folder) => contentOf(folder, branch.paths));
    const kustomizations = beneath.flatMap(({ kustomization }) => kustomization ?? []);
    const plain = [...now.filter((path) => files.has(path)), ...beneath.flatMap((one) => one.files)];
    const texts = await branch.texts([...kustomizations, ...plain]);
    const textOf = (path: string) => texts.get(path) ?? "";
    for (const path of kustomizations) look.kustomization(path, textOf(path));
    const further = plain.flatMap((path) => look.file(path, textOf(path)));
    const next = kustomizations.flatMap((path) => leadsTo(path, textOf(path), APPLIED));
    waiting = [...next.map(normal), ...beneath.flatMap((one) => one.folders), ...further.map(normal)];
  }
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

/** What Kustomizations of Flux read. */
export interface Sources {
  /** Names of sources that are no branch of this repository: their Kustomizations are left out. */
  readonly otherSources: readonly string[];
  /** The OCIRepository that holds this repository's files. @default none: they are read from the branch alone */
  readonly artifact?: string | undefined;
}

/**
 * The folder that an object of Flux applies of the repository itself; undefined for all other objects, and where it is
 * suspended.
 */
export function folderApplied(body: Readonly<Record<string, unknown>>, { otherSources, artifact }: Sources) {
  const { apiVersion, kind, spec } = body;
  if (kind !== "Kustomization" || !String(apiVersion).startsWith("kustomize.toolkit.fluxcd.io/")) return undefined;
  const { sourceRef, suspend, path } = isMap(spec) ? spec : {};
  if (suspend === true || !isMap(sourceRef)) return undefined;
  const name = String(sourceRef.name);
  const isOwn = sourceRef.kind === "OCIRepository" ? name === artifact : sourceRef.kind === "GitRepository";
  if (!isOwn || otherSources.includes(name)) return undefined;
  return typeof path === "string" ? path : ".";
}
