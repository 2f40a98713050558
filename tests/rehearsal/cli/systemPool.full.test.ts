// The system pool of a rehearsed prod: what changes in place, and what cannot.
import { strict as assert } from "node:assert";
import { after, before, describe, it } from "mocha";
import { Rehearsal } from "../../support/rehearsal.ts";

describe("the system pool of prod", () => {
  const rehearsal = new Rehearsal("prod");
  const rehearse = (...args: string[]) => rehearsal.rehearse(...args);
  const succeeds = (...args: string[]) => rehearsal.succeeds(...args);

  before(() => rehearsal.start());

  after(() => rehearsal.end());

  it("changes the system pool in place, and refuses what Azure cannot change", async () => {
    const set = (key: string, value: string) =>
      succeeds("pulumi", "config", "set", "--path", `aks-gitops:cluster.systemPool.${key}`, value);
    await set("maxCount", "6");
    const { stdout } = await succeeds("pulumi", "preview", "--diff", "--non-interactive");
    assert.match(stdout, /maxCount\s*: 5 => 6/);
    assert.match(stdout, /~ 1 to update/);
    await succeeds("pulumi", "up", "--yes", "--skip-preview", "--non-interactive");
    await succeeds("pulumi", "refresh", "--yes", "--expect-no-changes", "--non-interactive");
    await succeeds("pulumi", "preview", "--expect-no-changes", "--non-interactive");
    await set("vmSize", "Standard_D16ds_v5");
    const refused = await rehearse("pulumi", "preview", "--non-interactive");
    assert.notEqual(refused.code, 0);
    assert.match(refused.stdout, /vmSize.*Standard_D4ds_v5.*Standard_D16ds_v5/s);
    await set("vmSize", "Standard_D4ds_v5");
  });
});
