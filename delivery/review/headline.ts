// The first two lines of a review: the verdict, and how much changes, of what and when.
import type { ArtifactChange, Counts, Review } from "./model.ts";
import { code, counted, fate, type Line } from "./words.ts";

const SIGNS: Readonly<Record<Review["verdict"], string>> = {
  unchanged: "✅",
  changes: "ℹ️",
  dangerous: "⚠️",
  blocked: "⛔",
  failed: "❌",
};

/** The verdict. */
export const titleOf = (review: Review): Line => [
  `${review.operation === "drift" && review.verdict === "changes" ? SIGNS.dangerous : SIGNS[review.verdict]} `,
  code(review.stack),
  ": ",
  ...said(review),
];

function said(review: Review): Line {
  return review.operation === "drift" ? saidOfDrift(review) : saidOfChange(review);
}

function saidOfDrift({ verdict, counts }: Review): Line {
  if (verdict === "unchanged") return ["nothing has drifted"];
  if (verdict === "failed") return ["the look for drift failed"];
  return [`drifted, ${counted(changesOf(counts), "resource is", "resources are")} not as the stack says`];
}

function saidOfChange({ operation, verdict, dangers, policies, artifacts, counts }: Review): Line {
  const isUp = operation === "up";
  switch (verdict) {
    case "unchanged":
      return [isUp ? "nothing changed" : "nothing changes"];
    case "failed":
      return [isUp ? failedAfter(changesOf(counts)) : "the preview failed"];
    case "blocked": {
      const mandatory = policies.filter(({ level }) => level === "mandatory").length;
      return [`stopped by mandatory policies, ${counted(mandatory, "finding", "findings")}`];
    }
    case "dangerous":
      return loss(dangers, isUp);
    case "changes":
      return change(artifacts, counts, isUp);
  }
}

const changesOf = (counts: Counts) => counts.create + counts.update + counts.replace + counts.delete + counts.other;

const failedAfter = (changes: number) =>
  changes === 0 ? "the update failed" : `the update failed after ${counted(changes, "change", "changes")}`;

function loss(dangers: Review["dangers"], isUp: boolean): Line {
  const [first, ...others] = dangers.filter(({ loses }) => loses);
  if (first === undefined) return [];
  const more = others.length + first.dependents.length;
  return [`the ${first.noun} `, code(first.name), ` ${fate(first, isUp)}`, more > 0 ? `, and ${more} more` : ""];
}

function change(artifacts: Review["artifacts"], counts: Counts, isUp: boolean): Line {
  const changes = changesOf(counts);
  const first = artifacts.find(({ from, to }) => from !== undefined && to !== undefined);
  if (first !== undefined) return newVersion(first, changes);
  if (changes === 0) return [isUp ? "only outputs changed" : "only outputs change"];
  const what = counted(changes, "resource", "resources");
  if (changes === counts.create) return [isUp ? `${what} created` : `${what} to create`];
  return [`${what} ${isUp ? "changed" : changes === 1 ? "changes" : "change"}`];
}

function newVersion({ kind, name, from, to }: ArtifactChange, changes: number): Line {
  const what = kind === "Flux" ? ["Flux "] : [`${kind} `, code(name), " "];
  const all = changes > 1 ? `, ${counted(changes, "resource", "resources")} in all` : "";
  return [...what, code(from?.version ?? ""), " → ", code(to?.version ?? ""), all];
}

const COUNTED: readonly (readonly [name: keyof Counts, preview: string, up: string])[] = [
  ["delete", "to delete", "deleted"],
  ["replace", "to replace", "replaced"],
  ["update", "to update", "updated"],
  ["create", "to create", "created"],
  ["other", "to read, import or forget", "read, imported or forgotten"],
  ["unchanged", "unchanged", "unchanged"],
];

const WHAT: Readonly<Record<Review["operation"], string>> = {
  preview: "Preview",
  up: "Update",
  drift: "Look for drift",
};

/** How much changes, and of which commit and when that was seen. */
export function aboutOf({ operation, verdict, counts, dangers, commit, time }: Review): Line {
  const isUp = operation === "up";
  const known = COUNTED.filter(([name]) => counts[name] > 0);
  const numbers = known.map(([name, preview, up]) => `${counts[name]} ${isUp ? up : preview}`).join(", ");
  const isCut = verdict === "failed" && !isUp && known.length > 0;
  const what = WHAT[operation];
  // Else whoever reads of a deletion would have to unfold all resources to see that it is an image of the mirror.
  const isHarmless = verdict === "changes" && counts.delete + counts.replace > 0 && dangers.length === 0;
  const when = `${time.slice(0, 10)} ${time.slice(11, 16)} UTC`;
  return [
    numbers === "" ? "" : `${isCut ? "Known until then: " : ""}${numbers}. `,
    isHarmless ? "Nobody misses what is deleted or replaced. " : "",
    ...(commit === undefined ? [`${what} of ${when}.`] : [`${what} of `, code(commit.slice(0, 8)), `, ${when}.`]),
  ];
}
