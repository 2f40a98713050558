// What a review says in words, in the order in which a reviewer needs it; how it looks is the formats' affair.

import { aboutOf, titleOf } from "./headline.ts";
import type { FileChange } from "./manifests.ts";
import { meaningOf } from "./meaning.ts";
import type {
  Artifact,
  ArtifactChange,
  Cause,
  Danger,
  Message,
  Operation,
  PolicyFinding,
  ResourceChange,
  ResourceName,
  Review,
} from "./model.ts";
import { type PropertyChange, UNKNOWN } from "./values.ts";
import { code, counted, fate, type Line, type Part, said } from "./words.ts";

/** One thing that is shown as a whole or left out. */
export interface Item {
  readonly heading: Line;
  /** What stands out of the text is the heading; this goes on after it. */
  readonly text?: Line;
  readonly points?: readonly Line[];
  /** A text whose lines and blanks matter. */
  readonly block?: { readonly language: "diff" | "text"; readonly text: string };
  /** Whether it is opened by a click, where the format can. @default false */
  readonly folded?: boolean;
  /** What stands in its place where there is no room for it. @default nothing */
  readonly brief?: Line;
}

/** A row of a table: cells of one line. */
export type Row = readonly Line[];

export interface Section {
  readonly title: string;
  /** What its items are: `["file", "files"]`. */
  readonly nouns: readonly [one: string, many: string];
  readonly folded?: boolean;
  /** Where there is no room for all: the smallest ones are kept. @default the first ones */
  readonly smallFirst?: boolean;
  readonly items?: readonly Item[];
  readonly table?: { readonly head: readonly string[]; readonly rows: readonly Row[] };
}

export interface Document {
  /** The verdict in a line. */
  readonly title: Line;
  /** Counts, commit and time in a line. */
  readonly about: Line;
  /** The most important ones first. */
  readonly sections: readonly Section[];
}

export function documentOf(review: Review): Document {
  const sections = [
    failures(review),
    policies("Policies that stop it", review.policies, "mandatory"),
    dangers(review),
    policies("Policies that advise", review.policies, "advisory"),
    artifacts(review),
    files(review),
    resources(review),
    outputs(review),
    warnings(review),
  ];
  return {
    title: titleOf(review),
    about: aboutOf(review),
    sections: sections.filter(({ items = [], table }) => items.length > 0 || (table?.rows.length ?? 0) > 0),
  };
}

const FAILED: Readonly<Record<Review["operation"], string>> = {
  preview: "preview",
  up: "update",
  drift: "look for drift",
};

function failures({ failures: messages, operation }: Review): Section {
  return {
    title: `Why the ${FAILED[operation]} failed`,
    nouns: ["reason", "reasons"],
    items: messages.map(messageItem),
  };
}

function warnings({ warnings: messages }: Review): Section {
  return { title: "Warnings", nouns: ["warning", "warnings"], folded: true, items: messages.map(messageItem) };
}

const messageItem = ({ text, resource }: Message): Item => ({
  heading: resource === undefined ? [] : resourceLine(resource),
  block: { language: "text", text },
});

/** A resource in words: `cluster aks-prod`. */
const resourceLine = ({ type, name }: Pick<ResourceName, "type" | "name">): Line => [
  `${meaningOf(type).noun} `,
  code(name),
];

function policies(title: string, findings: readonly PolicyFinding[], wanted: PolicyFinding["level"]): Section {
  const items = findings.filter(({ level }) => level === wanted);
  return {
    title,
    nouns: ["policy's finding", "policies' findings"],
    items: items.map(({ policy, pack, severity, message, resource }) => ({
      heading: [
        code(policy),
        ...(severity === undefined ? [] : [` (${severity})`]),
        ...(resource === undefined ? [] : [": ", ...resourceLine(resource)]),
        ", pack ",
        code(pack),
      ],
      // What to do is not to be overlooked at the end of a line.
      points: message
        .split(/\n|(?<=\.) (?=What to do:)/)
        .flatMap((line) => (line.trim() === "" ? [] : [[said(line.trim())]])),
    })),
  };
}

function dangers({ dangers: all, operation }: Review): Section {
  const isUp = operation === "up";
  return {
    title: isUp ? "Replaced and deleted" : "To be replaced and deleted",
    nouns: ["replacement or deletion", "replacements and deletions"],
    items: all.map((danger) => ({
      heading: [`The ${danger.noun} `, code(danger.name), ` ${fate(danger, isUp)}.`],
      text: [danger.meaning],
      points: [...causesOf(danger), ...notesOf(danger), ...dependentsOf(danger)],
    })),
  };
}

