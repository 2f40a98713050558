// Kubernetes objects whose manifests go from Git: Flux deletes them from the cluster, and with some of them much else.

import { parseAllDocuments } from "yaml";
import { isMap } from "../../net/values.ts";
import { isSecret } from "./secrets.ts";
import { isUnknown } from "./values.ts";

/** An object that no manifest has any more. */
export interface RemovedObject {
  readonly kind: string;
  /** `namespace/name`, or the name of an object that is in no namespace. */
  readonly name: string;
  readonly noun: string;
  readonly rank: number;
  readonly loses: boolean;
  readonly meaning: string;
}

interface KindMeaning {
  readonly noun: string;
  readonly rank: number;
  readonly loses: boolean;
  readonly text: string;
}

const GOES = "Its manifest goes from Git, so Flux";

/** By group and kind; of others nobody misses more than themselves. */
const KINDS: Readonly<Record<string, KindMeaning>> = {
  Namespace: {
    noun: "namespace",
    rank: 3,
    loses: true,
    text: `${GOES} deletes it with everything in it: workloads, volumes, Secrets.`,
  },
  PersistentVolumeClaim: {
    noun: "volume claim",
    rank: 3,
    loses: true,
    text: `${GOES} deletes it, and its volume with it unless its class keeps volumes.`,
  },
  PersistentVolume: { noun: "volume", rank: 3, loses: true, text: `${GOES} deletes it.` },
  "apiextensions.k8s.io CustomResourceDefinition": {
    noun: "custom resource definition",
    rank: 4,
    loses: true,
    text: `${GOES} deletes it, and Kubernetes deletes all objects of its kind.`,
  },
  "kustomize.toolkit.fluxcd.io Kustomization": {
    noun: "Flux Kustomization",
    rank: 4,
    loses: true,
    text: `${GOES} deletes it, with all that it deployed where it prunes.`,
  },
  "helm.toolkit.fluxcd.io HelmRelease": {
    noun: "release",
    rank: 50,
    loses: false,
    text: `${GOES} uninstalls it.`,
  },
};

type Files = Readonly<Record<string, unknown>>;

/** The objects of `before` that are not in `after` any more, as far as somebody misses more than themselves. */
export function removedObjects(before: Files, after: Files): RemovedObject[] {
  // Of what is not known before the update nothing can be said.
  const changed = Object.keys(before).filter(
    (path) => before[path] !== after[path] && !isUnknown(after[path]) && !isSecret(after[path]),
  );
  const gone = new Map(changed.flatMap((path) => objectsIn(before[path])));
  if (gone.size === 0) return [];
  // It may have moved to another file.
  for (const text of Object.values(after)) for (const [key] of objectsIn(text)) gone.delete(key);
  return [...gone.values()].sort((a, b) => a.rank - b.rank);
}

function objectsIn(text: unknown): [key: string, object: RemovedObject][] {
  if (typeof text !== "string" || !/^kind:/m.test(text)) return [];
  return parseAllDocuments(text, { logLevel: "silent" }).flatMap((document): [string, RemovedObject][] => {
    const content: unknown = document.errors.length > 0 ? undefined : document.toJS();
    if (!isMap(content) || !isMap(content.metadata)) return [];
    const { apiVersion, kind, metadata } = content;
    const group = String(apiVersion ?? "").includes("/") ? String(apiVersion).split("/")[0] : "";
    const key = group === "" ? String(kind) : `${group} ${kind}`;
    const meaning = KINDS[key];
    const { annotations } = metadata;
    const isKept = isMap(annotations) && annotations["kustomize.toolkit.fluxcd.io/prune"] === "disabled";
    if (meaning === undefined || isKept || typeof metadata.name !== "string") return [];
    const name = metadata.namespace === undefined ? metadata.name : `${String(metadata.namespace)}/${metadata.name}`;
    const { text: said, ...rest } = meaning;
    return [[`${key} ${name}`, { kind: String(kind), name, ...rest, meaning: said }]];
  });
}
