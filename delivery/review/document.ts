// What a review says in words, in the order in which a reviewer needs it; how it looks is the formats' affair.
import type { FileChange } from "./manifests.ts";
import { meaningOf } from "./meaning.ts";
import type {
  Artifact,
  ArtifactChange,
  Cause,
  Counts,
  Danger,
  Message,
  PolicyFinding,
  ResourceChange,
  ResourceName,
  Review,
} from "./model.ts";
import { type PropertyChange, UNKNOWN } from "./values.ts";

/** Words of this program, a name or value as it is, or a foreign text that is read as prose. */
export type Part = string | { readonly code: string } | { readonly said: string };
export type Line = readonly Part[];

/** One thing that is shown as a whole or left out. */
export interface Item {
  readonly heading: Line;
  readonly points?: readonly Line[];
  /** A text whose lines and blanks matter. */
  readonly block?: { readonly language: "diff" | "text"; readonly text: string };
  /** Whether it is opened by a click, where the format can. @default false */
  readonly folded?: boolean;
}

/** A row of a table: cells of one line. */
export type Row = readonly Line[];

export interface Section {
  readonly title: string;
  /** What its items are: `["file", "files"]`. */
  readonly nouns: readonly [one: string, many: string];
  readonly folded?: boolean;
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

const code = (text: string): Part => ({ code: text });
const said = (text: string): Part => ({ said: text });

/** A number with its noun. */
export const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

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

function titleOf({ stack, operation, verdict, dangers, policies, counts }: Review): Line {
  const isUp = operation === "up";
  const mandatory = policies.filter(({ level }) => level === "mandatory").length;
  const lost = dangers.filter(({ loses }) => loses);
  const changes = counts.create + counts.update + counts.replace + counts.delete + counts.other;
  switch (verdict) {
    case "unchanged":
      return ["✅ ", code(stack), isUp ? ": nothing changed" : ": nothing changes"];
    case "failed":
      return ["❌ ", code(stack), isUp ? ": the update failed" : ": the preview failed"];
    case "blocked":
      return ["⛔ ", code(stack), `: stopped by ${counted(mandatory, "finding", "findings")} of mandatory policies`];
    case "dangerous": {
      const [first] = lost;
      if (lost.length > 1 || first === undefined)
        return [
          "⚠️ ",
          code(stack),
          `: ${lost.length} resources ${isUp ? "were" : "are"} replaced or deleted with what they hold`,
        ];
      return ["⚠️ ", code(stack), `: the ${first.noun} `, code(first.name), ` ${fate(first, isUp)}`];
    }
    case "changes":
      if (changes === 0) return ["ℹ️ ", code(stack), isUp ? ": only outputs changed" : ": only outputs change"];
      return [
        "ℹ️ ",
        code(stack),
        `: ${counted(changes, "resource", "resources")} ${isUp ? "changed" : changes === 1 ? "changes" : "change"}`,
      ];
  }
}

function aboutOf({ operation, counts, commit, time }: Review): Line {
  const words: Readonly<Record<keyof Counts, string>> =
    operation === "up"
      ? {
          create: "created",
          update: "updated",
          replace: "replaced",
          delete: "deleted",
          other: "other",
          unchanged: "unchanged",
        }
      : {
          create: "to create",
          update: "to update",
          replace: "to replace",
          delete: "to delete",
          other: "other",
          unchanged: "unchanged",
        };
  const order: (keyof Counts)[] = ["delete", "replace", "update", "create", "other", "unchanged"];
  const shown = order.filter((name) => counts[name] > 0).map((name) => `${counts[name]} ${words[name]}`);
  const when = `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
  const what = operation === "up" ? "Update" : "Preview";
  return [
    shown.length > 0 ? `${shown.join(", ")}. ` : "",
    ...(commit === undefined ? [`${what} of ${when}.`] : [`${what} of `, code(commit.slice(0, 8)), `, ${when}.`]),
  ];
}

const fate = ({ operation, dependents }: Danger, isUp: boolean) => {
  const verb = isUp ? "was" : "is";
  const others = dependents.length > 0 ? `, and ${dependents.length} more with it` : "";
  return `${verb} ${operation === "replace" ? "replaced" : "deleted"}${others}`;
};

function failures({ failures: messages, operation }: Review): Section {
  return {
    title: operation === "up" ? "Why the update failed" : "Why the preview failed",
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
      points: message.split("\n").flatMap((line) => (line.trim() === "" ? [] : [[said(line.trim())]])),
    })),
  };
}

function dangers({ dangers: all, operation }: Review): Section {
  const isUp = operation === "up";
  return {
    title: isUp ? "Replaced and deleted" : "To be replaced and deleted",
    nouns: ["replacement or deletion", "replacements or deletions"],
    items: all.map((danger) => ({
      heading: [
        `The ${danger.noun} `,
        code(danger.name),
        ` ${fate({ ...danger, dependents: [] }, isUp)}. `,
        danger.meaning,
      ],
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

function notesOf({ operation, deletedFirst, protected: isProtected, leftover }: Danger): Line[] {
  return [
    ...(leftover ? [["It is the old one of an earlier replacement, which could not be deleted then."]] : []),
    ...(deletedFirst ? [["The old one is deleted before there is a new one."]] : []),
    ...(isProtected
      ? [
          [
            `It is protected: the update refuses to ${operation}${operation === "delete" ? "" : " it"}.`.replace(
              "delete.",
              "delete it.",
            ),
          ],
        ]
      : []),
  ];
}

function dependentsOf({ dependents }: Danger): Line[] {
  if (dependents.length === 0) return [];
  const byNoun = Map.groupBy(dependents, ({ noun, operation }) => `${operation}\n${noun}`);
  const groups = [...byNoun.values()].map((all): Part[] => {
    const names = all.slice(0, MOST).flatMap(({ name }, index): Part[] => [index > 0 ? ", " : "", code(name)]);
    const more = all.length > MOST ? [` and ${all.length - MOST} more`] : [];
    return [`${all[0]?.noun ?? ""} `, ...names, ...more];
  });
  return [["With it: ", ...groups.flatMap((group, index) => (index > 0 ? ["; ", ...group] : group))]];
}

const LONGEST_VALUE = 160;

/** A value in a line: of a long one the beginning and the end. */
export function shortened(value: string, longest: number = LONGEST_VALUE): string {
  const line = value.replaceAll("\n", "⏎");
  if (line.length <= longest) return line;
  const half = Math.floor((longest - 3) / 2);
  return `${line.slice(0, half)} … ${line.slice(-half)}`;
}

function fromTo({ from, to }: Pick<PropertyChange, "from" | "to">): Part[] {
  const shown = (value: string | undefined): Part =>
    value === undefined ? "nothing" : value === UNKNOWN ? "known only after the update" : code(shortened(value));
  return [shown(from), " → ", shown(to)];
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
  const lines = all.reduce((sum, { diff }) => sum + (diff?.split("\n").length ?? 1), 0);
  return {
    title: `Flux's manifests${all.length > 0 ? `: ${fileTotals(all)}` : ""}`,
    nouns: ["manifest", "manifests"],
    items: all.map(({ path, change, added, removed, diff, note }) => ({
      heading: [code(path), ` ${change}${diff === undefined ? "" : `, +${added} −${removed}`}`],
      ...(note !== undefined && { points: [[note]] }),
      ...(diff !== undefined && { block: { language: "diff", text: diff }, folded: lines > OPEN_LINES }),
    })),
  };
}

