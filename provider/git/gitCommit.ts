// GitCommit: the files a stack owns in a Git repository, by one atomic commit whenever they have to change.

import { createHash, randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { findCredential } from "../../net/gitCredential.ts";
import { Again, CLOCK, type Clock, retry, type Try } from "../../net/retry.ts";
import { detailedDiff, formatPath } from "../../plugin/diff.ts";
import { type Context, type Diff, UNKNOWN } from "../../plugin/handler.ts";
import { changes, handlerOf, type Previewed } from "../../plugin/schema.ts";
import { componentsText } from "../flux/fluxComponents.ts";
import { type CommitContent, GitBranch, ownerLine, type TreeEntry } from "./git.ts";
import { signInCredential } from "./gitAccess.ts";
import {
  completed,
  faultsBetween,
  GIT_COMMIT,
  type GitCommitInputs,
  type GitCommitState,
  type GivenInputs,
  type KnownCommit,
  parseImportId,
} from "./gitCommitInputs.ts";
import { GitError, ProtectedBranch } from "./gitError.ts";
import { blobId, isBlocked, plan } from "./gitPlan.ts";
import { mergeKustomization, presentEntries } from "./kustomizationFile.ts";
import { leftBehind, type Owned } from "./leftBehind.ts";
import { leftMessage, merged, propose } from "./proposing.ts";
import { pullRequestHost } from "./pullRequestHost.ts";
import { mergeRules, presentRules, SOPS_CONFIG } from "./sopsRules.ts";
import { applies, oddities, uneditable } from "./treeLook.ts";

/** The handler of `gitops:index:GitCommit`. @param clock measures how long pull requests are waited for. */
export const gitCommitWith = (clock: Clock) =>
  handlerOf(GIT_COMMIT, {
    rules: faultsBetween,
    diff,
    preview,
    create: (inputs, context) => create(inputs, { ...context, clock }),
    read,
    update: (existing, inputs, context) => update(existing, inputs, { ...context, clock }),
    delete: (existing, context, successor) => remove(existing, { ...context, clock }, successor),
  });

export const gitCommit = gitCommitWith(CLOCK);

/** What an operation that writes gets. */
interface Writing extends Context {
  readonly clock: Clock;
}

/** Looks into the repository, where it can, for what an update would refuse. */
async function preview(
  inputs: Previewed<GivenInputs>,
  _existing: unknown,
  context: Context,
): Promise<Previewed<GitCommitState>> {
  const { url, access, branch, apart = {}, seeds = {} } = inputs;
  const needed: readonly unknown[] = [url, branch, access, ...Object.values(access ?? {}), apart];
  if (!needed.includes(UNKNOWN) && Object.keys(apart).length > 0) {
    const place = { url, branch, ...(access && { access }) } as Place;
    const known = seeds === UNKNOWN ? {} : (seeds as Record<string, string>);
    const found = await withBranch(place, context, async (remote) => {
      const head = await remote.fetch();
      const tree = head === undefined ? new Map<string, TreeEntry>() : await remote.tree(head);
      return appliedTwice(remote, tree, { apart: apart as Record<string, string[]>, seeds: known });
    }).catch((error: Error) => {
      if (!(error instanceof GitError)) throw error;
      context.log(
        "warning",
        `whether ${Object.keys(apart).join(", ")} apply folders twice is seen in the update: ${error.message}`,
      );
      return [];
    });
    if (found.length > 0) throw new Error(found.join("; "));
  }
  return { ...inputs, commit: UNKNOWN };
}

/** Which folders would be applied twice, as far as the branch's files and those that are yet to be written tell. */
function appliedTwice(
  remote: GitBranch,
  tree: ReadonlyMap<string, TreeEntry>,
  { apart, seeds }: Pick<GitCommitInputs, "apart" | "seeds">,
) {
  return applies(apart, async (path) => (await presentTexts(remote, tree, [path]))[path] ?? seeds[path]);
}

/** What owned files and rules, and new seeds, make of the branch; message, adopt and old seeds change nothing in it. */
async function diff(existing: KnownCommit, inputs: Previewed<GivenInputs>): Promise<Diff> {
  const part = (given: Previewed<GivenInputs>) => {
    const { url, access, author, committer, signingKey, branch } = given;
    const { files, fluxComponents, sopsRules, kustomizations, listed } = given;
    return {
      ...{ url, access, author, committer, signingKey, branch },
      ...{ files: files ?? {}, fluxComponents, sopsRules, kustomizations, listed },
    };
  };
  const detailed = { ...detailedDiff(part(existing.inputs), part(inputs)), ...newSeeds(existing.inputs, inputs) };
  const { replaces } = changes(GIT_COMMIT, existing.inputs, inputs);
  return { changes: Object.keys(detailed).length > 0, replaces, detailed };
}

function newSeeds(old: GivenInputs, next: Previewed<GivenInputs>): NonNullable<Diff["detailed"]> {
  const [before, after] = [old.seeds ?? {}, next.seeds ?? {}];
  if (after === UNKNOWN) return { seeds: { kind: "update", inputDiff: true } };
  const added = Object.keys(after).filter((path) => !Object.hasOwn(before, path));
  return Object.fromEntries(added.map((path) => [formatPath(["seeds", path]), { kind: "add", inputDiff: true }]));
}

async function create(inputs: GivenInputs, context: Writing) {
  const { wanted, blobs } = await rendered(inputs);
  const commit = await settle(context, { wanted, files: new Map(), sopsRules: [], kustomizations: {} });
  return { id: `${wanted.url}#${wanted.branch}`, state: { ...inputs, ...blobs, commit, instance: randomUUID() } };
}

async function update(existing: KnownCommit, inputs: GivenInputs, context: Writing): Promise<GitCommitState> {
  const { sopsRules, kustomizations, listed } = completed(existing.inputs);
  const { wanted, blobs } = await rendered(inputs);
  const commit = await settle(context, {
    wanted,
    files: leftFiles(existing),
    sopsRules,
    kustomizations: { ...listed, ...kustomizations },
    // Where others brought what is new, as a merge does, the head holds it and the last commit does not.
    ...(isDeepStrictEqual(contentOf(existing.inputs), contentOf(inputs)) && { last: existing.state.commit }),
  });
  const { instance } = existing.state;
  return { ...inputs, ...blobs, commit, ...(instance === undefined ? {} : { instance }) };
}

/** What of the inputs ends up on the branch. */
function contentOf(inputs: GivenInputs) {
  const { files, fluxComponents, seeds, sopsRules, kustomizations, listed } = completed(inputs);
  return { files, fluxComponents, seeds, sopsRules, kustomizations, listed };
}

/** The inputs with the text of what they only name, and the object ids of those texts for the state. */
async function rendered(given: GivenInputs) {
  const inputs = completed(given);
  const made = await Promise.all(
    Object.entries(inputs.fluxComponents).map(async ([path, components]) => [path, await componentsText(components)]),
  );
  const texts = Object.fromEntries(made) as Record<string, string>;
  const blobs = Object.fromEntries(Object.entries(texts).map(([path, text]) => [path, blobId(text)]));
  return { wanted: { ...inputs, files: { ...inputs.files, ...texts } }, blobs: made.length > 0 ? { blobs } : {} };
}

/** The object ids of the owned files as they were left, or as a refresh found them. */
function leftFiles({ inputs, state: { blobs = {} } }: KnownCommit): Map<string, string | undefined> {
  const texts = Object.entries(inputs.files ?? {}).map(([path, text]) => [path, blobId(text)] as const);
  return new Map([...texts, ...Object.entries(blobs)]);
}

async function remove(existing: KnownCommit, context: Writing, successor?: KnownCommit): Promise<void> {
  const { sopsRules, kustomizations, listed, ...inputs } = completed(existing.inputs);
  const message = `Remove the files of ${context.name}`;
  const nothing = {
    files: {},
    fluxComponents: {},
    seeds: {},
    sopsRules: [],
    kustomizations: {},
    listed: {},
    apart: {},
  };
  const wanted = { ...inputs, ...nothing, message, adopt: false };
  const owned = { files: leftFiles(existing), sopsRules, kustomizations: { ...listed, ...kustomizations } };
  const isFollowed = successor !== undefined && (await isSamePlace(inputs, successor.inputs, context));
  const left = leftBehind(owned, isFollowed ? completed(successor.inputs) : undefined);
  await settle(context, { wanted, ...left, mayBeGone: true });
}

type Place = Pick<GivenInputs, "url" | "branch" | "access">;

/** Whether two places are one. A repository that was renamed has two URLs: then both have the same head at any time. */
async function isSamePlace(old: Place, next: Place, context: Context): Promise<boolean> {
  if (old.branch !== next.branch) return false;
  if (old.url === next.url) return true;
  return withBranch(old, context, (one) =>
    withBranch(next, context, (other) =>
      persistently(context, async () => {
        const [before, there, after] = [await one.head(), await other.head(), await one.head()];
        if (before !== after) throw new GitError("race", `somebody pushed to branch ${old.branch} of ${old.url}`);
        return before !== undefined && before === there;
      }),
    ),
  );
}

async function read(id: string, known: KnownCommit | undefined, context: Context) {
  const place: Place = known?.inputs ?? parseImportId(id);
  const { url, branch } = place;
  const left = known?.state.blobs ?? {};
  return withBranch(place, context, async (remote) => {
    const head = await remote.fetch();
    if (head === undefined) return undefined;
    const tree = await remote.tree(head);
    const properties: GivenInputs = known?.inputs ?? (await importedInputs(id, remote, head, tree));
    const { files, sopsRules, kustomizations } = completed(properties);
    const texts = await presentTexts(remote, tree, Object.keys(files));
    const rules = presentRules(await configText(remote, tree), sopsRules);
    const { components, blobs } = presentComponents(tree, properties, left);
    const owned = Object.keys(files).length + sopsRules.length + Object.keys(left).length;
    const present = Object.keys(texts).length + rules.length + Object.keys(blobs).length;
    if (owned > 0 && present === 0) return undefined;
    const shared = await presentTexts(remote, tree, Object.keys(kustomizations));
    const entries = Object.entries(shared).map(([path, text]) => [
      path,
      presentEntries(path, text, kustomizations[path] ?? {}),
    ]);
    const found = {
      ...properties,
      ...(properties.files === undefined ? {} : { files: texts }),
      ...(components === undefined ? {} : { fluxComponents: components }),
      ...(sopsRules.length > 0 ? { sopsRules: rules } : {}),
      ...(Object.keys(kustomizations).length > 0 ? { kustomizations: Object.fromEntries(entries) } : {}),
    };
    const state = {
      ...known?.state,
      ...(known?.state.blobs === undefined ? {} : { blobs }),
      commit: known?.state.commit ?? head,
    };
    return { id: `${url}#${branch}`, inputs: found, state: { ...state, ...found } };
  });
}

/** Flux's components that are as they were left, and the object ids of all that are there. */
function presentComponents(
  tree: ReadonlyMap<string, TreeEntry>,
  { fluxComponents }: GivenInputs,
  left: Readonly<Record<string, string>>,
) {
  const found = Object.keys(left).map((path) => [path, fileId(tree, path)] as const);
  const blobs = Object.fromEntries(found.filter(([, oid]) => oid !== undefined)) as Record<string, string>;
  const isLeft = ([path]: [string, unknown]) => blobs[path] !== undefined && blobs[path] === left[path];
  const components = fluxComponents && Object.fromEntries(Object.entries(fluxComponents).filter(isLeft));
  return { components, blobs };
}

async function importedInputs(id: string, remote: GitBranch, head: string, tree: ReadonlyMap<string, TreeEntry>) {
  const { url, branch, paths } = parseImportId(id);
  const found = paths.map((path) =>
    [...tree.keys()].filter((file) => (path.endsWith("/") ? file.startsWith(path) : file === path)),
  );
  const missing = paths.filter((_, index) => found[index]?.length === 0);
  if (missing.length > 0) throw new Error(`branch ${branch} of ${url} does not have ${missing.join(", ")}`);
  const files = Object.fromEntries(found.flat().map((path) => [path, ""]));
  return { url, branch, files, message: await remote.message(head) };
}

async function presentTexts(remote: GitBranch, tree: ReadonlyMap<string, TreeEntry>, paths: readonly string[]) {
  const oids = paths.map((path) => [path, fileId(tree, path)] as const).filter(([, oid]) => oid !== undefined);
  const texts = await remote.texts(oids.map(([, oid]) => oid ?? ""));
  return Object.fromEntries(oids.map(([path, oid]) => [path, texts.get(oid ?? "") ?? ""]));
}

async function configText(remote: GitBranch, tree: ReadonlyMap<string, TreeEntry>): Promise<string | undefined> {
  return (await presentTexts(remote, tree, [SOPS_CONFIG]))[SOPS_CONFIG];
}

/** The object of a file or a link; undefined for a submodule. */
function fileId(tree: ReadonlyMap<string, TreeEntry>, path: string): string | undefined {
  const entry = tree.get(path);
  return entry?.mode === "160000" ? undefined : entry?.oid;
}

/** What shall be on the branch, and what was left there. */
interface Goal extends Owned {
  readonly wanted: GitCommitInputs;
  /** The commit to name when nothing has to change; otherwise the head. */
  readonly last?: string;
  /** A missing branch is as good as done. */
  readonly mayBeGone?: boolean;
}

/** Many clusters may share a repository: enough tries that all get their turn, seconds apart at most. */
const TRIES = 20;
const LONGEST_WAIT_MS = 5000;

/** Brings the branch to the goal: rebuilds on every new head until a push wins. Returns the commit to remember. */
async function settle(context: Writing, goal: Goal): Promise<string> {
  return withBranch(goal.wanted, context, (remote) => {
    let pushed: string | undefined;
    return persistently(context, async () => {
      const head = await startingPoint(remote, goal);
      const commit = await build(remote, head, goal, context);
      // An answer may get lost after the remote took the push: then the head is already ours.
      if (commit === undefined) return head !== undefined && head === pushed ? head : (goal.last ?? head ?? "");
      pushed = commit;
      try {
        await remote.push(commit);
      } catch (error) {
        if (!(error instanceof ProtectedBranch) || head === undefined) throw error;
        return byPullRequest(remote, head, goal, context, error);
      }
      return commit;
    });
  });
}

/**
 * Brings the branch to the goal by a pull request.
 * @returns the branch's head, when it is there.
 * @throws GitError where none may be opened, or it is left to people or not merged in time.
 */
async function byPullRequest(remote: GitBranch, head: string, goal: Goal, context: Writing, refused: ProtectedBranch) {
  const { url, access, branch: base, message, pullRequest: asked } = goal.wanted;
  const { signal, clock } = context;
  if (asked === undefined || findCredential(url, access) === undefined) throw refused;
  const credential = async () => {
    const found = await signInCredential(url, access ?? {}, signal);
    if (found === undefined) throw refused;
    return found;
  };
  const host = pullRequestHost(refused.host, { url, credential, signal });
  const owner = ownerOf(context);
  const [title = "", ...rest] = message.trim().split("\n");
  const wish = {
    head: asked.branch,
    base,
    title,
    body: [...rest, ...explained(asked.branch, owner)].join("\n").trim(),
  };
  // All of it was said when the push was made.
  const quiet = { ...context, log: () => {} };
  const make = (parent: string) => build(remote, parent, goal, quiet, { named: true });
  const opened = await propose(remote, head, { host, wish, owner, make });
  if (asked.waitMinutes === undefined) throw new GitError("other", leftMessage(remote, opened));
  context.log("info", `waits for up to ${asked.waitMinutes} minutes until ${opened.url} is merged`);
  const isThere = async (at: string) => (await make(at)) === undefined;
  return merged(remote, opened, { host, minutes: asked.waitMinutes, isThere, signal, clock });
}

/** What reviewers should know; a merge that makes one commit of all may take its message from it. */
function explained(branch: string, owner: string): string[] {
  return [
    "",
    `aks-gitops proposes this because the branch takes changes by pull request alone. Branch ${branch} is the program's own: ` +
      "its next update brings it to what is wanted then. Once this is merged, run the same command again.",
    "",
    ownerLine(owner),
  ];
}

/** Tries again after lost races and passing faults. */
async function persistently<T>(context: Context, operation: () => Promise<T>): Promise<T> {
  const once = async ({ attempt, wait }: Try): Promise<T | Again> => {
    try {
      return await operation();
    } catch (error) {
      if (!(error instanceof GitError) || error.kind === "other") throw error;
      if (wait === undefined) throw new Error(`gave up after ${TRIES} tries: ${error.message}`);
      context.log("debug", `${error.message}; trying again (${attempt} of ${TRIES})`);
      return new Again();
    }
  };
  // Losers of one race must not meet again in the next.
  const waits = (attempt: number) => Math.random() * Math.min(LONGEST_WAIT_MS, 100 * 2 ** attempt);
  return retry(once, { waits, attempts: TRIES, signal: context.signal });
}

async function withBranch<T>({ url, branch, access }: Place, context: Context, use: (remote: GitBranch) => Promise<T>) {
  const remote = await GitBranch.open(url, branch, context.signal, access);
  try {
    return await use(remote);
  } finally {
    await remote.close();
  }
}

/** The branch's head; undefined where the first commit of an empty repository will make the branch. */
async function startingPoint(remote: GitBranch, goal: Goal): Promise<string | undefined> {
  const head = await remote.fetch();
  if (head !== undefined || goal.mayBeGone) return head;
  const others = await remote.branches();
  if (others.length === 0) return undefined;
  const some = others.slice(0, 5).join(", ");
  throw new Error(`${remote.url} has no branch ${remote.branch} (it has ${some}): push one first, or name another`);
}

/** The commit that leads from the head to the goal; undefined when the head is there already. */
async function build(
  remote: GitBranch,
  head: string | undefined,
  goal: Goal,
  context: Context,
  { named = false }: Pick<CommitContent, "named"> = {},
) {
  if (head === undefined && goal.mayBeGone) return undefined;
  const { wanted, files: previous, sopsRules, kustomizations } = goal;
  const tree = head === undefined ? new Map<string, TreeEntry>() : await remote.tree(head);
  const owner = ownerOf(context);
  const ownOf = async (paths: readonly string[]) => {
    const found = head === undefined || paths.length === 0 ? new Map() : await remote.owners(head, paths);
    return paths.filter((path) => found.get(path) === owner);
  };
  const { writes, removes, drifted, conflicts } = await planned(wanted, tree, previous, ownOf);
  const twice = await appliedTwice(remote, tree, wanted);
  if (twice.length > 0) throw new Error(twice.join("; "));
  if (wanted.sopsRules.length + sopsRules.length > 0) {
    const text = await configText(remote, tree);
    refuseUneditable(tree, SOPS_CONFIG, text);
    const merge = (adopt: boolean) => mergeRules(text, { wanted: wanted.sopsRules, previous: sopsRules, adopt });
    let merged = merge(wanted.adopt);
    if (merged.conflicts.length > 0 && (await ownOf([SOPS_CONFIG])).length > 0) merged = merge(true);
    conflicts.push(...merged.conflicts.map((pathRegex) => `${SOPS_CONFIG} (rule with path_regex ${pathRegex})`));
    if (merged.text !== undefined && merged.text !== text) writes.set(SOPS_CONFIG, merged.text);
    if (merged.text === undefined && text !== undefined) removes.push(SOPS_CONFIG);
  }
  const listed = Object.entries(wanted.listed).filter(([path]) => tree.has(path));
  const entered = { ...Object.fromEntries(listed), ...wanted.kustomizations };
  for (const path of new Set([...Object.keys(kustomizations), ...Object.keys(entered)])) {
    const text = (await presentTexts(remote, tree, [path]))[path];
    refuseUneditable(tree, path, text);
    const entries = { previous: kustomizations[path] ?? {}, wanted: entered[path] ?? {} };
    const merged = text === undefined && !(path in entered) ? text : mergeKustomization(path, text, entries);
    if (merged === text) continue;
    if (merged === undefined) removes.push(path);
    else if (isBlocked(tree, path)) conflicts.push(path);
    else writes.set(path, merged);
  }
  if (conflicts.length > 0) throw new Error(inTheWay(wanted, conflicts));
  const attributes = (await presentTexts(remote, tree, [".gitattributes"]))[".gitattributes"];
  for (const odd of oddities(tree, [...Object.keys(wanted.files), ...Object.keys(wanted.seeds)], attributes))
    context.log("warning", odd);
  if (drifted.length > 0) context.log("warning", `changed by others since the last commit: ${drifted.join(", ")}`);
  const { message, author, committer, signingKey } = wanted;
  return remote.commit({ parent: head, message, owner, author, committer, signingKey, named, writes, removes });
}

/** @throws Error naming a file that cannot be edited. */
function refuseUneditable(tree: ReadonlyMap<string, TreeEntry>, path: string, text: string | undefined): void {
  const problem = uneditable(path, tree.get(path), text);
  if (problem !== undefined) throw new Error(problem);
}

/** Tells this resource's commits from those of other stacks, wherever in its program the resource stands. */
function ownerOf({ urn, name }: Context): string {
  const [stack, project] = urn.split("::");
  return createHash("sha256").update(`${stack}::${project}::${name}`).digest("hex").slice(0, 16);
}

/** The plan; what this resource itself committed, and nobody changed since, is in nobody's way: its state got lost. */
async function planned(
  wanted: GitCommitInputs,
  tree: ReadonlyMap<string, TreeEntry>,
  previous: Owned["files"],
  ownOf: (paths: readonly string[]) => Promise<string[]>,
) {
  const first = plan({ ...wanted, tree, previous });
  const own = await ownOf(first.conflicts.filter((path) => tree.has(path)));
  if (own.length === 0) return first;
  return plan({ ...wanted, tree, previous: new Map([...previous, ...own.map((path) => [path, undefined] as const)]) });
}

function inTheWay({ url, branch }: GitCommitInputs, conflicts: readonly string[]): string {
  // Whose files they are, Flux says itself; a Flux that prunes would go with them.
  const flux = conflicts.filter((path) => /(^|\/)gotk-(components|sync)\.yaml$/.test(path));
  const suspend =
    flux.length === 0
      ? ""
      : `. ${flux.join(" and ")}: a Flux that was bootstrapped by hand keeps itself there, and removes itself from its cluster ` +
        "with them. Choose a folder beside, or run `flux suspend kustomization flux-system` in that cluster first";
  return (
    `branch ${branch} of ${url} already holds something else at: ${conflicts.join(", ")}. ` +
    "Remove or rename it in the repository, or give it the same content. It may also be a folder of that name, or a " +
    `file or link where a folder above it shall be${suspend}`
  );
}
