// The end of a run: the same facts as data (report.json) and as a page to read.
import { writeFile } from "node:fs/promises";
import { CLOCK } from "../../net/retry.ts";
import type { Settings } from "../../settings/settings.ts";
import { Interrupted } from "../run.ts";
import { type CloudFile, control, type Paths } from "../session.ts";
import type { InspectedFlux, Inspection } from "../world/inspection.ts";
import { commitTime, type Head, isAfter, updateClone } from "./clone.ts";
import { expectedOf, fluxDefinitions } from "./expected.ts";
import type { Facts, LookedAt } from "./facts.ts";
import { type Findings, type FoundObject, findings } from "./findings.ts";
import { ensureLock } from "./lock.ts";
import type { Phase, Phases } from "./phases.ts";
import { armFaults } from "./promises.ts";
import { secretsInGit } from "./secretsInGit.ts";
import { settle } from "./settle.ts";
import { short } from "./short.ts";

/** `report.json`: what a run made and found. */
export interface Report extends Findings {
  readonly stack: string;
  readonly mode: string;
  /** When it was looked, in ISO 8601. */
  readonly lookedAt: string;
  /** Whether Flux runs in the cluster and was looked at. */
  readonly reconciled: boolean;
  readonly repository: {
    readonly url: string;
    readonly branch: string;
    readonly path: string;
    /** The branch's head; empty where there is none. */
    readonly commit: string;
    /** When that was committed, in ISO 8601; empty where there is none. */
    readonly time: string;
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
  /** Whether the update that waited for Flux is just over. */
  readonly isFresh?: boolean;
  /** What is known to be wrong already. */
  readonly faults?: readonly string[];
}

/** How long ARM may take to hear of what the cluster has come to, in milliseconds. */
const HEARSAY = 10_000;

/** Asks Flux to reconcile, waits until it has settled, looks at everything, and writes `report.json`. */
export async function makeReport(options: ReportOptions): Promise<Report> {
  const { stack, settings, paths, cloud, phases, print, faults = [] } = options;
  const { repository: url, branch, path, mode } = settings.flux;
  const { head, time, found, inspection } = await phases.run("Look at what Flux made of it", async () => {
    const expected = expectedOf(settings, await fluxDefinitions(settings));
    const head = await headOf(options);
    const commit = "commit" in head ? head.commit : undefined;
    const isAtHead = newerThan(options, commit);
    const before = await control<Inspection>(cloud, "/inspection");
    const failures = await settle(expected, {
      look: async () => (await control<InspectedFlux>(cloud, "/flux")).objects,
      ask: (objects) => control(cloud, "/reconcile", "POST", objects),
      isAtHead,
      isFresh: options.isFresh ?? false,
      runs: (name) => before.cluster?.deployments.some((each) => each.name === name && each.available > 0) === true,
      print: (line) => print(`   ${line}`),
      clock: CLOCK,
    });
    const lock = await ensureLock(stack, paths, cloud, settings, print);
    // What an earlier clone holds of a repository that is gone says nothing.
    const inGit = commit === undefined ? [] : await secretsInGit(paths.clone);
    const look = async (): Promise<Facts> => {
      const inspection = await control<Inspection>(cloud, "/inspection");
      const atHead = await revisionsAtHead([before, inspection], isAtHead);
      return { inspection, before, lock, inGit, expected, head: commit, atHead, failures };
    };
    let facts = await look();
    const isBehindhand = () => facts.inspection.cluster !== undefined && armFaults(facts).length > 0;
    for (const start = CLOCK.now(); isBehindhand() && CLOCK.now() - start < HEARSAY; facts = await look())
      await CLOCK.pause(500);
    const time = commit === undefined ? "" : await commitTime(paths, cloud, commit);
    return { head, time, found: findings(facts), inspection: facts.inspection };
  });
  const report: Report = {
    stack,
    mode,
    lookedAt: inspection.at,
    reconciled: found.kustomizations.length > 0,
    repository: { url, branch, path, commit: "commit" in head ? head.commit : "", time },
    registry: { loginServer: inspection.registries[0]?.loginServer ?? "" },
    resources: countTypes(inspection),
    ...found,
    faults: [...faults, ...("missing" in head ? [head.missing] : []), ...found.faults],
    phases: phases.done,
  };
  await writeFile(paths.report, `${JSON.stringify(report, undefined, 2)}\n`);
  return report;
}

/** Where the branch stands; that nobody can ask is told as what is missing is. */
async function headOf({ settings, paths, cloud }: ReportOptions): Promise<Head> {
  const { repository, branch } = settings.flux;
  try {
    return await updateClone(paths, cloud, repository, branch);
  } catch (error) {
    if (error instanceof Interrupted) throw error;
    const [, ...said] = (error as Error).message.split("\n");
    return {
      missing: `the GitOps repository ${repository} cannot be read: ${said.join(" ") || (error as Error).message}`,
    };
  }
}

/** Whether a revision (`main@sha1:<commit>`) is a commit or one after it; without a commit nothing is behind. */
function newerThan({ settings, paths, cloud }: ReportOptions, head: string | undefined) {
  const known = new Map<string, Promise<boolean>>();
  return async (revision: string): Promise<boolean> => {
    const commit = /@sha1:([0-9a-f]{40})$/.exec(revision)?.[1];
    if (head === undefined || commit === head) return true;
    if (commit === undefined) return false;
    const found = known.get(commit) ?? isAfter(paths, cloud, settings.flux.branch, head, commit);
    known.set(commit, found);
    return found;
  };
}

/** The revisions of Flux's objects, and of ARM's word on them, that are the head or newer. */
async function revisionsAtHead(
  inspections: readonly Inspection[],
  isAtHead: (revision: string) => Promise<boolean>,
): Promise<Set<string>> {
  const all = inspections.flatMap(({ cluster, configurations }) => [
    ...(cluster?.objects ?? []).filter(({ kind }) => /^(GitRepository|OCIRepository|Kustomization)$/.test(kind)),
    ...configurations,
  ]);
  const atHead = new Set<string>();
  for (const revision of new Set(all.map(({ revision = "" }) => revision)))
    if (await isAtHead(revision)) atHead.add(revision);
  return atHead;
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

const presence = (isFound: boolean) => (isFound ? "found" : "MISSING");
const readiness = ({ ready, suspended }: FoundObject) => (suspended ? "SUSPENDED" : ready ? "Ready" : "NOT READY");
const count = (number: number, noun: string) => `${number} ${noun}${number === 1 ? "" : "s"}`;

const dateOf = (time: string) => time.slice(0, 10);
const timeOf = (time: string) => time.slice(11, 19);

/** A time of day, its date where that is another one, and how long it was ago. */
function moment(time: string, now: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(now) - Date.parse(time)) / 1000));
  const [amount, unit] =
    seconds < 120
      ? [seconds, "s"]
      : seconds < 7_200
        ? [Math.round(seconds / 60), "min"]
        : seconds < 172_800
          ? [Math.round(seconds / 3600), "h"]
          : [Math.round(seconds / 86_400), "days"];
  const date = dateOf(time) === dateOf(now) ? "" : `${dateOf(time)} `;
  return `${date}${timeOf(time)}, ${amount} ${unit} ago`;
}

