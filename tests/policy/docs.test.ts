// The page of the guard rails says of each what the pack says.
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import { GUARDS } from "../../policy/guards.ts";
import { SOURCE, VERSIONS } from "../../settings/kubernetesVersions.ts";
import { ROOT } from "../support/engine.ts";

const PAGE = readFileSync(join(ROOT, "docs/policy.md"), "utf8");

describe("the page of the guard rails", () => {
  it("has a row for each, in their order", () => {
    const [, after = ""] = PAGE.split("|---|---|---|---|---|\n");
    const rows = after.split("\n\n")[0]?.trim().split("\n");
    const expected = GUARDS.map(({ name, level, production, description, remedy }) => {
      const scope = production ? "production" : "all";
      return `| \`${name}\` | ${level} | ${scope} | ${description} | ${remedy} |`;
    });
    assert.deepEqual(rows, expected, `Rows that belong there:\n${expected.join("\n")}`);
  });

  it("says of the table of Kubernetes' versions when it was read and where it ends", () => {
    const [, read] = /read in (\w+ \d{4}), and end with/.exec(PAGE) ?? [];
    assert.equal(`${read}`, "August 2026");
    assert.equal(SOURCE.read, "2026-08");
    assert.ok(PAGE.includes(`end with 1.${VERSIONS.at(-1)?.minor}:`));
  });
});
