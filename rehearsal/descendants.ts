// The processes that a process has started, and those that they have. The engine gives each of its plugins a process
// group of its own, so a group's signal does not reach them, and an engine that is killed leaves them behind.
import { type ChildProcess, execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";

/** Every process with its parent. */
function parents(): [pid: number, parent: number][] {
  if (!existsSync("/proc/self/stat"))
    return execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" })
      .trim()
      .split("\n")
      .map((line) => line.trim().split(/\s+/).map(Number) as [number, number]);
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        // The command's name stands in parentheses and may itself hold spaces and parentheses.
        const behindName = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").pop() ?? "";
        return [[Number(pid), Number(behindName.split(" ")[1])] as [number, number]];
      } catch {
        return []; // it has just ended
      }
    });
}

/** The ids of a process and all that descend from it. */
export function family(pid: number): number[] {
  const all = parents();
  const found = [pid];
  for (const ancestor of found) for (const [child, parent] of all) if (parent === ancestor) found.push(child);
  return found;
}

/** Ends processes at once; those that have ended by themselves do not matter. */
export function kill(pids: Iterable<number>): void {
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It had ended.
    }
  }
}

/** How often a child's descendants are looked up, in milliseconds. */
const INTERVAL = 250;

/**
 * Ends what a child has started when the child itself is killed: what it started does not hear of that. Whose child a
 * process was cannot be told any more then, so it is looked up while all is well.
 */
export function endWithChild(child: ChildProcess): void {
  const { pid } = child;
  if (pid === undefined) return; // it could not be started
  let known: number[] = [];
  let before: number[] = [];
  const timer = setInterval(() => {
    // The last look may come when the child is dead and its own children have another parent already.
    [known, before] = [family(pid), known];
  }, INTERVAL);
  child.on("exit", (_code, signal) => {
    clearInterval(timer);
    if (signal !== null) kill(new Set([...known, ...before].filter((one) => one !== pid)));
  });
}
