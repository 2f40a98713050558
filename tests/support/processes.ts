// The processes that belong to a folder of rehearsals, as Linux's /proc tells.
import { readdirSync, readFileSync } from "node:fs";
import { basename } from "node:path";

export interface FoundProcess {
  readonly pid: number;
  /** The program's file name. */
  readonly name: string;
  /** Its arguments, the program among them. */
  readonly args: readonly string[];
}

/** Every process with the folder in its environment, where AKS_GITOPS_REHEARSALS or HOME has it, or in its arguments. */
export function processesOf(folder: string): FoundProcess[] {
  const isWithin = (text: string) => text.includes(`${folder}/`) || text.includes(`${folder}\0`);
  return processIds().flatMap((pid) => {
    const command = read(pid, "cmdline");
    if (!isWithin(command) && !isWithin(read(pid, "environ"))) return [];
    const args = command.split("\0").slice(0, -1);
    const [path = ""] = args;
    // One that has ended, and waits for its parent to hear of it, has no arguments any more.
    return path === "" ? [] : [{ pid, name: basename(path), args }];
  });
}

/** None without /proc. */
function processIds(): number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  } catch {
    return [];
  }
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, "utf8");
  } catch {
    return ""; // it has ended, or it is somebody else's
  }
}
