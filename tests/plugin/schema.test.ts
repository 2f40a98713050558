import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import * as z from "zod";
import { type Context, type Properties, UNKNOWN } from "../../plugin/handler.ts";
import { packageSchema } from "../../plugin/packageSchema.ts";
import { flag, functionOf, handlerOf, matching, resourceSchema } from "../../plugin/schema.ts";

const part = z
  .strictObject({ size: z.int().meta({ fault: "is no whole number" }), note: z.string().exactOptional() })
  .describe("A part.")
  .meta({ id: "Part" });

const THING = resourceSchema({
  token: "test:index:Thing",
  description: "A thing.",
  inputs: {
    place: matching(/^[a-z]+$/, "a place: home")
      .describe("Where it is.")
      .meta({ replaceOnChanges: true }),
    minutes: z.number().positive().describe("How long.").meta({ fault: "is no number above 0" }).default(15),
    isOpen: flag.describe("Whether it is open.").exactOptional(),
    parts: z.array(part).describe("What it is made of.").exactOptional(),
    byName: z.record(z.string().regex(/^[a-z]+$/, "must be lower-case"), part).exactOptional(),
    password: z
      .record(z.string(), z.string())
      .describe("Signs in.")
      .meta({ secret: true, fault: "is not a map of texts" })
      .exactOptional(),
    kind: z.literal("plain").exactOptional(),
  },
  outputs: { shout: z.string().describe("Its place in capitals.") },
});

const context = {} as Context;
const thing = handlerOf(THING, {
  rules: ({ place, minutes }) =>
    place !== UNKNOWN && minutes === 1 ? [{ property: "password", reason: `is missing for a minute at ${place}` }] : [],
  async create(inputs) {
    return { id: inputs.place, state: { ...inputs, shout: inputs.place.toUpperCase() } };
  },
  async read(id, known) {
    const inputs = known?.inputs ?? { place: id, minutes: 1 };
    return { id, inputs, state: { ...inputs, shout: known === undefined ? "imported" : "read" } };
  },
});
const check = (inputs: Properties) => thing.check?.(inputs, undefined, context, new Uint8Array());
const faults = async (inputs: Properties) =>
  ((await check({ place: "home", ...inputs }))?.failures ?? []).map(({ property, reason }) => `${property}: ${reason}`);

describe("a resource's schema", () => {
  it("fills in defaults, and takes null for what is left out", async () => {
    assert.deepEqual(await check({ place: "home", isOpen: null, minutes: null }), {
      inputs: { place: "home", minutes: 15 },
      failures: [],
    });
    assert.deepEqual((await check({ place: UNKNOWN, minutes: UNKNOWN }))?.inputs, { place: UNKNOWN, minutes: UNKNOWN });
  });

  it("tells all faults at once: what there is not, then each property in its order, with its value", async () => {
    assert.deepEqual(await faults({ isOpen: "yes", colour: "red", minutes: 0, place: undefined }), [
      "colour: there is no such property; there are place, minutes, isOpen, parts, byName, password, kind",
      "place: is missing",
      "minutes: 0 is no number above 0",
      'isOpen: "yes" is neither true nor false',
    ]);
    assert.deepEqual(await faults({ place: 5 }), ["place: 5 is not a place: home"]);
  });

  it("tells where in a value a fault is", async () => {
    const parts = [{ size: 1 }, { size: 1.5 }, { size: 1, colour: "red", shape: "round" }, "x"];
    assert.deepEqual(await faults({ parts }), [
      "parts: [1].size 1.5 is no whole number",
      'parts: [2] has "colour", which is none of size, note',
      'parts: [2] has "shape", which is none of size, note',
      "parts: [3] must be of type object",
    ]);
    assert.deepEqual(await faults({ byName: { A: { size: 1 }, b: {} } }), [
      'byName: ["A"] must be lower-case',
      'byName: ["b"].size is missing',
    ]);
  });

  it("lets pass what is not known yet, at any depth, and still tells what is wrong beside it", async () => {
    for (const inputs of [
      { parts: UNKNOWN, password: UNKNOWN, isOpen: UNKNOWN, kind: UNKNOWN },
      { parts: [UNKNOWN, { size: UNKNOWN, note: UNKNOWN }], byName: { a: UNKNOWN }, password: { a: UNKNOWN } },
    ])
      assert.deepEqual(await faults(inputs), []);
    assert.deepEqual(await faults({ parts: [UNKNOWN, { size: "1", note: UNKNOWN }] }), [
      'parts: [1].size "1" is no whole number',
    ]);
  });

  it("never shows a secret: neither its value, nor its name to the engine, which would print the value", async () => {
    assert.deepEqual(await faults({ password: "hunter2" }), [": password is not a map of texts"]);
    assert.deepEqual(await faults({ password: { a: ["hunter2"] } }), [": password is not a map of texts"]);
    assert.deepEqual(await faults({ minutes: 1 }), [": password is missing for a minute at home"]);
  });

  it("takes a faulty property for an unknown one in the rules between them", async () => {
    assert.deepEqual(await faults({ minutes: 1, place: "HOME" }), ['place: "HOME" is not a place: home']);
  });

  it("says what is another resource", async () => {
    const old = { id: "x", inputs: { place: "home", minutes: 1 }, state: {} };
    const diff = (next: Properties) => thing.diff?.(old, next, context);
    assert.deepEqual(await diff({ place: "home", minutes: 1 }), { changes: false, replaces: [] });
    assert.deepEqual(await diff({ place: "home", minutes: 2 }), { changes: true, replaces: [] });
    assert.deepEqual(await diff({ place: UNKNOWN, minutes: 1 }), { changes: true, replaces: ["place"] });
  });

  it("tells a read of what is known from an import", async () => {
    const shout = async (inputs: Properties) => (await thing.read?.("home", inputs, {}, context))?.state.shout;
    assert.equal(await shout({}), "imported");
    assert.equal(await shout({ place: "home", minutes: 1 }), "read");
  });
});

