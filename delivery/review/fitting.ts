// Fits a document into a number of bytes: whole items are left out, the least important ones first, and it is said.
import { counted, type Document, type Section } from "./document.ts";

/** How a format writes a section; the parts are joined by nothing. */
export interface Layout {
  /** What stands before the sections. */
  readonly head: string;
  readonly section: (section: Section) => {
    readonly open: string;
    readonly items: readonly string[];
    readonly close: string;
  };
  /** What says that something was left out. */
  readonly leftOut: (what: string) => string;
}

/** Kept for what says that something was left out. */
const RESERVED = 600;

const size = (text: string) => Buffer.byteLength(text, "utf8");

/**
 * The document's text.
 * @param limit the most bytes of UTF-8.
 */
export function fitted({ sections }: Document, layout: Layout, limit: number): string {
  const written = sections.map((section) => ({ section, ...layout.section(section) }));
  const whole = layout.head + written.map(({ open, items, close }) => open + items.join("") + close).join("");
  if (size(whole) <= limit) return whole;
  let room = limit - RESERVED - size(layout.head);
  const left: string[] = [];
  let text = layout.head;
  for (const { section, open, items, close } of written) {
    const frame = size(open) + size(close);
    let used = 0;
    // A long one gives way to those after it.
    const kept = items.filter((item) => {
      const fits = used + size(item) + frame <= room;
      if (fits) used += size(item);
      return fits;
    });
    if (kept.length < items.length) left.push(counted(items.length - kept.length, ...section.nouns));
    if (kept.length === 0) continue;
    text += open + kept.join("") + close;
    room -= used + frame;
  }
  return text + layout.leftOut(left.join(", "));
}
