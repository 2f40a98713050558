// Makes the review of a preview or an update: runs the engine and says what its events mean.

import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { CommandError, type EngineEvent, type PulumiCommand, type Stack } from "@pulumi/pulumi/automation/index.js";
import { parse } from "yaml";
import { isMap } from "../../net/values.ts";
import { artifactsIn } from "./artifacts.ts";
import { type Changed, changesIn, countsOf, GIT_COMMIT } from "./changes.ts";
import { dangersOf } from "./dangers.ts";
import { type EngineRun, openStack, runOperation, type StackState, stateOf } from "./engine.ts";
import { type FileChange, fileChange } from "./manifests.ts";
import { type Cleaning, diagnostics, failureOf, findingsIn } from "./messages.ts";
import type { ResourceChange, Review, Reviewable, Verdict } from "./model.ts";
import { environmentSecrets, Mask } from "./secrets.ts";
import { changesBetween, isUnknown, type PropertyChange } from "./values.ts";

export type { Review } from "./model.ts";

export interface ReviewOptions {
  readonly stack: string;
  /** The project's folder. @default the working directory */
  readonly project?: string;
  /** @default "preview" */
  readonly operation?: Reviewable;
  /** Folders of policy packs. @default ["policy"] below the project, where it is there; none for drift */
  readonly policyPacks?: readonly string[];
  /** Commit that is reviewed, for the heading. @default none */
  readonly commit?: string;
  /** Each line that the engine prints, without the secrets that are known. @default nobody is told */
  readonly onOutput?: (line: string) => void;
  /** The engine, which may be looked for while this is loaded. @default the one on PATH */
  readonly pulumi?: Promise<PulumiCommand>;
  /** Ends the operation as Ctrl-C does: the engine ends what it has begun, and begins nothing more. @default nothing does */
  readonly signal?: AbortSignal;
}

/**
 * Runs a preview or an update, and says what it does. One that failed is a review too: its verdict is "failed", or
 * "blocked" by a policy, with the reasons.
 * @throws Error where it could not be begun at all: no such project, no such stack, no pulumi
 */
export async function makeReview(options: ReviewOptions): Promise<Review> {
  const { stack: name, operation = "preview", onOutput = () => {}, commit, signal } = options;
  const folder = resolve(options.project ?? ".");
  const ownPack = join(folder, "policy");
  // Whatever drifted, the settings that policies look at are those of the last update.
  const { policyPacks = existsSync(ownPack) && operation !== "drift" ? [ownPack] : [] } = options;
  const stack = await openStack(name, folder, options.pulumi);
  const environment = environmentSecrets(process.env);
  const made = (run: EngineRun, resources: StackState["resources"], secrets: readonly string[]) =>
    reviewOf({
      project: { folder, name: projectName(folder) },
      stack: name,
      operation,
      run,
      resources,
      secrets: [...secrets, ...environment],
      time: new Date().toISOString(),
      ...(commit !== undefined && { commit }),
    });
  const lines = held(onOutput);
  const running = () =>
    runOperation(stack, { operation, policyPacks, onOutput: lines.take, ...(signal && { signal }) });
  // A preview changes nothing, so both can be at once.
  const previewing = operation !== "up" ? running() : undefined;
  const before = await readState(stack);
  if (!(before instanceof CommandError)) lines.open(new Mask([...before.secrets, ...environment]));
  const previewed = await previewing;
  // Without the stack's secrets nothing can be shown that may hold one, and nothing is updated.
  if (before instanceof CommandError) return made({ events: [], failure: before.message }, [], []);
  const run = previewed ?? (await running());
  // An update makes secrets, and its errors may hold them.
  const after = operation === "up" ? await readState(stack) : before;
  const secrets = after instanceof CommandError ? before.secrets : [...before.secrets, ...after.secrets];
  return made(run, before.resources, secrets);
}

/** What the stack holds, or why that cannot be read. @throws Error where there is no such stack */
async function readState(stack: Stack): Promise<StackState | CommandError> {
  try {
    return await stateOf(stack);
  } catch (error) {
    if (error instanceof CommandError) return error;
    throw error;
  }
}

/** Holds lines back until it is known what must not be shown of them. */
function held(onOutput: (line: string) => void) {
  const waiting: string[] = [];
  let known: Mask | undefined;
  const show = (mask: Mask, line: string) => onOutput(mask.text(line));
  return {
    take(line: string) {
      if (known === undefined) waiting.push(line);
      else show(known, line);
    },
    open(mask: Mask) {
      known = mask;
      for (const line of waiting.splice(0)) show(mask, line);
    },
  };
}

