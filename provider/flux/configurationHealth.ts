// What is wrong with a Flux configuration and the objects below it, as Azure tells of them.

import { nameOf, type ObjectRef } from "../../net/kubernetesApi.ts";
import { type Condition, type Problem, shown } from "./fluxCluster.ts";
import { hasFailed, resumeRemedy } from "./fluxHealth.ts";

/** A Flux configuration, as far as it is read here. Null is how Azure says that there is nothing yet. */
export interface Configuration {
  readonly id?: string;
  readonly name?: string;
  readonly properties?: {
    readonly namespace?: string | null;
    readonly suspend?: boolean | null;
    readonly complianceState?: string | null;
    readonly errorMessage?: string | null;
    /** `<branch>@sha1:<commit>`. */
    readonly sourceSyncedCommitId?: string | null;
    readonly statuses?: readonly Status[] | null;
  };
}

/** An object that the configuration, or what it made, brought into the cluster. */
interface Status {
  readonly kind?: string | null;
  readonly name?: string | null;
  readonly namespace?: string | null;
  readonly complianceState?: string | null;
  readonly appliedBy?: { readonly name?: string | null } | null;
  readonly statusConditions?: readonly { readonly [K in keyof Condition]: Condition[K] | null }[] | null;
}

/** What a configuration has to bring. */
export interface Promised {
  readonly configurationId: string;
  /** The commit that its Kustomizations have to apply, or one that descends from it. */
  readonly commit: string;
  readonly kustomizations: readonly string[];
  readonly releases?: readonly string[];
}

/** How old a commit is beside the one that is waited for: that one or a later one, or an earlier one; else nobody knows. */
export type AgeOf = (commit: string) => "later" | "earlier" | undefined;

/** The commit of a revision: `main@sha1:<commit>`. */
export function shaOf(revision: string | null | undefined): string | undefined {
  return revision?.split(":").at(-1) || undefined;
}

export function configurationRef(id: string): ObjectRef {
  const name = id.slice(id.lastIndexOf("/") + 1);
  return { apiVersion: "", kind: "FluxConfiguration", metadata: { name } };
}

/**
 * What is wrong and does not pass by itself: the configuration or an object of the program's is suspended, a
 * Kustomization of the program's is missing, any object has failed.
 */
export function wrongIn(configuration: Configuration, promised: Promised): Problem[] {
  const stopped = stoppedIn(configuration, promised);
  if (stopped !== undefined) return [stopped];
  const statuses = statusesOf(configuration);
  const found = statuses.flatMap((status): Problem[] => {
    const ref = refOf(status);
    if (isSuspended(status)) return isPromised(status, promised) ? [held(ref)] : [];
    return isFailed(status) ? [{ ref, problem: reasonOf(status) }] : [];
  });
  // Where nothing was told yet nothing is known to be missing.
  const missing = statuses.length === 0 ? [] : missingIn(configuration, promised);
  return [...faultOf(configuration, promised), ...found, ...missing];
}

/**
 * What keeps a configuration from having brought a commit.
 * @param behind why the commit that it has synced is not the one that is waited for; undefined where it is.
 */
export function unsettledIn(
  configuration: Configuration,
  promised: Promised,
  behind: string | undefined,
  ageOf: AgeOf,
): Problem[] {
  const stopped = stoppedIn(configuration, promised);
  if (stopped !== undefined) return [stopped];
  // What objects tell of another commit says nothing, but for what does not pass by itself.
  if (behind !== undefined) {
    const source = statusesOf(configuration).find(isSource);
    const ref = source ? refOf(source) : configurationRef(promised.configurationId);
    const others = wrongIn(configuration, promised).filter(({ nature }) => nature !== "missing");
    const failed = others.find((problem) => nameOf(problem.ref) === nameOf(ref));
    return [failed ?? { ref, problem: behind }, ...others.filter((problem) => problem !== failed)];
  }
  const statuses = statusesOf(configuration);
  // Azure does not tell which source a Kustomization has.
  const hasOtherSources = statuses.some((status) => status.kind === "GitRepository" && !isSource(status));
  const found = statuses.flatMap((status): Problem[] => {
    const ref = refOf(status);
    const isOwn = isPromised(status, promised);
    if (isSuspended(status)) return isOwn ? [held(ref)] : [];
    const applied = appliedBy(status, configuration);
    const age = applied === undefined ? undefined : ageOf(applied);
    const hasCome = isOwn ? age === "later" : age !== "earlier" || hasOtherSources;
    const isApplied = status.kind !== "Kustomization" || hasCome;
    if (status.complianceState === "Compliant" && isApplied) return [];
    // Of an address such as a HelmRepository of type oci no controller ever says anything.
    if (!isOwn && status.complianceState !== "Non-Compliant" && readyOf(status) === undefined) return [];
    return [{ ref, problem: reasonOf(status, isApplied ? "" : `, not ${promised.commit}`) }];
  });
  return [...faultOf(configuration, promised), ...withHeld(found), ...missingIn(configuration, promised)];
}

