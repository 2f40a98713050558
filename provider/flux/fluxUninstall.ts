// Takes Flux out of a cluster and leaves what Flux deployed: like `flux uninstall`, but nothing can hang on a finalizer,
// and where it was interrupted it can be gone on with, or taken back.

import { FLUX_SYSTEM } from "../../flux/bootstrap.ts";
import type { KubeObject, KubernetesApi, ObjectRef } from "../../net/kubernetesApi.ts";
import type { Context } from "../../plugin/handler.ts";
import { type FluxWorld, kustomizationRef, ROOT_SOURCE, settled, statusOf } from "./fluxCluster.ts";

/** Flux's labels on everything that it installs. */
const LABELS = `app.kubernetes.io/part-of=flux,app.kubernetes.io/instance=${FLUX_SYSTEM}`;

const INSTALLED: readonly (readonly [apiVersion: string, kind: string])[] = [
  ["networking.k8s.io/v1", "NetworkPolicy"],
  ["v1", "Service"],
  ["v1", "ServiceAccount"],
  ["v1", "ResourceQuota"],
  ["rbac.authorization.k8s.io/v1", "ClusterRoleBinding"],
  ["rbac.authorization.k8s.io/v1", "ClusterRole"],
];

const CRD = ["apiextensions.k8s.io/v1", "CustomResourceDefinition"] as const;

/** Flux's namespace. */
export const NAMESPACE: ObjectRef = { apiVersion: "v1", kind: "Namespace", metadata: { name: FLUX_SYSTEM } };

/** The field manager of what this changes. */
const MANAGER = "flux";

/**
 * On the namespace from an uninstall's first moment to its last, and on every object that the uninstall suspended; not on
 * those that people had suspended before.
 */
const MARK = "aks-gitops/uninstalling";

