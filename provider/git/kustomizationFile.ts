// Entries in a kustomization.yaml that others edit too: ours go in and out, every other line stays as it is.

import { isDeepStrictEqual } from "node:util";
import { type Document, isMap, isScalar, isSeq, parse, type YAMLSeq } from "yaml";
import { parseForEdit, YamlEditor } from "./yamlEdit.ts";

/** Entries by the list they stand in. */
export interface KustomizationEntries {
  readonly resources?: readonly string[];
  readonly components?: readonly string[];
}

/** The lists that entries may be in, in the order they are written. */
export const LISTS = ["resources", "components"] as const;

type List = (typeof LISTS)[number];

const HEADER = "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n";

/**
 * A kustomization.yaml with the wanted entries and without those that were ours and are no longer wanted.
 * @param path of the file, for errors.
 * @param text the present file; undefined when there is none.
 * @returns the very same text when nothing changes; undefined when nothing but the file's header is left.
 * @throws Error when the file is no YAML map, or one of its lists is none.
 */
export function mergeKustomization(
  path: string,
  text: string | undefined,
  { previous, wanted }: { readonly previous: KustomizationEntries; readonly wanted: KustomizationEntries },
): string | undefined {
  const file = new YamlEditor(path, text ?? HEADER, { indentSeq: false, ended: true });
  for (const list of LISTS) {
    const present = () => entriesOf(path, parsed(path, file.text), list);
    const keep = wanted[list] ?? [];
    for (const entry of previous[list] ?? []) {
      const index = keep.includes(entry) ? -1 : present().indexOf(entry);
      if (index >= 0) file.remove([list, index]);
    }
    for (const entry of keep) {
      const there = present();
      if (!there.includes(entry)) file.insert(list, there.length, entry);
    }
  }
  return isBare(file.text) ? undefined : file.text;
}

/** Whether nothing is left but what every kustomization has. */
function isBare(text: string): boolean {
  const { resources, components, ...rest } = parseForEdit(text).toJS() as Record<string, unknown>;
  const isEmpty = (list: unknown) => list === undefined || isDeepStrictEqual(list, []);
  return isEmpty(resources) && isEmpty(components) && isDeepStrictEqual(rest, parse(HEADER));
}

/** Those of our entries that a file has. */
export function presentEntries(path: string, text: string, ours: KustomizationEntries): KustomizationEntries {
  const document = parsed(path, text);
  const present = LISTS.flatMap((list) => {
    const named = entriesOf(path, document, list);
    const found = (ours[list] ?? []).filter((entry) => named.includes(entry));
    return ours[list] === undefined ? [] : [[list, found] as const];
  });
  return Object.fromEntries(present);
}

function parsed(path: string, text: string): Document {
  const document = parseForEdit(text);
  const [fault] = document.errors;
  if (fault) throw new Error(`${path} is no valid YAML, mend it first: ${fault.message}`);
  if (!isMap(document.contents)) throw new Error(`${path} is no map, as kustomize wants it: mend it first`);
  return document;
}

function listOf(path: string, document: Document, list: List): YAMLSeq | undefined {
  const node = document.get(list, true);
  if (node === undefined || (isScalar(node) && node.value === null)) return undefined;
  if (!isSeq(node)) throw new Error(`${list} in ${path} is no list, as kustomize wants it: mend it first`);
  return node;
}

function entriesOf(path: string, document: Document, list: List): unknown[] {
  return listOf(path, document, list)?.items.map((item) => (isScalar(item) ? item.value : item)) ?? [];
}
