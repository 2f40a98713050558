// The rehearsal of dev that a run of tests shares: started when the first test asks for it.
import { after } from "mocha";
import type { Ran } from "../../rehearsal/run.ts";
import { Rehearsal } from "./rehearsal.ts";

export interface Started {
  readonly dev: Rehearsal;
  readonly started: Ran;
}

let running: Rehearsal | undefined;
let shared: Promise<Started> | undefined;

/** The run's rehearsal of dev; each test leaves it as it was, up and Ready. */
export function devRehearsal(): Promise<Started> {
  shared ??= (async () => {
    running = new Rehearsal("dev");
    return { dev: running, started: await running.start() };
  })();
  return shared;
}

// At the root: after the last test of the run.
after(() => running?.end());
