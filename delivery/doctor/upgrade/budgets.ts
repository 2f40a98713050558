// Disruption budgets that let no pod go: a node that has one of theirs is never drained.

import { isMap } from "../../../net/values.ts";
import type { Manifest } from "./manifests.ts";

/** A budget that blocks, why, and what would not. */
export interface BlockingBudget {
  readonly budget: Manifest;
  readonly why: string;
  readonly remedy: string;
}

const REMEDY = "write maxUnavailable: 1, or delete the budget for as long as the upgrade takes";

/**
 * The budgets that let no pod go however long a drain waits. How many pods there are is told by the workloads beside them:
 * of a workload that is scaled by an autoscaler, or patched, or is not there, only what never lets go is known.
 */
export function blockingBudgets(manifests: readonly Manifest[]): BlockingBudget[] {
  return manifests
    .filter(({ kind, apiVersion, isPatched }) => {
      return kind === "PodDisruptionBudget" && apiVersion.startsWith("policy/") && !isPatched;
    })
    .flatMap((budget) => {
      const found = reasonOf(budget, manifests);
      return found === undefined ? [] : [{ budget, ...found }];
    });
}

function reasonOf(budget: Manifest, manifests: readonly Manifest[]): { why: string; remedy: string } | undefined {
  const { maxUnavailable, minAvailable } = isMap(budget.body.spec) ? budget.body.spec : {};
  if (isNone(maxUnavailable)) return { why: `maxUnavailable is ${maxUnavailable}`, remedy: REMEDY };
  if (percentOf(minAvailable) === 100) return { why: "minAvailable is 100%", remedy: REMEDY };
  if (typeof minAvailable !== "number" && percentOf(minAvailable) === undefined) return undefined;
  const workloads = manifests.filter((one) => isGuarded(one, budget));
  if (workloads.length === 0 || workloads.some((one) => one.isPatched || isScaled(one, manifests))) return undefined;
  const replicas = workloads.reduce((sum, one) => sum + replicasOf(one), 0);
  // Kubernetes rounds up.
  const percent = percentOf(minAvailable);
  const needed = percent === undefined ? Number(minAvailable) : Math.ceil((replicas * percent) / 100);
  if (replicas === 0 || needed < replicas) return undefined;
  const names = workloads.map(({ kind, name }) => `${kind} ${name}`).join(", ");
  return {
    why: `minAvailable is ${minAvailable} and ${names} ${workloads.length === 1 ? "has" : "have"} ${counted(replicas)}`,
    remedy: `${REMEDY}; or have more pods`,
  };
}

const counted = (replicas: number) => `${replicas} ${replicas === 1 ? "pod" : "pods"}`;

function percentOf(value: unknown): number | undefined {
  const [, percent] = (typeof value === "string" && /^(\d+)%$/.exec(value)) || [];
  return percent === undefined ? undefined : Number(percent);
}

const isNone = (value: unknown) => value === 0 || value === "0" || percentOf(value) === 0;

const WORKLOADS = ["Deployment", "StatefulSet", "ReplicaSet"];

/** Whether a budget counts a workload's pods: both are in one namespace, and its selector takes their labels. */
function isGuarded({ kind, namespace, body }: Manifest, budget: Manifest): boolean {
  if (!WORKLOADS.includes(kind) || namespace !== budget.namespace) return false;
  const selector = isMap(budget.body.spec) ? budget.body.spec.selector : undefined;
  const spec = isMap(body.spec) ? body.spec : {};
  const metadata = isMap(spec.template) && isMap(spec.template.metadata) ? spec.template.metadata : {};
  return isMap(selector) && takes(selector, isMap(metadata.labels) ? metadata.labels : {});
}

/** An empty selector takes every pod of the namespace. */
function takes(selector: Readonly<Record<string, unknown>>, labels: Readonly<Record<string, unknown>>): boolean {
  const { matchLabels, matchExpressions } = selector;
  const pairs = Object.entries(isMap(matchLabels) ? matchLabels : {});
  const expressions = Array.isArray(matchExpressions) ? matchExpressions.filter(isMap) : [];
  return (
    pairs.every(([key, value]) => labels[key] === value) && expressions.every((expression) => fits(expression, labels))
  );
}

function fits({ key, operator, values }: Readonly<Record<string, unknown>>, labels: Readonly<Record<string, unknown>>) {
  const value = labels[String(key)];
  const listed = Array.isArray(values) && values.includes(value);
  switch (operator) {
    case "In":
      return listed;
    case "NotIn":
      return !listed;
    case "Exists":
      return value !== undefined;
    default:
      return value === undefined;
  }
}

/** Whether an autoscaler says how many pods a workload has. */
function isScaled({ kind, name, namespace }: Manifest, manifests: readonly Manifest[]): boolean {
  return manifests.some((one) => {
    if (one.kind !== "HorizontalPodAutoscaler" || one.namespace !== namespace) return false;
    const target = isMap(one.body.spec) ? one.body.spec.scaleTargetRef : undefined;
    return isMap(target) && target.kind === kind && target.name === name;
  });
}

/** Kubernetes makes one pod where none is said. */
function replicasOf({ body }: Manifest): number {
  const replicas = isMap(body.spec) ? body.spec.replicas : undefined;
  return typeof replicas === "number" ? replicas : 1;
}
