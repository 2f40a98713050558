// What docs/guides shows is what the program takes.
import { strict as assert } from "node:assert";
import { globSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, it } from "mocha";
import { parse } from "yaml";
import { exampleFolder, exampleNames, stacksIn } from "../../rehearsal/examples.ts";
import { checkout } from "../../rehearsal/session.ts";
import { settingsOf } from "../../rehearsal/settings.ts";
import { faults, read } from "../settings/faults.ts";

const pages = globSync("docs/guides/*.md", { cwd: checkout }).sort();

describe("the guides", () => {
  it("are one for each example", () => {
    assert.deepEqual(
      pages.map((page) => basename(page, ".md")),
      exampleNames(),
    );
  });

  for (const page of pages) {
    const text = readFileSync(join(checkout, page), "utf8");
    const example = basename(page, ".md");
    const block = (language: string) => new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "ms").exec(text)?.[1] ?? "";

    it(`show settings that have no fault, the example's own: ${page}`, async () => {
      const shown = parse(block("yaml"));
      assert.deepEqual(faults(shown), []);
      const { flux, charts, sops } = read(shown);
      const folder = exampleFolder(example);
      const all = await Promise.all(stacksIn(folder).map((stack) => settingsOf(stack, folder)));
      const own = all.find((settings) => settings.flux.path === flux.path) ?? all[0];
      assert.deepEqual([flux.mode, flux.repository], [own?.flux.mode, own?.flux.repository]);
      const order = (settings: typeof flux) =>
        settings.kustomizations?.map(({ name, path, dependsOn, interval }) => [name, path, dependsOn, interval]);
      if (flux.kustomizations !== undefined && own !== undefined) assert.deepEqual(order(flux), order(own.flux));
      if (charts.length > 0) assert.deepEqual(charts, own?.charts);
      if (sops.keyName !== undefined) assert.equal(sops.keyName, own?.sops.keyName);
    });

    it(`rehearse the example, a stack of it: ${page}`, () => {
      const [first = "", ...rest] = block("sh").trim().split("\n");
      const stacks = stacksIn(exampleFolder(example));
      const stack = stacks.length > 1 ? ` --stack ${/--stack (\S+)/.exec(first)?.[1]}` : "";
      assert.equal(first, `npm start -- --example ${example}${stack} --keep`);
      assert.ok(stack === "" || stacks.includes(stack.slice(" --stack ".length)), stack);
      assert.equal(rest.at(-1), "npm run rehearse -- stop");
      for (const line of rest.slice(0, -1)) assert.ok(line.startsWith("npm run rehearse -- exec -- "), line);
    });
  }
});
