import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { passwordSlots, rotationFaults } from "../../../components/shared/passwordSlots.ts";

const DAY = 24 * 3_600_000;
const START = Date.parse("2026-11-26T22:00:00Z");
const at = (days: number) => new Date(START + days * DAY);
const keys = (days: number, when: Date, principal = "acme/dev/acr-dev-pull") =>
  passwordSlots(days, when, principal).map(({ key }) => key);

describe("the calendar of a service principal's passwords", () => {
  for (const days of [1, 7, 90, 365])
    it(`has two at a time, which end one slot of ${days} days apart, the newest within two slots`, () => {
      for (let day = 0; day < 2 * days + 2; day++) {
        const now = at(day);
        const [newest, before] = passwordSlots(days, now, "acme/dev/acr-dev-pull").map(({ endDate }) =>
          Date.parse(endDate),
        );
        assert.equal((newest ?? 0) - (before ?? 0), days * DAY);
        assert.ok((newest ?? 0) > now.getTime() + days * DAY && (newest ?? 0) <= now.getTime() + 2 * days * DAY);
      }
    });

  it("lets the newest of a slot be the older one of the next, and asks for nothing else within one", () => {
    const seen = Array.from({ length: 400 }, (_, day) => keys(90, at(day)));
    const slots = seen.filter((one, day) => String(one) !== String(seen[day - 1]));
    assert.deepEqual(
      slots.slice(1).map(([, before]) => before),
      slots.slice(0, -1).map(([newest]) => newest),
    );
    assert.equal(slots.length, 5);
  });

  it("knows no time of day, and writes the end as Entra does", () => {
    const [morning, evening] = ["2026-11-26T00:00:00Z", "2026-11-26T23:59:59.999Z"].map((time) => new Date(time));
    assert.deepEqual(keys(90, morning as Date), keys(90, evening as Date));
    for (const { key, endDate } of passwordSlots(90, at(0), "x")) {
      assert.match(key, /^20\d\d-\d\d-\d\d$/);
      assert.equal(endDate, `${key}T00:00:00Z`);
    }
  });

  it("spreads the principals over the days of a slot", () => {
    const ends = new Set(Array.from({ length: 40 }, (_, n) => keys(90, at(0), `acme/stack${n}/pull`)[0]));
    assert.ok(ends.size > 20, String(ends.size));
  });

  it("refuses what is no number of days", () => {
    for (const passwordDays of [1, 90, 365]) assert.deepEqual(rotationFaults({ passwordDays }), []);
    assert.deepEqual(rotationFaults({}), []);
    for (const passwordDays of [0, 366, 1.5, Number.NaN])
      assert.deepEqual(rotationFaults({ passwordDays }), [
        {
          argument: "passwordDays",
          value: passwordDays,
          problem: "is no number of days after which a password is renewed",
          remedy: "give a whole number from 1 to 365",
        },
      ]);
  });
});
