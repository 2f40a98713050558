// What stands in the way of an upgrade of Kubernetes: objects of APIs that are gone, and budgets that let no pod go.

import { minorOf } from "../../../net/kubernetesVersion.ts";
import { blockingBudgets } from "./budgets.ts";
import type { Manifest } from "./manifests.ts";
import { REMOVED_APIS } from "./removedApis.ts";

/** Something that stands in the way. */
export interface UpgradeFinding {
  /** The file or chart, and the object: `apps/web.yaml: CronJob jobs/nightly`. */
  readonly key: string;
  /** What it says; the apiVersion of an object of a removed API. */
  readonly value?: string;
  readonly problem: string;
  readonly remedy: string;
}

/**
 * The objects whose API a version does not serve.
 * @param to the version that is gone to: a minor or a patch.
 */
export function removedObjects(manifests: readonly Manifest[], to: string): UpgradeFinding[] {
  return manifests.flatMap((manifest) => {
    const { apiVersion, kind } = manifest;
    const removed = REMOVED_APIS.find(
      (one) => one.minor <= minorOf(to) && one.apiVersion === apiVersion && one.kinds.includes(kind),
    );
    if (removed === undefined) return [];
    const { minor, instead } = removed;
    return [
      {
        key: keyOf(manifest),
        value: apiVersion,
        problem: `is of an API that Kubernetes serves no more from 1.${minor} on: Flux could not apply it`,
        remedy:
          instead === undefined
            ? `remove it, nothing takes the place of ${kind}; of a chart, take a later version of the chart`
            : `write apiVersion: ${instead} and what it asks for; of a chart, take a later version of the chart`,
      },
    ];
  });
}

/** The budgets that keep nodes from being drained. */
export function budgetFindings(manifests: readonly Manifest[]): UpgradeFinding[] {
  return blockingBudgets(manifests).map(({ budget, why, remedy }) => ({
    key: keyOf(budget),
    problem: `lets no pod go (${why}): the upgrade of a node that has one waits until its drain timeout, and fails`,
    remedy,
  }));
}

/** A file or chart, and the object in it. */
export function keyOf({ from, kind, name, namespace }: Manifest): string {
  return `${from}: ${kind} ${namespace === undefined ? name : `${namespace}/${name}`}`;
}
