// What is wrong with Flux's objects: while an update waits for a commit, and when somebody only looks.

import { FLUX_SYSTEM } from "../../flux/bootstrap.ts";
import { type KubeObject, type KubernetesApi, nameOf, type ObjectRef } from "../../net/kubernetesApi.ts";
import {
  type Condition,
  kustomizationRef,
  type Problem,
  REQUESTED_AT,
  ROOT_SOURCE,
  readyOf,
  statusOf,
  unready,
} from "./fluxCluster.ts";
import { sourceRemedy } from "./sourceRemedy.ts";

/** Flux's objects as they stand. @returns undefined for one that is not there. */
export type Found = (ref: ObjectRef) => KubeObject | undefined;

/** The source that everything comes from, and what is known of it. */
export interface Root {
  readonly ref: ObjectRef;
  /** Prepares {@link behind} for what it has fetched. */
  readonly learn?: (source: KubeObject) => Promise<void>;
  /** Why what it has fetched does not do, though it is Ready; undefined where it does. */
  readonly behind?: (source: KubeObject) => string | undefined;
  /** What helps beside what helps any source; of the root Kustomization too. */
  readonly remedy?: (object: KubeObject, problem: string) => string | undefined;
}

const REPOSITORY: Root = { ref: ROOT_SOURCE };

/**
 * What is wrong with the root source and what comes from it: each Kustomization has to be Ready at the revision that
 * the source has now, and all else has to be Ready. What is suspended is wrong, whatever it has come to.
 * @param names of Kustomizations.
 * @param requestedAt of {@link requestReconcile}: the root source has to have looked since.
 * @param more other objects of Flux that these Kustomizations write: releases and where these get their charts.
 * @param root default: the GitRepository.
 */
export async function unsettled(
  api: KubernetesApi,
  names: readonly string[],
  requestedAt: string,
  more: readonly ObjectRef[] = [],
  root = REPOSITORY,
): Promise<Problem[]> {
  const source = await api.get(root.ref);
  if (source !== undefined) await root.learn?.(source);
  const wrong = sourceProblem(source, requestedAt, root);
  if (wrong !== undefined) return [wrong];
  const refs = [...names.map(kustomizationRef), ...more];
  const objects = new Map([[nameOf(root.ref), source]]);
  await Promise.all(refs.map(async (ref) => objects.set(nameOf(ref), await api.get(ref))));
  return unsettledIn((ref) => objects.get(nameOf(ref)), refs, root);
}

/** As {@link unsettled}, of objects that were looked at already, whenever the root source looked. */
export function unsettledIn(found: Found, refs: readonly ObjectRef[], root = REPOSITORY): Problem[] {
  const source = found(root.ref);
  const wrong = sourceProblem(source, undefined, root);
  if (wrong !== undefined) return [wrong];
  const revision = source && statusOf(source).artifact?.revision;
  const problems = refs.flatMap((ref) => problemOf(ref, found(ref), revision, root) ?? []);
  return withHeld(problems, found, refs);
}

/**
 * What is wrong with objects and does not pass by itself: what is missing, suspended or has failed. What is at work, or
 * only behind, or waits for something else, is well.
 */
export function wrongIn(found: Found, refs: readonly ObjectRef[]): Problem[] {
  return refs.flatMap((ref): Problem[] => {
    const object = found(ref);
    if (object === undefined) return [{ ref, problem: "is not there", nature: "missing" }];
    const stopped = paused(object);
    if (stopped !== undefined) return [{ ref, problem: stopped, nature: "held" }];
    const ready = readyOf(object);
    return ready !== undefined && hasFailed(ready) ? [{ ref, problem: withRemedy(object, unready(object) ?? "") }] : [];
  });
}

/** Whether a Ready condition tells of a failure, and not only of something else that is awaited. */
export function hasFailed({ status, reason = "", message = "" }: Condition): boolean {
  const isPassing = IS_PASSING.test(reason) || RETRIES_SOON.test(message);
  return status === "False" && !isPassing;
}

/** Reasons of what comes to be Ready as soon as something else is: that one tells its own. */
const IS_PASSING = /^(DependencyNotReady|SourceNotReady|HealthCheckCanceled)$/;
/** So the controllers end what they say while an artifact is not there yet. */
const RETRIES_SOON = /, retrying in \S+$/;

/** The Kustomizations that may write an object: the root writes the others, and these the rest. */
export function writersOf(ref: ObjectRef, refs: readonly ObjectRef[]): readonly ObjectRef[] {
  const root = kustomizationRef(FLUX_SYSTEM);
  const others = refs.filter(({ kind, metadata }) => kind === root.kind && metadata.name !== FLUX_SYSTEM);
  return ref.kind === root.kind || others.length === 0 ? [root] : others;
}

