// An update from nothing whose engine is killed again and again, while azure-native makes something: `npm run recover` and
// the next update finish it, nothing is made twice, and a destroy leaves nothing.
import { strict as assert } from "node:assert";
import { after, before, describe, it } from "mocha";
import { interrupt, requestsOf } from "../../support/interruption.ts";
import { Rehearsal } from "../../support/rehearsal.ts";

/** How often: each update gets as far as to ask Azure for something that none before it asked for. */
const TIMES = 10;

describe("an update from nothing whose engine is killed", () => {
  const prod = new Rehearsal("prod");
  const now = ["--yes", "--skip-preview"];
  /** How many resources of each type Azure has when prod stands. */
  let whole: Record<string, number>;

  const pulumi = (...args: string[]) => prod.succeeds("pulumi", ...args, "--non-interactive");
  const inAzure = async () => {
    const { resources } = await prod.inspection();
    return Object.fromEntries(
      [...Map.groupBy(resources, ({ type }) => type)].map(([type, { length }]) => [type, length] as const).sort(),
    );
  };
  before(async () => {
    await prod.start();
    whole = await inAzure();
    await pulumi("destroy", ...now);
    assert.deepEqual(await inAzure(), {});
  });

  after(() => prod.end());

  for (let time = 1; time <= TIMES; time++)
    it(`goes on where it was when it was killed: ${time} of ${TIMES}`, async () => {
      const asked = new Set(requestsOf(prod).filter((request) => request.startsWith("PUT ")));
      const known = [...asked].map((request) => RegExp.escape(request)).join("|");
      const request = new RegExp(`^(?!(?:${known})$)PUT `);
      const { code, stdout } = await interrupt(prod, ["up", ...now], { request }, "engine");
      assert.notEqual(code, 0, stdout);
      await pulumi("cancel", "--yes");
      await prod.recover();
    });

  it("has made one of each in the end", async () => {
    await pulumi("up", ...now);
    assert.deepEqual(await inAzure(), whole);
    await pulumi("preview", "--expect-no-changes");
    await prod.succeeds("check");
  });

  it("leaves nothing when it is destroyed", async () => {
    await pulumi("destroy", ...now);
    assert.deepEqual(await inAzure(), {});
  });
});
