// Creation rules in the `.sops.yaml` of a repository that others edit too: ours go in and out, theirs stay as they are.

import { type Document, isMap, isScalar, isSeq, parseDocument, type YAMLMap, type YAMLSeq } from "yaml";
import { editRules, RULE_KEYS as KEYS, RULES, type RuleChange } from "./sopsRulesEdit.ts";

/** A creation rule as SOPS spells it; `path_regex` tells rules apart. */
export interface SopsRule {
  readonly path_regex: string;
  readonly encrypted_regex?: string;
  readonly azure_keyvault: string;
}

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
  const document = parse(text);
  const rules = ruleList(document);
  const mine = new Set(previous.map((rule) => rule.path_regex));
  const change: RuleChange = { insert: [], update: [], remove: [] };
  const conflicts: string[] = [];
  for (const rule of wanted) {
    const found = findRule(rules, rule.path_regex);
    if (!found) change.insert.push(rule);
    else if (same(readRule(found), rule)) continue;
    else if (adopt || mine.has(rule.path_regex)) change.update.push([found, rule]);
    else conflicts.push(rule.path_regex);
  }
  for (const pathRegex of mine) {
    const found = findRule(rules, pathRegex);
    if (found && !wanted.some((rule) => rule.path_regex === pathRegex)) change.remove.push(found);
  }
  const unchanged = Object.values(change).every((list) => list.length === 0);
  return { text: unchanged ? text : editRules(text ?? "", document, rules, change), conflicts };
}

/** Our rules as they stand in a file; missing ones are left out. */
export function presentRules(text: string | undefined, ours: readonly SopsRule[]): SopsRule[] {
  const rules = ruleList(parse(text));
  return ours.flatMap((rule) => {
    const found = findRule(rules, rule.path_regex);
    return found ? [readRule(found)] : [];
  });
}

function parse(text: string | undefined): Document {
  const document = parseDocument(text ?? "", { keepSourceTokens: true });
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

function findRule(rules: YAMLSeq | undefined, pathRegex: string): YAMLMap | undefined {
  return rules?.items.filter(isMap).find((item) => item.get("path_regex") === pathRegex);
}

function readRule(node: YAMLMap): SopsRule {
  const values = KEYS.filter((key) => node.has(key)).map((key) => [key, String(node.get(key))]);
  return Object.fromEntries(values) as SopsRule;
}

function same(one: SopsRule, other: SopsRule): boolean {
  return KEYS.every((key) => one[key] === other[key]);
}
