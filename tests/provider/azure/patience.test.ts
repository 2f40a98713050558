import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { ArmError } from "../../../provider/azure/armClient.ts";
import { BUSY_WAITS, isPassing, later, ROLE_WAITS } from "../../../provider/azure/patience.ts";
import { FakeCloud } from "../fakeCloud.ts";

const missing = new ArmError(403, "LinkedAuthorizationFailed", "not yet");
const busy = new ArmError(409, "OperationNotAllowed", "not now");

describe("patience with Azure", () => {
  /** The waits that follow an error, in milliseconds, as long as trying again may help. */
  function waitsFor(error: ArmError): number[] {
    const { context } = new FakeCloud();
    const waits: number[] = [];
    for (let attempt = 1; attempt <= BUSY_WAITS.length && isPassing(error, attempt); attempt++)
      waits.push(later("", { attempt, wait: BUSY_WAITS[attempt - 1] }, context, error).wait ?? 0);
    return waits;
  }

  it("looks for a right as often as it is looked for everywhere, and for ten minutes", () => {
    assert.deepEqual(waitsFor(missing), ROLE_WAITS);
    assert.equal(
      ROLE_WAITS.reduce((sum, wait) => sum + wait),
      600_000,
    );
  });

  it("waits longer for what another operation holds", () => {
    assert.deepEqual(waitsFor(busy), BUSY_WAITS);
  });

  it("ends where no time is left, in the words of what was refused", () => {
    const { context } = new FakeCloud();
    assert.throws(() => later("", { attempt: 40, wait: undefined }, context, missing), missing);
  });
});
