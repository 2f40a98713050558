import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { Secret, UNKNOWN } from "../../plugin/handler.ts";
import {
  Archive,
  ElidedAsset,
  FileAsset,
  fromStruct,
  hasUnknown,
  RemoteAsset,
  StringAsset,
  toStruct,
} from "../../plugin/property.ts";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const ASSET = "c44067f5952c0a294b673a41bacd8c17";
const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

const overTheWire = (properties: Record<string, unknown>) => fromStruct(toStruct(properties));

describe("properties on the wire", () => {
  it("keep every plain value, keys of any form included", () => {
    const values = {
      text: "ä\n",
      empty: "",
      number: 1.5,
      zero: 0,
      yes: true,
      no: false,
      nothing: null,
      list: [1, [], ["x"], { a: null }],
      map: { "a.b": { "": 1 }, constructor: 2 },
    };
    assert.deepEqual(overTheWire(values), values);
  });

  it("leave out what is undefined", () => {
    assert.deepEqual(overTheWire({ a: undefined, b: { c: undefined } }), { b: {} });
  });

  it("keep unknown values, at any depth", () => {
    assert.deepEqual(overTheWire({ a: UNKNOWN, b: [{ c: UNKNOWN }] }), { a: UNKNOWN, b: [{ c: UNKNOWN }] });
  });

  it("read the engine's unknown of every type as unknown", () => {
    for (const mark of [
      "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
      "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
      "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
      "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
      "030794c1-ac77-496b-92df-f27374a8bd58",
      "e48ece36-62e2-4504-bad9-02848725956a",
      "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
    ]) {
      assert.deepEqual(overTheWire({ a: mark }), { a: UNKNOWN });
    }
  });

  it("mark a secret for the engine, and read a marked one as its value", () => {
    const struct = toStruct({ a: new Secret({ b: "hush" }) });
    const marked = { [SIGNATURE]: "1b47061264138c4ac30d75fd1eb44270", value: { b: "hush" } };
    assert.deepEqual(struct.toJavaScript(), { a: marked });
    assert.deepEqual(fromStruct(struct), { a: { b: "hush" } });
  });

  it("read an output as its value, or unknown where it has none", () => {
    const output = { [SIGNATURE]: "d0e6a833031e9bbcd3f4e8bde6ca49a4" };
    assert.deepEqual(overTheWire({ a: { ...output, value: 1, secret: true }, b: output }), { a: 1, b: UNKNOWN });
  });

  it("read a resource as its id, or as its URN where it has none", () => {
    const resource = { [SIGNATURE]: "5cf8f73096256a8f31e491e813e4eb8e", urn: "urn:x" };
    assert.deepEqual(overTheWire({ a: { ...resource, id: "i" }, b: resource, c: { ...resource, id: UNKNOWN } }), {
      a: "i",
      b: "urn:x",
      c: UNKNOWN,
    });
  });

  it("keep assets and archives", () => {
    const values = {
      file: new FileAsset("/a/b", "h1"),
      text: new StringAsset("hello", "h2"),
      remote: new RemoteAsset("https://example.com/x", "h3"),
      folder: new Archive({ path: "/a" }, "h4"),
      bundle: new Archive({ assets: { x: new StringAsset("y", "h5") } }),
    };
    assert.deepEqual(overTheWire(values), values);
  });

  it("tell an empty text from one whose content the engine left out", () => {
    const asset = { [SIGNATURE]: ASSET };
    assert.deepEqual(overTheWire({ empty: { ...asset, hash: EMPTY, text: "" }, elided: { ...asset, hash: "h" } }), {
      empty: new StringAsset("", EMPTY),
      elided: new ElidedAsset("h"),
    });
  });

  it("refuse what is no property, naming its path", () => {
    assert.throws(() => toStruct({ a: [{ b: () => 1 }] }), /property b: a function cannot be a property's value/);
    assert.throws(() => toStruct({ a: Number.NaN }), /property a: a number cannot/);
    assert.throws(() => overTheWire({ a: { [SIGNATURE]: "what" } }), /unknown signature what/);
  });

  it("know whether something in them is unknown", () => {
    assert.equal(hasUnknown({ a: [new Secret({ b: UNKNOWN })] }), true);
    assert.equal(hasUnknown({ a: [new Secret({ b: 1 })], c: null }), false);
  });
});