describe("a package's schema", () => {
  it("tells of inputs, outputs and types in Pulumi's form", () => {
    const about = { name: "test", version: "1.2.3", description: "Things." };
    const place = { type: "string", description: "Where it is.", willReplaceOnChanges: true };
    const inputProperties = {
      place,
      minutes: { type: "number", description: "How long.", default: 15 },
      isOpen: { type: "boolean", description: "Whether it is open." },
      parts: { type: "array", items: { $ref: "#/types/test:index:Part" }, description: "What it is made of." },
      byName: { type: "object", additionalProperties: { $ref: "#/types/test:index:Part" } },
      password: {
        type: "object",
        additionalProperties: { type: "string" },
        description: "Signs in.",
        secret: true,
      },
      kind: { type: "string", const: "plain" },
    };
    assert.deepEqual(packageSchema(about, [THING]), {
      ...about,
      resources: {
        "test:index:Thing": {
          description: "A thing.",
          inputProperties,
          requiredInputs: ["place"],
          properties: { ...inputProperties, shout: { type: "string", description: "Its place in capitals." } },
          required: ["place", "minutes", "shout"],
        },
      },
      types: {
        "test:index:Part": {
          type: "object",
          description: "A part.",
          properties: { size: { type: "integer" }, note: { type: "string" } },
          required: ["size"],
        },
      },
    });
  });

  it("tells of functions, which refuse what their schema does not take", async () => {
    const inputs = { place: THING.inputs.shape.place };
    const shout = resourceSchema({ ...THING, token: "test:index:shout", inputs, outputs: THING.outputs.shape });
    const { functions } = packageSchema({ name: "test", version: "1.2.3", description: "" }, [], [shout]);
    assert.deepEqual(functions, {
      "test:index:shout": {
        description: "A thing.",
        inputs: {
          properties: { place: { type: "string", description: "Where it is.", willReplaceOnChanges: true } },
          required: ["place"],
        },
        outputs: {
          properties: { shout: { type: "string", description: "Its place in capitals." } },
          required: ["shout"],
        },
      },
    });
    const { call } = functionOf(shout, async ({ place }) => ({ shout: place.toUpperCase() }));
    assert.deepEqual(await call({ place: "home" }), { shout: "HOME" });
    await assert.rejects(call({ place: "7", time: 1 }), {
      message: 'time there is no such property; there are place; place "7" is not a place: home',
    });
  });

  it("tells of an object of anything as such", () => {
    const open = resourceSchema({ ...THING, inputs: { parts: z.record(z.string(), z.unknown()) }, outputs: {} });
    const { resources } = packageSchema({ name: "test", version: "1.2.3", description: "" }, [open]);
    assert.deepEqual(resources["test:index:Thing"]?.inputProperties, {
      parts: { type: "object", additionalProperties: { $ref: "pulumi.json#/Any" } },
    });
  });

  it("refuses an object without a name", () => {
    const nameless = resourceSchema({
      ...THING,
      inputs: { part: z.strictObject({ size: z.number() }) },
      outputs: {},
    });
    assert.throws(
      () => packageSchema({ name: "test", version: "1.2.3", description: "" }, [nameless]),
      /a part that Pulumi's form has no place for: \{"type":"object"/,
    );
  });
});
