// What there is in a repository that a commit into it would not mean to people, to git or to Flux what it says.

import { posix } from "node:path";
import { isMap } from "../../net/values.ts";
import type { TreeEntry } from "./git.ts";
import { parseForEdit } from "./yamlEdit.ts";

type Tree = ReadonlyMap<string, TreeEntry>;

const LINK = "120000";
const SUBMODULE = "160000";

/** The names under which kustomize finds its file in a folder (sigs.k8s.io/kustomize, api/konfig). */
export const KUSTOMIZATIONS = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/** The lists of a kustomization.yaml that lead to other files and folders. */
const LEADING = ["resources", "components", "bases", "patches", "patchesStrategicMerge", "generators", "transformers"];

/** Why a file that is edited, not replaced, cannot be: a link, or Git LFS's word for a file that is elsewhere. */
export function uneditable(path: string, entry: TreeEntry | undefined, text: string | undefined): string | undefined {
  if (entry?.mode === LINK)
    return `${path} is a link, which Flux and sops would follow in different ways, or not at all: put a file there`;
  if (text !== undefined && /^\uFEFF?version https:\/\/git-lfs\.github\.com\/spec\//.test(text))
    return (
      `${path} is a pointer of Git LFS, whose content Flux does not fetch: exclude it in .gitattributes ` +
      `(${path} -filter -diff -merge text) and commit the file itself`
    );
  return undefined;
}

/**
 * What works in git and does not in Flux, or does not on other people's machines.
 * @param paths of all files that are written.
 * @param attributes the text of `.gitattributes`, where there is one.
 */
export function oddities(tree: Tree, paths: readonly string[], attributes: string | undefined): string[] {
  const folders = new Set(paths.flatMap(parents));
  const links = [...folders].flatMap((folder) => {
    const mode = tree.get(folder)?.mode;
    if (mode !== LINK && mode !== SUBMODULE) return [];
    const what = mode === LINK ? "a link" : "a submodule";
    return [`${folder} is ${what}, which Flux leaves out of what it applies: put a folder there`];
  });
  const there = new Map([...tree.keys()].flatMap(parents).map((folder) => [folder.toLowerCase(), folder]));
  const cases = [...folders].flatMap((folder) => {
    const other = there.get(folder.toLowerCase());
    if (other === undefined || other === folder || new Set(there.values()).has(folder)) return [];
    return [`${other} is there, and ${folder} is one folder with it on macOS and Windows: rename one of them`];
  });
  const isLfs = attributes?.split(/\r?\n/).some((line) => /^\s*\*(\.ya?ml)?\s.*\bfilter=lfs\b/.test(line)) === true;
  const lfs = isLfs
    ? [
        "Git LFS takes YAML files by .gitattributes, but Flux reads none of its files: these are committed as text, of which " +
          "clones will complain; exclude the folders there",
      ]
    : [];
  return [...links, ...cases, ...lfs];
}

/**
 * Why folders that are applied by themselves would be applied a second time, within the folders that hold them.
 * @param apart the inner folders by outer one.
 * @param read the text of a file; undefined where there is none.
 */
export async function applies(
  apart: Readonly<Record<string, readonly string[]>>,
  read: (path: string) => Promise<string | undefined>,
): Promise<string[]> {
  const found: string[] = [];
  for (const [outer, inner] of Object.entries(apart)) {
    const reached = await reachedFrom(outer, read);
    if (reached === undefined)
      found.push(
        `${outer} has no kustomization.yaml, so that it applies ${inner.join(", ")} as well: the same objects would be ` +
          "applied twice. Write one that leaves these out, or give each a folder of its own",
      );
    else
      for (const folder of inner) {
        const by = [...reached].find(([path]) => path === folder || path.startsWith(`${folder}/`));
        if (by !== undefined)
          found.push(
            `${by[1]} leads to ${by[0]}, and ${folder} is applied by itself: the same objects would be applied twice. Take ` +
              "it out there, or give each a folder of its own",
          );
      }
  }
  return found;
}

/** All that a folder's kustomization.yaml leads to, each with the file that names it; undefined where there is no such file. */
async function reachedFrom(folder: string, read: (path: string) => Promise<string | undefined>) {
  const first = await kustomizationOf(folder, read);
  if (first === undefined) return undefined;
  const reached = new Map<string, string>();
  const waiting = [first];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop())
    for (const path of leadsTo(next.path, next.text)) {
      if (reached.has(path)) continue;
      reached.set(path, next.path);
      const below = await kustomizationOf(path, read);
      if (below !== undefined) waiting.push(below);
    }
  return reached;
}

async function kustomizationOf(folder: string, read: (path: string) => Promise<string | undefined>) {
  for (const name of KUSTOMIZATIONS) {
    const path = `${folder}/${name}`;
    const text = await read(path);
    if (text !== undefined) return { path, text };
  }
  return undefined;
}

/** The files and folders that lists of a kustomization.yaml name, from the repository's root. */
export function leadsTo(path: string, text: string, lists: readonly string[] = LEADING): string[] {
  const document = parseForEdit(text);
  const content: unknown = document.errors.length > 0 ? undefined : document.toJS();
  if (!isMap(content)) return [];
  const entries = lists.flatMap((list) => (Array.isArray(content[list]) ? (content[list] as unknown[]) : []));
  const named = entries.map((entry) => (isMap(entry) ? entry.path : entry));
  const folder = posix.dirname(path);
  return named.flatMap((entry) =>
    // What is elsewhere is none of this repository's folders.
    typeof entry !== "string" || /:\/\/|\n|^git@/.test(entry) ? [] : [posix.join(folder, entry).replace(/\/$/, "")],
  );
}

/** The folders above a path. */
function parents(path: string): string[] {
  const steps = path.split("/");
  return steps.slice(1).map((_, index) => steps.slice(0, index + 1).join("/"));
}
