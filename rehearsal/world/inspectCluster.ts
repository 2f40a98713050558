// Looks at what runs in a rehearsal's cluster: Flux's objects, the pods' images, the secrets that came out of Git.
import { setTimeout as sleep } from "node:timers/promises";
import type { ArmResource, Caller } from "../cloud/types.ts";
import type { ClusterApi, KubeObject } from "../cluster/api.ts";
import { type FluxObject, fluxObjects } from "../cluster/fluxState.ts";
import type { InspectedCluster, InspectedFluxObject, InspectedPodImage, InspectedSecret } from "./inspection.ts";
import type { Services } from "./services.ts";

/** How long Flux may take to settle before it is looked at, in milliseconds. */
const PATIENCE = 90_000;
/** How long the others may take where one has failed: they may wait for it, in milliseconds. */
const PATIENCE_WITH_FAILURE = 15_000;
/** Between two looks, in milliseconds. */
const INTERVAL = 500;

/** Namespaces whose pods Azure brings, images included. */
const azures = ["flux-system", "kube-system"];

/**
 * The cluster when Flux has settled; undefined where none runs.
 * @param kubelet whom the nodes pull images as.
 */
export async function inspectCluster(
  services: Services,
  kubelet: Caller | undefined,
): Promise<InspectedCluster | undefined> {
  // Whoever waited for a cluster that did not start was told why.
  const current = await services.clusters.current().catch(() => undefined);
  if (current === undefined) return undefined;
  const { api } = current;
  const objects = await atRest(api);
  const pods = await api.list("/api/v1/pods");
  return {
    objects: objects.map(inspected).sort((a, b) => nameOf(a).localeCompare(nameOf(b))),
    podImages: podImages(services, kubelet, pods),
    secrets: await secretsFromGit(api),
  };
}

/** Flux's objects when its controllers have nothing in hand, for better or worse. */
async function atRest(api: ClusterApi): Promise<FluxObject[]> {
  const start = Date.now();
  for (let times = 0; ; await sleep(INTERVAL)) {
    const objects = await fluxObjects(api);
    const isBusy = ({ ready, isAsked, suspended }: FluxObject) => !suspended && (ready === undefined || isAsked);
    times = objects.some(isBusy) ? 0 : times + 1;
    // Between a source's new revision and the start of its Kustomizations, everything is at rest for a moment.
    const limit = objects.some(({ ready, isAsked }) => ready === false && !isAsked) ? PATIENCE_WITH_FAILURE : PATIENCE;
    if (times > 2 || objects.length === 0 || Date.now() - start > limit) return objects;
  }
}

const nameOf = ({ kind, namespace, name }: InspectedFluxObject) => `${kind} ${namespace}/${name}`;

function inspected({ kind, name, namespace, ready, reason, message, revision, inventory, spec }: FluxObject) {
  const chart = (spec.chart as { spec?: { chart?: string; version?: string } } | undefined)?.spec;
  const chartRef = spec.chartRef as { name?: string } | undefined;
  const dependsOn = (spec.dependsOn ?? []) as { name: string }[];
  return {
    kind,
    name,
    namespace,
    ready: ready === true,
    reason,
    message,
    revision,
    inventory,
    dependsOn: dependsOn.map((other) => other.name),
    ...(typeof spec.path === "string" && { path: spec.path }),
    ...(typeof spec.url === "string" && { url: spec.url }),
    ...(kind === "HelmRelease" && {
      chart: chart?.chart ?? chartRef?.name ?? "",
      targetNamespace: String(spec.targetNamespace ?? namespace),
    }),
  } satisfies InspectedFluxObject;
}

/** Each image that a pod runs: nodes do not really pull here, so the registry is asked as they would ask it. */
function podImages(
  services: Services,
  kubelet: Caller | undefined,
  pods: readonly KubeObject[],
): readonly InspectedPodImage[] {
  const images = new Map<string, { image: string; pods: string[]; problem?: string }>();
  for (const { metadata, spec } of pods) {
    const { namespace = "", name } = metadata;
    for (const { image } of [...spec.containers, ...(spec.initContainers ?? [])] as { image: string }[]) {
      const known = images.get(image);
      if (known !== undefined) known.pods.push(`${namespace}/${name}`);
      else {
        const problem = pullProblem(services, kubelet, image, namespace);
        images.set(image, { image, pods: [`${namespace}/${name}`], ...(problem !== undefined && { problem }) });
      }
    }
  }
  return [...images.values()].sort((a, b) => a.image.localeCompare(b.image));
}

/** Why a node could not pull an image; undefined where it could. */
function pullProblem(
  { arm, registries }: Services,
  kubelet: Caller | undefined,
  image: string,
  namespace: string,
): string | undefined {
  const [, host = "", name = "", tag, digest] = /^([^/]+)\/([^:@]+)(?::([^@]+))?(?:@(.+))?$/.exec(image) ?? [];
  if (host === "mcr.microsoft.com" && azures.includes(namespace)) return undefined;
  const registry = arm
    .list("Microsoft.ContainerRegistry/registries")
    .find(({ properties }: ArmResource) => properties.loginServer === host);
  if (registry === undefined) return `comes from ${host || "Docker Hub"}, not from the stack's registry`;
  const pull = "Microsoft.ContainerRegistry/registries/pull/read";
  if (kubelet === undefined || !arm.allows(kubelet, pull, registry.id, "control"))
    return `may not be pulled by the cluster's kubelet identity: AcrPull on ${registry.name} is missing`;
  const found = registries
    .store(registry)
    .find(name)
    ?.manifest(digest ?? tag ?? "latest");
  return found === undefined ? "is not in the registry" : undefined;
}

/** The secrets that Flux made of files, their values left where they are. */
async function secretsFromGit(api: ClusterApi): Promise<InspectedSecret[]> {
  const found = await api.list("/api/v1/secrets?labelSelector=kustomize.toolkit.fluxcd.io%2Fname");
  return found.map(({ metadata, data = {} }) => {
    const values = Object.values(data as Record<string, string>);
    const texts = values.map((value) => Buffer.from(value, "base64").toString());
    return {
      name: metadata.name,
      namespace: metadata.namespace ?? "",
      keys: Object.keys(data).sort(),
      isDecrypted: texts.length > 0 && !texts.some((text) => text.startsWith("ENC[")),
    };
  });
}
