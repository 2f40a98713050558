// Which deployments a change in a repository starts, by the settings of a stack:
// https://www.pulumi.com/docs/deployments/concepts/triggers/
import type { Settings } from "./settings.ts";

/** What happened in a repository. */
export type Change = {
  /** `owner/name`. */
  readonly repository: string;
  readonly commit: string;
} & (
  | { readonly kind: "push"; readonly branch: string; readonly files: readonly string[] }
  | { readonly kind: "tag"; readonly tag: string }
  | {
      readonly kind: "pull request";
      readonly number: number;
      /** The branch that it is to be merged into. */
      readonly base: string;
      readonly files: readonly string[];
    }
);

export type Operation = "preview" | "update" | "refresh" | "destroy" | "detect-drift" | "remediate-drift";

/** The operation that a change starts with a stack's settings; undefined where it starts none. */
export function triggered(settings: Settings, change: Change): "preview" | "update" | undefined {
  const { vcs, sourceContext } = settings;
  if (vcs?.provider !== "github" || vcs.repository?.toLowerCase() !== change.repository.toLowerCase()) return undefined;
  if (change.kind === "tag")
    return vcs.deployTags === true && passes(vcs.tagFilters ?? [], change.tag) ? "update" : undefined;
  const branch = sourceContext?.git?.branch?.replace(/^refs\/heads\//, "");
  const isMeant = change.kind === "push" ? vcs.deployCommits === true : vcs.previewPullRequests === true;
  const target = change.kind === "push" ? change.branch : change.base;
  if (!isMeant || target !== branch) return undefined;
  const { paths = [] } = vcs;
  const isTouched = paths.length === 0 || change.files.some((file) => passes(paths, file));
  return isTouched ? (change.kind === "push" ? "update" : "preview") : undefined;
}

/** Whether filters let a name pass: one of them lets it in, if any does such a thing, and none with `!` keeps it out. */
export function passes(filters: readonly string[], name: string): boolean {
  const [out, into] = [filters.filter((it) => it.startsWith("!")), filters.filter((it) => !it.startsWith("!"))];
  return (
    (into.length === 0 || into.some((filter) => glob(filter).test(name))) &&
    !out.some((filter) => glob(filter.slice(1)).test(name))
  );
}

/** A pattern of whole names: `**` stands for anything, `*` and `?` for what is within a folder. */
function glob(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*|\*|\?)/).map((part) => {
    if (part === "**") return ".*";
    if (part === "*") return "[^/]*";
    return part === "?" ? "[^/]" : part.replaceAll(/[$()+.[\\\]^{|}]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("")}$`);
}
