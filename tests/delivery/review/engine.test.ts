import { strict as assert } from "node:assert";
import { type Stack, StackNotFoundError } from "@pulumi/pulumi/automation/index.js";
import { describe, it } from "mocha";
import { stateOf } from "../../../delivery/review/engine.ts";
import { describe as inWords } from "../../../net/describe.ts";

describe("the state of a stack", () => {
  it("is refused in words where there is no such stack, without what pulumi printed", async () => {
    const error: Error = Object.create(StackNotFoundError.prototype, {
      message: { value: "code: -2\n stdout: \n stderr: error: no stack named 'prod' found\n err?: Error" },
    });
    const refuse = async () => {
      throw error;
    };
    const stack = { name: "prod", exportStack: refuse, getAllConfig: refuse } as unknown as Stack;
    const said = await stateOf(stack).catch(inWords);
    assert.equal(said, "There is no stack prod. Make it: pulumi stack init prod");
  });
});
