import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { completeDiff, detailedDiff, equal, formatPath, parsePath } from "../../plugin/diff.ts";
import { Secret, UNKNOWN } from "../../plugin/handler.ts";
import { Archive, ElidedAsset, FileAsset, StringAsset } from "../../plugin/property.ts";

const kinds = (old: Record<string, unknown>, next: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(detailedDiff(old, next)).map(([path, { kind }]) => [path, kind]));

describe("the detailed difference of inputs", () => {
  it("names each changed path and what happens there", () => {
    const old = { same: 1, changed: "a", gone: true, map: { x: 1, "a.b": [{ c: 1 }], old: {} }, list: [1, 2, 3] };
    const next = { same: 1, changed: "b", map: { x: 1, "a.b": [{ c: 2 }], new: { y: 1 } }, list: [1, 4], added: [] };
    assert.deepEqual(kinds(old, next), {
      changed: "update",
      gone: "delete",
      'map["a.b"][0].c': "update",
      "map.old": "delete",
      "map.new": "add",
      "list[1]": "update",
      "list[2]": "delete",
      added: "add",
    });
  });

  it("takes null for absent", () => {
    assert.deepEqual(kinds({ a: null, b: { c: null } }, { b: {} }), {});
  });

  it("takes an unknown value for a change", () => {
    assert.deepEqual(kinds({ a: "x", c: [1] }, { a: UNKNOWN, b: UNKNOWN, c: [UNKNOWN] }), {
      a: "update",
      b: "add",
      "c[0]": "update",
    });
  });

  it("reports a changed type at its own path", () => {
    assert.deepEqual(kinds({ a: { b: 1 }, c: [1] }, { a: "b", c: { 0: 1 } }), { a: "update", c: "update" });
  });

  it("compares assets by their content's hash", () => {
    const old = { a: new ElidedAsset("1"), b: new ElidedAsset("1"), c: new Archive({}, "1") };
    const next = { a: new FileAsset("/x", "1"), b: new StringAsset("x", "2"), c: new FileAsset("/x", "1") };
    assert.deepEqual(kinds(old, next), { b: "update", c: "update" });
  });

  it("looks into secrets", () => {
    assert.equal(equal(new Secret("a"), "a"), true);
    assert.equal(equal(new Secret({ a: 1 }), { a: 2 }), false);
  });
});

describe("what the engine is told of a difference", () => {
  const old = { a: 1, tags: { x: 1, y: 1 } };
  const next = { a: 2, tags: { x: 2, y: 2 } };

  it("is nothing where the handler sees no change", () => {
    assert.deepEqual(completeDiff({ changes: false }, old, next, []), { changes: false });
  });

  it("marks every path below a replaced property", () => {
    const { replaces, detailed } = completeDiff({ changes: true, replaces: ["tags"] }, old, next, []);
    assert.deepEqual(replaces, ["tags"]);
    assert.deepEqual(detailed, {
      a: { kind: "update", inputDiff: true },
      "tags.x": { kind: "update-replace", inputDiff: true },
      "tags.y": { kind: "update-replace", inputDiff: true },
    });
  });

  it("replaces where the handler's detail says so", () => {
    const detailed = { "tags.x": { kind: "update-replace", inputDiff: false } } as const;
    assert.deepEqual(completeDiff({ changes: true, detailed }, old, next, []), {
      changes: true,
      replaces: ["tags"],
      detailed,
    });
  });

  it("leaves out ignored paths and what is below them", () => {
    const { detailed } = completeDiff({ changes: true }, old, next, ["tags"]);
    assert.deepEqual(Object.keys(detailed ?? {}), ["a"]);
    const some = completeDiff({ changes: true }, old, next, ["tags.*", "b"]);
    assert.deepEqual(Object.keys(some.detailed ?? {}), ["a"]);
  });

  it("is no change where all of it is ignored, replacements too", () => {
    const answer = { changes: true, replaces: ["a"], deleteBeforeReplace: true };
    assert.deepEqual(completeDiff(answer, old, next, ["a", 'tags["x"]', "tags.y"]), { changes: false });
  });

  it("stays a change where the handler names no property", () => {
    assert.equal(completeDiff({ changes: true }, old, old, []).changes, true);
  });
});

describe("property paths", () => {
  it("are written as the engine writes them and read back", () => {
    for (const [steps, path] of [
      [["a", "b", 0, "c"], "a.b[0].c"],
      [["a", "c.d", "e"], 'a["c.d"].e'],
      [["x/y", 'q"\\'], '["x/y"]["q\\"\\\\"]'],
      [["a", "0"], 'a["0"]'],
    ] as const) {
      assert.equal(formatPath(steps), path);
      assert.deepEqual(parsePath(path), steps);
    }
  });
});
