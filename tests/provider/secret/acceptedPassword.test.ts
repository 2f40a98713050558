import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { type Context, type Existing, Secret, UNKNOWN } from "../../../plugin/handler.ts";
import { acceptedPasswordBy, type SignIn } from "../../../provider/secret/acceptedPassword.ts";

const INPUTS = { tenantId: "tenant", clientId: "client", passwords: ["new-pa55", "old-pa55"] };
const REFUSED =
  "invalid_client: AADSTS7000215: Invalid client secret provided. Trace ID: 1 Correlation ID: 2\r\nTimestamp: 3";

describe("AcceptedPassword", () => {
  /** When each password is taken, in milliseconds; not at all where it has none. */
  let taken: Record<string, number>;
  let time: number;
  let asked: SignIn[];
  let logs: string[];

  beforeEach(() => {
    taken = { "new-pa55": 0, "old-pa55": 0 };
    time = 0;
    asked = [];
    logs = [];
  });

  const handler = acceptedPasswordBy({
    signIn: async (who) => {
      asked.push(who);
      if (!((taken[who.clientSecret] ?? Number.POSITIVE_INFINITY) <= time)) throw new Error(REFUSED);
    },
    clock: {
      now: () => time,
      pause: async (milliseconds) => {
        time += milliseconds;
      },
    },
  });
  const context: Context = {
    urn: "urn:pulumi:dev::acme::gitops:index:AcceptedPassword::pull",
    type: "gitops:index:AcceptedPassword",
    name: "pull",
    preview: false,
    signal: new AbortController().signal,
    log: (severity, message) => logs.push(`${severity}: ${message}`),
  };
  const inUse = (password: string, inputs = INPUTS): Existing => ({
    id: "client",
    inputs,
    state: { ...inputs, password },
  });
  const diff = (existing: Existing, inputs: Record<string, unknown> = INPUTS) =>
    handler.diff?.(existing, inputs, context);

  it("is the newest, as a secret, when Entra takes it", async () => {
    taken["new-pa55"] = 18_000;
    const { id, state } = await handler.create(INPUTS, context);
    assert.equal(id, "client");
    assert.deepEqual(state, {
      ...INPUTS,
      passwords: new Secret(INPUTS.passwords),
      password: new Secret("new-pa55"),
    });
    assert.deepEqual([time, asked.length, logs], [18_000, 10, []]);
    assert.deepEqual(new Set(asked.map(({ clientSecret }) => clientSecret)), new Set(["new-pa55"]));
    assert.deepEqual(asked[0], { tenantId: "tenant", clientId: "client", clientSecret: "new-pa55" });
  });

  it("stays the older one where the newest is not taken in three minutes, and tries again with the next update", async () => {
    taken["new-pa55"] = Number.NaN;
    const { state } = await handler.create(INPUTS, context);
    assert.deepEqual(state.password, new Secret("old-pa55"));
    assert.ok(time >= 178_000 && time <= 182_000, String(time));
    assert.deepEqual(logs, [
      "warning: Entra does not take the newest password of application client after 3 minutes (invalid_client: " +
        "AADSTS7000215: Invalid client secret provided.): the one before stays in use, and the next `pulumi up` tries again",
    ]);
    const next = await diff(inUse("old-pa55"));
    assert.deepEqual(next, {
      changes: true,
      replaces: [],
      detailed: { password: { kind: "update", inputDiff: false } },
    });
    taken["new-pa55"] = 0;
    assert.deepEqual((await handler.update?.(inUse("old-pa55"), INPUTS, context))?.password, new Secret("new-pa55"));
  });

  it("keeps the one in use where Entra takes none, as where nobody reaches it, but not one that is no longer there", async () => {
    taken = {};
    const kept = await handler.update?.(inUse("old-pa55"), INPUTS, context);
    assert.deepEqual(kept?.password, new Secret("old-pa55"));
    await assert.rejects(async () => handler.update?.(inUse("older-pa55"), INPUTS, context), {
      message:
        "Entra does not take the newest password of application client after 3 minutes (invalid_client: AADSTS7000215: " +
        "Invalid client secret provided.), nor another one: run `pulumi up` again. Where it stays so, look whether " +
        "whoever runs it reaches Entra's sign-in, and whether a policy of the tenant keeps the application from signing " +
        "in there",
    });
  });

  it("has nothing to do while its passwords are the same, and is another one of another application", async () => {
    assert.deepEqual(await diff(inUse("new-pa55")), { changes: false });
    assert.deepEqual(await diff(inUse("new-pa55"), { ...INPUTS, passwords: UNKNOWN }), { changes: true, replaces: [] });
    assert.deepEqual(await diff(inUse("new-pa55"), { ...INPUTS, clientId: "other" }), {
      changes: true,
      replaces: ["clientId"],
    });
    assert.deepEqual(asked, []);
  });

  it("shows no password in a preview or a fault", async () => {
    const shown = await handler.preview?.(INPUTS, inUse("new-pa55"), context);
    assert.equal(shown?.password, UNKNOWN);
    const faults = await handler.check?.(
      { ...INPUTS, passwords: ["pa55", 4711] },
      undefined,
      context,
      new Uint8Array(),
    );
    assert.deepEqual(faults?.failures, [
      { property: "", reason: "passwords is not a list of texts with one at least" },
    ]);
  });
});
