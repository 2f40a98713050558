import { strict as assert } from "node:assert";
import { resolve } from "node:path";
import { describe, it } from "mocha";
import { run } from "../../../rehearsal/run.ts";

const checkout = resolve(import.meta.dirname, "../../..");

describe("npm run ci", () => {
  const ci = (...args: string[]) =>
    run(process.execPath, ["delivery/ci/main.ts", ...args], { cwd: checkout, env: { PATH: process.env.PATH ?? "" } });

  it("ends with 2 where it is used wrongly, with what is wrong and how to use it", async () => {
    for (const [args, problem] of [
      [[], 'Say preview, up, drift or untouched, not "".'],
      [["preview", "up", "--stack", "prod"], 'Say preview, up, drift or untouched, not "preview up".'],
      [["preview"], "--stack is missing."],
      [["preview", "--stck", "prod"], "Unknown option '--stck'."],
    ] as const) {
      const { code, stdout, stderr } = await ci(...args);
      assert.deepEqual([code, stdout], [2, ""]);
      assert.ok(stderr.startsWith(problem), stderr);
      assert.match(stderr, /\n\nnpm run ci -- preview\|up\|drift\|untouched --stack STACK/);
    }
  });

  it("tells how to use it", async () => {
    const { code, stdout } = await ci("--help");
    assert.equal(code, 0);
    assert.match(stdout, /^npm run ci -- preview\|up\|drift\|untouched --stack STACK/);
  });
});
