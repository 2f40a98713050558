// Fits a document into a number of bytes: whole items are left out, the least important ones first, and it is said.
import type { Document, Section } from "./document.ts";
import { counted } from "./words.ts";

/** A section as a format writes it; its parts are joined by nothing. */
export interface Written {
  readonly open: string;
  readonly items: readonly WrittenItem[];
  readonly close: string;
}

export interface WrittenItem {
  readonly whole: string;
  /** What stands in its place where there is no room for it; may be empty. */
  readonly brief: string;
}

/** How a format writes a document. */
export interface Layout {
  /** What stands before the sections. */
  readonly head: string;
  readonly section: (section: Section) => Written;
  /** What says that something was left out. */
  readonly leftOut: (what: string) => string;
}

/** Kept for what says that something was left out, in bytes. */
const RESERVED = 700;

const size = (text: string) => Buffer.byteLength(text, "utf8");

/**
 * The document's text.
 * @param limit the most bytes of UTF-8.
 */
export function fitted({ sections }: Document, layout: Layout, limit: number): string {
  const written = sections.map((section) => ({ section, ...layout.section(section) }));
  const everything = written.map(({ open, items, close }) =>
    [open, ...items.map(({ whole }) => whole), close].join(""),
  );
  const whole = layout.head + everything.join("");
  if (size(whole) <= limit) return whole;
  let room = limit - RESERVED - size(layout.head);
  const left: string[] = [];
  const kept = written.map(({ section, open, items, close }) => {
    const chosen = choose(items, room - size(open) - size(close), section.smallFirst === true);
    const missing = items.length - chosen.filter((text, index) => text === items[index]?.whole).length;
    if (missing > 0) left.push(counted(missing, ...section.nouns));
    const body = chosen.join("");
    if (body === "") return "";
    room -= size(open) + size(body) + size(close);
    return open + body + close;
  });
  return layout.head + kept.join("") + layout.leftOut(left.join(", "));
}

/** What is written of each item: all of it, its brief form or nothing. One that is too long gives way to those after it. */
function choose(items: readonly WrittenItem[], room: number, smallFirst: boolean): string[] {
  const briefs = items.reduce((sum, { brief }) => sum + size(brief), 0);
  // Where not even the brief forms have room, they come and go like the whole ones.
  const chosen = items.map(({ brief }) => (briefs <= room ? brief : ""));
  let left = briefs <= room ? room - briefs : room;
  const order = items.map((item, index) => ({ item, index, bytes: size(item.whole) }));
  if (smallFirst) order.sort((a, b) => a.bytes - b.bytes);
  for (const { item, index, bytes } of order) {
    const more = bytes - size(chosen[index] ?? "");
    if (more > left) continue;
    chosen[index] = item.whole;
    left -= more;
  }
  return chosen;
}
