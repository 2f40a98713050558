// Brings many objects into the cluster, and out of it.
import { setTimeout as sleep } from "node:timers/promises";
import { KubernetesError } from "../../net/kubernetesApi.ts";
import type { ClusterApi, KubeObject } from "./api.ts";
import { objectPath } from "./paths.ts";

/** How long a new kind or namespace may take until it can be used, in milliseconds. */
const LIMIT = 60_000;
/** What others stand on. */
const first = ["Namespace", "CustomResourceDefinition"];

/**
 * Applies objects, namespaces and kinds before the rest.
 * @throws KubernetesError in the API server's words for the first that it refuses.
 */
export async function applyAll(api: ClusterApi, objects: readonly KubeObject[]): Promise<void> {
  const isFirst = ({ kind }: KubeObject) => first.includes(kind);
  await Promise.all(objects.filter(isFirst).map((object) => api.apply(objectPath(object), object)));
  await Promise.all(
    objects.filter(({ kind }) => kind === "CustomResourceDefinition").map((object) => established(api, object)),
  );
  await Promise.all(
    objects.filter((object) => !isFirst(object)).map((object) => api.apply(objectPath(object), object)),
  );
}

async function established(api: ClusterApi, definition: KubeObject): Promise<void> {
  const deadline = Date.now() + LIMIT;
  while (Date.now() < deadline) {
    const { status } = await api.get(objectPath(definition));
    const conditions: { type: string; status: string }[] = status?.conditions ?? [];
    if (conditions.some(({ type, status }) => type === "Established" && status === "True")) return;
    await sleep(50);
  }
  throw new Error(`${definition.metadata.name} is not established after ${LIMIT / 1000} s`);
}

/** Deletes objects one after the other; those that are gone already are no error. */
export async function removeAll(api: ClusterApi, objects: readonly KubeObject[]): Promise<void> {
  for (const object of objects) {
    try {
      await api.send("DELETE", objectPath(object));
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.status !== 404) throw error;
    }
  }
}
