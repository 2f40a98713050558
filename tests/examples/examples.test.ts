import { strict as assert } from "node:assert";
import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, it } from "mocha";
import { parse, parseAllDocuments } from "yaml";
import { ownedFiles, seedFiles } from "../../components/repository/files.ts";
import { kustomizationsOf } from "../../components/repository/kustomizations.ts";
import { folderOf } from "../../components/repository/order.ts";
import { exampleFolder, exampleNames, repositoryFiles, stacksIn } from "../../rehearsal/examples.ts";
import { checkout } from "../../rehearsal/session.ts";
import { settingsOf } from "../../rehearsal/settings.ts";
import type { Settings } from "../../settings/settings.ts";
import { digest } from "../settings/settingsOf.ts";

describe("an example", () => {
  it("that there is not is refused with those that there are", () => {
    assert.throws(
      () => exampleFolder("005-none"),
      new Error(`There is no example "005-none". There are: ${exampleNames().join(", ")}.`),
    );
    assert.throws(() => exampleFolder(".."), /^Error: There is no example/);
  });
});

/** The paths that a stack owns. */
function owned({ stack, flux, images, charts, secrets, demo }: Settings): string[] {
  const lock = {
    images: images.map((source) => ({ source, repository: source, digest: digest("a"), tag: "a" })),
    charts: charts.map(({ name, repository, version }) => ({
      ...{
        name,
        repository,
        version,
        url: repository,
        sha256: "a",
        settings: "a",
        created: "",
        analysis: "",
        images: [],
      },
      ...{ manifest: digest("b"), values: {}, postRender: [] },
    })),
  };
  const { path, kustomizations, configuration } = flux;
  return Object.keys(
    ownedFiles({ stack, path, kustomizations, configuration, loginServer: "", lock, charts, secrets, demo }),
  );
}

for (const name of exampleNames())
  describe(`the example ${name}`, () => {
    const folder = exampleFolder(name);
    const readme = readFileSync(join(folder, "README.md"), "utf8");

    it("says how it is rehearsed, and what the document did", () => {
      assert.ok(readme.includes(`npm start -- --example ${name}\n`));
      assert.match(readme, /^\| the document \| here \|$/m);
    });

    it("leads to what is there", () => {
      const links = [...readme.matchAll(/\]\(([^)#]+)/g)].map(([, link = ""]) => link);
      for (const link of links.filter((each) => !each.startsWith("https://")))
        assert.ok(existsSync(resolve(folder, link)), link);
    });

    it("pins no digest of a rehearsal", () => {
      assert.deepEqual(globSync("**/*.lock.json", { cwd: folder }), []);
      const files = globSync("**/*.{yaml,md}", { cwd: folder });
      for (const file of files)
        assert.doesNotMatch(readFileSync(join(folder, file), "utf8"), /sha256:[0-9a-f]{64}/, file);
    });

    it("has a repository of YAML that kustomize finds whole, with no secret in plain text", async () => {
      const files = (await repositoryFiles(folder)) ?? {};
      for (const [path, text] of Object.entries(files).filter(([each]) => each.endsWith(".yaml"))) {
        for (const document of [parseAllDocuments(text)].flat()) {
          assert.deepEqual(document.errors, [], path);
          if (document.toJS()?.kind === "Secret") assert.ok(document.toJS().sops, path);
        }
        if (!path.endsWith("/kustomization.yaml")) continue;
        const { resources = [] } = parse(text) as { resources?: string[] };
        for (const resource of resources) {
          const found = join(dirname(path), resource);
          assert.ok(found in files || `${found}/kustomization.yaml` in files, `${path}: ${resource}`);
        }
      }
    });

    for (const stack of stacksIn(folder))
      it(`applies folders that are there, and owns nothing that people have, with stack ${stack}`, async () => {
        const settings = await settingsOf(stack, folder);
        const people = (await repositoryFiles(folder)) ?? {};
        assert.deepEqual(
          owned(settings).filter((each) => each in people),
          [],
        );
        const all = Object.keys({ ...people, ...seedFiles({ ...settings, ...settings.flux }) });
        for (const { path } of kustomizationsOf({ stack, kustomizations: settings.flux.kustomizations }))
          assert.ok(
            all.some((file) => file.startsWith(`${folderOf(path)}/`)),
            path,
          );
      });

    it("has stacks that own different files of one repository", async () => {
      const all = await Promise.all(stacksIn(folder).map((stack) => settingsOf(stack, folder)));
      assert.equal(new Set(all.map(({ flux }) => flux.repository)).size, 1);
      const paths = all.flatMap(owned);
      assert.deepEqual([...new Set(paths)].sort(), [...paths].sort());
    });

    it("is rehearsed by a test of its own", () => {
      assert.ok(existsSync(join(checkout, "tests/examples", `${name}.full.test.ts`)));
    });
  });
