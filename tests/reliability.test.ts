// docs/reliability.md: its matrix has every resource, and every cell of it a test that exists.

import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { before, describe, it } from "mocha";
import { deploy } from "./components/deployment.ts";
import { EVERYTHING } from "./components/everything.ts";
import { assertNamedTests, tableOf } from "./support/namedTests.ts";

const CHECKOUT = resolve(import.meta.dirname, "..");
const DOCS = join(CHECKOUT, "docs");
const CELLS = ["deleted behind our back", "changed behind our back", "replaced", "interrupted"];
/** What a cell says where a case cannot come about, with its reason. */
const NOT_POSSIBLE = /^not possible: \S+/;
const page = readFileSync(join(DOCS, "reliability.md"), "utf8");

/** The resources that a row is about: `ManagedCluster`, several of them, or `FluxInstall: its controllers`. */
const resourcesOf = ([names = ""]: readonly string[]) =>
  (names.split(":")[0] ?? "").split(",").map((name) => name.replaceAll("`", "").trim());

describe("the matrix of reliability", () => {
  const [header = [], ruler = [], ...rows] = tableOf(page, "## Every resource");
  /** The types that the program and its components register, without module and package. */
  let registered: string[];

  before(async () => {
    const types = new Set<string>();
    for (const make of Object.values(EVERYTHING)) {
      const { resources } = await deploy(() => make({}, {}));
      for (const { type } of resources) types.add(type);
    }
    // Components are no resources of a cloud, providers are not either, and the mocks have some types of their own.
    const real = [...types].filter((type) => !/^(aks-gitops|pulumi:providers|test):/.test(type));
    const program = readFileSync(join(CHECKOUT, "components/resourceGroup.ts"), "utf8");
    const own = [...program.matchAll(/^import \{ ([A-Z]\w+) \} from "@pulumi\/azure-native\//gm)].map(
      ([, name = ""]) => name,
    );
    assert.deepEqual(own, ["ResourceGroup"]);
    registered = [...real.map((type) => type.split(":").at(-1) ?? type), ...own].sort();
  });

  it("has a row for every resource that the program registers", () => {
    const named = rows.flatMap(resourcesOf);
    const missing = registered.filter((type) => !named.includes(type));
    assert.deepEqual(missing, []);
    assert.equal(new Set(rows.map(([name]) => name)).size, rows.length);
  });

  it("says of each of them what happens in every case", () => {
    assert.deepEqual(header, ["resource", ...CELLS]);
    assert.equal(ruler.length, header.length);
    assert.notEqual(rows.length, 0);
    for (const row of rows) {
      assert.equal(row.length, header.length, row[0]);
    }
  });

  for (const row of rows) {
    it(`names tests that there are: ${row[0]}`, () => {
      for (const [index, cell] of row.slice(1).entries()) {
        if (NOT_POSSIBLE.test(cell)) continue;
        assertNamedTests(cell, DOCS, CELLS[index]);
      }
    });
  }
});
