// What ARM shows of a fluxConfiguration: whether it is compliant, and the state of each of its objects.
import type { KubeObject } from "./api.ts";
import type { ConfigurationObjects } from "./fluxConfiguration.ts";
import { type FluxObject, type FluxReference, nameOf } from "./fluxState.ts";
import type { Verdict } from "./fluxWatch.ts";

type Compliance = "Compliant" | "Non-Compliant" | "Pending" | "Suspended" | "Unknown";

/**
 * A configuration's part of a verdict: its own objects and those that its Kustomizations applied, at any depth. Of one
 * that is suspended nothing is waited for.
 */
export function verdictOf(configuration: ConfigurationObjects, verdict: Verdict): Verdict {
  const { state, objects, suspended = [], failed } = verdict;
  const all = belonging(configuration, [...objects, ...suspended]);
  const own = all.filter((object) => objects.includes(object));
  const found = { objects: own, suspended: all.filter((object) => !own.includes(object)) };
  if (configuration.source.spec.suspend === true) return { state: "ready", ...found, failed: [] };
  const ownFailed = own.filter((object) => failed.includes(object));
  const roots = rootsOf(configuration);
  const areThere = roots.every((root) => all.some((object) => nameOf(object) === root));
  if (areThere && own.every(({ ready }) => ready === true)) return { state: "ready", ...found, failed: [] };
  const isOver = state === "failed" && ownFailed.length > 0;
  return { state: isOver ? "failed" : "waiting", ...found, failed: ownFailed };
}

/** The objects of a configuration among all of Flux's. @param follow whether what this Kustomization applied counts. */
export function belonging(
  configuration: ConfigurationObjects,
  objects: readonly FluxObject[],
  follow: (kustomization: FluxObject) => boolean = () => true,
): FluxObject[] {
  const names = new Set(rootsOf(configuration));
  const isOwn = (object: FluxObject) => {
    if (names.has(nameOf(object))) return true;
    if (object.appliedBy === undefined) return false;
    const applier = nameOf({ kind: "Kustomization", ...object.appliedBy });
    return names.has(applier) && objects.some((other) => nameOf(other) === applier && follow(other));
  };
  for (let count = -1; count !== names.size; ) {
    count = names.size;
    for (const object of objects) if (isOwn(object)) names.add(nameOf(object));
  }
  return objects.filter((object) => names.has(nameOf(object)));
}

const rootsOf = ({ source, kustomizations }: ConfigurationObjects): string[] =>
  [source, ...kustomizations].map((object) => nameOf(referenceOf(object)));

const referenceOf = ({ kind, metadata: { name, namespace = "" } }: KubeObject): FluxReference => ({
  kind,
  name,
  namespace,
});

/**
 * https://learn.microsoft.com/azure/azure-arc/kubernetes/conceptual-gitops-flux2#compliance-state
 * @param verdict the configuration's own.
 */
export function complianceOf(objects: ConfigurationObjects, verdict: Verdict): Compliance {
  if (objects.source.spec.suspend === true) return "Suspended";
  if (verdict.failed.length > 0) return "Non-Compliant";
  return verdict.state === "ready" ? "Compliant" : "Pending";
}

/** `statuses`: the configuration's source and Kustomizations, and the Flux objects that these applied. */
export function statusesOf(objects: readonly FluxObject[]): object[] {
  return objects.map(({ kind, name, namespace, ready, suspended, conditions, appliedBy }) => ({
    name,
    namespace,
    kind,
    complianceState: suspended ? "Suspended" : ready === undefined ? "Pending" : ready ? "Compliant" : "Non-Compliant",
    ...(appliedBy && { appliedBy }),
    statusConditions: conditions.map(({ lastTransitionTime, message, reason, status, type }) => ({
      lastTransitionTime,
      message,
      reason,
      status,
      type,
    })),
  }));
}
