// What docs/releases.md shows is what the program takes.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { faults, read } from "./faults.ts";

const ROOT = join(import.meta.dirname, "../..");
const PAGE = readFileSync(join(ROOT, "docs/releases.md"), "utf8");
const blocks = (language: string) =>
  [...PAGE.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, text = ""]) => text);
const settings = blocks("yaml").filter((text) => text.startsWith("aks-gitops:"));

describe("the guide to releases", () => {
  for (const [index, text] of settings.entries())
    it(`shows settings that have no fault: the example ${index + 1}`, () => {
      assert.deepEqual(faults(parse(text)), []);
      assert.ok(read(parse(text)).charts.length > 0);
    });

  it("shows more than one example, and commands of the project that are there", () => {
    assert.ok(settings.length >= 3);
    const { scripts } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
    const named = blocks("console").flatMap((text) =>
      [...text.matchAll(/^npm run (\S+)/gm)].map(([, name = ""]) => name),
    );
    assert.deepEqual(named, ["mirror"]);
    for (const name of named) assert.ok(name in scripts, name);
  });
});