function problemOf(
  ref: ObjectRef,
  object: KubeObject | undefined,
  revision: string | undefined,
  root: Root,
): Problem | undefined {
  if (object === undefined) return { ref, problem: "is not there yet", nature: "missing" };
  const stopped = paused(object);
  if (stopped !== undefined) return { ref, problem: stopped, nature: "held" };
  const problem = unready(object);
  if (problem !== undefined) return { ref, problem: withRemedy(object, problem, root) };
  const applied = statusOf(object).lastAppliedRevision;
  if (ref.kind !== "Kustomization" || applied === revision) return undefined;
  return { ref, problem: `applied ${applied ?? "nothing yet"}, not ${revision}`, nature: "behind" };
}

/** The problems with all that waits, directly or not, for what is suspended. */
function withHeld(problems: readonly Problem[], found: Found, refs: readonly ObjectRef[]): Problem[] {
  const held = new Set(problems.filter(({ nature }) => nature === "held").map(({ ref }) => nameOf(ref)));
  const isHeld = (ref: ObjectRef) => held.has(nameOf(ref));
  const isStuck = ({ ref, nature }: Problem) => {
    if (nature === "missing") return writersOf(ref, refs).every(isHeld);
    const object = found(ref);
    return object !== undefined && dependenciesOf(object).some(isHeld);
  };
  for (let count = -1; count !== held.size; ) {
    count = held.size;
    for (const problem of problems) if (isStuck(problem)) held.add(nameOf(problem.ref));
  }
  return problems.map((problem) => (isHeld(problem.ref) ? { ...problem, nature: "held" } : problem));
}

/** What an object says it waits for. */
function dependenciesOf(object: KubeObject): ObjectRef[] {
  if (readyOf(object)?.reason !== "DependencyNotReady") return [];
  const { apiVersion, kind } = object;
  const { dependsOn = [] } = object.spec as { dependsOn?: readonly { name: string; namespace?: string }[] };
  const { namespace } = object.metadata;
  return dependsOn.map((other) => ({ apiVersion, kind, metadata: { namespace, ...other } }));
}

function sourceProblem(source: KubeObject | undefined, requestedAt: string | undefined, root: Root) {
  const { ref } = root;
  if (source === undefined) return { ref, problem: "is not there" };
  // A request is told to have been handled all the same.
  const stopped = paused(source);
  if (stopped !== undefined) return { ref, problem: stopped, nature: "held" as const };
  const problem = sourceFault(source, requestedAt, root);
  return problem === undefined ? undefined : { ref, problem };
}

function sourceFault(source: KubeObject, requestedAt: string | undefined, root: Root): string | undefined {
  const { lastHandledReconcileAt, artifact } = statusOf(source);
  const problem = unready(source);
  if (problem !== undefined) return withRemedy(source, problem, root);
  if (artifact?.revision === undefined) return "has fetched nothing yet";
  if (requestedAt === undefined) return root.behind?.(source);
  // Somebody may have asked again meanwhile; then only that is told to have been done.
  const asked = [requestedAt, source.metadata.annotations?.[REQUESTED_AT]];
  const hasLooked = lastHandledReconcileAt !== undefined && asked.includes(lastHandledReconcileAt);
  return hasLooked ? root.behind?.(source) : "has not looked again yet";
}

/** A problem with what helps, where that is known. */
function withRemedy(object: KubeObject, problem: string, root = REPOSITORY): string {
  const isRoot = object.metadata.name === FLUX_SYSTEM;
  const own = isRoot ? root.remedy?.(object, problem) : undefined;
  return [problem, own ?? sourceRemedy(object, problem) ?? []].flat().join("; ");
}

/** What `flux resume` calls the kinds that it resumes. */
const RESUMABLE: Readonly<Record<string, string>> = {
  Kustomization: "kustomization",
  HelmRelease: "helmrelease",
  GitRepository: "source git",
  OCIRepository: "source oci",
  HelmRepository: "source helm",
  HelmChart: "source chart",
  Bucket: "source bucket",
};

/** What lets a suspended object go on: people suspended it, so nobody else resumes it. */
export function resumeRemedy(kind: string, name: string): string {
  return `is suspended; \`flux resume ${RESUMABLE[kind] ?? kind.toLowerCase()} ${name}\` lets it go on`;
}

function paused({ kind, metadata, spec }: KubeObject): string | undefined {
  return (spec as { suspend?: boolean } | undefined)?.suspend ? resumeRemedy(kind, metadata.name) : undefined;
}
