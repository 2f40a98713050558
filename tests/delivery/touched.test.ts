import { strict as assert } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { describe, it } from "mocha";
import { BESIDE_THE_PROGRAM, touched } from "../../delivery/stacks/touched.ts";

const checkout = resolve(import.meta.dirname, "../..");
const STACKS = ["dev", "prod"];
const by = (...changed: string[]) => Object.fromEntries(touched(changed, STACKS));

describe("a change touches", () => {
  it("a stack by its settings and by its lock, and no other stack", () => {
    assert.deepEqual(by("Pulumi.prod.yaml"), { prod: "Pulumi.prod.yaml" });
    assert.deepEqual(by("mirror.dev.lock.json"), { dev: "mirror.dev.lock.json" });
    assert.deepEqual(by("Pulumi.dev.yaml", "mirror.prod.lock.json"), {
      dev: "Pulumi.dev.yaml",
      prod: "mirror.prod.lock.json",
    });
  });

  it("no stack by the file of one that is not looked after", () => {
    assert.deepEqual(by("Pulumi.staging.yaml", "mirror.staging.lock.json"), {});
  });

  it("every stack by the program, whatever else is changed", () => {
    for (const path of ["index.ts", "Pulumi.yaml", "package-lock.json", "components/cluster/aksCluster.ts", "new/x.ts"])
      assert.deepEqual(by(path), { dev: path, prod: path }, path);
    assert.deepEqual(by("Pulumi.prod.yaml", "index.ts"), { dev: "index.ts", prod: "Pulumi.prod.yaml" });
  });

  it("none by a text, a test, or what is beside the program", () => {
    assert.deepEqual(
      by("README.md", "docs/sign-in.md", "tests/run.ts", "rehearsal/run.ts", ".github/workflows/up.yml", "LICENSE"),
      {},
    );
  });

  it("a stack in another folder's file of the same name by nothing but the program's rule", () => {
    assert.deepEqual(by("deployments/Pulumi.prod.yaml"), {});
    assert.deepEqual(by("policy/Pulumi.prod.yaml"), {
      dev: "policy/Pulumi.prod.yaml",
      prod: "policy/Pulumi.prod.yaml",
    });
  });

  it("what its rooms say: each folder of the project is of the program or beside it", () => {
    const ignored = readFileSync(resolve(checkout, ".gitignore"), "utf8").split("\n");
    const folders = readdirSync(checkout, { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== ".git" && !ignored.includes(`${entry.name}/`))
      .map(({ name }) => name);
    // A pipeline's own commands are tried by the pipeline.
    const program = /^(components|delivery|flux|mirror|net|plugin|policy|provider|settings|tools)$/;
    assert.deepEqual(
      folders.filter((name) => program.test(name) === BESIDE_THE_PROGRAM.includes(name)),
      [],
    );
  });
});
