// What a rehearsal that is interrupted leaves behind: nothing.
import { strict as assert } from "node:assert";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, it } from "mocha";

const checkout = resolve(import.meta.dirname, "../..");

/** The processes whose environment says that they belong to the rehearsals of a folder; Linux tells. */
function processesOf(folder: string): number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, "utf8").includes(`AKS_GITOPS_REHEARSALS=${folder}\0`);
      } catch {
        return false; // it has ended, or it is somebody else's
      }
    })
    .map(Number);
}

describe("a rehearsal that is interrupted", () => {
  let folder: string;
  let child: ChildProcess;

  beforeEach(async function () {
    if (!existsSync("/proc/self/environ")) this.skip(); // without Linux's /proc nothing tells whose a process is
    folder = mkdtempSync(join(tmpdir(), "rehearsals-"));
    child = spawn(process.execPath, [join(checkout, "rehearsal", "start.ts"), "--stack", "prod"], {
      cwd: checkout,
      env: { ...process.env, AKS_GITOPS_REHEARSALS: folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for await (const chunk of child.stdout ?? []) if (String(chunk).includes("ResourceGroup")) break;
    assert.ok(processesOf(folder).length > 3, "the engine, its plugins and the cloud run");
  });

  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const nothingIsLeft = async () => {
    for (let tries = 0; tries < 600 && processesOf(folder).length > 0; tries++) await sleep(100);
    assert.deepEqual(processesOf(folder), []);
  };

  it("by Ctrl-C ends with its cloud and its engine", async () => {
    child.kill("SIGINT");
    const [code] = await once(child, "exit");
    assert.notEqual(code, 0);
    await nothingIsLeft();
  });

  it("by a crash leaves no process either", async () => {
    child.kill("SIGKILL");
    await nothingIsLeft();
  });
});
