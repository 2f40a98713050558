// Creation rules in the `.sops.yaml` of a repository that others edit too: ours go in and out, theirs stay as they are.

import { type Document, isMap, isScalar, isSeq, type YAMLMap, type YAMLSeq } from "yaml";
import { parseForEdit, YamlEditor } from "./yamlEdit.ts";

/** A creation rule as SOPS spells it; `path_regex` tells rules apart. */
export interface SopsRule {
  readonly path_regex: string;
  readonly encrypted_regex?: string;
  readonly azure_keyvault: string;
}

/** The keys of a rule that are ours, in the order they are written. */
const KEYS = ["path_regex", "encrypted_regex", "azure_keyvault"] as const;

const RULES = "creation_rules";

/** Where SOPS looks for its rules. */
export const SOPS_CONFIG = ".sops.yaml";

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
 * Merges rules into a `.sops.yaml`. Lines of others keep every byte.
 *
 * SOPS takes the first rule that fits, so a new rule goes before the first one that fits every path, else to the end.
 *
 * @param text the present file; undefined when there is none
 * @throws Error when the file is no YAML or its rules are no list of maps
 */
export function mergeRules(text: string | undefined, { previous, wanted, adopt }: MergeOptions): Merged {
  const file = new YamlEditor(SOPS_CONFIG, text ?? "", { indentSeq: true, ended: false });
  const present = () => ruleList(parse(file.text))?.items ?? [];
  const mine = new Set(previous.map((rule) => rule.path_regex));
  const conflicts: string[] = [];
  let at = insertionIndex(present());
  for (const rule of wanted) {
    const index = indexOf(present(), rule.path_regex);
    const found = present()[index];
    if (!isMap(found)) file.insert(RULES, at++, inOrder(rule));
    else if (same(readRule(found), rule)) continue;
    else if (adopt || mine.has(rule.path_regex)) update(file, index, readRule(found), rule);
    else conflicts.push(rule.path_regex);
  }
  for (const pathRegex of mine) {
    const index = wanted.some((rule) => rule.path_regex === pathRegex) ? -1 : indexOf(present(), pathRegex);
    if (index >= 0) file.remove([RULES, index]);
  }
  const isLeft = file.text === text || file.text.trim() !== "";
  return { text: isLeft ? file.text : undefined, conflicts };
}

/** Before the first rule that fits every path; at the end when there is none. */
function insertionIndex(items: readonly unknown[]): number {
  const at = items.findIndex((item) => isMap(item) && fitsAll(item.get("path_regex")));
  return at < 0 ? items.length : at;
}

function fitsAll(pathRegex: unknown): boolean {
  return pathRegex === undefined || ["", ".", ".*", "^.*$"].includes(String(pathRegex));
}

/** Changes the keys that are ours; others' stay. */
function update(file: YamlEditor, index: number, present: SopsRule, wanted: SopsRule): void {
  for (const key of KEYS) {
    const value = wanted[key];
    if (value === present[key]) continue;
    if (value === undefined) file.remove([RULES, index, key]);
    else file.set([RULES, index, key], value);
  }
}

function inOrder(rule: SopsRule): object {
  return Object.fromEntries(KEYS.flatMap((key) => (rule[key] === undefined ? [] : [[key, rule[key]]])));
}

/** Our rules as they stand in a file; missing ones are left out. */
export function presentRules(text: string | undefined, ours: readonly SopsRule[]): SopsRule[] {
  const rules = ruleList(parse(text ?? ""))?.items ?? [];
  return ours.flatMap((rule) => {
    const found = rules[indexOf(rules, rule.path_regex)];
    return isMap(found) ? [readRule(found)] : [];
  });
}

function parse(text: string): Document {
  const document = parseForEdit(text);
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

function indexOf(rules: readonly unknown[], pathRegex: string): number {
  return rules.findIndex((item) => isMap(item) && item.get("path_regex") === pathRegex);
}

function readRule(node: YAMLMap): SopsRule {
  const values = KEYS.filter((key) => node.has(key)).map((key) => [key, String(node.get(key))]);
  return Object.fromEntries(values) as SopsRule;
}

function same(one: SopsRule, other: SopsRule): boolean {
  return KEYS.every((key) => one[key] === other[key]);
}
