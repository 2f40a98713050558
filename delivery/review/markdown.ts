// A document as Markdown that GitHub and Azure DevOps show alike. Nothing in its values is Markdown or HTML.
import type { Document, Item, Section } from "./document.ts";
import { fitted, type Written, type WrittenItem } from "./fitting.ts";
import type { Line, Part } from "./words.ts";

/** @param first the first line. @param limit the most bytes of UTF-8. @param command shows what was left out. */
export function markdown(
  { title, about, ...document }: Document,
  first: string,
  limit: number,
  command: string,
): string {
  const isShort = document.sections.length === 0;
  const head = isShort
    ? `${first}\n${line(title)}. ${line(about)}\n`
    : `${first}\n### ${line(title)}\n\n${line(about)}\n`;
  const leftOut = (what: string) =>
    `\nLeft out, for a comment has no more room: ${what}. All of it: ${codeSpan(command)}\n`;
  return fitted({ title, about, ...document }, { head, section, leftOut }, limit);
}

function section({ title, folded = false, items = [], table }: Section): Written {
  const open = folded ? `\n<details><summary>${html(title)}</summary>\n` : `\n#### ${prose(title)}\n`;
  const close = folded ? "\n</details>\n" : "";
  if (table === undefined) return { open, items: items.map(item), close };
  const row = (cells: readonly string[]) => `| ${cells.join(" | ")} |\n`;
  const head = row(table.head) + row(table.head.map(() => "---"));
  return {
    open: `${open}\n${head}`,
    items: table.rows.map((cells) => ({ whole: row(cells.map(cell)), brief: "" })),
    close,
  };
}

function item({ heading, text = [], points = [], block, folded = false, brief = [] }: Item): WrittenItem {
  const title =
    text.length > 0 ? `**${line(heading)}** ${line(text)}\n` : heading.length > 0 ? `${line(heading)}\n` : "";
  const list = points.map((point) => `- ${line(point)}\n`).join("");
  const fence = block === undefined ? "" : fenced(block.text, block.language);
  const body = [...(folded ? [] : [title]), list, fence].filter((written) => written !== "").join("\n");
  const summary = `<summary>${heading.map(htmlPart).join("")}</summary>`;
  return {
    whole: folded ? `\n<details>${summary}\n\n${body}\n</details>\n` : `\n${body}`,
    brief: brief.length > 0 ? `\n${line(brief)}\n` : "",
  };
}

const line = (parts: Line) => parts.map(part).join("");

function part(value: Part): string {
  if (typeof value === "string") return value;
  return "code" in value ? codeSpan(value.code) : prose(value.said);
}

/** A cell: a bar would end it, in code too. */
const cell = (parts: Line) => line(parts).replaceAll("|", "¦");

const htmlPart = (value: Part): string => {
  if (typeof value === "string") return html(value);
  return "code" in value ? `<code>${html(value.code)}</code>` : html(value.said);
};

const ADDRESS = /(https:\/\/[\w./~%-]+(?:[?#][\w=&./%-]*)?(?<![.]))/;

/** Foreign words: no sign of Markdown or HTML is one in them, and they call nobody and link no issue. */
function prose(text: string): string {
  const escaped = (words: string) =>
    visible(words)
      .replace(/^(?=[-+=]|\d+[.)])|(?<=[@#!]|\bGH)/g, "\u200b")
      .replace(/[\\`*_{}[\]<>()|~$&]/g, (sign) => `&#${sign.codePointAt(0)};`);
  // An address is a link as it stands.
  return text
    .split(ADDRESS)
    .map((words, index) => (index % 2 === 1 ? `<${words}>` : escaped(words)))
    .join("");
}

/** Words in HTML, in one line: an empty one would end it. */
const html = (text: string) =>
  visible(text)
    .replaceAll("\n", " ")
    .replace(/[&<>"'`*_[\]\\@#|~$]/g, (sign) => `&#${sign.codePointAt(0)};`);

/** In more backticks than are in it. */
function codeSpan(text: string): string {
  const shown = visible(text).replaceAll("\n", " ");
  if (shown.trim() === "") return "`(empty)`";
  const longest = Math.max(0, ...[...shown.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const pad = /^`|`$|^ .* $/.test(shown) ? " " : "";
  return `${fence}${pad}${shown}${pad}${fence}`;
}

function fenced(text: string, language: string): string {
  const shown = visible(text);
  const longest = Math.max(2, ...[...shown.matchAll(/`{3,}/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}${language}\n${shown}\n${fence}\n`;
}

/** Control signs, and those that turn the direction of writing: a reviewer reads what is there. */
export function visible(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for.
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g,
    (sign) => `\\u${(sign.codePointAt(0) ?? 0).toString(16).padStart(4, "0")}`,
  );
}
