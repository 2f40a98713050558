// The stand-in for Pulumi's random: passwords, strings, ids and UUIDs.

import { randomBytes, randomUUID } from "node:crypto";
import { type CheckFailure, type Provider, type ResourceHandler, Secret } from "../../../plugin/handler.ts";
import { drawn } from "../shared/drawn.ts";
import { type Fields, sdkVersion } from "../shared/values.ts";
import { CHARACTER_DEFAULTS, characterFaults, draw, withNumeric } from "./characters.ts";

/** The work factor that the official provider uses. */
const BCRYPT_COST = 10;
/** bcrypt looks at no more, and the official provider cuts there. */
const BCRYPT_BYTES = 72;

const password = drawn({
  defaults: CHARACTER_DEFAULTS,
  faults: characterFaults,
  draw: async (inputs) => ({ id: "none", state: await passwordState(inputs, draw(inputs)) }),
  async adopt(result) {
    const inputs = { ...CHARACTER_DEFAULTS, length: result.length };
    return { id: "none", inputs, state: await passwordState(inputs, result) };
  },
});

async function passwordState(inputs: Fields, result: string) {
  const { hash } = await import("bcryptjs");
  const bcryptHash = await hash(cut(result), BCRYPT_COST);
  return { ...withNumeric(inputs), result: new Secret(result), bcryptHash: new Secret(bcryptHash) };
}

function cut(text: string): string {
  return Buffer.from(text).subarray(0, BCRYPT_BYTES).toString();
}

const string = drawn({
  defaults: CHARACTER_DEFAULTS,
  faults: characterFaults,
  async draw(inputs) {
    const result = draw(inputs);
    return { id: result, state: { ...withNumeric(inputs), result } };
  },
  async adopt(id) {
    const inputs = { ...CHARACTER_DEFAULTS, length: id.length };
    return { id, inputs, state: { ...withNumeric(inputs), result: id } };
  },
});

const id = drawn({
  defaults: {},
  faults: byteLengthFaults,
  async draw(inputs) {
    const bytes = randomBytes(Number(inputs.byteLength));
    return { id: bytes.toString("base64url"), state: { ...inputs, ...encodings(bytes, inputs.prefix) } };
  },
  async adopt(name) {
    const [encoded = "", prefix] = name.split(",").reverse();
    const bytes = Buffer.from(encoded, "base64url");
    const inputs = { byteLength: bytes.length, ...(prefix === undefined ? {} : { prefix }) };
    return { id: encoded, inputs, state: { ...inputs, ...encodings(bytes, prefix) } };
  },
});

function byteLengthFaults({ byteLength }: Fields): CheckFailure[] {
  if (typeof byteLength === "symbol" || (Number.isInteger(byteLength) && Number(byteLength) >= 1)) return [];
  const reason = `byteLength is ${String(byteLength)}; it must be a whole number of at least 1`;
  return [{ property: "byteLength", reason }];
}

function encodings(bytes: Buffer, prefix: unknown): Fields {
  const before = typeof prefix === "string" ? prefix : "";
  const hex = bytes.toString("hex");
  return {
    b64Std: before + bytes.toString("base64"),
    b64Url: before + bytes.toString("base64url"),
    dec: before + BigInt(`0x${hex}`).toString(),
    hex: before + hex,
  };
}

const uuid = drawn({
  defaults: {},
  async draw(inputs) {
    const result = randomUUID();
    return { id: result, state: { ...inputs, result } };
  },
  adopt: async (result) => ({ id: result, inputs: {}, state: { result } }),
});

const resources = new Map<string, ResourceHandler>([
  ["random:index/randomPassword:RandomPassword", password],
  ["random:index/randomString:RandomString", string],
  ["random:index/randomId:RandomId", id],
  ["random:index/randomUuid:RandomUuid", uuid],
]);

export const random: Provider = {
  name: "random",
  version: sdkVersion("random"),
  resource: (token) => resources.get(token),
};