/** What a review is made of. */
export interface Reviewed {
  readonly project: { readonly folder: string; readonly name: string };
  readonly stack: string;
  readonly operation: Reviewable;
  readonly run: EngineRun;
  /** The stack's resources before. */
  readonly resources: StackState["resources"];
  /** Texts that must not be shown. */
  readonly secrets: readonly string[];
  /** In ISO 8601. */
  readonly time: string;
  readonly commit?: string;
}

/** The review of what the engine told. */
export function reviewOf({ project, stack, operation, run, resources, secrets, time, commit }: Reviewed): Review {
  const { events, failure } = run;
  const mask = new Mask(secrets);
  const cleaning: Cleaning = { mask, project: project.folder };
  const changes = changesIn(events, operation, mask);
  const policies = findingsIn(events, cleaning);
  const errors = diagnostics(events, "error", cleaning);
  const isBlocked = policies.some(({ level }) => level === "mandatory");
  const failures =
    failure === undefined ? [] : errors.length > 0 || isBlocked ? errors : [failureOf(failure, cleaning)];
  const dangers = dangersOf(changes, resources, mask);
  const outputs = outputsIn(events, mask);
  const review = {
    failures,
    dangers,
    policies,
    artifacts: artifactsIn(changes, mask),
    files: filesIn(changes, mask),
    resources: changes.map(({ resource }) => withoutFiles(resource)),
    outputs,
    warnings: diagnostics(events, "warning", cleaning),
  };
  return {
    version: 1,
    project: project.name,
    stack,
    operation,
    // An output is nothing that is there: it changes with what does.
    verdict: verdictOf(operation === "drift" ? { ...review, outputs: [] } : review, failure !== undefined, isBlocked),
    ...(commit !== undefined && { commit }),
    time,
    counts: countsOf(events, changes),
    // Names too: whatever was made of a secret, it is not shown.
    ...everywhere(review, (text) => mask.known(text)),
  };
}

/** Data with all of its texts changed. */
function everywhere<T>(data: T, by: (text: string) => string): T {
  if (typeof data === "string") return by(data) as T;
  if (Array.isArray(data)) return data.map((item) => everywhere(item, by)) as T;
  if (typeof data !== "object" || data === null) return data;
  return Object.fromEntries(Object.entries(data).map(([name, item]) => [name, everywhere(item, by)])) as T;
}

function verdictOf(
  { failures, dangers, resources, outputs }: Pick<Review, "failures" | "dangers" | "resources" | "outputs">,
  hasFailed: boolean,
  isBlocked: boolean,
): Verdict {
  if (failures.length > 0) return "failed";
  if (isBlocked) return "blocked";
  if (hasFailed) return "failed";
  if (dangers.some(({ loses }) => loses)) return "dangerous";
  return resources.length > 0 || outputs.length > 0 ? "changes" : "unchanged";
}

/** The properties of a GitCommit that hold whole files. */
const FILES = ["files", "seeds"] as const;

/** How the files change that the stack commits. */
function filesIn(changes: readonly Changed[], mask: Mask): FileChange[] {
  const commits = changes.filter(({ resource }) => resource.type === GIT_COMMIT && resource.operation !== "forget");
  return commits.flatMap(({ resource, old, new: next }) =>
    FILES.flatMap((property) => {
      const [before, after] = [old[property], next[property]].map((files) => (isMap(files) ? files : {}));
      const paths = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
      // Where all of them are unknown, no path tells of one; and what was begun with is never removed.
      const isHeld = property === "files" || resource.operation === "create";
      if (!isHeld || isUnknown(next[property])) return [];
      return [...paths].sort().flatMap((path) => fileChange(path, before?.[path], after?.[path], mask) ?? []);
    }),
  );
}

/** A commit's files are told by themselves. */
function withoutFiles(resource: ResourceChange): ResourceChange {
  if (resource.type !== GIT_COMMIT) return resource;
  return { ...resource, properties: resource.properties.filter(({ path }) => !/^(files|seeds)(\[|\.|$)/.test(path)) };
}

/** How the stack's outputs change. */
function outputsIn(events: readonly EngineEvent[], mask: Mask): PropertyChange[] {
  const stacks = events.flatMap(({ resOutputsEvent: event }) =>
    event?.metadata.type === "pulumi:pulumi:Stack" ? [event.metadata] : [],
  );
  const { old, new: next } = stacks.at(-1) ?? {};
  if (next?.outputs === undefined || Object.keys(next.outputs).length === 0) return [];
  return changesBetween([], old?.outputs ?? {}, next.outputs, mask);
}

function projectName(folder: string): string {
  const { name } = parse(readFileSync(join(folder, "Pulumi.yaml"), "utf8")) as { name?: unknown };
  return String(name ?? "");
}
