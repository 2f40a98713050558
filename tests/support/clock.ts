// A clock for what gives up after a time, where the time that it takes depends on how busy the machine is.
import { CLOCK, type Clock } from "../../net/retry.ts";

/** Longer than any limit that a test sets, in milliseconds. */
const LATER = 24 * 3_600_000;
/** For something that never comes to be the case, in milliseconds. */
const LONGEST = 60_000;

/**
 * A clock that stands still until something is the case, or a minute has passed, and is a day ahead then.
 * Who reads it after each look has had a look since.
 */
export function clockUntil(isCase: () => Promise<boolean>): Clock {
  const start = CLOCK.now();
  let isOver = false;
  void (async () => {
    while (CLOCK.now() < start + LONGEST && !(await isCase().catch(() => false))) await CLOCK.pause(100);
    isOver = true;
  })();
  let readings = 0;
  return {
    ...CLOCK,
    now: () => {
      // The look before the first reading may have been earlier.
      if (isOver) readings++;
      return readings > 1 ? start + LATER : start;
    },
  };
}
