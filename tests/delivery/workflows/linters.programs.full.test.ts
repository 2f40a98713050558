// Judges that are not ours look at the pipelines' files, and each is shown to see a fault.
import { strict as assert } from "node:assert";
import { execFileSync } from "node:child_process";
import { cpSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, before, describe, it } from "mocha";
import { actionlint, checkJsonSchema, type Found, type Linter } from "../../support/pipelineLinters.ts";

const checkout = resolve(import.meta.dirname, "../../..");

interface Judge {
  readonly name: string;
  readonly find: () => Promise<Found>;
  /** Below the checkout. */
  readonly files: string;
  /** Faults: a file, what stands there, what is put in its place, and what is said of it. */
  readonly faults: readonly (readonly [file: string, good: string, bad: string, said: RegExp])[];
}

const WORKFLOWS = ".github/workflows";
const PIPELINES = "azure-pipelines";

const judges: readonly Judge[] = [
  {
    name: "actionlint",
    find: actionlint,
    files: `${WORKFLOWS}/*.yml`,
    faults: [
      [`${WORKFLOWS}/up.yml`, "needs: stacks", "needs: stack", /needs job "stack" which does not exist/],
      [`${WORKFLOWS}/up.yml`, "operation: up", "operations: up", /input "operations" is not defined/],
      [`${WORKFLOWS}/preview.yml`, "contents: read", "content: read", /unknown permission scope "content"/],
      [
        `${WORKFLOWS}/preview.yml`,
        "if: vars.STACKS ==",
        "if: secrets.STACKS ==",
        /context "secrets" is not allowed here/,
      ],
      [`${WORKFLOWS}/preview.yml`, "steps.touched.outputs", "steps.touch.outputs", /property "touch" is not defined/],
    ],
  },
  {
    name: "the schema of GitHub's workflows",
    find: () => checkJsonSchema("vendor.github-workflows"),
    files: `${WORKFLOWS}/*.yml`,
    faults: [
      [`${WORKFLOWS}/up.yml`, "runs-on: ubuntu-24.04", "run-on: ubuntu-24.04", /up\.yml/],
      [`${WORKFLOWS}/fork.yml`, "pull-requests: write", "pull-requests: wrote", /fork\.yml.*wrote/s],
    ],
  },
  {
    name: "the schema of Azure Pipelines",
    // Its patterns are not those of strict Unicode.
    find: () =>
      checkJsonSchema(
        ...["vendor.azure-pipelines", "--data-transform", "azure-pipelines", "--regex-variant", "nonunicode"],
      ),
    files: `${PIPELINES}/*.yml`,
    faults: [
      [`${PIPELINES}/up.yml`, "lockBehavior: sequential", "lockBehaviour: sequential", /up\.yml/],
      [`${PIPELINES}/preview.yml`, "fetchDepth:", "depth:", /preview\.yml/],
      [`${PIPELINES}/steps.yml`, "scriptType: bash", "scriptType: fish", /steps\.yml/],
    ],
  },
];

describe("the pipelines' files", () => {
  const folder = mkdtempSync(join(tmpdir(), "linted-"));

  before(() => {
    // One of the judges looks for the repository that a file is of.
    execFileSync("git", ["init", "--quiet", folder]);
    for (const path of [".github", PIPELINES]) cpSync(join(checkout, path), join(folder, path), { recursive: true });
  });
  after(() => rmSync(folder, { recursive: true }));

  for (const { name, find, files, faults } of judges)
    describe(`before ${name}`, () => {
      let linter: Linter;

      before(async function () {
        const found = await find();
        if ("missing" in found) {
          console.log(`      left out: it ${found.missing}`);
          this.skip();
        } else linter = found.linter;
      });

      it("are without a fault", async () => {
        const paths = globSync(files, { cwd: checkout });
        assert.notEqual(paths.length, 0);
        const { code, stdout, stderr } = await linter(paths, checkout);
        assert.equal(code, 0, stdout + stderr);
      });

      for (const [file, good, bad, said] of faults)
        it(`have one with "${bad}" in ${file}`, async () => {
          const path = join(folder, file);
          const text = readFileSync(path, "utf8");
          assert.ok(text.includes(good), `${good} is not in ${file}`);
          writeFileSync(path, text.replace(good, bad));
          try {
            const { code, stdout, stderr } = await linter([file], folder);
            assert.equal(code, 1, stdout + stderr);
            assert.match(stdout + stderr, said);
          } finally {
            writeFileSync(path, text);
          }
        });
    });
});
