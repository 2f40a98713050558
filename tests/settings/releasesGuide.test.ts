// What docs/releases.md shows is what the program takes.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { markedImage, seedFiles } from "../../components/repository/files.ts";
import { LOCK } from "../components/lock.ts";
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
      assert.equal(read(parse(text)).stack, "test");
    });

  it("shows the image that is marked as the program writes it", () => {
    const demo = { image: "ghcr.io/stefanprodan/podinfo:6.14.1", imagePolicy: "demo" };
    const options = { stack: "prod", demo, lock: LOCK, loginServer: "acrgitopsdev.azurecr.io" };
    const text = seedFiles(options, markedImage(options))["apps/prod/kustomization.yaml"] ?? "";
    const [shown = ""] = blocks("yaml").filter((block) => block.startsWith("images:"));
    assert.ok(text.endsWith(shown) && shown !== "", text);
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
