// What the doctor says: a table of the checks, then every finding.

import type { Need } from "./check.ts";
import type { Outcome } from "./doctor.ts";

const LACKS: Readonly<Record<Need, string>> = {
  settings: "settings without a fault",
  azure: "a sign-in to Azure",
  plan: "the program's resources",
};

/** How many findings there are of a severity. */
export const count = (outcomes: readonly Outcome[], severity: "error" | "warning"): number =>
  outcomes.flatMap(({ findings }) => findings).filter((finding) => finding.severity === severity).length;

/** A check's state in a few words. */
function stateOf(outcome: Outcome): string {
  if (outcome.lacks) return `not looked at: it needs ${outcome.lacks.map((need) => LACKS[need]).join(" and ")}`;
  const [errors, warnings] = [count([outcome], "error"), count([outcome], "warning")];
  const parts = [
    ...(errors > 0 ? [`${errors} would stop it`] : []),
    ...(warnings > 0 ? [`${warnings} ${warnings === 1 ? "warning" : "warnings"}`] : []),
  ];
  return parts.join(", ") || "ok";
}

/** The whole for a terminal. */
export function renderText(stack: string, outcomes: readonly Outcome[]): string {
  const width = Math.max(...outcomes.map(({ check }) => check.name.length));
  const [errors, warnings] = [count(outcomes, "error"), count(outcomes, "warning")];
  const left = outcomes.filter(({ lacks }) => lacks).length;
  const verdict = [
    errors === 0 ? "nothing that was looked at would stop an update" : `${errors} would stop an update`,
    ...(warnings > 0 ? [`${warnings} ${warnings === 1 ? "warning" : "warnings"}`] : []),
    ...(left > 0 ? [`${left} not looked at`] : []),
  ];
  return [
    ...outcomes.map((outcome) => `  ${outcome.check.name.padEnd(width)}  ${stateOf(outcome)}`),
    "",
    `Stack ${stack}: ${verdict.join(", ")}.`,
    ...outcomes.flatMap(({ check, findings }) =>
      findings.flatMap(({ severity, key, value, problem, remedy }) => [
        "",
        `${severity === "error" ? "STOPS" : "warns"} ${check.name}: ${key} ${problem}`,
        ...(value === undefined ? [] : [`      value   ${typeof value === "string" ? value : JSON.stringify(value)}`]),
        `      remedy  ${remedy}`,
      ]),
    ),
    "",
  ].join("\n");
}

/** The whole as data. */
export function renderJson(stack: string, outcomes: readonly Outcome[]): string {
  const checks = outcomes.map(({ check: { name, about }, findings, lacks }) => ({
    ...{ name, about, looked: lacks === undefined },
    ...(lacks ? { lacks } : {}),
    findings,
  }));
  const summary = { errors: count(outcomes, "error"), warnings: count(outcomes, "warning") };
  return `${JSON.stringify({ stack, ...summary, checks }, undefined, 2)}\n`;
}
