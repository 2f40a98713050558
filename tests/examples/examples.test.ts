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
        const { path, kustomizations, configuration } = settings.flux;
        const people = (await repositoryFiles(folder)) ?? {};
        const images = settings.images.map((source) => ({ source, repository: source, digest: digest("a"), tag: "a" }));
        const charts = settings.charts.map(({ name, repository, version }) => ({
          ...{ name, repository, version, url: repository, sha256: "a", created: "", analysis: "", images: [] },
          ...{ manifest: digest("b"), values: {}, postRender: [] },
        }));
        const owned = ownedFiles({
          ...{ stack, path, kustomizations, configuration, loginServer: "acme.azurecr.io", lock: { charts, images } },
          ...{ charts: settings.charts, secrets: settings.secrets, demo: settings.demo },
        });
        assert.deepEqual(
          Object.keys(owned).filter((each) => each in people),
          [],
        );
        const all = Object.keys({ ...people, ...seedFiles({ stack, kustomizations, demo: settings.demo }) });
        for (const each of kustomizationsOf({ stack, kustomizations }))
          assert.ok(
            all.some((file) => file.startsWith(`${folderOf(each.path)}/`)),
            each.path,
          );
      });

    it("is rehearsed by a test of its own", () => {
      assert.ok(existsSync(join(checkout, "tests/examples", `${name}.full.test.ts`)));
    });
  });
