// What of an object cannot be changed in place, as the official provider has it: more than the API server refuses.

import { detailedDiff } from "../../../plugin/diff.ts";
import type { Diff, Properties } from "../../../plugin/handler.ts";
import { isFields } from "../shared/values.ts";

/** Whoever is annotated with it got its name from the provider. */
export const AUTONAMED = "pulumi.com/autonamed";

const PATHS: Readonly<Record<string, readonly string[]>> = {
  "apps/v1:DaemonSet": ["spec.selector"],
  "apps/v1:Deployment": ["spec.selector"],
  "apps/v1:StatefulSet": ["spec.podManagementPolicy", "spec.selector", "spec.serviceName", "spec.volumeClaimTemplates"],
  "batch/v1:Job": ["spec.completions", "spec.parallelism", "spec.selector", "spec.template"],
  "rbac.authorization.k8s.io/v1:ClusterRoleBinding": ["roleRef"],
  "rbac.authorization.k8s.io/v1:RoleBinding": ["roleRef"],
  "storage.k8s.io/v1:StorageClass": ["parameters", "provisioner"],
  "v1:PersistentVolumeClaim": ["spec"],
  "v1:Service": ["spec.clusterIP"],
};

/** Secrets and ConfigMaps are replaced too, so that what reads them is told by another name. */
const DATA: Readonly<Record<string, readonly string[]>> = {
  "v1:ConfigMap": ["binaryData", "data"],
  "v1:Secret": ["data", "stringData", "type"],
};

/**
 * The difference of two objects' inputs, with what it replaces.
 * @param mutable kinds of DATA that the provider's settings allow to be changed in place.
 */
export function objectDiff(old: Properties, next: Properties, mutable: ReadonlySet<string>): Diff {
  const kind = `${String(next.apiVersion)}:${String(next.kind)}`;
  const isData = kind in DATA && (!mutable.has(String(next.kind)) || next.immutable === true);
  const fixed = ["metadata.name", "metadata.namespace", ...(PATHS[kind] ?? []), ...((isData && DATA[kind]) || [])];
  const isFixed = (path: string) =>
    fixed.some((one) => path === one || (/^[.[]/.test(path.slice(one.length)) && path.startsWith(one)));
  const all = Object.entries(detailedDiff(old, next));
  const replacing = all.filter(([path]) => path === "metadata" || isFixed(path));
  const detailed = all.map(([path, change]) =>
    replacing.some(([other]) => other === path)
      ? [path, { ...change, kind: `${change.kind}-replace` }]
      : [path, change],
  );
  return {
    changes: all.length > 0,
    detailed: Object.fromEntries(detailed),
    ...(replacing.length > 0 && { deleteBeforeReplace: keepsName(old, next) }),
  };
}

/** A new object of the same name can only come when the old one is gone; a drawn name is drawn anew. */
function keepsName(old: Properties, next: Properties): boolean {
  const [before, after] = [metadataOf(old), metadataOf(next)];
  return !isAutonamed(next) && before.name === after.name && before.namespace === after.namespace;
}

/** Whether the provider gave an object its name. */
export function isAutonamed(inputs: Properties): boolean {
  return annotationsOf(inputs)[AUTONAMED] === "true";
}

/** An object's metadata; empty where there is none, or none that is known. */
export function metadataOf({ metadata }: Properties): Properties {
  return isFields(metadata) ? metadata : {};
}

/** An object's annotations. */
export function annotationsOf(inputs: Properties): Properties {
  const { annotations } = metadataOf(inputs);
  return isFields(annotations) ? annotations : {};
}