/** More of a kind are counted only. */
const MOST = 12;

function causesOf({ operation, causes }: Danger): Line[] {
  if (operation !== "replace") return [];
  if (causes.length === 0) return [["Why: it was asked for, or a trigger of the program changed."]];
  const shown = causes.slice(0, MOST).map(causeLine);
  return causes.length > MOST ? [...shown, [`Why: ${causes.length - MOST} more properties`]] : shown;
}

function causeLine({ comesFrom = [], ...cause }: Cause): Line {
  const sources = comesFrom.flatMap((resource, index): Part[] => [
    index > 0 ? ", " : ", from the ",
    ...resourceLine(resource),
  ]);
  return ["Why: ", code(cause.path), ": ", ...fromTo(cause), ...sources];
}

function notesOf({ operation, deletedFirst, protected: isProtected, leftover, unfinished }: Danger): Line[] {
  return [
    ...(unfinished ? [["It is not finished: the update failed before."]] : []),
    ...(leftover ? [["It is the old one of an earlier replacement, which could not be deleted then."]] : []),
    ...(deletedFirst ? [["The old one is deleted before there is a new one."]] : []),
    ...(isProtected ? [[`It is protected: the update refuses to ${operation} it.`]] : []),
  ];
}

function dependentsOf({ dependents }: Danger): Line[] {
  const noticed = dependents.filter(({ isNoticed }) => isNoticed);
  const grave = noticed.flatMap(({ noun, name, meaning }): Line[] =>
    meaning === undefined ? [] : [[`With it goes the ${noun} `, code(name), `. ${meaning}`]],
  );
  const others = noticed.filter(({ meaning }) => meaning === undefined);
  const names = others.slice(0, MOST).map(({ name, noun }): Part[] => [code(name), ` (${noun})`]);
  const more = dependents.length - Math.min(grave.length, MOST) - names.length;
  if (more > 0) names.push([names.length > 0 ? `${more} more` : counted(more, "resource", "resources")]);
  const list = names.flatMap((parts, index): Part[] => {
    const parting = index === 0 ? "" : index === names.length - 1 ? " and " : ", ";
    return [parting, ...parts];
  });
  return [...grave.slice(0, MOST), ...(list.length > 0 ? [["With it: ", ...list]] : [])];
}

const LONGEST_VALUE = 160;

/** A value in a line. Of a long one the beginning and the end; of an id or a path the end alone. */
export function shortened(value: string): string {
  const line = value.replaceAll("\n", "⏎");
  if (line === UNKNOWN) return "known after the update";
  if (line.length <= LONGEST_VALUE / 2) return line;
  const [tail] = /(?:\/[^/]*){3}$/.exec(line) ?? [];
  if (line.startsWith("/") && tail !== undefined && tail.length < LONGEST_VALUE) return `…${tail}`;
  const half = Math.floor(LONGEST_VALUE / 2);
  return line.length <= LONGEST_VALUE ? line : `${line.slice(0, half)} … ${line.slice(-half)}`;
}

/** Two values in a line, so that it is seen how they differ. */
function shortenedPair(from: string | undefined, to: string | undefined): [string | undefined, string | undefined] {
  const [before, after] = [from, to].map((value) => (value === undefined ? undefined : shortened(value)));
  if (from === undefined || to === undefined || before !== after || from === to) return [before, after];
  let start = 0;
  while (from[start] === to[start]) start++;
  const around = (value: string) => shortened(`…${value.slice(Math.max(0, start - 20), start + LONGEST_VALUE / 2)}…`);
  return [around(from), around(to)];
}

function fromTo({ from, to }: Pick<PropertyChange, "from" | "to">): Part[] {
  const [before, after] = shortenedPair(from, to);
  const shown = (value: string | undefined, whole: string | undefined): Part =>
    value === undefined ? "nothing" : whole === UNKNOWN ? value : code(value);
  return [shown(before, from), " → ", shown(after, to)];
}

function artifacts({ artifacts: all }: Review): Section {
  return {
    title: "Charts and images",
    nouns: ["chart or image", "charts and images"],
    table: { head: ["", "before", "after"], rows: all.map(artifactRow) },
  };
}

