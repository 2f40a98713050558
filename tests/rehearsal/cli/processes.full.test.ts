// What a rehearsal that is interrupted leaves behind: nothing. What `rehearse stop` leaves is seen where a kept one ends.
import { strict as assert } from "node:assert";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, it } from "mocha";
import type { Report } from "../../../rehearsal/cli/report.ts";
import { processesOf } from "../../support/processes.ts";
import { checkout } from "../../support/rehearsal.ts";

const controlPlane = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"];

describe("a rehearsal that is interrupted when its cluster runs", () => {
  let folder: string;
  let child: ChildProcess;
  let output: string;

  const names = () => processesOf(folder).map(({ name }) => name);
  const pidOf = (name: string) => processesOf(folder).find((found) => found.name === name)?.pid as number;
  const kept = (file: string) => JSON.parse(readFileSync(join(folder, "dev", file), "utf8"));

  /** `npm start` of these stacks, until the engine waits for what it does with the cluster. */
  async function start(...args: string[]): Promise<void> {
    child = spawn(process.execPath, [join(checkout, "rehearsal/cli/start.ts"), ...args], {
      cwd: checkout,
      env: { ...process.env, AKS_GITOPS_REHEARSALS: folder },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on("data", (chunk) => {
        output += chunk;
      });
    while (!controlPlane.every((name) => names().includes(name))) {
      assert.equal(child.exitCode, null, output);
      await sleep(50);
    }
    const programs = names();
    for (const name of ["sh", "pulumi", "pulumi-language-nodejs"]) assert.ok(programs.includes(name), `${name} runs`);
  }

  beforeEach(function () {
    if (!existsSync("/proc/self/environ")) this.skip(); // without Linux's /proc nothing tells whose a process is
    folder = mkdtempSync(join(tmpdir(), "rehearsals-"));
    output = "";
  });

  afterEach(() => {
    for (const { pid } of processesOf(folder)) process.kill(pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  });

  const nothingIsLeft = async () => {
    for (let tries = 0; tries < 600 && processesOf(folder).length > 0; tries++) await sleep(100);
    assert.deepEqual(processesOf(folder), []);
  };

  it("by Ctrl-C ends with its cloud, its engine and its cluster, and begins no other stack", async () => {
    await start();
    child.kill("SIGINT");
    const [code] = await once(child, "close");
    assert.equal(code, 130);
    assert.deepEqual(processesOf(folder), []);
    assert.match(output, /^==== Stack prod$.*\n\nInterrupted\.\n$/ms);
    assert.doesNotMatch(output, /==== Stack dev/);
  });

  it("by a crash leaves no process either", async () => {
    await start("--stack", "dev");
    child.kill("SIGKILL");
    await nothingIsLeft();
  });

  it("by a kill of its engine ends with what the engine had started", async () => {
    await start("--stack", "dev");
    process.kill(pidOf("pulumi"), "SIGKILL");
    const [code] = await once(child, "close");
    assert.equal(code, 1);
    assert.match(output, /^ {2}pulumi up ended with \d+; its whole output is in /m);
    assert.deepEqual(processesOf(folder), []);
  });

  it("by a crash of the cloud that it keeps leaves no process", async () => {
    await start("--stack", "dev", "--keep");
    process.kill(pidOf("pulumi"), "SIGINT"); // the sooner it is kept
    const [code] = await once(child, "close");
    assert.equal(code, 1);
    assert.match((kept("report.json") as Report).faults[0] ?? "", /^pulumi up ended with \d+; its whole output is in /);
    assert.deepEqual(
      names()
        .filter((name) => controlPlane.includes(name))
        .sort(),
      controlPlane,
    );
    process.kill(kept("cloud.json").pid, "SIGKILL");
    await nothingIsLeft();
  });
});
