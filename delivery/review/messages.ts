// What the engine and its policies say, cleaned of what only a log wants: colours, stack traces, doubles.
import type { EngineEvent } from "@pulumi/pulumi/automation/index.js";
import { nameOf } from "./changes.ts";
import type { Message, PolicyFinding } from "./model.ts";
import type { Mask } from "./secrets.ts";
import { withoutStackTraces } from "./stackTraces.ts";

/** A message is read, not scrolled: in characters. */
const LONGEST = 4_000;

const ESCAPE = "\u001b";
const COLOURS = new RegExp(`<\\{%[^%]*%\\}>|${ESCAPE}\\[[0-9;]*[A-Za-z]`, "g");
/** What is said of a failure whose reason stands elsewhere. */
const EMPTY = /^(error: )?(preview|update|up) failed$/i;

/** How messages are cleaned. */
export interface Cleaning {
  readonly mask: Mask;
  /** The project's folder, which is not said of its files. */
  readonly project: string;
}

/** A message without colours, stack traces, secrets and the project's folder. */
export function cleaned(message: string, { mask, project }: Cleaning): string {
  const text = mask
    .text(withoutStackTraces(message.replace(COLOURS, "").replaceAll(`${project}/`, "")))
    .replace(/\n{3,}/g, "\n\n")
    .trim();
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)} … (${text.length - LONGEST} more characters)`;
}

/** The engine's diagnostics of a severity. */
export function diagnostics(
  events: readonly EngineEvent[],
  severity: "error" | "warning",
  cleaning: Cleaning,
): Message[] {
  const found = events.flatMap(({ diagnosticEvent: event }): Message[] => {
    if (event?.severity !== severity || event.ephemeral) return [];
    const text = cleaned(event.message, cleaning);
    return text === "" || EMPTY.test(text) ? [] : [{ text, ...of(event.urn) }];
  });
  const seen = new Set<string>();
  return found.filter(({ text }) => !seen.has(text) && seen.add(text));
}

/** Why a command failed that did not come to give an event: its lines that say so, for the others may hold anything. */
export function failureOf(printed: string, cleaning: Cleaning): Message {
  const lines = printed.replace(COLOURS, "").split("\n");
  const errors = lines
    .flatMap((line) => /^\s*error:\s*(.+)$/.exec(line)?.[1] ?? [])
    .filter((line) => !EMPTY.test(line));
  const text = cleaned([...new Set(errors)].join("\n"), cleaning);
  return { text: text === "" ? "pulumi ended without saying why." : text };
}

/** The policies that are broken, mandatory ones first. */
export function findingsIn(events: readonly EngineEvent[], cleaning: Cleaning): PolicyFinding[] {
  const found = events.flatMap(({ policyEvent: event }): PolicyFinding[] => {
    if (event === undefined) return [];
    const { severity } = event as { severity?: string };
    return [
      {
        policy: event.policyName,
        pack: event.policyPackName,
        level: (event.enforcementLevel as string) === "mandatory" ? "mandatory" : "advisory",
        ...(severity && { severity }),
        message: cleaned(event.message, cleaning),
        ...of(event.resourceUrn),
      },
    ];
  });
  const isFirst = (one: PolicyFinding, index: number) =>
    found.findIndex((other) => JSON.stringify(other) === JSON.stringify(one)) === index;
  const rank = ({ level }: PolicyFinding) => (level === "mandatory" ? 0 : 1);
  return found.filter(isFirst).sort((a, b) => rank(a) - rank(b));
}

/** The resource that is spoken of; the stack itself goes without saying. */
const of = (urn: string | undefined) =>
  urn && !urn.includes("::pulumi:pulumi:Stack::") ? { resource: nameOf(urn) } : {};
