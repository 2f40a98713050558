import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { COMMON, calls, evaluate, resolve, type Scope } from "./expression.ts";

const scope: Scope = {
  contexts: {
    github: { event: { number: 7, labels: [{ name: "a" }, { name: "b" }, {}] }, ref: "refs/heads/main" },
    needs: { one: { result: "success" }, "with-dash": { result: "failure" } },
    vars: {},
  },
  functions: { ...COMMON, fromJSON: (text) => JSON.parse(String(text)) },
};
const of = (source: string) => evaluate(source, scope);

describe("an expression of a pipeline", () => {
  it("finds properties, whatever their case, and null where there is none", () => {
    assert.equal(of("github.event.number"), 7);
    assert.equal(of("GitHub.Event['NUMBER']"), 7);
    assert.equal(of("needs.with-dash.result"), "failure");
    assert.equal(of("github.event.labels[1].name"), "b");
    assert.equal(of("vars.NOTHING"), null);
    assert.equal(of("vars.NOTHING.more"), null);
  });

  it("filters with a star", () => {
    assert.deepEqual(of("github.event.labels.*.name"), ["a", "b"]);
    assert.equal(of("contains(needs.*.result, 'failure')"), true);
    assert.equal(of("contains(needs.*.result, 'cancelled')"), false);
  });

  it("compares as GitHub does: texts whatever their case, others as numbers", () => {
    for (const source of ["'A' == 'a'", "null == ''", "'1' == 1", "true == 1", "'' == 0", "2 > 1", "1 <= 1"])
      assert.equal(of(source), true, source);
    for (const source of ["'a' == 'b'", "'a' == 0", "null != null", "fromJSON('[]') == fromJSON('[]')"])
      assert.equal(of(source), false, source);
  });

  it("gives an operand of && and ||, and binds && before ||, ! first", () => {
    assert.equal(of("vars.X || 'default'"), "default");
    assert.equal(of("github.ref && 'yes' || 'no'"), "yes");
    assert.equal(of("true || false && false"), true);
    assert.equal(of("(true || false) && false"), false);
    assert.equal(of("!true || !vars.X"), true);
  });

  it("knows a quote within a text, numbers, and calls within calls", () => {
    assert.equal(of("'it''s'"), "it's");
    assert.equal(of("format('{0}-{1}', 'a', fromJSON('2'))"), "a-2");
    assert.equal(of("fromJSON('{\"x\": [1, 2]}').x[1] == 2"), true);
    assert.equal(of("startsWith(github.ref, 'REFS/heads/')"), true);
    assert.equal(of("join(github.event.labels.*.name, ' ')"), "a b");
  });

  it("refuses what it does not understand, and contexts and functions that are none", () => {
    assert.throws(() => of("github.ref ="), /nothing is understood from character 11 on/);
    assert.throws(() => of("github.ref 'x'"), /"'x'" stands where nothing may/);
    assert.throws(() => of("(true"), /"\)" is missing/);
    assert.throws(() => of("true &&"), /it ends too soon/);
    assert.throws(() => of("gihub.ref"), /There is no context gihub here; there are github, needs, vars/);
    assert.throws(() => of("hashFiles('x')"), /There is no function hashFiles\(\) here/);
  });

  it("stands for a whole value, or for a part of a text, in every place of a file", () => {
    const braces = (source: string) => `\${{ ${source} }}`;
    const file = {
      a: [braces("github.event.labels"), `pr-${braces("github.event.number")}-${braces("vars.X")}`],
      b: 1,
    };
    assert.deepEqual(resolve(file, scope), { a: [[{ name: "a" }, { name: "b" }, {}], "pr-7-"], b: 1 });
    assert.throws(() => resolve(`x ${braces("github.event")}`, scope), /stands where a text is expected/);
  });

  it("says whether it calls a function, not whether a text has its name", () => {
    assert.equal(calls("always() && true", ["always"]), true);
    assert.equal(calls("github.x == 'always()'", ["always"]), false);
  });
});
