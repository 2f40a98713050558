import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { fileChange } from "../../../delivery/review/manifests.ts";
import { Mask } from "../../../delivery/review/secrets.ts";
import { SECRET, UNKNOWN } from "./events.ts";

const lines = (...all: string[]) => `${all.join("\n")}\n`;
const changed = (from: unknown, to: unknown) => fileChange("a.yaml", from, to, new Mask([]));

describe("a manifest's change", () => {
  it("is a unified diff with three lines around each change", () => {
    const before = Array.from({ length: 20 }, (_, index) => `line${index + 1}: a`);
    const after = before.with(1, "line2: b").with(14, "line15: b").toSpliced(15, 1);
    assert.deepEqual(changed(lines(...before), lines(...after)), {
      path: "a.yaml",
      change: "changed",
      added: 2,
      removed: 3,
      diff: [
        "@@ -1,5 +1,5 @@",
        " line1: a",
        "-line2: a",
        "+line2: b",
        " line3: a",
        " line4: a",
        " line5: a",
        "@@ -12,8 +12,7 @@",
        " line12: a",
        " line13: a",
        " line14: a",
        "-line15: a",
        "-line16: a",
        "+line15: b",
        " line17: a",
        " line18: a",
        " line19: a",
      ].join("\n"),
    });
  });

  it("is all of a file that comes or goes", () => {
    assert.deepEqual(changed(undefined, "a: b\nc: d\n")?.diff, "@@ -0,0 +1,2 @@\n+a: b\n+c: d");
    assert.deepEqual(changed("a: b\n", undefined), {
      path: "a.yaml",
      change: "removed",
      added: 0,
      removed: 1,
      diff: "@@ -1,1 +0,0 @@\n-a: b",
    });
    assert.equal(changed("a: b\n", "a: b\n"), undefined);
  });

  it("is not shown where it is secret, encrypted, or not known before the update", () => {
    const encrypted = (text: string) => `stringData:\n    a: ENC[AES256_GCM,data:${text}]\nsops:\n    mac: x\n`;
    const note = (from: unknown, to: unknown) => [changed(from, to)?.note, changed(from, to)?.diff];
    assert.deepEqual(note("a: b\n", UNKNOWN), ["known only after the update", undefined]);
    assert.deepEqual(note("a: b\n", SECRET), ["secret, and not shown", undefined]);
    assert.deepEqual(note(encrypted("x"), encrypted("y")), ["encrypted anew, and not shown", undefined]);
    assert.deepEqual(note(undefined, encrypted("y")), ["encrypted, and not shown", undefined]);
    assert.deepEqual(note("a: b\n", { hash: "x" }), ["not in the state", undefined]);
  });

  it("shows nothing of a Kubernetes Secret but its keys, and of others nothing below a telling name", () => {
    const secret = (value: string) =>
      lines(
        "apiVersion: v1",
        "kind: ConfigMap",
        "data:",
        "  shown: plain",
        "  password: hunter",
        "  apiKey:",
        "    deeper: hunter",
        "  secretName: shown",
        "---",
        "apiVersion: v1",
        "kind: Secret",
        "metadata: { name: a }",
        "stringData:",
        `  user: ${value}`,
        "  text: |",
        `    ${value}`,
        "    -----",
        "type: Opaque",
      );
    const { diff = "" } = fileChange("a.yaml", undefined, secret("hunter"), new Mask([])) ?? {};
    assert.ok(!diff.includes("hunter"), diff);
    assert.deepEqual(diff.split("\n").slice(1), [
      "+apiVersion: v1",
      "+kind: ConfigMap",
      "+data:",
      "+  shown: plain",
      "+  password: [hidden]",
      "+  apiKey:",
      "+    deeper: [hidden]",
      "+  secretName: shown",
      "+---",
      "+apiVersion: v1",
      "+kind: Secret",
      "+metadata: { name: a }",
      "+stringData:",
      "+  user: [hidden]",
      "+  text: [hidden]",
      "+    [hidden]",
      "+    [hidden]",
      "+type: Opaque",
    ]);
    assert.equal(
      changed(secret("hunter"), secret("other"))?.note,
      "changed only in what may be a secret, and is not shown",
    );
  });

  it("is told as a whole where there are too many lines to compare each with each", () => {
    const before = Array.from({ length: 20_000 }, (_, index) => `line${index}: a`);
    const after = before.map((line, index) => (index % 3 === 0 ? `${line}b` : line));
    const change = changed(lines(...before), lines(...after));
    assert.deepEqual([change?.added, change?.removed], [19_999, 19_999]);
  });
});
