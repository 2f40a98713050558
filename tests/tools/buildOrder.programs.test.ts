// What Go builds first on a machine that has nothing and can download nothing.
import { strict as assert } from "node:assert";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "mocha";
import { findAllTools } from "../../rehearsal/cli/tools.ts";
import { LINUX, type Machine, machine } from "./machine.ts";

describe("the tools of a rehearsal that must be built", () => {
  let box: Machine;
  beforeEach(async () => {
    box = await machine();
    await box.disconnect();
  });
  afterEach(() => box.close());

  /** The modules of all builds, in their order. */
  const built = async () =>
    (await box.builds()).flatMap((line) => /^build -C \S+\/tools\/go\/(\S+)/.exec(line)?.[1] ?? []);

  it("are built with the engine and its language host first, then the cluster", async () => {
    await box.go("sleep 0.2");
    const { engine, clusterTools } = findAllTools({ ...box, platform: LINUX });
    const { pulumi } = await engine;
    assert.equal(pulumi, join(box.cache, "tools/pulumi-3.259.0-linux-x64/pulumi"));
    await clusterTools.catch(() => {}); // this machine's Go has no sources of the flux CLI
    assert.deepEqual(await built(), ["pulumi", "pulumi-language-nodejs", "cluster"]);
  });

  it("are not built where the engine cannot be", async () => {
    await box.go(`case "$*" in *pulumi*) exit 1;; esac`);
    const { engine, clusterTools } = findAllTools({ ...box, platform: LINUX });
    await assert.rejects(engine, /go build github\.com\/pulumi\/pulumi/);
    await assert.rejects(clusterTools);
    assert.deepEqual(await built(), ["pulumi"]);
  });
});
