import { strict as assert } from "node:assert";
import { inspect } from "node:util";
import { describe, it } from "mocha";
import { withoutStackTraces } from "../../../delivery/review/stackTraces.ts";

/** An error as Pulumi shows one that ends a program, without its colours. */
const ended = (error: Error) =>
  `Running program '/project/index.ts' failed with an unhandled exception:\n${inspect(error)}\n`;

/** Async, so that the stack has lines of Node.js' own queues. */
async function rejected(error: Error): Promise<Error> {
  await Promise.resolve();
  return Object.assign(error, { promise: Promise.reject(error).catch(() => {}) });
}

describe("an error of a program", () => {
  it("keeps its message alone", async () => {
    const error = new Error("mirror.prod.lock.json does not fit:\n  kured is 6.1.0\n  run npm run mirror");
    const text = ended(Object.assign(error, { promise: error, response: { status: 409, headers: { a: ["b"] } } }));
    assert.match(text, /<ref \*1> Error: /);
    assert.match(text, /promise: \[Circular \*1\]/);
    assert.equal(
      withoutStackTraces(text).trim(),
      "Error: mirror.prod.lock.json does not fit:\n  kured is 6.1.0\n  run npm run mirror",
    );
    assert.equal(withoutStackTraces(ended(await rejected(new TypeError("no")))).trim(), "TypeError: no");
  });

  it("keeps the messages of its causes and of those that it joins, without their properties", () => {
    const inner = Object.assign(new Error("getaddrinfo ENOTFOUND\nregistry.example"), {
      code: "ENOTFOUND",
      of: { a: [1] },
    });
    const outer = Object.assign(new Error("fetch failed", { cause: inner }), { retries: { of: 3 } });
    assert.equal(
      withoutStackTraces(ended(outer)).trim(),
      "Error: fetch failed\nCaused by: Error: getaddrinfo ENOTFOUND\nregistry.example",
    );
    const many = new AggregateError(
      [new Error("over IPv6"), Object.assign(new Error("over IPv4"), { code: "E" })],
      "none",
    );
    assert.equal(
      withoutStackTraces(`${ended(many)}and then`).trim(),
      "AggregateError: none\nError: over IPv6\nError: over IPv4\nand then",
    );
  });

  it("leaves a text as it is that holds no stack, braces too", () => {
    const text = "a {\n  b: [\n    1,\n  ],\n}\n  indented at once";
    assert.equal(withoutStackTraces(text), text);
  });

  it("loses nothing but the stack where properties do not end", () => {
    assert.equal(
      withoutStackTraces("Error: a\n    at b (c.js:1:2) {\n  code: 'x'\nall is lost"),
      "Error: a\n  code: 'x'\nall is lost",
    );
  });
});
