import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { compareVersions, EXACT_VERSION, highestOf, satisfies, VERSION_RANGE } from "../../net/versionRange.ts";

describe("a range of versions", () => {
  for (const range of [
    "~6.1",
    "^1.2.3",
    "6",
    "6.x",
    "*",
    ">=6 <7",
    ">= 6, < 7",
    "1.x || >=3.1 <4",
    "~1.2.0-rc.1",
    "v1",
  ])
    it(`is one: ${range}`, () => assert.ok(VERSION_RANGE.test(range)));

  for (const text of ["", "latest", "~", "6.1.0.1", ">=6 <", "6 ||", "=>6", "1.2.3 - 2.0.0", "6;7"])
    it(`is none: ${text}`, () => assert.ok(!VERSION_RANGE.test(text)));

  const cases: [range: string, within: string[], without: string[]][] = [
    ["~6.1", ["6.1.0", "6.1.99", "v6.1.2"], ["6.0.9", "6.2.0", "6.1.0-rc.1"]],
    ["~6", ["6.0.0", "6.9.0"], ["7.0.0"]],
    ["~0.2.3", ["0.2.3", "0.2.9"], ["0.2.2", "0.3.0"]],
    ["^1.2", ["1.2.0", "1.99.0"], ["1.1.9", "2.0.0", "2.0.0-rc.1"]],
    ["^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0"]],
    ["^0.0.3", ["0.0.3"], ["0.0.4"]],
    ["^0", ["0.9.0"], ["1.0.0"]],
    ["6.1", ["6.1.4"], ["6.2.0"]],
    ["6.x", ["6.2.0"], ["7.0.0"]],
    ["*", ["0.0.1", "160.0.0"], ["1.0.0-rc.1"]],
    [">=6 <7", ["6.0.0", "6.9.9"], ["5.9.9", "7.0.0"]],
    [">=6, <7", ["6.0.0"], ["7.0.0"]],
    [">5", ["6.0.0"], ["5.0.0", "5.9.9"]],
    [">5.1.0", ["5.1.1"], ["5.1.0"]],
    ["<=5", ["5.9.9"], ["6.0.0"]],
    ["<=5.1.0", ["5.1.0"], ["5.1.1"]],
    ["1.x || 3", ["1.5.0", "3.9.9"], ["2.0.0"]],
    [">=6.1.0-0 <7", ["6.1.0-rc.1", "6.5.0-beta"], ["6.0.0"]],
    ["=6.1.0 || 7.x", ["6.1.0", "7.1.0"], ["6.1.1"]],
    ["6.1.0", ["6.1.0"], ["6.1.1", "v6.1.0"]],
  ];
  for (const [range, within, without] of cases)
    it(`takes what is within ${range}, and nothing else`, () => {
      assert.deepEqual(
        [...within, ...without].filter((version) => satisfies(version, range)),
        within,
      );
    });

  it("takes no text that is no version", () => {
    assert.equal(satisfies("latest", "*"), false);
    assert.ok(EXACT_VERSION.test("6.1.0+build.1") && !EXACT_VERSION.test("6.1"));
  });

  it("has a highest version, by number and not by letter", () => {
    assert.equal(highestOf(["6.1.9", "6.1.10", "6.2.0", "nonsense", "6.1.2"], "~6.1"), "6.1.10");
    assert.equal(highestOf(["6.1.9"], "~7"), undefined);
  });

  it("orders prereleases before their release, and numbers in them by number", () => {
    const ordered = ["nonsense", "1.0.0-2", "1.0.0-10", "1.0.0-rc", "1.0.0-rc.1", "1.0.0", "1.0.1"];
    assert.deepEqual([...ordered].reverse().sort(compareVersions), ordered);
  });
});
