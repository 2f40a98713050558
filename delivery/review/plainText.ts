// A document as plain text, for terminals and logs.
import type { Document, Item, Section } from "./document.ts";
import { fitted, type Written, type WrittenItem } from "./fitting.ts";
import { visible } from "./markdown.ts";
import type { Line } from "./words.ts";

/** @param limit the most bytes of UTF-8. @param command shows what was left out. */
export function plainText({ title, about, ...document }: Document, limit: number, command: string): string {
  const isShort = document.sections.length === 0;
  const head = isShort ? `${line(title)}. ${line(about)}\n` : `${line(title)}\n${line(about)}\n`;
  const leftOut = (what: string) => `\nLeft out, for want of room: ${what}. All of it: ${command}\n`;
  return fitted({ title, about, ...document }, { head, section, leftOut }, limit);
}

function section({ title, items = [], table }: Section): Written {
  const open = `\n${title}\n${"-".repeat([...title].length)}\n`;
  if (table === undefined) return { open, items: items.map(item), close: "" };
  const rows = [table.head, ...table.rows.map((cells) => cells.map(line))];
  const widths = table.head.map((_, column) => Math.max(...rows.map((cells) => (cells[column] ?? "").length)));
  const row = (cells: readonly string[]) =>
    `${cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd()}\n`;
  return {
    open: open + row(table.head),
    items: rows.slice(1).map((cells) => ({ whole: row(cells), brief: "" })),
    close: "",
  };
}

function item({ heading, text = [], points = [], block, brief = [] }: Item): WrittenItem {
  const head = heading.length > 0 ? `\n${line(text.length > 0 ? [...heading, " ", ...text] : heading)}\n` : "\n";
  const list = points.map((point) => `  - ${line(point)}\n`).join("");
  const quoted = block === undefined ? "" : `${visible(block.text).replace(/^(?=.)/gm, "    ")}\n`;
  return { whole: head + list + quoted, brief: brief.length > 0 ? `\n${line(brief)}\n` : "" };
}

const line = (parts: Line) =>
  parts.map((part) => inLine(typeof part === "string" ? part : "code" in part ? part.code : part.said)).join("");

const inLine = (text: string) => visible(text).replaceAll("\n", "⏎");