/** Whether an uninstall has begun with an object and was not taken back. */
export function isMarked({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[MARK] !== undefined;
}

/** Whether an object is being deleted. */
export function isDying({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/**
 * Uninstalls Flux, or goes on with it.
 * @throws Error naming what is still there when the time is over.
 */
export async function uninstallFlux(world: FluxWorld, api: KubernetesApi, context: Context): Promise<void> {
  await api.merge(NAMESPACE, marked("true"), MANAGER);
  const kinds = await fluxKinds(api);
  // A suspended object's controller lets its payload live when the object is deleted, so this comes before everything.
  for (const object of await allOf(api, kinds))
    if (!isSuspended(object)) await api.merge(object, { ...marked("true"), spec: { suspend: true } }, MANAGER);
  for (const object of await api.list("apps/v1", "Deployment", { labels: LABELS }))
    if (!isDying(object)) await api.delete(object, "Foreground");
  await gone(world, context, () => api.list("apps/v1", "Deployment", { labels: LABELS }));
  for (const [apiVersion, kind] of INSTALLED)
    for (const object of await api.list(apiVersion, kind, { labels: LABELS })) await api.delete(object);
  const definitions = () => api.list(...CRD, { labels: LABELS });
  for (const definition of await definitions()) if (!isDying(definition)) await api.delete(definition);
  await gone(world, context, async () => {
    // Nobody is left who would answer a finalizer.
    for (const object of await allOf(api, kinds)) await release(api, object);
    return definitions();
  });
  const namespace = async () => [await api.get(NAMESPACE)].flatMap((one) => one ?? []);
  for (const object of await namespace()) if (!isDying(object)) await api.delete(object);
  await gone(world, context, namespace);
}

/**
 * Ends what was begun: Flux's namespace, CRDs and root objects that are being deleted could wait for ever for
 * controllers that are gone. What Flux deployed stays.
 * @param ending of {@link endingParts}.
 */
export async function finishDeletions(
  world: FluxWorld,
  api: KubernetesApi,
  context: Context,
  ending: readonly KubeObject[],
): Promise<void> {
  const kinds = await fluxKinds(api);
  const names = (kind: string) => ending.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name);
  const [definitions, namespaces] = [names("CustomResourceDefinition"), names("Namespace")];
  const isOfEnding = (object: KubeObject, { definition }: FluxKind) =>
    definitions.includes(definition) ||
    namespaces.includes(object.metadata.namespace ?? "") ||
    ending.some(
      ({ kind, metadata: { name, namespace } }) =>
        kind === object.kind && name === object.metadata.name && namespace === object.metadata.namespace,
    );
  await gone(world, context, async () => {
    for (const kind of kinds)
      for (const object of await api.list(kind.apiVersion, kind.kind)) {
        if (!isDying(object) || !isOfEnding(object, kind)) continue;
        if (!isSuspended(object)) await api.merge(object, { spec: { suspend: true } }, MANAGER);
        await release(api, object);
      }
    return endingParts(api);
  });
}

/** Which of Flux's own parts are being deleted, so that nothing can be put in their place yet. */
export async function endingParts(api: KubernetesApi, source = ROOT_SOURCE): Promise<KubeObject[]> {
  const roots = [NAMESPACE, source, kustomizationRef(FLUX_SYSTEM)];
  const [definitions, deployments, ...found] = await Promise.all([
    api.list(...CRD, { labels: LABELS, metadataOnly: true }),
    api.list("apps/v1", "Deployment", { labels: LABELS, metadataOnly: true }),
    ...roots.map((ref) => api.get(ref)),
  ]);
  return [...definitions, ...deployments, ...found.flatMap((one) => one ?? [])].filter(isDying);
}

/** Takes back what an interrupted uninstall left behind: what it suspended goes on. */
export async function resumeFlux(api: KubernetesApi): Promise<void> {
  const objects = (await allOf(api, await fluxKinds(api))).filter(isMarked);
  const resumed = { ...marked(null), spec: { suspend: null } };
  // One that somebody deletes keeps its suspension: so what it deployed stays.
  for (const object of objects) if (!isDying(object)) await api.merge(object, resumed, MANAGER);
  // At the end, since it tells that this is to be done.
  await api.merge(NAMESPACE, marked(null), MANAGER);
}

function marked(value: "true" | null) {
  return { metadata: { annotations: { [MARK]: value } } };
}

function isSuspended({ spec }: KubeObject): boolean {
  return (spec as { suspend?: boolean } | undefined)?.suspend === true;
}

async function release(api: KubernetesApi, object: KubeObject): Promise<void> {
  if (object.metadata.finalizers?.length) await api.merge(object, { metadata: { finalizers: null } }, MANAGER);
}

interface Definition extends KubeObject {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean; readonly storage: boolean }[];
  };
}

interface FluxKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** The name of its CustomResourceDefinition. */
  readonly definition: string;
}

/** The kinds that Flux brought along. */
async function fluxKinds(api: KubernetesApi): Promise<FluxKind[]> {
  const definitions = (await api.list(...CRD, { labels: LABELS })) as unknown as Definition[];
  return definitions.map(({ spec, metadata }) => {
    const version = spec.versions.find(({ storage }) => storage) ?? spec.versions.find(({ served }) => served);
    return { apiVersion: `${spec.group}/${version?.name}`, kind: spec.names.kind, definition: metadata.name };
  });
}

async function allOf(api: KubernetesApi, kinds: readonly FluxKind[]): Promise<KubeObject[]> {
  const lists = await Promise.all(kinds.map(({ apiVersion, kind }) => api.list(apiVersion, kind)));
  return lists.flat();
}

async function gone(world: FluxWorld, context: Context, left: () => Promise<readonly KubeObject[]>) {
  const look = async () => (await left()).map((ref) => ({ ref, problem: leftover(ref) }));
  await settled(world, context, world.patience / 60_000, look, "Flux is not gone");
}

/** What a namespace or a CRD says about its end; their other conditions are about their life. */
const IS_OF_END = /^(Terminating|Namespace.*)$/;

function leftover(object: KubeObject): string {
  const said = (statusOf(object).conditions ?? [])
    .filter(({ type, status, message }) => IS_OF_END.test(type) && status === "True" && message)
    .map(({ message }) => message);
  return `is still being deleted${said.length > 0 ? `: ${said.join("; ")}` : ""}`;
}
