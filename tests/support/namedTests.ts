// The tests that a page of docs names: `[words](path "the test's title")`.
import { strict as assert } from "node:assert";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

const LINK = /\[[^\]]+\]\(([^\s)]+) "((?:[^"\\]|\\.)+)"\)/g;

/** Asserts that a text of a page names tests, and that each of them exists. @param folder the page's. */
export function assertNamedTests(text: string, folder: string, where = ""): void {
  const links = [...text.matchAll(LINK)];
  assert.notEqual(links.length, 0, `${where}: ${text} names no test`);
  for (const [, path = "", title = ""] of links) {
    const file = join(folder, path);
    assert.ok(/\.test\.ts$/.test(path) && existsSync(file), `there is no ${path}`);
    assert.ok(isTitleIn(readFileSync(file, "utf8"), title.replaceAll('\\"', '"')), `${path} has no "${title}"`);
  }
}

/** Whether a test file has a test of this title; where a title has parts that are put in, anything may stand there. */
export function isTitleIn(text: string, title: string): boolean {
  const templates = [...text.matchAll(/\bit\(\s*`([^`]+)`/g)].map(([, template = ""]) => template);
  const isMadeOf = (template: string) =>
    new RegExp(
      `^${template
        .split(/\$\{[^}]*\}/)
        .map(escaped)
        .join(".+")}$`,
    ).test(title);
  return text.includes(`"${title}"`) || templates.some(isMadeOf);
}

const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");

/** The cells of a page's table below a heading, line by line, the header's first. */
export function tableOf(page: string, heading: string): string[][] {
  const lines =
    (page.split(`${heading}\n`)[1] ?? "")
      .split("\n## ")[0]
      ?.split("\n")
      .filter((line) => line.startsWith("|")) ?? [];
  return lines.map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}
