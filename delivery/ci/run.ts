// One run: looks at what is needed, signs in, makes the review, and tells of it wherever the system has a place for it.

import { delimiter } from "node:path";
import { describe } from "../../net/describe.ts";
import type { Clock } from "../../net/retry.ts";
import type { Fault } from "../../settings/errors.ts";
import type { Reviewable } from "../review/model.ts";
import type { marker, renderReview } from "../review/render.ts";
import type { makeReview, Review } from "../review/review.ts";
import { advice } from "./advice.ts";
import { fault, missing } from "./checks.ts";
import { commented } from "./commented.ts";
import { harmless, Log } from "./log.ts";
import { type KeptSignIn, keepSignIn, refusalOf } from "./signIn.ts";
import type { Environment, PullRequest, System } from "./system.ts";

export interface RunOptions {
  readonly operation: Reviewable;
  readonly stack: string;
  /** The folder of Pulumi.yaml. */
  readonly project: string;
}

/** What a run uses, so that a test may replace it. */
export interface Means {
  /** Is changed: the programs that the run starts get it. */
  readonly environment: NodeJS.ProcessEnv;
  readonly system: System;
  readonly review: {
    readonly makeReview: typeof makeReview;
    readonly renderReview: typeof renderReview;
    readonly marker: typeof marker;
  };
  /** Writes lines, with their ends, into the log. */
  readonly write: (text: string) => void;
  /** Whether a program is on PATH. */
  readonly hasProgram: (name: string) => boolean;
  /** The folders of pulumi and of its host of languages. @throws Error saying what to install. */
  readonly findEngine: (log: (line: string) => void) => Promise<readonly string[]>;
  /** The project's name, empty where it cannot be read. */
  readonly projectName: () => Promise<string>;
  /** The stack's outputs that are no secret. */
  readonly outputs: () => Promise<Readonly<Record<string, unknown>>>;
  /** Ends the operation as Ctrl-C does. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** What a run has to say: the review, or why there is none. */
interface Word {
  readonly review: Review;
  /** What a person has to know beside the review: its title, and lines. */
  readonly more?: readonly [title: string, ...lines: string[]];
}

/** Runs a preview or an update in a pipeline, or on a terminal. @returns the exit status. */
export async function run(options: RunOptions, means: Means): Promise<0 | 1> {
  const log = new Log(means.environment, means.write);
  const { system } = means;
  let signIn: KeptSignIn | undefined;
  try {
    const faults: Fault[] = [];
    signIn = await keepSignIn(
      means.environment,
      (secret) => log.learn(secret),
      (reason) => warn(log, system, `The sign-in to Azure could not be renewed: ${reason}`),
    ).catch((error: Error) => {
      faults.push(fault("the sign-in to Azure", `gets no token: ${describe(error)}`, "see docs/sign-in.md"));
      return undefined;
    });
    for (const [name, value] of Object.entries(signIn?.variables ?? {})) {
      if (value === undefined) delete means.environment[name];
      else means.environment[name] = value;
    }
    const reason = await unable(options, means, log, faults, signIn);
    if (reason !== undefined && system.pullRequest?.isFork) return await forked(options, means, log);
    const word = reason === undefined ? await operate(options, means, log) : await beginless(options, means, reason);
    await tell(word, means, log);
    return hasFailed(word.review) ? 1 : 0;
  } finally {
    await signIn?.close();
  }
}

/** Whether the run ends with 1: who looks for drift wants to be told of it. */
const hasFailed = ({ verdict, operation }: Review) =>
  verdict === "failed" || verdict === "blocked" || (operation === "drift" && verdict !== "unchanged");

/** Why the run cannot begin; undefined where it can. */
async function unable(
  { operation, project, stack }: RunOptions,
  { environment, system, hasProgram, findEngine }: Means,
  log: Log,
  faults: Fault[],
  signIn: KeptSignIn | undefined,
): Promise<string | undefined> {
  try {
    const folders = await findEngine((line) => log.say(line));
    environment.PATH = [...folders, environment.PATH ?? ""].join(delimiter);
  } catch (error) {
    faults.push(fault("pulumi", `cannot be run: ${describe(error)}`, "install it, or put it on PATH"));
  }
  const needs = {
    ...{ environment, project, stack, hasProgram },
    ...{ isPipeline: system.isPipeline, isUpdate: operation === "up" },
  };
  const found = await missing(needs, faults);
  for (const warning of found.warnings) warn(log, system, warning);
  return found.faults ?? (signIn && (await refusal(signIn, environment)));
}

/** Why Entra does not take the run's token. */
async function refusal(signIn: KeptSignIn, environment: Environment): Promise<string | undefined> {
  try {
    const token = await signIn.token();
    const reason = token === undefined ? undefined : await refusalOf(token, environment);
    return reason && `Entra refuses the sign-in to Azure: ${reason}`;
  } catch (error) {
    return `The sign-in to Azure cannot be tried: ${describe(error)}`;
  }
}

/** The word of a run that could not begin. */
async function beginless(
  { operation, stack }: RunOptions,
  { system, projectName }: Means,
  reason: string,
): Promise<Word> {
  const review: Review = {
    ...{ version: 1, project: await projectName(), stack, operation, verdict: "failed" },
    ...(system.commit !== undefined && { commit: system.commit }),
    time: new Date().toISOString(),
    counts: { create: 0, update: 0, replace: 0, delete: 0, other: 0, unchanged: 0 },
    failures: [{ text: `It could not begin, and nothing was touched. ${reason}` }],
    ...{ dangers: [], policies: [], artifacts: [], files: [], resources: [], outputs: [], warnings: [] },
  };
  return { review };
}

/** A fork's run can never begin, which is nobody's fault: it has a note and ends well. */
async function forked({ operation, stack }: RunOptions, { system }: Means, log: Log): Promise<0> {
  const note =
    `No ${operation} of ${stack}: this pull request comes from a fork, and ${system.name} gives a fork's runs neither ` +
    "secrets nor a token to sign in with. Whoever may push to this repository can read the change, push its branch here, " +
    "and open a pull request from there.";
  warn(log, system, note);
  await summarise(note, system, log);
  return 0;
}

/** What pulumi is told. */
const COMMAND: Readonly<Record<Reviewable, string>> = { preview: "preview", up: "up", drift: "preview --refresh" };

async function operate(options: RunOptions, means: Means, log: Log): Promise<Word> {
  const { operation, stack, project } = options;
  const { system, review, outputs, signal } = means;
  const [begin, end] = system.fold?.(`pulumi ${COMMAND[operation]} --stack ${stack}`) ?? [];
  const said: string[] = [];
  if (begin !== undefined) log.command(begin);
  const made = await review
    .makeReview({
      ...{ stack, project, operation },
      ...(system.commit !== undefined && { commit: system.commit }),
      ...(signal && { signal }),
      onOutput: (line) => {
        said.push(line);
        log.say(line);
      },
    })
    .catch((error: Error) => error);
  if (end !== undefined) log.command(end);
  if (made instanceof Error) return beginless(options, means, describe(made));
  if (operation === "preview") return { review: made };
  if (operation === "drift") return { review: made, ...(made.verdict !== "failed" && drifted(made)) };
  if (hasFailed(made)) return { review: made, more: ["What to do", advice(stack, said.join("\n"))] };
  const shown = outputLines(await outputs().catch(() => ({})));
  return { review: made, ...(shown.length > 0 && { more: ["Outputs", ...shown] }) };
}

/** What to do about drift. */
function drifted({ verdict, stack }: Review): Pick<Word, "more"> {
  if (verdict === "unchanged") return {};
  return {
    more: [
      "What to do",
      `\`pulumi up --refresh --stack ${stack}\` puts it back as the stack says, by what is listed above. Where the ` +
        "difference is meant to stay, write it into the stack's settings first.",
    ],
  };
}

/** The longest output that is shown, in characters: others are for programs. */
const LONGEST_OUTPUT = 200;

function outputLines(outputs: Readonly<Record<string, unknown>>): string[] {
  return Object.entries(outputs).flatMap(([name, value]) => {
    const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
    // Ids of Azure are for programs, too.
    const isShown = text !== "" && text.length <= LONGEST_OUTPUT && !/[`\n\r]|\[secret\]|^\/subscriptions\//.test(text);
    return isShown ? [`- ${name}: \`${text}\``] : [];
  });
}

function warn(log: Log, { annotation }: System, text: string): void {
  log.say(text);
  if (annotation !== undefined) log.command(annotation("warning", harmless(text)));
}

/** Writes a word into the log, the pull request and the summary. */
async function tell({ review, more }: Word, means: Means, log: Log): Promise<void> {
  const { system } = means;
  const { renderReview } = means.review;
  const [title, ...lines] = more ?? [];
  const tail = title === undefined ? "" : `\n\n#### ${title}\n\n${lines.join("\n")}`;
  const markdown = (limit: number) => {
    const text = renderReview(review, "markdown", limit - Buffer.byteLength(tail));
    return log.shown(text.trimEnd() + tail);
  };
  const text = renderReview(review, "text").trimEnd();
  log.say(title === undefined ? text : [text, "", title, "-".repeat(title.length), "", ...lines].join("\n"));
  const severity = severityOf(review);
  if (severity !== undefined && system.annotation !== undefined)
    log.command(system.annotation(severity, harmless([text.split("\n", 1)[0], ...reasonsOf(review)].join("\n"))));
  // What a pull request would change is another matter.
  const pullRequest = review.operation === "drift" ? undefined : system.pullRequest;
  const note = pullRequest && (await comment(review, markdown, pullRequest, means));
  if (note !== undefined) log.say(note);
  const limit = system.summary?.limit ?? 0;
  await summarise([markdown(limit - SUMMARY_RESERVE), note].filter(Boolean).join("\n\n"), system, log);
}

/** What may follow the review in a summary, in bytes. */
const SUMMARY_RESERVE = 4096;

/** A danger is an annotation where it can still be averted. */
function severityOf(review: Review): "error" | "warning" | undefined {
  if (hasFailed(review)) return "error";
  return review.verdict === "dangerous" && review.operation === "preview" ? "warning" : undefined;
}

/** How many reasons an annotation has room for. */
const REASONS = 3;

/** Why it failed or was refused, a line each: the rest is in the log. */
function reasonsOf({ failures, policies }: Review): string[] {
  const mandatory = policies.filter(({ level }) => level === "mandatory").map(({ message }) => message);
  const reasons = [...failures.map(({ text }) => text), ...mandatory].map((text) => text.split("\n", 1)[0] ?? "");
  return reasons.slice(0, REASONS);
}

async function summarise(markdown: string, system: System, log: Log): Promise<void> {
  try {
    const line = await system.summary?.add(log.shown(markdown));
    if (line !== undefined) log.command(line);
  } catch (error) {
    warn(log, system, `The summary could not be written: ${describe(error)}`);
  }
}

/** Writes the comment of a pull request. @returns what became of it. */
function comment(
  review: Review,
  markdown: (limit: number) => string,
  pullRequest: PullRequest,
  { review: { marker }, system, clock }: Means,
): Promise<string> {
  const first = marker(review);
  // The same change is the same whenever it is looked at.
  const { time: _, commit: __, ...substance } = review;
  return commented(
    pullRequest,
    (limit) => ({
      ...{ marker: first, text: markdown(limit).split(`${first}\n`)[1] ?? "", run: system.run },
      ...{ substance: JSON.stringify(substance), needsSomebody: hasFailed(review) || review.verdict === "dangerous" },
    }),
    clock,
  );
}
