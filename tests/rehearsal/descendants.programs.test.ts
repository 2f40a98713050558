import { strict as assert } from "node:assert";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, it } from "mocha";
import { run } from "../../rehearsal/run.ts";
import { processesOf } from "../support/processes.ts";

describe("a command that starts others in sessions of their own, as the engine does its plugins", () => {
  let folder: string;

  beforeEach(function () {
    if (!existsSync("/proc/self/environ")) this.skip(); // without Linux's /proc nothing tells whose a process is
    folder = mkdtempSync(join(tmpdir(), "descendants-"));
  });

  afterEach(() => {
    for (const { pid } of processesOf(folder)) process.kill(pid, "SIGKILL");
    rmSync(folder, { recursive: true });
  });

  /** The names of what is left when such a command has ended. */
  async function left(end: string): Promise<string[]> {
    await run("sh", ["-c", `setsid sleep 300 >/dev/null 2>&1 & sleep 1; ${end}`], {
      cwd: folder,
      env: { PATH: process.env.PATH ?? "", HOME: join(folder, "home") },
    });
    await sleep(100);
    return processesOf(folder).map(({ name }) => name);
  }

  it("leaves none of them when it is killed", async () => {
    assert.deepEqual(await left("kill -9 $$"), []);
  });

  it("leaves them as they are when it ends by itself", async () => {
    assert.deepEqual(await left("exit 3"), ["sleep"]);
  });
});
