import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { pairLines } from "../../mirror/lines.ts";

describe("pairs of lines", () => {
  const pairs = (old: string, now: string) => pairLines(old, now).map(({ old, now }) => [old, now]);

  it("leave out what is the same, and tell where a line began", () => {
    assert.deepEqual(pairLines("a\nbb\nc", "a\nb!\nc"), [{ start: 2, old: "bb", now: "b!" }]);
    assert.deepEqual(pairs("same", "same"), []);
  });

  it("find lines again after others came or went", () => {
    assert.deepEqual(pairs("a\nb\nc\nd", "a\nnew\nb\nC\nd"), [
      [undefined, "new"],
      ["c", "C"],
    ]);
    assert.deepEqual(pairs("a\nb\nc\nd\ne", "A\nc\nE"), [
      ["a", "A"],
      ["b", undefined],
      ["d", "E"],
      ["e", undefined],
    ]);
  });
});