/** A few names say which they are; of many the number says enough. */
const FEW = 4;

const lookedRow = ({ kind, names, right, state }: LookedAt) => [
  kind,
  `${right} of ${names.length}`,
  state,
  names.length <= FEW ? names.join(", ") : "",
];

/** The page that a run ends with. */
export function summary(report: Report): string {
  const types = Object.entries(report.resources);
  const total = types.reduce((sum, [, number]) => sum + number, 0);
  const lines = [
    `Stack ${report.stack}, Flux by ${report.mode}, looked at ${dateOf(report.lookedAt)} ${timeOf(report.lookedAt)} UTC`,
    "",
    `Created in Azure: ${count(total, "resource")}`,
    ...table(types.map(([type, number]) => [String(number).padStart(3), type])),
    ...registryRows(report),
    ...gitRows(report),
    ...fluxRows(report),
    ...section("Looked at", report.looked.map(lookedRow)),
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

function gitRows({ repository, secrets, lookedAt }: Report): string[] {
  return [
    ...section("Committed", [
      [
        repository.url,
        `branch ${repository.branch}`,
        repository.path,
        repository.commit === "" ? "MISSING" : `commit ${short(repository.commit)}`,
        repository.time === "" ? "" : moment(repository.time, lookedAt),
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

function fluxRows({ kustomizations, helmReleases, sources, lookedAt }: Report): string[] {
  const since = ({ since, ready }: FoundObject) =>
    since === "" ? "" : `${ready ? "since" : "not since"} ${moment(since, lookedAt)}`;
  return [
    ...section(
      "Kustomizations",
      kustomizations.map((object) => [
        object.name,
        object.path,
        count(object.objects, "object"),
        object.dependsOn.length > 0 ? `after ${object.dependsOn.join(", ")}` : "",
        since(object),
        readiness(object),
        short(object.revision),
      ]),
    ),
    ...section(
      "Releases",
      helmReleases.map((object) => [
        object.name,
        `into namespace ${object.targetNamespace}`,
        `chart ${object.chart}`,
        readiness(object),
        object.revision,
        since(object),
      ]),
    ),
    ...section(
      "Sources",
      sources.map((object) => {
        const { kind, name, url, revision } = object;
        return [kind, name, url, readiness(object), short(revision), since(object)];
      }),
    ),
  ];
}
