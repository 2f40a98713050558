// Entries in a kustomization.yaml that others edit too: ours go in and out, every other line stays as it is.

import { isDeepStrictEqual } from "node:util";
import { type Document, isMap, isScalar, isSeq, type Pair, parse, parseDocument, type YAMLSeq } from "yaml";

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
  let merged = text ?? HEADER;
  for (const list of LISTS) {
    const keep = wanted[list] ?? [];
    for (const entry of previous[list] ?? []) if (!keep.includes(entry)) merged = removed(path, merged, list, entry);
    for (const entry of keep) merged = added(path, merged, list, entry);
  }
  return isDeepStrictEqual(parse(merged), parse(HEADER)) ? undefined : merged;
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
  const document = parseDocument(text);
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

function added(path: string, text: string, list: List, entry: string): string {
  const document = parsed(path, text);
  if (entriesOf(path, document, list).includes(entry)) return text;
  const seq = listOf(path, document, list);
  const edited = withLine(text, seq, document.has(list) ? undefined : `${list}:\n`, entry);
  if (seq) seq.add(entry);
  else document.set(list, document.createNode([entry]));
  return fitting(edited, document);
}

/** The text with a line more; undefined for a layout that this does not know. */
function withLine(text: string, seq: YAMLSeq | undefined, key: string | undefined, entry: string): string | undefined {
  const item = JSON.stringify(entry) === `"${entry}"` && /^[\w./-]+$/.test(entry) ? entry : JSON.stringify(entry);
  if (key !== undefined) return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${key}- ${item}\n`;
  const last = seq?.items.at(-1);
  if (!seq || seq.flow || !isScalar(last) || !last.range) return undefined;
  const dash = text.slice(lineStart(text, last.range[0]), last.range[0]);
  if (!/^ *- +$/.test(dash)) return undefined;
  const at = lineEnd(text, last.range[1]);
  return `${text.slice(0, at)}${text[at - 1] === "\n" ? "" : "\n"}${dash}${item}\n${text.slice(at)}`;
}

function removed(path: string, text: string, list: List, entry: string): string {
  const document = parsed(path, text);
  const seq = listOf(path, document, list);
  const node = seq?.items.find((item) => isScalar(item) && item.value === entry);
  if (!seq || !isScalar(node) || !node.range) return text;
  const isLast = seq.items.length === 1;
  const start = isLast ? keyStart(document, list) : node.range[0];
  const edited = seq.flow
    ? undefined
    : text.slice(0, lineStart(text, start)) + text.slice(lineEnd(text, node.range[1]));
  if (isLast) document.delete(list);
  else seq.items = seq.items.filter((item) => item !== node);
  return fitting(edited, document);
}

function keyStart(document: Document, list: List): number {
  const pairs: Pair[] = isMap(document.contents) ? document.contents.items : [];
  const key = pairs.map((pair) => pair.key).find((node) => isScalar(node) && node.value === list);
  return (isScalar(key) && key.range?.[0]) || 0;
}

/** The edited text where it says what the document says; else the document, written anew with its comments. */
function fitting(edited: string | undefined, document: Document): string {
  try {
    if (edited !== undefined && isDeepStrictEqual(parse(edited), document.toJS())) return edited;
  } catch {
    // An edit that is no YAML any more.
  }
  return document.toString({ indentSeq: false, lineWidth: 0 });
}

function lineStart(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
}

function lineEnd(text: string, offset: number): number {
  const newline = text.indexOf("\n", offset);
  return newline < 0 ? text.length : newline + 1;
}
