// A year and more of a pull principal, hour by hour: what the program asks for, what Entra takes, and who pulls with it.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { passwordSlots } from "../../../components/shared/passwordSlots.ts";
import { type Context, type Existing, Secret } from "../../../plugin/handler.ts";
import { acceptedPasswordBy } from "../../../provider/secret/acceptedPassword.ts";
import { Entra } from "../../../rehearsal/cloud/entra/service.ts";
import { Puller } from "../../support/puller.ts";

const HOUR = 3_600_000;
const START = Date.parse("2026-11-26T00:00:00Z");
/** The longest that a password was seen to take. */
const SECRET_DELAY = 18_000;

interface Course {
  /** How long the whole takes, in days. */
  readonly days: number;
  readonly passwordDays: number;
  /** Days between two runs of the program. */
  readonly upEvery: number;
  /** Hours until the Secret has in the cluster what an update gave. */
  readonly lag: number;
  /** Whether there was a password without an end before. */
  readonly hadEndless?: boolean;
}

/** Runs a course. @returns what there was to see. */
async function run({ days, passwordDays, upEvery, lag, hadEndless = false }: Course) {
  let time = START;
  const entra = await Entra.create({ tenantId: "tenant", now: () => new Date(time), secretDelay: SECRET_DELAY });
  const { objectId: application, clientId, secrets } = entra.addApplication({ displayName: "pull" });
  const puller = new Puller(entra);
  puller.allow(entra.addServicePrincipal(clientId).objectId);
  const accepted = acceptedPasswordBy({
    signIn: async (who) => {
      if (entra.byPassword(who.clientId, who.clientSecret) === undefined) throw new Error("AADSTS7000215: wrong");
    },
    clock: {
      now: () => time,
      pause: async (milliseconds) => {
        time += milliseconds;
      },
    },
  });
  const context = { signal: new AbortController().signal, log: () => assert.fail("a warning") } as unknown as Context;

  /** What the stack knows: passwords by their resource's key, and the one that is in use. */
  const known = new Map<string, { readonly keyId: string; readonly text: string }>();
  let resource: Existing | undefined;
  const given: { readonly from: number; readonly password: string }[] = [];
  const seen = { pulls: 0, failed: 0, given: 0, most: 0, quiet: 0 };
  if (hadEndless) {
    const { keyId, secretText } = entra.addSecret(application, { endDateTime: "2299-12-31T00:00:00Z" }, 0);
    known.set("old", { keyId, text: secretText });
    given.push({ from: time, password: secretText });
  }

  /** What `up` does, in the engine's order: creates, then updates, then deletes what is no longer there. */
  const up = async () => {
    const slots = passwordSlots(passwordDays, new Date(time), "acme/dev/pull");
    const before = slots[1].key;
    const old = known.get("old");
    if (old && !known.has(before)) known.set(before, old);
    known.delete("old");
    let isQuiet = true;
    for (const { key, endDate } of slots.toReversed()) {
      if (known.has(key)) continue;
      const { keyId, secretText } = entra.addSecret(application, { endDateTime: endDate });
      known.set(key, { keyId, text: secretText });
      isQuiet = false;
    }
    seen.most = Math.max(seen.most, secrets.length);
    const passwords = slots.map(({ key }) => known.get(key)?.text);
    const inputs = { tenantId: "tenant", clientId, passwords };
    if (!resource || (await accepted.diff?.(resource, inputs, context))?.changes) {
      const state = resource
        ? await accepted.update?.(resource, inputs, context)
        : (await accepted.create(inputs, context)).state;
      if (!(state?.password instanceof Secret)) throw new Error("the password is no secret");
      const password = String(state.password.value);
      resource = { id: clientId, inputs, state: { ...inputs, password } };
      given.push({ from: time + lag * HOUR, password });
      seen.given++;
      isQuiet = false;
    }
    for (const [key, { keyId }] of known) {
      if (slots.some((slot) => slot.key === key)) continue;
      known.delete(key);
      secrets.splice(
        secrets.findIndex((secret) => secret.keyId === keyId),
        1,
      );
      isQuiet = false;
    }
    if (isQuiet) seen.quiet++;
  };

  for (let hour = 0; hour < days * 24; hour++) {
    time = Math.max(time, START + hour * HOUR);
    if (hour % (upEvery * 24) === 0) await up();
    // Kubernetes has what came last; the first one is waited for.
    const holds = given.findLast(({ from }) => from <= time);
    if (holds === undefined) continue;
    seen.pulls++;
    if (!(await puller.pulls({ username: clientId, password: holds.password }))) seen.failed++;
  }
  return { ...seen, secrets };
}

describe("a pull principal over simulated time", () => {
  for (const { name, ...course } of [
    { name: "an update a day", passwordDays: 30, days: 100, upEvery: 1, lag: 0 },
    { name: "an update a day, whose Secret comes a day later", passwordDays: 30, days: 100, upEvery: 1, lag: 24 },
    { name: "an update at a slot's very end", passwordDays: 30, days: 120, upEvery: 30, lag: 0 },
    { name: "an update a slot, whose Secret comes two days later", passwordDays: 30, days: 120, upEvery: 28, lag: 48 },
  ])
    it(`pulls at every hour through three rotations and more: ${name}`, async function () {
      this.timeout(60_000);
      const { pulls, failed, given, most, secrets } = await run(course);
      assert.equal(failed, 0);
      assert.ok(pulls >= (course.days - 2) * 24 - 1, String(pulls));
      assert.ok(given >= 4, String(given));
      // While an update makes the next one, the oldest is still there.
      assert.equal(most, 3);
      assert.equal(secrets.length, 2);
    });

  it("has nothing to do within a slot", async () => {
    const { given, quiet } = await run({ passwordDays: 30, days: 100, upEvery: 1, lag: 0 });
    assert.equal(quiet, 100 - given);
  });

  it("goes on with a password that has no end, and has none without an end after a slot", async () => {
    const { failed, most, secrets } = await run({ passwordDays: 30, days: 100, upEvery: 1, lag: 24, hadEndless: true });
    assert.deepEqual([failed, most, secrets.length], [0, 3, 2]);
    for (const { endDateTime } of secrets) assert.ok(endDateTime < "2027-06", endDateTime);
  });
});