function fileTotals(all: readonly FileChange[]): string {
  const sum = (of: (file: FileChange) => number) => all.reduce((total, file) => total + of(file), 0);
  return `${counted(all.length, "file", "files")}, +${sum(({ added }) => added)} −${sum(({ removed }) => removed)}`;
}

const MOST_PROPERTIES = 40;

function resources({ resources: all }: Review): Section {
  return {
    title: `All resources that change: ${all.length}`,
    nouns: ["resource", "resources"],
    folded: true,
    items: all.map((resource) => {
      const text = propertyLines(resource).join("\n");
      return {
        heading: [`${resource.operation} `, ...resourceLine(resource), " (", code(resource.type), ")"],
        ...(text !== "" && { block: { language: "text", text } }),
      };
    }),
  };
}

function propertyLines({ operation, properties }: Pick<ResourceChange, "operation" | "properties">): string[] {
  const lines = properties.map((property) =>
    operation === "create" ? `${property.path}: ${shortened(property.to ?? "")}` : propertyLine(property),
  );
  if (lines.length <= MOST_PROPERTIES) return lines;
  return [...lines.slice(0, MOST_PROPERTIES), `… and ${lines.length - MOST_PROPERTIES} more`];
}

function propertyLine({ path, from, to, replaces }: PropertyChange): string {
  const shown = (value: string | undefined) => (value === undefined ? "nothing" : shortened(value));
  return `${path}: ${shown(from)} → ${shown(to)}${replaces ? " (makes another one)" : ""}`;
}

function outputs({ outputs: all }: Review): Section {
  const text = all.slice(0, MOST_PROPERTIES).map(propertyLine).join("\n");
  return {
    title: `Outputs that change: ${all.length}`,
    nouns: ["list of outputs", "lists of outputs"],
    folded: true,
    items: all.length === 0 ? [] : [{ heading: [], block: { language: "text", text } }],
  };
}
