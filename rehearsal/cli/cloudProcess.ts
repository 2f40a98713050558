// Starts, keeps and stops the process that holds a rehearsal's simulated cloud.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type CloudFile, checkout, control, type Paths, runningCloud } from "../session.ts";

/** A cloud that ends with its parent unless it is told to stay. */
export interface CloudProcess {
  readonly cloud: CloudFile;
  /** Names a child whose whole process group ends if this process dies. */
  guard(pid: number): void;
  /** Forgets a guarded child that has ended. */
  unguard(pid: number): void;
  /** Lets the cloud outlive this process. */
  keep(): Promise<void>;
  stop(): Promise<void>;
}

/**
 * Starts the cloud of a stack.
 * @throws Error with the end of the cloud's log where it does not come up.
 */
export async function startCloud(stack: string, paths: Paths): Promise<CloudProcess> {
  const log = await open(paths.daemonLog, "a", 0o600);
  const child = spawn(process.execPath, [join(checkout, "rehearsal/world/daemon.ts"), stack], {
    cwd: checkout,
    detached: true,
    stdio: ["pipe", log.fd, log.fd],
  });
  await log.close();
  child.stdin?.on("error", () => {}); // a cloud that is gone already needs no word
  const cloud = await whenReady(child, stack, paths);
  const tell = (line: string) => child.stdin?.write(`${line}\n`);
  return {
    cloud,
    guard: (pid) => tell(`guard ${pid}`),
    unguard: (pid) => tell(`done ${pid}`),
    keep: async () => {
      tell("keep");
      await control(cloud, "/keeping");
      child.unref();
      (child.stdin as unknown as { unref(): void } | null)?.unref();
    },
    stop: () => stopCloud(cloud, paths),
  };
}

async function whenReady(child: ChildProcess, stack: string, paths: Paths): Promise<CloudFile> {
  const deadline = Date.now() + 60_000;
  while (Date.now() < deadline && child.exitCode === null && child.signalCode === null) {
    if (existsSync(paths.daemonFile)) {
      const cloud = runningCloud(stack);
      if (cloud?.pid === child.pid && cloud !== undefined) return cloud;
    }
    await sleep(25);
  }
  const log = existsSync(paths.daemonLog) ? await readFile(paths.daemonLog, "utf8") : "";
  throw new Error(
    `The rehearsal's cloud did not start. The end of ${paths.daemonLog}:\n${log.trim().split("\n").slice(-12).join("\n")}`,
  );
}

/** Ends a cloud and waits until its process is gone. */
export async function stopCloud(cloud: CloudFile, paths: Paths): Promise<void> {
  try {
    process.kill(cloud.pid, "SIGTERM");
  } catch {
    // It had ended by itself.
  }
  for (let tries = 0; tries < 400 && alive(cloud.pid); tries++) await sleep(25);
  if (alive(cloud.pid)) throw new Error(`The rehearsal's cloud (process ${cloud.pid}) does not end; end it by hand.`);
  await rm(paths.daemonFile, { force: true });
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
