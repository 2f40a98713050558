// The page of the doctor says of each check what the code says.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { CHECKS } from "../../../delivery/doctor/checks.ts";
import { ROOT } from "../../support/engine.ts";

const NEEDS = { settings: "settings without a fault", azure: "a sign-in", plan: "the program's resources" };

describe("the page of the doctor", () => {
  it("has a row for each check, in their order", () => {
    const [, after = ""] = readFileSync(join(ROOT, "docs/doctor.md"), "utf8").split("|---|---|---|\n");
    const expected = CHECKS.map(({ name, about, needs }) => {
      const needed = needs.map((need) => NEEDS[need]).join(", ");
      return `| \`${name}\` | ${about} | ${needed || "nothing"} |`;
    });
    assert.deepEqual(after.split("\n\n")[0]?.trim().split("\n"), expected, `Rows:\n${expected.join("\n")}`);
  });

  it("has no two checks of a name", () => {
    assert.equal(new Set(CHECKS.map(({ name }) => name)).size, CHECKS.length);
  });
});
