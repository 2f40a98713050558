// Looks at what runs in a rehearsal's cluster: Flux's objects, the pods' images, the secrets that came out of Git.
import { setTimeout as sleep } from "node:timers/promises";
import { isExempt } from "../../mirror/exempt.ts";
import type { ArmResource, Caller } from "../cloud/types.ts";
import type { ClusterApi, KubeObject } from "../cluster/api.ts";
import { FLUX_NAMESPACE } from "../cluster/extensionManifests.ts";
import { type FluxObject, fluxObjects, nameOf } from "../cluster/fluxState.ts";
import { listPath } from "../cluster/paths.ts";
import type { InspectedCluster, InspectedFluxObject, InspectedPodImage, InspectedSecret } from "./inspection.ts";
import type { Services } from "./services.ts";

/** How long a cluster may take to answer at all, in milliseconds. */
const ANSWER_LIMIT = 10_000;

/** The way to the cluster that runs; undefined where ARM has none, words where it does not answer. */
export async function answeringCluster({ clusters }: Services): Promise<ClusterApi | string | undefined> {
  try {
    const api = (await clusters.current())?.api;
    if (api === undefined) return undefined;
    // A server that was stopped would keep everybody waiting.
    const late = sleep(ANSWER_LIMIT, `its API server does not answer within ${ANSWER_LIMIT / 1000} s`, { ref: false });
    return await Promise.race([late, api.raw("GET", "/readyz").then(() => api)]);
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * The cluster as it stands.
 * @param kubelet whom the nodes pull images as.
 */
export async function inspectCluster(
  api: ClusterApi,
  services: Services,
  kubelet: Caller | undefined,
): Promise<InspectedCluster> {
  const [objects, namespaces, deployments, definitions, pods, secrets] = await Promise.all([
    inspectFlux(api),
    api.list("/api/v1/namespaces"),
    api.list(listPath("apps/v1", "Deployment", FLUX_NAMESPACE)),
    api.list("/apis/apiextensions.k8s.io/v1/customresourcedefinitions"),
    api.list("/api/v1/pods"),
    api.list("/api/v1/secrets"),
  ]);
  const names = (found: readonly KubeObject[]) => found.map(({ metadata }) => metadata.name);
  return {
    namespaces: names(namespaces.filter(({ status }) => status?.phase === "Active")),
    deployments: deployments.map(({ metadata, spec, status }) => ({
      name: metadata.name,
      wanted: spec.replicas ?? 1,
      available: status?.availableReplicas ?? 0,
    })),
    definitions: names(definitions.filter(isEstablished)).filter((name) => name.endsWith(".toolkit.fluxcd.io")),
    secretNames: secrets.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
    objects,
    podImages: podImages(services, kubelet, pods, secrets),
    secrets: secrets.filter(({ metadata }) => FROM_GIT in (metadata.labels ?? {})).map(fromGit),
  };
}

/** Flux's objects as they stand, by name. */
export async function inspectFlux(api: ClusterApi): Promise<InspectedFluxObject[]> {
  const objects = await fluxObjects(api);
  return objects.map(inspected).sort((a, b) => nameOf(a).localeCompare(nameOf(b)));
}

const isEstablished = ({ metadata, status }: KubeObject) =>
  metadata.deletionTimestamp === undefined &&
  (status?.conditions as { type: string; status: string }[] | undefined)?.some(
    ({ type, status }) => type === "Established" && status === "True",
  ) === true;

function inspected(object: FluxObject): InspectedFluxObject {
  const { kind, name, namespace, ready, suspended, reason, message, conditions, spec } = object;
  const { revision, attempted, handled, isAsked, inventory } = object;
  const chart = (spec.chart as { spec?: { chart?: string; version?: string } } | undefined)?.spec;
  const chartRef = spec.chartRef as { name?: string } | undefined;
  const dependsOn = (spec.dependsOn ?? []) as { name: string }[];
  return {
    kind,
    name,
    namespace,
    ready: ready === true,
    isBusy: !suspended && (ready === undefined || isAsked),
    suspended,
    reason,
    message,
    since: conditions.find(({ type }) => type === "Ready")?.lastTransitionTime ?? "",
    revision,
    attempted,
    handled,
    isAsked,
    inventory,
    dependsOn: dependsOn.map((other) => other.name),
    ...(typeof spec.path === "string" && { path: spec.path }),
    ...(typeof spec.url === "string" && { url: spec.url }),
    ...(kind === "HelmRelease" && {
      chart: chart?.chart ?? chartRef?.name ?? "",
      targetNamespace: String(spec.targetNamespace ?? namespace),
    }),
  };
}

/** Each image that a pod runs: nodes do not really pull here, so the registry is asked as they would ask it. */
function podImages(
  services: Services,
  kubelet: Caller | undefined,
  pods: readonly KubeObject[],
  secrets: readonly KubeObject[],
): readonly InspectedPodImage[] {
  const images = new Map<string, { image: string; pods: string[]; problem?: string }>();
  for (const { metadata, spec } of pods) {
    const { namespace = "", name } = metadata;
    for (const { image } of [...spec.containers, ...(spec.initContainers ?? [])] as { image: string }[]) {
      const known = images.get(image);
      if (known !== undefined) known.pods.push(`${namespace}/${name}`);
      else {
        const puller = services.clusters.isOther ? signedIn(services, image, { metadata, spec }, secrets) : kubelet;
        const problem = pullProblem(services, puller, image, namespace);
        images.set(image, { image, pods: [`${namespace}/${name}`], ...(problem !== undefined && { problem }) });
      }
    }
  }
  return [...images.values()].sort((a, b) => a.image.localeCompare(b.image));
}

/** Whom a pod's own Secrets sign in as at the registry of an image, where the nodes have no identity that pulls. */
function signedIn(
  { entra }: Services,
  image: string,
  { metadata, spec }: Pick<KubeObject, "metadata" | "spec">,
  secrets: readonly KubeObject[],
): Caller | undefined {
  const names = ((spec.imagePullSecrets ?? []) as { name: string }[]).map(({ name }) => name);
  const host = image.split("/")[0] ?? "";
  for (const { data } of secrets.filter(
    (one) => one.metadata.namespace === metadata.namespace && names.includes(one.metadata.name),
  )) {
    const text = Buffer.from(String((data as Record<string, string>)[".dockerconfigjson"] ?? ""), "base64").toString();
    const { username, password } = JSON.parse(text || "{}").auths?.[host] ?? {};
    const principal = entra.secret(username, password) === undefined ? undefined : entra.findByClientId(username);
    if (principal !== undefined) return { principal, groups: entra.groupsOf(principal.objectId) };
  }
  return undefined;
}

/** Why a node could not pull an image; undefined where it could. */
function pullProblem(
  { arm, clusters, registries }: Services,
  puller: Caller | undefined,
  image: string,
  namespace: string,
): string | undefined {
  const [, host = "", name = "", tag, digest] = /^([^/]+)\/([^:@]+)(?::([^@]+))?(?:@(.+))?$/.exec(image) ?? [];
  if (isExempt(host, namespace)) return undefined;
  const registry = arm
    .list("Microsoft.ContainerRegistry/registries")
    .find(({ properties }: ArmResource) => properties.loginServer === host);
  if (registry === undefined) return `comes from ${host || "Docker Hub"}, not from the stack's registry`;
  const pull = "Microsoft.ContainerRegistry/registries/pull/read";
  if (puller === undefined || !arm.allows(puller, pull, registry.id, "control"))
    return clusters.isOther
      ? `may not be pulled: no Secret of the pod's imagePullSecrets signs in to ${registry.name} as one who has AcrPull`
      : `may not be pulled by the cluster's kubelet identity: AcrPull on ${registry.name} is missing`;
  const found = registries
    .store(registry)
    .find(name)
    ?.manifest(digest ?? tag ?? "latest");
  return found === undefined ? "is not in the registry" : undefined;
}

/** What a Kustomization puts on all that it applies. */
const FROM_GIT = "kustomize.toolkit.fluxcd.io/name";

/** A secret that Flux made of a file, its values left where they are. */
function fromGit({ metadata, data = {} }: KubeObject): InspectedSecret {
  const values = Object.values(data as Record<string, string>);
  const texts = values.map((value) => Buffer.from(value, "base64").toString());
  return {
    name: metadata.name,
    namespace: metadata.namespace ?? "",
    keys: Object.keys(data).sort(),
    isDecrypted: texts.length > 0 && !texts.some((text) => text.startsWith("ENC[")),
  };
}
