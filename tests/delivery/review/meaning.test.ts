import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { meaningOf } from "../../../delivery/review/meaning.ts";
import { deploy } from "../../components/deployment.ts";
import { EVERYTHING } from "../../components/everything.ts";

/** What is said of a type that nobody knows. */
const unknown = (type: string) => meaningOf(`nobody:knows:${type.split(":").at(-1)}`);

describe("what a deletion means", () => {
  it("is said of every resource that the components register, by its own words", async () => {
    const types = new Set<string>();
    for (const make of Object.values(EVERYTHING))
      for (const { type } of (await deploy(() => make({}, {}))).resources) types.add(type);
    const real = [...types].filter((type) => !/^(aks-gitops|pulumi|test):/.test(type));
    assert.ok(real.length > 30, `${real.length}`);
    const missing = real.filter((type) => meaningOf(type).noun === unknown(type).noun);
    assert.deepEqual(missing, []);
  });

  it("is the worst of a type that nobody knows", () => {
    const { noun, replaced, deleted } = meaningOf("a:b/c:Database");
    assert.deepEqual([noun, replaced?.loses, deleted?.loses], ["Database", true, true]);
  });
});
