import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { Again, type Clock, pause, type RetryPlan, retry } from "../../net/retry.ts";

/** A clock that waits at once and keeps what it was asked for; every look at it takes a moment. */
function fakeClock(moment = 0): Clock & { readonly waits: number[] } {
  let time = 1000;
  const waits: number[] = [];
  return {
    waits,
    now: () => {
      time += moment;
      return time;
    },
    pause: async (milliseconds) => {
      waits.push(milliseconds);
      time += milliseconds;
    },
  };
}

describe("retry", () => {
  /** Asks for another try as long as there is one; gives the number of tries and the waits between them. */
  const exhausted = async (plan: RetryPlan, moment = 0) => {
    const clock = fakeClock(moment);
    const task = async ({ attempt, wait }: { attempt: number; wait: number | undefined }) =>
      wait === undefined ? attempt : new Again();
    const tries = await retry<number>(task, { ...plan, clock });
    return { tries, waits: clock.waits };
  };

  it("waits as a list says, and has one try more", async () => {
    assert.deepEqual(await exhausted({ waits: [10, 20, 40] }), { tries: 4, waits: [10, 20, 40] });
    assert.deepEqual(await exhausted({ waits: [] }), { tries: 1, waits: [] });
  });

  it("waits by the number of the try, as often as is allowed", async () => {
    const waits = (attempt: number) => 100 * 2 ** attempt;
    assert.deepEqual(await exhausted({ waits, attempts: 3 }), { tries: 3, waits: [200, 400] });
  });

  it("begins no try after the time is over", async () => {
    assert.deepEqual(await exhausted({ waits: () => 100, within: 250 }), { tries: 4, waits: [100, 100, 100] });
    assert.deepEqual(await exhausted({ waits: () => 0, within: 250 }, 100), { tries: 3, waits: [0, 0] });
  });

  it("decides once whether a try is the last one", async () => {
    const clock = fakeClock(100);
    const seen = await retry(async ({ wait, ...rest }) => [wait, wait, rest], { waits: () => 7, within: 150, clock });
    assert.deepEqual(seen.slice(0, 2), [7, 7]);
    const lazy = await retry(
      async (current) => {
        clock.pause(1000);
        return [current.wait, current.wait];
      },
      { waits: () => 7, within: 150, clock },
    );
    assert.deepEqual(lazy, [undefined, undefined]);
  });

  it("prefers a wait that the task asks for, none included", async () => {
    const clock = fakeClock();
    const asked = [5, 0, undefined];
    const task = async ({ attempt }: { attempt: number }) => (attempt < 4 ? new Again(asked[attempt - 1]) : "done");
    assert.equal(await retry(task, { waits: () => 99, clock }), "done");
    assert.deepEqual(clock.waits, [5, 0, 99]);
  });

  it("throws what the task throws, and says so when a task cannot stop", async () => {
    const fails = async () => {
      throw new Error("broken");
    };
    await assert.rejects(retry(fails, { waits: [1, 2] }), /^Error: broken$/);
    await assert.rejects(
      retry(async () => new Again(), { waits: [1], clock: fakeClock() }),
      /no try is left after 2/,
    );
  });

  it("stops with the signal's reason, before a try and in a wait", async () => {
    const controller = new AbortController();
    let tries = 0;
    const task = async () => {
      tries++;
      setTimeout(() => controller.abort(new Error("cancelled")), 5);
      return new Again();
    };
    await assert.rejects(retry(task, { waits: [60_000], signal: controller.signal }), /^Error: cancelled$/);
    await assert.rejects(retry(task, { waits: [], signal: controller.signal }), /^Error: cancelled$/);
    assert.equal(tries, 1);
    await assert.rejects(pause(60_000, controller.signal), /^Error: cancelled$/);
  });
});
