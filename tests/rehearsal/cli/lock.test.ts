import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "mocha";
import type { Lock } from "../../../mirror/lock.ts";
import { needsHelm } from "../../../rehearsal/cli/lock.ts";
import { settingsOf } from "../../../rehearsal/settings.ts";

const known = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../rehearsal/content/kured.lock.json"), "utf8"),
) as Lock;

describe("a rehearsal's lock", () => {
  it("needs no helm for the charts of the stacks that are shipped", async () => {
    for (const stack of ["prod", "dev"]) assert.equal(needsHelm(await settingsOf(stack), [known]), false, stack);
  });

  it("needs helm for a chart with other values, until a lock has its analysis", async () => {
    const settings = await settingsOf("prod");
    assert.equal(needsHelm(settings, []), true);
    const other = { ...settings, charts: settings.charts.map((chart) => ({ ...chart, values: { replicas: 2 } })) };
    assert.equal(needsHelm(other, [known]), true);
  });
});
