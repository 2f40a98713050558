import { strict as assert } from "node:assert";
import * as pulumi from "@pulumi/pulumi";
import { deploy } from "./deployment.ts";

/**
 * The faults that a component refuses its arguments for: `<argument> <problem>` each, in their order. It says so as an
 * error of its own that the engine shows without a stack trace, and before anything is registered below it.
 */
export async function refused(make: () => pulumi.ComponentResource): Promise<string[]> {
  const { result, resources } = await deploy(() => {
    try {
      make();
    } catch (error) {
      return error;
    }
    return undefined;
  });
  if (result === undefined) return [];
  assert.ok(pulumi.ResourceError.isInstance(result), String(result));
  assert.equal(result.hideStack, true);
  assert.ok(result.resource instanceof pulumi.ComponentResource);
  assert.deepEqual(
    resources.filter(({ parent }) => parent !== "").map(({ name }) => name),
    [],
  );
  const { message } = result as unknown as Error;
  const faults = message.split("\n").filter((line) => /^ {2}\S/.test(line));
  assert.equal(message.split("\n    remedy  ").length, faults.length + 1);
  return faults.map((line) => line.trim());
}
