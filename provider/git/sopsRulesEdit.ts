// Edits of a `.sops.yaml` that change the lines of the rules concerned and no other: writing the whole file anew would
// lay out what other people wrote in another way.

import { isDeepStrictEqual } from "node:util";
import { Document, isMap, isScalar, isSeq, parse, stringify, YAMLMap, type YAMLSeq } from "yaml";
import type { SopsRule } from "./sopsRules.ts";

export const RULES = "creation_rules";

/** The keys of a rule that are ours, in the order they are written. */
export const RULE_KEYS = ["path_regex", "encrypted_regex", "azure_keyvault"] as const;

/** What happens to a list of rules; nodes are those of the parsed file. */
export interface RuleChange {
  readonly insert: SopsRule[];
  readonly update: [node: YAMLMap, rule: SopsRule][];
  readonly remove: YAMLMap[];
}

/** Replaces the text between two offsets. */
interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/**
 * Applies a change to a file.
 *
 * @param document the parsed text, with its source tokens; it is changed too
 * @param rules the list in the document; undefined when there is none
 * @returns the new text; undefined when nothing is left
 */
export function editRules(
  text: string,
  document: Document,
  rules: YAMLSeq | undefined,
  change: RuleChange,
): string | undefined {
  const at = insertionIndex(rules);
  for (const [node, rule] of change.update) writeRule(node, rule);
  const edits = rules ? listEdits(text, document, rules, change, at) : newList(text, change.insert);
  changeDocument(document, rules, change, at);
  const edited = edits && applyEdits(text, edits);
  if (edited?.trim() === "") return undefined;
  // A layout that these edits do not know, such as [a, b], is written anew instead.
  const fits = edited !== undefined && holds(edited, document);
  return fits ? edited : document.toString({ lineWidth: 0 });
}

function holds(text: string, document: Document): boolean {
  try {
    return isDeepStrictEqual(parse(text) ?? {}, document.toJS() ?? {});
  } catch {
    return false;
  }
}

/** Before the first rule that fits every path; at the end when there is none. */
function insertionIndex(rules: YAMLSeq | undefined): number {
  const items = rules?.items ?? [];
  const at = items.findIndex((item) => isMap(item) && fitsAll(item.get("path_regex")));
  return at < 0 ? items.length : at;
}

function fitsAll(pathRegex: unknown): boolean {
  return pathRegex === undefined || ["", ".", ".*", "^.*$"].includes(String(pathRegex));
}

function writeRule(node: YAMLMap, rule: SopsRule): void {
  for (const key of RULE_KEYS) {
    const value = rule[key];
    if (value === undefined) node.delete(key);
    else if (node.get(key) !== value) node.set(key, value);
  }
}

function changeDocument(document: Document, rules: YAMLSeq | undefined, change: RuleChange, at: number): void {
  const added = change.insert.map((rule) => document.createNode(plain(rule)));
  if (rules) rules.items.splice(at, 0, ...added);
  else document.set(RULES, document.createNode(added));
  if (!rules) return;
  rules.items = rules.items.filter((item) => !change.remove.some((removed) => removed === item));
  if (rules.items.length === 0) document.delete(RULES);
}

function plain(rule: SopsRule): Record<string, string> {
  return Object.fromEntries(RULE_KEYS.flatMap((key) => (rule[key] === undefined ? [] : [[key, rule[key]]])));
}

function newList(text: string, rules: readonly SopsRule[]): Edit[] {
  return [insertion(text, text.length, stringify({ [RULES]: rules.map(plain) }, { lineWidth: 0 }))];
}

function listEdits(text: string, document: Document, rules: YAMLSeq, change: RuleChange, at: number) {
  const source = rules.srcToken;
  const items = rules.items.filter(isMap);
  if (source?.type !== "block-seq" || items.length !== rules.items.length) return undefined;
  const places = items.map((item, index) => {
    const dash = source.items[index]?.start.find((token) => token.type === "seq-item-ind");
    return { start: lineStart(text, dash?.offset ?? 0), end: lineEnd(text, item.range?.[1] ?? 0) };
  });
  const header = headerOf(text, document);
  const place = (node: YAMLMap) => places[items.indexOf(node)] ?? { start: 0, end: 0 };
  const edits: Edit[] = [
    ...change.remove.map((node) => ({ ...place(node), text: "" })),
    ...change.update.map(([node]) => ({ ...place(node), text: renderItem(node, source.indent) })),
  ];
  const added = change.insert.map((rule) => renderItem(document.createNode(plain(rule)) as YAMLMap, source.indent));
  if (added.length > 0) {
    const before = at === 0 ? header.end : (places[at - 1]?.end ?? text.length);
    edits.push(insertion(text, before, added.join("")));
  }
  const isEmpty = change.remove.length === items.length && added.length === 0;
  return isEmpty ? [{ ...header, text: "" }, ...edits] : edits;
}

/** The line of the list's own key. */
function headerOf(text: string, document: Document): { start: number; end: number } {
  const pairs = document.contents instanceof YAMLMap ? document.contents.items : [];
  const key = pairs.map((pair) => pair.key).find((node) => isScalar(node) && node.value === RULES);
  const offset = (isScalar(key) && key.range?.[0]) || 0;
  return { start: lineStart(text, offset), end: lineEnd(text, offset + RULES.length) };
}

/** One item of a list; comments around it stand in the file already. */
function renderItem(node: YAMLMap, indent: number): string {
  const item = node.clone() as YAMLMap;
  Object.assign(item, { commentBefore: undefined, comment: undefined, spaceBefore: false });
  const list = new Document([]);
  if (isSeq(list.contents)) list.contents.items.push(item as never);
  return list.toString({ lineWidth: 0 }).replace(/^(?=.)/gm, " ".repeat(indent));
}

function insertion(text: string, at: number, added: string): Edit {
  const newline = at > 0 && text[at - 1] !== "\n" ? "\n" : "";
  return { start: at, end: at, text: newline + added };
}

function lineStart(text: string, offset: number): number {
  return offset === 0 ? 0 : text.lastIndexOf("\n", offset - 1) + 1;
}

/** Where the next line starts after a piece of text that ends at an offset. */
function lineEnd(text: string, offset: number): number {
  if (text[offset - 1] === "\n") return offset;
  const newline = text.indexOf("\n", offset);
  return newline < 0 ? text.length : newline + 1;
}

function applyEdits(text: string, edits: readonly Edit[]): string {
  let result = "";
  let at = 0;
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    result += text.slice(at, edit.start) + edit.text;
    at = Math.max(at, edit.end);
  }
  return result + text.slice(at);
}