function artifactRow({ kind, name, from, to }: ArtifactChange): Row {
  const isMoved = from !== undefined && from.version === to?.version;
  return [
    kind === "Flux" ? ["Flux"] : [`${kind} `, code(name)],
    artifactCell(from),
    [...artifactCell(to), ...(isMoved ? [" (the same version with another content)"] : [])],
  ];
}

function artifactCell(artifact: Artifact | undefined): Line {
  if (artifact === undefined) return ["none"];
  const { version, digest } = artifact;
  return [
    code(version),
    ...(digest === undefined ? [] : [" ", code(digest.replace(/^(sha256:[0-9a-f]{12})[0-9a-f]{52}$/, "$1"))]),
  ];
}

/** Above it a diff is opened by a click, in lines of all files. */
const OPEN_LINES = 80;

function files({ files: all }: Review): Section {
  const shown = all.filter(({ diff }) => diff !== undefined);
  const lines = shown.reduce((sum, { diff = "" }) => sum + diff.split("\n").length, 0);
  const noted = Map.groupBy(
    all.filter(({ diff }) => diff === undefined),
    ({ note = "" }) => note,
  );
  return {
    title: `Flux's manifests${all.length > 0 ? `: ${fileTotals(all)}` : ""}`,
    nouns: ["manifest's diff", "manifests' diffs"],
    smallFirst: true,
    items: [
      ...shown.map((file) => diffItem(file, lines > OPEN_LINES)),
      ...[...noted].map(([note, files]) => ({
        heading: [`${note.charAt(0).toUpperCase()}${note.slice(1)}:`],
        points: files.map(({ path, change }): Line => [code(path), ` ${change}`]),
      })),
    ],
  };
}

function diffItem({ path, change, added, removed, diff = "" }: FileChange, folded: boolean): Item {
  const heading = [code(path), ` ${change}, +${added} −${removed}`];
  return { heading, brief: [...heading, ": left out"], block: { language: "diff", text: diff }, folded };
}

function fileTotals(all: readonly FileChange[]): string {
  const sum = (of: (file: FileChange) => number) => all.reduce((total, file) => total + of(file), 0);
  return `${counted(all.length, "file", "files")}, +${sum(({ added }) => added)} −${sum(({ removed }) => removed)}`;
}

const MOST_PROPERTIES = 40;

const ORDER: readonly Operation[] = ["delete", "replace", "update", "create", "import", "read", "refresh", "forget"];

const byOperation = (a: ResourceChange, b: ResourceChange) => ORDER.indexOf(a.operation) - ORDER.indexOf(b.operation);

function resources({ resources: all, operation }: Review): Section {
  return {
    title: `All resources that ${operation === "up" ? "changed" : "change"}: ${all.length}`,
    nouns: ["resource", "resources"],
    folded: true,
    items: [...all].sort(byOperation).map((resource) => {
      const text = propertyLines(resource).join("\n");
      return {
        heading: [resource.unfinished ? `${resource.operation}, not finished:` : resource.operation],
        text: [...resourceLine(resource), " (", code(resource.type), ")", ...staysOf(resource)],
        ...(text !== "" && { block: { language: "text", text } }),
      };
    }),
  };
}

function staysOf({ operation, type }: ResourceChange): Line {
  const { stays } = meaningOf(type);
  return stays !== undefined && (operation === "delete" || operation === "replace") ? [`: ${stays}`] : [];
}

function propertyLines({ operation, properties }: Pick<ResourceChange, "operation" | "properties">): string[] {
  const lines = properties.map((property) =>
    operation === "create" ? `${property.path}: ${shortened(property.to ?? "")}` : propertyLine(property),
  );
  if (lines.length <= MOST_PROPERTIES) return lines;
  return [...lines.slice(0, MOST_PROPERTIES), `… and ${lines.length - MOST_PROPERTIES} more`];
}

function propertyLine({ path, from, to, replaces }: PropertyChange): string {
  const [before = "nothing", after = "nothing"] = shortenedPair(from, to);
  return `${path}: ${before} → ${after}${replaces ? " (makes another one)" : ""}`;
}

function outputs({ outputs: all, operation }: Review): Section {
  const text = all.slice(0, MOST_PROPERTIES).map(propertyLine).join("\n");
  return {
    title: `Outputs that ${operation === "up" ? "changed" : "change"}: ${all.length}`,
    nouns: ["list of outputs", "lists of outputs"],
    folded: true,
    items: all.length === 0 ? [] : [{ heading: [], block: { language: "text", text } }],
  };
}
