// Ends the cluster's programs when the process that started them is gone, however it ended.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** Reads `guard PID` and `done PID` until its input closes, which even a killed parent causes; then ends those left. */
const SCRIPT = `
guarded=" "
while read -r word pid; do
  case $word in
    guard) guarded="$guarded$pid " ;;
    done) guarded="\${guarded%% $pid *} \${guarded#* $pid }" ;;
  esac
done
for pid in $guarded; do kill -s KILL -- "-$pid" 2>/dev/null; done
`;

export class Keeper {
  readonly #child: ChildProcess;

  constructor() {
    // A session of its own: what a terminal sends to the parent's group must not end the keeper first.
    this.#child = spawn("/bin/sh", ["-c", SCRIPT], { stdio: ["pipe", "ignore", "ignore"], detached: true });
    this.#child.stdin?.on("error", () => {}); // a keeper that is gone needs no word
    this.#child.unref();
    (this.#child.stdin as unknown as { unref(): void }).unref();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Names a process group that must not outlive this process. */
  guard(pid: number): void {
    this.#child.stdin?.write(`guard ${pid}\n`);
  }

  /** Forgets a group that has ended: its number may be another's soon. */
  done(pid: number): void {
    this.#child.stdin?.write(`done ${pid}\n`);
  }

  /** Ends the keeper, and with it what it still guards. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.ref();
    const closed = once(this.#child, "close");
    this.#child.stdin?.end();
    await closed;
  }
}
