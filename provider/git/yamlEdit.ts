// Edits of YAML files that others write too. Only the bytes of what changes are touched: layout, comments, line endings
// and a byte order mark stay as they are, which writing the whole file anew would not do.

import { isDeepStrictEqual } from "node:util";
import {
  CST,
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parse,
  parseDocument,
  type Scalar,
  stringify,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";

/** How what is added to a file looks where the file itself gives no example. */
export interface YamlStyle {
  /** Whether a new list's items stand further to the right than its key. */
  readonly indentSeq: boolean;
  /** Whether an item behind a last line without a newline ends with one. */
  readonly ended: boolean;
}

/** The byte order mark. */
const MARK = "\uFEFF";

type Key = string | number;
type Collection = YAMLMap | YAMLSeq;

/** Parses a file so that it can be edited. The caller looks at the document's errors. */
export function parseForEdit(text: string): Document {
  // The library takes the mark for a column of its line.
  return parseDocument(text.startsWith(MARK) ? text.slice(1) : text, { keepSourceTokens: true });
}

/** A YAML file, edited one step after the other; the text has to be valid and a map, or empty. */
export class YamlEditor {
  readonly #path: string;
  readonly #mark: string;
  /** Without the mark. */
  #text: string;
  readonly #style: YamlStyle;

  /** @param path of the file, for errors. */
  constructor(path: string, text: string, style: YamlStyle) {
    this.#path = path;
    this.#mark = text.startsWith(MARK) ? MARK : "";
    this.#text = text.slice(this.#mark.length);
    this.#style = style;
  }

  /** The file as it is now. */
  get text(): string {
    return this.#mark + this.#text;
  }

  /** Puts an item into a list at the root, which is made where it is missing or null. */
  insert(list: string, index: number, value: unknown): void {
    const document = parseForEdit(this.#text);
    const found = document.get(list, true);
    if (isSeq(found)) {
      const edited = insertEntry(this.#text, found, index, "", value, this.#style.ended);
      found.items.splice(index, 0, document.createNode(value));
      this.#take(edited, document);
    } else {
      const edited = this.#newList(document, list, value);
      document.set(list, document.createNode([value]));
      this.#take(edited, document);
    }
  }

  /** Sets a scalar in a map, adding its key where it is missing. */
  set(path: readonly Key[], value: string): void {
    const document = parseForEdit(this.#text);
    const key = path.at(-1) ?? "";
    const map = document.getIn(path.slice(0, -1), true) as YAMLMap;
    const pair = pairOf(map, key);
    const edited =
      pair === undefined
        ? insertEntry(this.#text, map, map.items.length, String(key), value, this.#style.ended)
        : replaceValue(this.#text, map, pair, value);
    document.setIn(path, value);
    this.#take(edited, document);
  }

  /** Takes out an item or a key; a list in block layout that is empty then goes with its key. */
  remove(path: readonly Key[]): void {
    const document = parseForEdit(this.#text);
    const parentPath = path.slice(0, -1);
    const parent = document.getIn(parentPath, true) as Collection;
    const key = path.at(-1);
    const index = isMap(parent) ? parent.items.indexOf(pairOf(parent, key ?? "") as Pair) : Number(key);
    const isEmptied = isSeq(parent) && parent.items.length === 1 && parentPath.length === 1;
    const isRootFlow = isMap(document.contents) && document.contents.flow === true;
    if (isEmptied && isRootFlow) {
      this.remove(parentPath);
      return;
    }
    let edited = removeEntry(this.#text, parent, index, this.#style.ended);
    if (isEmptied && !parent.flow) {
      const header = this.#header(document, String(parentPath[0]));
      if (edited !== undefined && header !== undefined)
        edited = edited.slice(0, header.start) + edited.slice(header.end);
      document.deleteIn(parentPath);
    } else {
      document.deleteIn(path);
    }
    this.#take(edited, document);
  }

  /** Takes an edit that says what the document says; else the whole document, written anew. */
  #take(edited: string | undefined, document: Document): void {
    const wanted: unknown = this.#meaning(document);
    try {
      if (edited !== undefined && isDeepStrictEqual(parse(edited) ?? {}, wanted)) {
        this.#text = edited;
        return;
      }
    } catch {
      // A layout that these edits do not know, and so no YAML any more.
    }
    const anew = document.toString({ indentSeq: this.#style.indentSeq, lineWidth: 0 });
    this.#text = anew.replaceAll("\n", eolAt(this.#text, this.#text.length));
  }

  /** @throws Error where an alias has lost what it stands for. */
  #meaning(document: Document): unknown {
    try {
      return document.toJS() ?? {};
    } catch (error) {
      const reason = (error as Error).message;
      throw new Error(`${this.#path} refers by an alias to an entry that shall go, mend it first: ${reason}`);
    }
  }

  /** The line of a root key. */
  #header(document: Document, key: string): { start: number; end: number } | undefined {
    const node = isMap(document.contents) ? pairOf(document.contents, key)?.key : undefined;
    if (!isScalar(node) || !node.range) return undefined;
    return { start: lineStart(this.#text, node.range[0]), end: lineEnd(this.#text, node.range[1]) };
  }

  #newList(document: Document, list: string, value: unknown): string | undefined {
    const { contents } = document;
    const root = isMap(contents) ? contents : undefined;
    const empty = root && pairOf(root, list);
    if (root?.flow) {
      if (empty) return replaceValue(this.#text, root, empty, [value]);
      return insertEntry(this.#text, root, root.items.length, list, [value], true);
    }
    const indent = " ".repeat(root ? columnOf(this.#text, startOf(root, 0) ?? 0) : 0);
    const [header = "", ...items] = rendered({ [list]: [value] }, this.#style.indentSeq).map((line) => indent + line);
    if (empty === undefined) return insertLines(this.#text, endOfContents(this.#text), [header, ...items], true);
    const node = empty.value as Node | null;
    const [from = 0, to = 0] = node?.range ?? (empty.key as Scalar).range ?? [];
    const cut = this.#text.slice(0, from).replace(/ $/, from === to ? " " : "") + this.#text.slice(to);
    return insertLines(cut, lineEnd(cut, cut.length - (this.#text.length - to)), items, true);
  }
}

/** The entries of a collection in its source, without those that are comments only. */
function tokensOf(collection: Collection): readonly (CST.CollectionItem & { readonly start: CST.SourceToken[] })[] {
  const source = collection.srcToken;
  if (!CST.isCollection(source as CST.Token)) return [];
  const { items } = source as CST.BlockMap | CST.BlockSequence | CST.FlowCollection;
  return (items as CST.CollectionItem[]).filter(({ start, key, sep, value }) => {
    const marked = start.some(({ type }) => ["seq-item-ind", "explicit-key-ind", "anchor", "tag"].includes(type));
    return marked || key || sep || value;
  }) as (CST.CollectionItem & { start: CST.SourceToken[] })[];
}

/** Where an entry begins: its dash, its anchor or itself. */
function startOf(collection: Collection, index: number): number | undefined {
  const token = tokensOf(collection)[index];
  if (token === undefined) return undefined;
  const first = token.start.find(({ type }) => !["space", "newline", "comment", "comma"].includes(type));
  return first?.offset ?? token.key?.offset ?? token.value?.offset;
}

/** Where an entry's value ends, without what follows in its line. */
function endOf(collection: Collection, index: number): number | undefined {
  const item: unknown = collection.items[index];
  const node = isPair(item) ? ((item.value as Node | null) ?? (item.key as Node)) : (item as Node);
  const range = node.range;
  if (!range) return undefined;
  // Without a value the key's colon ends the entry.
  const colon = tokensOf(collection)[index]?.sep?.find(({ type }) => type === "map-value-ind");
  return Math.max(range[1], colon ? colon.offset + 1 : 0);
}

function pairOf(map: YAMLMap, key: Key): Pair | undefined {
  return map.items.find((pair) => isScalar(pair.key) && pair.key.value === key);
}

/** Puts an entry into a collection; undefined for a layout that this does not know. */
function insertEntry(
  text: string,
  collection: Collection,
  index: number,
  key: string,
  value: unknown,
  ended: boolean,
): string | undefined {
  const entry = isMap(collection) ? { [key]: value } : [value];
  const before = index === 0 ? undefined : endOf(collection, index - 1);
  const first = startOf(collection, 0);
  if (collection.flow) {
    const inside = flowText(entry);
    if (before !== undefined) return splice(text, before, before, `, ${inside}`);
    if (first !== undefined) return splice(text, first, first, `${inside}, `);
    const open = (collection.srcToken as CST.FlowCollection | undefined)?.start.offset;
    return open === undefined ? undefined : splice(text, open + 1, open + 1, inside);
  }
  if (first === undefined) return undefined;
  // Before the first entry a comment belongs to that one, so the new one goes right behind the line of the list's key.
  const at = before === undefined ? listLine(text, first) : lineEnd(text, before);
  const indent = " ".repeat(columnOf(text, first));
  const lines = rendered(entry, true);
  const gap = isSeq(collection) ? gapOf(text, collection) : undefined;
  const spaced = gap === undefined ? lines : lines.map((line) => line.replace(/^(-| ) /, `$1${gap}`));
  return insertLines(
    text,
    at,
    spaced.map((line) => indent + line),
    ended,
  );
}

/** The line behind that of a list's key: comments above the first item belong to the list. */
function listLine(text: string, first: number): number {
  let at = lineStart(text, first);
  for (;;) {
    const above = lineStart(text, at - 1);
    if (at === 0 || !/^[ \t]*(#.*)?\r?\n$/.test(text.slice(above, at))) return at;
    at = above;
  }
}

/** What stands between a dash and its item, where all of it is spaces: files keep one width. */
function gapOf(text: string, list: YAMLSeq): string | undefined {
  const last = list.items.length - 1;
  const [start, node] = [startOf(list, last), list.items[last] as Node | undefined];
  if (start === undefined || !node?.range) return undefined;
  const gap = text.slice(start + 1, node.range[0]);
  return /^ +$/.test(gap) ? gap : undefined;
}

/** Takes an entry out; undefined for a layout that this does not know. */
function removeEntry(text: string, collection: Collection, index: number, ended: boolean): string | undefined {
  const [start, end] = [startOf(collection, index), endOf(collection, index)];
  if (start === undefined || end === undefined) return undefined;
  if (collection.flow) return removeFromFlow(text, collection, index, start, end);
  const from = lineStart(text, start);
  if (text.slice(from, start).trim() !== "") {
    // It shares its line with the dash of the item that it is part of: the next key moves up there.
    const next = startOf(collection, index + 1);
    return next === undefined ? undefined : splice(text, start, next, "");
  }
  const to = lineEnd(text, end);
  const isUnended = to === text.length && !text.endsWith("\n") && !ended;
  // The newline before it came with it.
  return isUnended ? text.slice(0, from).replace(/\r?\n$/, "") : splice(text, from, to, "");
}

function removeFromFlow(text: string, collection: Collection, index: number, start: number, end: number): string {
  const before = index === 0 ? undefined : endOf(collection, index - 1);
  if (before !== undefined && /^ *, *$/.test(text.slice(before, start))) return splice(text, before, end, "");
  const comma = /^\s*,[ \t]*/.exec(text.slice(end))?.[0];
  let [from, to] = [start, end + (comma?.length ?? 0)];
  let result = text;
  if (/^[ \t]*$/.test(text.slice(lineStart(text, from), from)) && /^[ \t]*\r?\n/.test(text.slice(to)))
    [from, to] = [lineStart(text, from), lineEnd(text, to)];
  result = splice(text, from, to, "");
  if (comma !== undefined || before === undefined) return result;
  // It was the last one: the comma before it has nothing to separate.
  const at = result.indexOf(",", before);
  return at === -1 ? result : splice(result, at, at + 1, "");
}

/** Another value for a key, in its place. */
function replaceValue(text: string, map: YAMLMap, pair: Pair, value: unknown): string | undefined {
  const node = pair.value as Node | null;
  const written = map.flow ? flowText([value]) : (rendered(value, true)[0] ?? "");
  const end = endOf(map, map.items.indexOf(pair));
  if (!node?.range || end === undefined) return undefined;
  const [from, to] = node.range;
  if (from === to) return splice(text, end, end, ` ${written}`);
  if (isCollection(node) || (!isScalar(node) && !isAlias(node))) return undefined;
  const newline = text[to - 1] === "\n" ? eolAt(text, to) : "";
  return splice(text, from, to, written + newline);
}

function rendered(value: unknown, indentSeq: boolean): string[] {
  return stringify(value, { indentSeq, lineWidth: 0 }).trimEnd().split("\n");
}

function flowText(entry: object): string {
  const text = stringify(entry, { collectionStyle: "flow", flowCollectionPadding: false, lineWidth: 0 }).trim();
  return text.slice(1, -1);
}

/** Puts whole lines before an offset that begins a line, or behind a last line that does not end. */
function insertLines(text: string, at: number, lines: readonly string[], ended: boolean): string {
  const eol = eolAt(text, at);
  const added = lines.join(eol);
  const isOpen = at > 0 && text[at - 1] !== "\n";
  return splice(text, at, at, isOpen ? eol + added + (ended ? eol : "") : added + eol);
}

/** Lines end as the line before them does, else as the file's first one. */
function eolAt(text: string, at: number): string {
  const before = text.lastIndexOf("\n", at - 1);
  const newline = before < 0 || at === 0 ? text.indexOf("\n") : before;
  return newline > 0 && text[newline - 1] === "\r" ? "\r\n" : "\n";
}

/** Where a root map may be continued: before the mark that ends the document, else at the end. */
function endOfContents(text: string): number {
  const mark = text.search(/^\.\.\.(?=\s|$)/m);
  return mark < 0 ? text.length : mark;
}

function columnOf(text: string, offset: number): number {
  return offset - lineStart(text, offset);
}

function lineStart(text: string, offset: number): number {
  return offset <= 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
}

/** Where the next line starts after a piece of text that ends at an offset. */
function lineEnd(text: string, offset: number): number {
  if (text[offset - 1] === "\n") return offset;
  const newline = text.indexOf("\n", offset);
  return newline < 0 ? text.length : newline + 1;
}

function splice(text: string, start: number, end: number, added: string): string {
  return text.slice(0, start) + added + text.slice(end);
}
