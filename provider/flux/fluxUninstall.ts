// Takes Flux out of a cluster and leaves what Flux deployed: like `flux uninstall`, but nothing can hang on a finalizer.

import { FLUX_SYSTEM } from "../../flux/bootstrap.ts";
import type { KubeObject, KubernetesApi } from "../../net/kubernetesApi.ts";
import type { Context } from "../../plugin/handler.ts";
import { type FluxWorld, settled, statusOf } from "./fluxCluster.ts";

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

/** The field manager of what this changes. */
const MANAGER = "flux";

/**
 * Uninstalls Flux.
 * @throws Error naming what is still there when the time is over.
 */
export async function uninstallFlux(world: FluxWorld, api: KubernetesApi, context: Context): Promise<void> {
  const kinds = await fluxKinds(api);
  // A suspended object's controller lets its payload live when the object is deleted, so this comes before everything.
  for (const object of await allOf(api, kinds)) await api.merge(object, { spec: { suspend: true } }, MANAGER);
  for (const object of await api.list("apps/v1", "Deployment", { labels: LABELS }))
    await api.delete(object, "Foreground");
  await gone(world, context, () => api.list("apps/v1", "Deployment", { labels: LABELS }));
  for (const [apiVersion, kind] of INSTALLED)
    for (const object of await api.list(apiVersion, kind, { labels: LABELS })) await api.delete(object);
  const definitions = () => api.list(...CRD, { labels: LABELS });
  for (const definition of await definitions()) await api.delete(definition);
  await gone(world, context, async () => {
    // Nobody is left who would answer a finalizer.
    for (const object of await allOf(api, kinds))
      if (object.metadata.finalizers?.length) await api.merge(object, { metadata: { finalizers: null } }, MANAGER);
    return definitions();
  });
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: FLUX_SYSTEM } };
  await api.delete(namespace);
  await gone(world, context, async () => [await api.get(namespace)].flatMap((one) => one ?? []));
}

interface Definition extends KubeObject {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly { readonly name: string; readonly served: boolean; readonly storage: boolean }[];
  };
}

type Kind = readonly [apiVersion: string, kind: string];

/** The kinds that Flux brought along. */
async function fluxKinds(api: KubernetesApi): Promise<Kind[]> {
  const definitions = (await api.list(...CRD, { labels: LABELS })) as unknown as Definition[];
  return definitions.map(({ spec }) => {
    const version = spec.versions.find(({ storage }) => storage) ?? spec.versions.find(({ served }) => served);
    return [`${spec.group}/${version?.name}`, spec.names.kind];
  });
}

async function allOf(api: KubernetesApi, kinds: readonly Kind[]): Promise<KubeObject[]> {
  const lists = await Promise.all(kinds.map(([apiVersion, kind]) => api.list(apiVersion, kind)));
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
