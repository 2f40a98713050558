// When passwords of service principals are made and when they end: in slots of the calendar. No Pulumi in here.
import { createHash } from "node:crypto";
import { PRINCIPAL } from "../defaults.ts";
import type { Fault } from "./faults.ts";

/** How the password of a service principal is renewed. */
export interface Rotation {
  /**
   * Days after which another password takes a password's place: 1 to 365. Each lives twice as long, so that whoever has the
   * old one has as many days to come by the new one; and so a `pulumi up` has to run within each. @default 90
   */
  readonly passwordDays?: number | undefined;
  /** The time that decides which passwords there are. @default when the program runs */
  readonly now?: Date | undefined;
}

/** A password that there is to be. */
export interface PasswordSlot {
  /** The day on which it ends, `2027-03-30`; no two passwords of a principal have the same one. */
  readonly key: string;
  /** When it ends, as Entra writes it (RFC 3339). */
  readonly endDate: string;
}

const DAY = 24 * 3_600_000;

/**
 * The two passwords that a principal has at a time, the newest first: that of its present slot, which ends with the next
 * slot, and that of the slot before, which ends with this one. Nothing but these three decides, so whoever asks within a
 * slot gets the same two.
 * @param days how long a slot is.
 * @param principal whose they are, by a text: not all principals have new passwords on the same day.
 */
export function passwordSlots(days: number, now: Date, principal: string): readonly [PasswordSlot, PasswordSlot] {
  const phase = createHash("sha256").update(principal).digest().readUInt32BE() % days;
  const today = Math.floor(now.getTime() / DAY);
  const start = Math.floor((today - phase) / days) * days + phase;
  return [slotEndingOn(start + 2 * days), slotEndingOn(start + days)];
}

function slotEndingOn(day: number): PasswordSlot {
  const key = new Date(day * DAY).toISOString().slice(0, 10);
  return { key, endDate: `${key}T00:00:00Z` };
}

/** The fault of a number of days that is none, or after which Entra would keep a password for more than two years. */
export function rotationFaults({ passwordDays = PRINCIPAL.passwordDays }: Rotation): Fault[] {
  if (Number.isInteger(passwordDays) && passwordDays >= 1 && passwordDays <= 365) return [];
  return [
    {
      argument: "passwordDays",
      value: passwordDays,
      problem: "is no number of days after which a password is renewed",
      remedy: "give a whole number from 1 to 365",
    },
  ];
}