/** The problems with all that says it waits for what is suspended: "dependency 'flux-system/infrastructure' is not ready". */
function withHeld(problems: readonly Problem[]): Problem[] {
  const held = problems.filter(({ nature }) => nature === "held").map(({ ref: { metadata } }) => metadata);
  const waits = ({ problem }: Problem) =>
    problem.startsWith("DependencyNotReady: ") &&
    held.some(({ namespace, name }) => problem.includes(`'${namespace}/${name}'`));
  return problems.map((problem) => (waits(problem) ? { ...problem, nature: "held" } : problem));
}

function stoppedIn({ properties }: Configuration, { configurationId }: Promised): Problem | undefined {
  if (properties?.suspend !== true) return undefined;
  const ref = configurationRef(configurationId);
  return {
    ref,
    problem: "is suspended; `az k8s-configuration flux update --suspend false` lets it go on",
    nature: "held",
  };
}

/** What the extension's agent says of the configuration itself. */
function faultOf({ properties }: Configuration, { configurationId }: Promised): Problem[] {
  const { errorMessage, complianceState } = properties ?? {};
  if (!errorMessage || complianceState === "Compliant") return [];
  return [{ ref: configurationRef(configurationId), problem: shown(errorMessage) }];
}

function missingIn(configuration: Configuration, { kustomizations, releases = [] }: Promised): Problem[] {
  const statuses = statusesOf(configuration);
  const isThere = (kind: string, name: string) => statuses.some((one) => one.kind === kind && one.name === name);
  const { namespace } = configuration.properties ?? {};
  const lost = (kind: string, names: readonly string[]) =>
    names
      .filter((name) => !isThere(kind, name))
      .map((name): Problem => {
        const ref = { apiVersion: "", kind, metadata: { name, ...(namespace ? { namespace } : {}) } };
        return { ref, problem: "is not among what Azure tells of the configuration", nature: "missing" };
      });
  return [...lost("Kustomization", kustomizations), ...(isDeep(statuses) ? lost("HelmRelease", releases) : [])];
}

/** Whether Azure tells of what a Kustomization below the configuration's own ones applied: releases are there. */
function isDeep(statuses: readonly Status[]): boolean {
  const below = statuses.filter(({ kind, appliedBy }) => kind === "Kustomization" && appliedBy?.name);
  return statuses.some(({ appliedBy }) => below.some(({ name }) => name === appliedBy?.name));
}

const statusesOf = ({ properties }: Configuration): readonly Status[] => properties?.statuses ?? [];

function refOf({ kind, name, namespace }: Status): ObjectRef {
  return { apiVersion: "", kind: kind ?? "", metadata: { name: name ?? "", ...(namespace ? { namespace } : {}) } };
}

const held = (ref: ObjectRef): Problem => ({ ref, problem: resumeRemedy(ref.kind, ref.metadata.name), nature: "held" });

/** What people suspended of their own is theirs. */
function isPromised(status: Status, { kustomizations, releases = [] }: Promised): boolean {
  const { kind, name } = status;
  if (kind === "Kustomization") return kustomizations.includes(name ?? "");
  if (kind === "HelmRelease") return releases.includes(name ?? "");
  return isSource(status);
}

/** The configuration's own repository. */
const isSource = ({ kind, appliedBy }: Status): boolean => kind === "GitRepository" && !appliedBy?.name;

const isSuspended = ({ complianceState }: Status): boolean => complianceState === "Suspended";

function readyOf({ statusConditions }: Status): Condition | undefined {
  const found = statusConditions?.find(({ type }) => type === "Ready");
  if (!found) return undefined;
  const { reason, message } = found;
  return { type: "Ready", status: found.status ?? "", reason: reason ?? "", message: message ?? "" };
}

function isFailed(status: Status): boolean {
  const ready = readyOf(status);
  return status.complianceState === "Non-Compliant" && (ready === undefined || hasFailed(ready));
}

/** The commits that Kustomizations say they have applied. */
export function appliedIn(configuration: Configuration): string[] {
  return statusesOf(configuration).flatMap((status) => appliedBy(status, configuration) ?? []);
}

/**
 * The commit that a Kustomization has applied, where its revision begins as that of the configuration's own repository:
 * kustomize-controller says "Applied revision: <revision>" when it is Ready.
 */
function appliedBy(status: Status, configuration: Configuration): string | undefined {
  const ready = readyOf(status);
  if (status.kind !== "Kustomization" || ready?.status !== "True") return undefined;
  const [revision] = /\S+@sha1:\w+/.exec(ready.message ?? "") ?? [];
  const refOf = (one: string | null | undefined) => one?.slice(0, one.lastIndexOf("@"));
  return refOf(revision) === refOf(configuration.properties?.sourceSyncedCommitId) ? shaOf(revision) : undefined;
}

function reasonOf(status: Status, behind = ""): string {
  const { status: isReady, reason, message } = readyOf(status) ?? {};
  const said = [isReady === "True" && behind ? undefined : reason, message].filter(Boolean).join(": ");
  return `${shown(said) || `is ${status.complianceState ?? "not known yet"}`}${isReady === "True" ? behind : ""}`;
}
