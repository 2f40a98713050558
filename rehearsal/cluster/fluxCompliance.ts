// What ARM shows of a fluxConfiguration: whether it is compliant, and the state of each of its objects.
import type { ConfigurationObjects } from "./fluxConfiguration.ts";
import type { FluxObject } from "./fluxState.ts";
import type { Verdict } from "./fluxWatch.ts";

type Compliance = "Compliant" | "Non-Compliant" | "Pending" | "Suspended" | "Unknown";

/** https://learn.microsoft.com/azure/azure-arc/kubernetes/conceptual-gitops-flux2#compliance-state */
export function complianceOf(objects: ConfigurationObjects, verdict: Verdict): Compliance {
  if (objects.source.spec.suspend === true) return "Suspended";
  if (verdict.failed.length > 0) return "Non-Compliant";
  return verdict.state === "ready" ? "Compliant" : "Pending";
}

/** `statuses`: the configuration's source and Kustomizations, and the Flux objects that these applied. */
export function statusesOf({ source, kustomizations }: ConfigurationObjects, objects: readonly FluxObject[]): object[] {
  const own = [source, ...kustomizations].map(({ kind, metadata }) => `${kind} ${metadata.name}`);
  return objects
    .filter(({ kind, name, appliedBy }) => own.includes(`${kind} ${name}`) || appliedBy !== undefined)
    .map(({ kind, name, namespace, ready, conditions, appliedBy }) => ({
      name,
      namespace,
      kind,
      complianceState: ready === undefined ? "Pending" : ready ? "Compliant" : "Non-Compliant",
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
