// What Flux says of its objects in the cluster.
import { KubernetesError } from "../../net/kubernetesApi.ts";
import type { ClusterApi, KubeObject } from "./api.ts";
import { listPath, objectPath } from "./paths.ts";

export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  /** The generation that it is said of. */
  readonly observedGeneration?: number;
}

/** A reference to another object of Flux. */
export interface FluxReference {
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

/** One object of Flux as it stands. */
export interface FluxObject extends FluxReference {
  readonly apiVersion: string;
  /** Another one with every change of what is asked for. */
  readonly generation: number;
  /** undefined: it is still at it. */
  readonly ready: boolean | undefined;
  readonly reason: string;
  readonly message: string;
  /** The source's, applied or released revision, an artifact's by its commit; empty where there is none. */
  readonly revision: string;
  /** The revision that was tried last; empty where its kind says none, and of an artifact. */
  readonly attempted: string;
  readonly suspended: boolean;
  /** What it waits for: sources and dependencies. */
  readonly needs: readonly FluxReference[];
  /** The Kustomization that applied it. */
  readonly appliedBy: { readonly name: string; readonly namespace: string } | undefined;
  /** The last `reconcile.fluxcd.io/requestedAt` that its controller took up. */
  readonly handled: string;
  /** Whether somebody asked it to reconcile and it did not take that up yet. */
  readonly isAsked: boolean;
  readonly conditions: readonly Condition[];
  /** Ids of the objects that a Kustomization applied. */
  readonly inventory: readonly string[];
  readonly spec: Readonly<Record<string, unknown>>;
}

/** What asks a controller to reconcile an object now. */
const REQUEST = "reconcile.fluxcd.io/requestedAt";

const SOURCE = "source.toolkit.fluxcd.io/v1";
const kinds: readonly (readonly [apiVersion: string, kind: string])[] = [
  [SOURCE, "GitRepository"],
  [SOURCE, "OCIRepository"],
  [SOURCE, "HelmRepository"],
  [SOURCE, "Bucket"],
  [SOURCE, "HelmChart"],
  ["kustomize.toolkit.fluxcd.io/v1", "Kustomization"],
  ["helm.toolkit.fluxcd.io/v2", "HelmRelease"],
];

/** The annotation by which `flux push artifact --revision` is known. */
const ORIGIN = "org.opencontainers.image.revision";
const COMMIT = /@sha1:[0-9a-f]{40}$/;

/** All sources, Kustomizations and releases; none where Flux is not installed. */
export async function fluxObjects(api: ClusterApi): Promise<FluxObject[]> {
  const lists = kinds.map(async ([apiVersion, kind]) => {
    try {
      const found = await api.list(listPath(apiVersion, kind));
      return found.map((object) => stateOf({ ...object, apiVersion, kind }));
    } catch (error) {
      if (error instanceof KubernetesError && error.status === 404) return []; // The kind is not there.
      throw error;
    }
  });
  return (await Promise.all(lists)).flat();
}

/**
 * Asks an object's controller to reconcile it now, as `flux reconcile` does.
 * @returns the word that the object's `handled` has when that was taken up.
 */
export async function requestReconcile(
  api: ClusterApi,
  { apiVersion, kind, name, namespace }: Pick<FluxObject, "apiVersion" | "kind" | "name" | "namespace">,
): Promise<string> {
  const word = new Date().toISOString();
  const path = objectPath({ apiVersion, kind, metadata: { name, namespace } });
  await api.send("PATCH", path, { metadata: { annotations: { [REQUEST]: word } } }, "application/merge-patch+json");
  return word;
}

/** `Kustomization flux-system/apps` */
export const nameOf = ({ kind, name, namespace }: FluxReference) => `${kind} ${namespace}/${name}`;

function stateOf({ apiVersion, kind, metadata, spec = {}, status = {} }: KubeObject): FluxObject {
  const { name, namespace = "", labels = {}, annotations = {} } = metadata;
  const conditions: readonly Condition[] = status.conditions ?? [];
  const condition = conditions.find(({ type }) => type === "Ready");
  const { generation = 0 } = metadata;
  const isCurrent = status.observedGeneration === generation;
  // An OCI HelmRepository is only a place to look at: its controller says nothing of it.
  const isStatic = kind === "HelmRepository" && spec.type === "oci";
  const applier = labels["kustomize.toolkit.fluxcd.io/name"];
  return {
    apiVersion,
    generation,
    kind,
    name,
    namespace,
    ready: isStatic ? true : readiness(condition, generation, isCurrent),
    reason: condition?.reason ?? "",
    message: condition?.message ?? "",
    revision: revisionOf(status),
    attempted: attemptedOf(status),
    suspended: spec.suspend === true,
    needs: needsOf(kind, namespace, spec, status),
    appliedBy:
      applier === undefined
        ? undefined
        : { name: applier, namespace: labels["kustomize.toolkit.fluxcd.io/namespace"] ?? "" },
    handled: status.lastHandledReconcileAt ?? "",
    isAsked: !isStatic && ![undefined, status.lastHandledReconcileAt].includes(annotations[REQUEST]),
    conditions,
    inventory: (status.inventory?.entries ?? []).map(({ id }: { id: string }) => id),
    spec,
  };
}

function readiness(condition: Condition | undefined, generation: number, isCurrent: boolean): boolean | undefined {
  // A controller that fails does not say that it observed the generation; its condition says of which one it speaks.
  if (condition?.status === "False")
    return (condition.observedGeneration ?? generation) === generation ? false : undefined;
  return condition?.status === "True" && isCurrent ? true : undefined;
}

// biome-ignore lint/suspicious/noExplicitAny: a status differs by kind.
function revisionOf(status: any): string {
  const release = status.history?.[0];
  const found = status.artifact?.revision ?? status.lastAppliedRevision ?? release?.chartVersion ?? "";
  // Of an artifact the commit that it was pushed from tells more than its digest.
  const origin = status.artifact?.metadata?.[ORIGIN] ?? status.lastAppliedOriginRevision ?? "";
  return COMMIT.test(origin) ? origin : found;
}

// biome-ignore lint/suspicious/noExplicitAny: a status differs by kind.
function attemptedOf({ lastAttemptedRevision = "" }: any): string {
  // Of an artifact that fails nobody says which commit it was pushed from.
  return /@sha256:/.test(lastAttemptedRevision) ? "" : lastAttemptedRevision;
}

// biome-ignore lint/suspicious/noExplicitAny: spec and status differ by kind.
function needsOf(kind: string, namespace: string, spec: any, status: any): FluxReference[] {
  const references = [spec.sourceRef, spec.chartRef, spec.chart?.spec?.sourceRef].filter(Boolean);
  const dependencies = (spec.dependsOn ?? []).map((other: object) => ({ kind, ...other }));
  const all: FluxReference[] = [...references, ...dependencies].map((each) => ({ namespace, ...each }));
  // The chart that a release made for itself.
  const [, chartNamespace, chart] = /^(.+)\/(.+)$/.exec(status.helmChart ?? "") ?? [];
  return chart && chartNamespace ? [...all, { kind: "HelmChart", namespace: chartNamespace, name: chart }] : all;
}
