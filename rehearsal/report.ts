// The end of a run: the same facts as data (report.json) and as a page to read.
import { writeFile } from "node:fs/promises";
import type { Checks } from "./check.ts";
import type { Inspection } from "./inspection.ts";
import type { Phase } from "./phases.ts";

/** `report.json`: what a run made and found. */
export interface Report extends Checks {
  readonly stack: string;
  readonly mode: string;
  /** False where the stack's objects were checked but no cluster reconciled them. */
  readonly reconciled: boolean;
  readonly repository: {
    readonly url: string;
    readonly branch: string;
    readonly path: string;
    readonly commit: string;
  };
  readonly registry: { readonly loginServer: string };
  /** How many resources of each type ARM holds. */
  readonly resources: Readonly<Record<string, number>>;
  readonly phases: readonly Phase[];
}

/** How many resources of each type there are, by name. */
export function countTypes(inspection: Inspection): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of inspection.resources) counts[type] = (counts[type] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => a.localeCompare(b)));
}

export async function writeReport(file: string, report: Report): Promise<void> {
  await writeFile(file, `${JSON.stringify(report, undefined, 2)}\n`);
}

/** Lines of a table, its columns as wide as they must be. */
function table(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd());
}

const short = (digest: string) => digest.replace(/^(sha256:[0-9a-f]{12}).*/, "$1");
const state = (done: boolean, missing: string) => (done ? "checked" : missing);

/** The page that a run ends with. */
export function summary(report: Report): string {
  const { repository, registry, kustomizations, helmReleases, sources, images, charts, secrets, faults } = report;
  const section = (title: string, rows: readonly (readonly string[])[]) =>
    rows.length === 0 ? [] : ["", title, ...table(rows)];
  const notReconciled = report.reconciled ? "" : " (checked, not reconciled)";
  const types = Object.entries(report.resources);
  const total = types.reduce((sum, [, count]) => sum + count, 0);
  const lines = [
    `Stack ${report.stack}, Flux by ${report.mode}`,
    ...section(
      `Created in Azure: ${total} resources`,
      types.map(([type, count]) => [String(count).padStart(3), type]),
    ),
    ...section(
      `Images imported into ${registry.loginServer}`,
      images.map(({ source, digest, found }) => [source, short(digest), found ? "found" : "MISSING"]),
    ),
    ...section(
      "Charts mirrored",
      charts.map(({ name, version, reference, found }) => [
        `${name} ${version}`,
        reference,
        found ? "found" : "MISSING",
      ]),
    ),
    ...section("Committed", [
      [repository.url, `branch ${repository.branch}`, repository.path, `commit ${repository.commit.slice(0, 12)}`],
    ]),
    ...section(
      `Kustomizations${notReconciled}`,
      kustomizations.map(({ name, path, dependsOn, objects, checked }) => [
        name,
        path,
        `${objects} object${objects === 1 ? "" : "s"}`,
        dependsOn.length > 0 ? `after ${dependsOn.join(", ")}` : "",
        state(checked, "FAULTY"),
      ]),
    ),
    ...section(
      `Releases${notReconciled}`,
      helmReleases.map(({ name, targetNamespace, chart, checked }) => [
        name,
        `into namespace ${targetNamespace}`,
        `chart ${chart}`,
        state(checked, "FAULTY"),
      ]),
    ),
    ...section(
      `Sources${notReconciled}`,
      sources.map(({ kind, name, url, checked }) => [kind, name, url, state(checked, "FAULTY")]),
    ),
    ...section(
      `Secrets in Git, encrypted with SOPS${notReconciled}`,
      secrets.map(({ name, file }) => [name, file]),
    ),
    ...section(
      "Time",
      report.phases.map(({ name, seconds }) => [name, `${seconds.toFixed(1).padStart(6)} s`]),
    ),
    ...section(
      "FAULTS",
      faults.map((fault) => [fault]),
    ),
  ];
  return lines.join("\n");
}
