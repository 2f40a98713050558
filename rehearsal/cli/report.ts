// The end of a run: the same facts as data (report.json) and as a page to read.
import { writeFile } from "node:fs/promises";
import type { Settings } from "../../settings/settings.ts";
import { type CloudFile, control, type Paths } from "../session.ts";
import type { Inspection } from "../world/inspection.ts";
import { updateClone } from "./clone.ts";
import { type Findings, findings } from "./findings.ts";
import { ensureLock } from "./lock.ts";
import type { Phase, Phases } from "./phases.ts";
import { secretsInGit } from "./secretsInGit.ts";

/** `report.json`: what a run made and found. */
export interface Report extends Findings {
  readonly stack: string;
  readonly mode: string;
  /** Whether Flux runs in the cluster and was looked at. */
  readonly reconciled: boolean;
  readonly repository: {
    readonly url: string;
    readonly branch: string;
    readonly path: string;
    /** The branch's head; empty where there is none. */
    readonly commit: string;
  };
  readonly registry: { readonly loginServer: string };
  /** How many resources of each type ARM holds. */
  readonly resources: Readonly<Record<string, number>>;
  readonly phases: readonly Phase[];
}

export interface ReportOptions {
  readonly stack: string;
  readonly settings: Settings;
  readonly paths: Paths;
  readonly cloud: CloudFile;
  readonly phases: Phases;
  readonly print: (line: string) => void;
  /** What is known to be wrong already. */
  readonly faults?: readonly string[];
}

/** Waits until Flux has settled, looks at everything, and writes `report.json`. */
export async function makeReport(options: ReportOptions): Promise<Report> {
  const { stack, settings, paths, cloud, phases, print, faults = [] } = options;
  const { repository: url, branch, path, mode } = settings.flux;
  const { head, found, inspection } = await phases.run("Look at what Flux made of it", async () => {
    const seen = await control<Inspection>(cloud, "/inspection");
    const head = await updateClone(paths, cloud, url, branch);
    const lock = await ensureLock(stack, paths, cloud, settings, print);
    // What an earlier clone holds of a repository that is gone says nothing.
    const inGit = "commit" in head ? await secretsInGit(paths.clone) : [];
    return { head, found: findings(seen, lock, inGit), inspection: seen };
  });
  const report: Report = {
    stack,
    mode,
    reconciled: found.kustomizations.length > 0,
    repository: { url, branch, path, commit: "commit" in head ? head.commit : "" },
    registry: { loginServer: inspection.registries[0]?.loginServer ?? "" },
    resources: countTypes(inspection),
    ...found,
    faults: [...faults, ...("missing" in head ? [head.missing] : []), ...found.faults],
    phases: phases.done,
  };
  await writeFile(paths.report, `${JSON.stringify(report, undefined, 2)}\n`);
  return report;
}

/** How many resources of each type there are, by name. */
function countTypes(inspection: Inspection): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { type } of inspection.resources) counts[type] = (counts[type] ?? 0) + 1;
  return Object.fromEntries(Object.entries(counts).sort(([a], [b]) => a.localeCompare(b)));
}

type Rows = readonly (readonly string[])[];

/** Lines of a table, its columns as wide as they must be. */
function table(rows: Rows): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ")}`.trimEnd());
}

const section = (title: string, rows: Rows) => (rows.length === 0 ? [] : ["", title, ...table(rows)]);

/** Twelve digits tell digests and commits apart, for a reader. */
const short = (text: string) => text.replace(/\b([0-9a-f]{12})[0-9a-f]{28,52}\b/g, "$1");
const presence = (isFound: boolean) => (isFound ? "found" : "MISSING");
const readiness = (isReady: boolean) => (isReady ? "Ready" : "NOT READY");
const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;

/** The page that a run ends with. */
export function summary(report: Report): string {
  const types = Object.entries(report.resources);
  const total = types.reduce((sum, [, number]) => sum + number, 0);
  const lines = [
    `Stack ${report.stack}, Flux by ${report.mode}`,
    "",
    `Created in Azure: ${count(total, "resource")}`,
    ...table(types.map(([type, number]) => [String(number).padStart(3), type])),
    ...registryRows(report),
    ...gitRows(report),
    ...fluxRows(report),
    ...section(
      "Time",
      report.phases.map(({ name, seconds }) => [name, `${seconds.toFixed(1).padStart(6)} s`]),
    ),
    ...section(
      "FAULTS",
      report.faults.map((fault) => [fault.replaceAll("\n", "\n    ")]),
    ),
  ];
  return lines.join("\n");
}

function registryRows({ registry, images, charts, podImages }: Report): string[] {
  return [
    ...section(
      registry.loginServer === "" ? "Images" : `Images imported into ${registry.loginServer}`,
      images.map(({ source, digest, found }) => [source, short(digest), presence(found)]),
    ),
    ...section(
      "Charts mirrored",
      charts.map(({ name, version, reference, found }) => [`${name} ${version}`, reference, presence(found)]),
    ),
    ...section(
      "Images of the cluster's pods, looked up as its nodes would pull them",
      podImages.map(({ image, pods, found }) => [short(image), count(pods.length, "pod"), presence(found)]),
    ),
  ];
}

function gitRows({ repository, secrets }: Report): string[] {
  return [
    ...section("Committed", [
      [
        repository.url,
        `branch ${repository.branch}`,
        repository.path,
        repository.commit === "" ? "MISSING" : `commit ${short(repository.commit)}`,
      ],
    ]),
    ...section(
      "Secrets in Git, encrypted with SOPS",
      secrets.map(({ namespace, name, file, keys, decrypted }) => [
        `${namespace}/${name}`,
        file,
        decrypted ? `in the cluster: ${keys.join(", ")}` : "NOT IN THE CLUSTER",
      ]),
    ),
  ];
}

function fluxRows({ kustomizations, helmReleases, sources }: Report): string[] {
  return [
    ...section(
      "Kustomizations",
      kustomizations.map(({ name, path, objects, dependsOn, ready, revision }) => [
        name,
        path,
        count(objects, "object"),
        dependsOn.length > 0 ? `after ${dependsOn.join(", ")}` : "",
        readiness(ready),
        short(revision),
      ]),
    ),
    ...section(
      "Releases",
      helmReleases.map(({ name, targetNamespace, chart, ready, revision }) => [
        name,
        `into namespace ${targetNamespace}`,
        `chart ${chart}`,
        readiness(ready),
        revision,
      ]),
    ),
    ...section(
      "Sources",
      sources.map(({ kind, name, url, ready, revision }) => [kind, name, url, readiness(ready), short(revision)]),
    ),
  ];
}
