// Files of the GitOps repository before and after, as a unified diff that shows no secret.
import { diff } from "node:util";
import { HIDDEN, isSecret, isTelling, type Mask } from "./secrets.ts";
import { isUnknown } from "./values.ts";

/** A file of the repository, before and after. */
export interface FileChange {
  readonly path: string;
  readonly change: "added" | "changed" | "removed";
  /** How many lines come and go; 0 where there is no diff. */
  readonly added: number;
  readonly removed: number;
  /** A unified diff without its first two lines. Undefined where there is none to show: `note` says why. */
  readonly diff?: string;
  readonly note?: string;
}

/** Unchanged lines around a change. */
const CONTEXT = 3;
/** Above it the lines of both sides are no longer compared one by one: that takes time and memory by the square. */
const MOST_COMPARED = 4_000;

/** How a file changes; undefined where it does not. `undefined` as text: there is none. */
export function fileChange(path: string, from: unknown, to: unknown, mask: Mask): FileChange | undefined {
  if (from === to || (from === undefined && to === undefined)) return undefined;
  const change = from === undefined ? "added" : to === undefined ? "removed" : "changed";
  const about = { path: mask.text(path), change, added: 0, removed: 0 } as const;
  if (isSecret(from) || isSecret(to)) return { ...about, note: "secret, and not shown" };
  if (isUnknown(to)) return { ...about, note: "known only after the update" };
  if ([from, to].some((text) => text !== undefined && typeof text !== "string"))
    return { ...about, note: "not in the state" };
  const [before, after] = [from, to].map((text) => (typeof text === "string" ? text : undefined));
  if ([before, after].every((text) => text === undefined || isEncrypted(text)))
    return { ...about, note: change === "changed" ? "encrypted anew, and not shown" : "encrypted, and not shown" };
  const [shownBefore, shownAfter] = [before, after].map((text) => shownLines(text, mask));
  const edits = compare(shownBefore ?? [], shownAfter ?? []);
  const added = edits.filter(([sign]) => sign === "+").length;
  const removed = edits.filter(([sign]) => sign === "-").length;
  if (added + removed === 0) return { ...about, note: "changed only in what may be a secret, and is not shown" };
  return { ...about, added, removed, diff: unified(edits) };
}

/** Whether SOPS encrypted a file. */
const isEncrypted = (text: string): boolean => /^sops:/m.test(text) && /ENC\[AES256_GCM,/.test(text);

const SCALAR = /^(?<indent>\s*(?:- )*)(?<key>"[^"]+"|'[^']+'|[\w.$/-]+):\s+(?<value>\S.*)$/;
const KEY = /^(?<indent>\s*(?:- )*)(?<key>"[^"]+"|'[^']+'|[\w.$/-]+):\s*(?:[|>][+-]?\d*)?\s*$/;

/**
 * The lines of a manifest without its secrets: values below telling names, and all that a Kubernetes Secret holds.
 * Its lines stay lines, so that a diff has the file's own.
 */
function shownLines(text: string | undefined, mask: Mask): string[] {
  if (text === undefined || text === "") return [];
  const lines = text.replace(/\n$/, "").split("\n");
  const shown: string[] = [];
  let isInSecret = kindOf(lines, 0) === "Secret";
  /** Everything that is indented deeper than this is hidden. */
  let below = Number.POSITIVE_INFINITY;
  for (const [index, line] of lines.entries()) {
    const depth = line.search(/\S/);
    if (line.startsWith("---")) isInSecret = kindOf(lines, index + 1) === "Secret";
    if (depth >= 0 && depth <= below) below = Number.POSITIVE_INFINITY;
    const { key = "", indent = "", value } = (SCALAR.exec(line) ?? KEY.exec(line))?.groups ?? {};
    const name = key.replace(/^["']|["']$/g, "");
    const hidesBelow = (isInSecret && /^(data|stringData)$/.test(name)) || isTelling(name);
    if (depth > below) shown.push(value !== undefined || key !== "" ? `${indent}${key}: ${HIDDEN}` : hiddenLine(line));
    else if (hidesBelow && value !== undefined && !/^(true|false|null|~)$/.test(value))
      shown.push(`${indent}${key}: ${HIDDEN}`);
    else shown.push(line);
    if (hidesBelow && depth < below) below = depth;
  }
  // PEM and the like go over several lines.
  return mask.text(shown.join("\n")).split("\n");
}

const hiddenLine = (line: string) => (line.trim() === "" ? line : `${/^\s*/.exec(line)?.[0] ?? ""}${HIDDEN}`);

/** The kind of the document that begins at a line. */
function kindOf(lines: readonly string[], start: number): string | undefined {
  for (const line of lines.slice(start)) {
    if (line.startsWith("---")) return undefined;
    const [, kind] = /^kind:\s*["']?(\w+)/.exec(line) ?? [];
    if (kind !== undefined) return kind;
  }
  return undefined;
}

type Edit = readonly ["+" | "-" | " ", string];

/** The lines of two texts: what comes, goes and stays. */
function compare(from: readonly string[], to: readonly string[]): Edit[] {
  let start = 0;
  while (start < from.length && start < to.length && from[start] === to[start]) start++;
  let end = 0;
  while (end < from.length - start && end < to.length - start && from.at(-1 - end) === to.at(-1 - end)) end++;
  const [gone, come] = [from.slice(start, from.length - end), to.slice(start, to.length - end)];
  const kept = (lines: readonly string[]) => lines.map((line): Edit => [" ", line]);
  return [...kept(from.slice(0, start)), ...between(gone, come), ...kept(end === 0 ? [] : from.slice(-end))];
}

function between(gone: string[], come: string[]): Edit[] {
  const all = [...gone.map((line): Edit => ["-", line]), ...come.map((line): Edit => ["+", line])];
  if (gone.length === 0 || come.length === 0 || all.length > MOST_COMPARED) return all;
  // 1 is a line of the first argument alone, -1 one of the second.
  const edits = diff(gone, come).map(
    ([operation, line]): Edit => [operation === 1 ? "-" : operation === -1 ? "+" : " ", line],
  );
  // Between two lines that stay, what goes is read before what comes.
  const sorted: Edit[] = [];
  const coming: Edit[] = [];
  for (const edit of edits) {
    if (edit[0] === "+") coming.push(edit);
    else {
      if (edit[0] === " ") sorted.push(...coming.splice(0));
      sorted.push(edit);
    }
  }
  return [...sorted, ...coming];
}

/** The hunks of a unified diff. */
function unified(edits: readonly Edit[]): string {
  const near = edits.map((_, index) =>
    edits.slice(Math.max(0, index - CONTEXT), index + CONTEXT + 1).some(([sign]) => sign !== " "),
  );
  const lines: string[] = [];
  let [before, after] = [1, 1];
  for (let index = 0; index < edits.length; ) {
    let end = index;
    while (end < edits.length && near[end] === near[index]) end++;
    const hunk = edits.slice(index, end);
    const count = (sign: "+" | "-") => hunk.filter((edit) => edit[0] === " " || edit[0] === sign).length;
    const [old, next] = [count("-"), count("+")];
    if (near[index]) {
      lines.push(`@@ -${old === 0 ? before - 1 : before},${old} +${next === 0 ? after - 1 : after},${next} @@`);
      lines.push(...hunk.map(([sign, line]) => `${sign}${line}`));
    }
    before += old;
    after += next;
    index = end;
  }
  return lines.join("\n");
}
