// Creation rules in the `.sops.yaml` of a repository that others edit too: ours go in and out, theirs stay as they are.

import { type Document, isMap, isScalar, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";

/** A creation rule as SOPS spells it; `path_regex` tells rules apart. */
export interface SopsRule {
  readonly path_regex: string;
  readonly encrypted_regex?: string;
  readonly azure_keyvault: string;
}

/** Where SOPS looks for its rules. */
export const SOPS_CONFIG = ".sops.yaml";

const KEYS = ["path_regex", "encrypted_regex", "azure_keyvault"] as const;
const RULES = "creation_rules";

export interface MergeOptions {
  /** The rules that are ours to change and to remove. */
  readonly previous: readonly SopsRule[];
  /** The rules that shall be there. */
  readonly wanted: readonly SopsRule[];
  /** Overwrite rules of somebody else with a wanted rule's path_regex. */
  readonly adopt: boolean;
}

export interface Merged {
  /** The file's new text, the very same one when nothing changes; undefined when nothing is left to keep. */
  readonly text: string | undefined;
  /** The `path_regex` of every wanted rule that somebody else has with other content. */
  readonly conflicts: readonly string[];
}

/**
 * Merges rules into a `.sops.yaml`.
 *
 * SOPS takes the first rule that fits, so a new rule goes before the first one that fits every path, else to the end.
 *
 * @param text the present file; undefined when there is none
 * @throws Error when the file is no YAML or its rules are no list of maps
 */
export function mergeRules(text: string | undefined, { previous, wanted, adopt }: MergeOptions): Merged {
  const document = parse(text);
  const rules = ruleList(document) ?? (document.createNode([]) as YAMLSeq);
  const mine = new Set(previous.map((rule) => rule.path_regex));
  const conflicts: string[] = [];
  let changed = false;
  for (const rule of wanted) {
    const found = findRule(rules, rule.path_regex);
    if (found && same(readRule(found), rule)) continue;
    if (found && !adopt && !mine.has(rule.path_regex)) {
      conflicts.push(rule.path_regex);
      continue;
    }
    changed = true;
    if (found) writeRule(found, rule);
    else insertRule(document, rules, rule);
  }
  for (const pathRegex of mine) {
    const gone = !wanted.some((rule) => rule.path_regex === pathRegex) && findRule(rules, pathRegex);
    if (!gone) continue;
    changed = true;
    rules.items.splice(rules.items.indexOf(gone), 1);
  }
  return { text: changed ? render(document, rules, text) : text, conflicts };
}

/** Our rules as they stand in a file; missing ones are left out. */
export function presentRules(text: string | undefined, ours: readonly SopsRule[]): SopsRule[] {
  const rules = ruleList(parse(text));
  return ours.flatMap((rule) => {
    const found = rules && findRule(rules, rule.path_regex);
    return found ? [readRule(found)] : [];
  });
}

function parse(text: string | undefined): Document {
  const document = parseDocument(text ?? "");
  const [fault] = document.errors;
  if (fault) throw new Error(`${SOPS_CONFIG} is no valid YAML, mend it first: ${fault.message}`);
  if (document.contents !== null && !isMap(document.contents)) throw new Error(SHAPE);
  return document;
}

const SHAPE = `${SOPS_CONFIG} is no map with a list \`${RULES}\`, as SOPS wants it: mend it first`;

function ruleList(document: Document): YAMLSeq | undefined {
  const rules = document.get(RULES, true);
  if (rules === undefined || (isScalar(rules) && rules.value === null)) return undefined;
  if (!isSeq(rules)) throw new Error(SHAPE);
  return rules;
}

function findRule(rules: YAMLSeq, pathRegex: string): YAMLMap | undefined {
  return rules.items.filter(isMap).find((item) => item.get("path_regex") === pathRegex);
}

function readRule(node: YAMLMap): SopsRule {
  const values = KEYS.filter((key) => node.has(key)).map((key) => [key, String(node.get(key))]);
  return Object.fromEntries(values) as SopsRule;
}

function same(one: SopsRule, other: SopsRule): boolean {
  return KEYS.every((key) => one[key] === other[key]);
}

function writeRule(node: YAMLMap, rule: SopsRule): void {
  for (const key of KEYS) {
    const value = rule[key];
    if (value === undefined) node.delete(key);
    else if (node.get(key) !== value) node.set(key, value);
  }
}

function insertRule(document: Document, rules: YAMLSeq, rule: SopsRule): void {
  const fitsAll = (item: unknown) => isMap(item) && [undefined, "", ".", ".*", "^.*$"].includes(pathRegexOf(item));
  const at = rules.items.findIndex(fitsAll);
  const plain = Object.fromEntries(KEYS.flatMap((key) => (rule[key] === undefined ? [] : [[key, rule[key]]])));
  rules.items.splice(at < 0 ? rules.items.length : at, 0, document.createNode(plain));
}

function pathRegexOf(item: YAMLMap): string | undefined {
  return item.get("path_regex") as string | undefined;
}

function render(document: Document, rules: YAMLSeq, before: string | undefined): string | undefined {
  if (rules.items.length === 0) document.delete(RULES);
  else if (ruleList(document) !== rules) document.set(RULES, rules);
  const { contents } = document;
  const empty = contents === null || (isMap(contents) && contents.items.length === 0);
  if (!empty) return document.toString({ lineWidth: 0, flowCollectionPadding: false, indentSeq: indentsLists(before) });
  // A map without entries would be written as {}; the comments around it are all there is to keep.
  const comments = [document.commentBefore, contents?.commentBefore, contents?.comment, document.comment];
  const kept = comments.filter((comment) => typeof comment === "string");
  return kept.length > 0 ? `${kept.join("\n").replace(/^/gm, "#")}\n` : undefined;
}

/** Whether the file's author indents lists below their key; so as not to change lines that are not ours. */
function indentsLists(text: string | undefined): boolean {
  return !/^-/m.test(text ?? "");
}
