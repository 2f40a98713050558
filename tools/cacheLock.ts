import { randomUUID } from "node:crypto";
import { link, mkdir, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** How often a holder shows that it lives, in milliseconds. */
const HEARTBEAT = 5_000;
/** A lock that was silent for so long, in milliseconds, is its holder's remains. */
const STALE = 60_000;
/** How often a waiter looks again, in milliseconds. */
const POLL = 200;

/**
 * Runs an action while no other process on this cache runs one under the same lock.
 * The lock saves work, it does not keep the cache whole: files are renamed into it when they are finished. So it is no
 * harm that after a long sleep of the machine two processes may hold it.
 * @param path the lock's file.
 * @param waiting called once when another process holds the lock.
 */
export async function withLock<T>(path: string, waiting: () => void, action: () => Promise<T>): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  const token = JSON.stringify({ host: hostname(), pid: process.pid, id: randomUUID() });
  await acquire(path, token, waiting);
  const heartbeat = setInterval(() => {
    const now = new Date();
    // Fails only where the lock was taken away as stale; the action may go on.
    utimes(path, now, now).catch(() => undefined);
  }, HEARTBEAT);
  heartbeat.unref();
  try {
    return await action();
  } finally {
    clearInterval(heartbeat);
    if ((await holder(path)) === token) await rm(path, { force: true });
  }
}

async function acquire(path: string, token: string, waiting: () => void): Promise<void> {
  const own = `${path}.${randomUUID()}`;
  await writeFile(own, token);
  try {
    for (let told = false; ; ) {
      try {
        // A link appears with its content or not at all, so nobody reads an empty lock.
        await link(own, path);
        return;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
      }
      if (await isAbandoned(path)) {
        await takeAway(path);
        continue;
      }
      if (!told) waiting();
      told = true;
      await sleep(POLL);
    }
  } finally {
    await rm(own, { force: true });
  }
}

async function holder(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch(() => undefined);
}

async function isAbandoned(path: string): Promise<boolean> {
  const [content, info] = await Promise.all([holder(path), stat(path).catch(() => undefined)]);
  if (content === undefined || info === undefined) return false;
  if (Date.now() - info.mtimeMs > STALE) return true;
  const { host, pid } = JSON.parse(content) as { host: string; pid: number };
  return host === hostname() && !isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function takeAway(path: string): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch {
    return; // Somebody else was first.
  }
  // Between the look and the rename another waiter may have made the lock its own: then it gets it back.
  if (!(await isAbandoned(aside))) await link(aside, path).catch(() => undefined);
  await rm(aside, { force: true });
}
