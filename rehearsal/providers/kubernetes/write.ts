// Objects on their way to the API server, in the official provider's ways and words.

import {
  type KubeObject,
  type KubernetesApi,
  KubernetesError,
  nameOf,
  type ObjectRef,
} from "../../../net/kubernetesApi.ts";
import type { Properties } from "../../../plugin/handler.ts";
import { CREATOR, isAsCreated, takenOver } from "./managers.ts";
import { annotationsOf } from "./replacement.ts";

export interface WriteOptions {
  /** Takes fields over from every other manager. */
  readonly force: boolean;
  /** Takes what is there for what is to be created. */
  readonly upsert: boolean;
  /** Asks what would be. */
  readonly dryRun?: boolean;
}

const HELP =
  "https://www.pulumi.com/registry/packages/kubernetes/how-to-guides/managing-resources-with-server-side-apply/#handle-field-conflicts-on-existing-resources";

const THERE_ALREADY =
  "The resource already exists in the cluster: use an alias where a resource was renamed, `pulumi import` to adopt it, or upsertExistingObjects on the provider";

/** Whether the API server has objects of this kind now. */
export async function exists(api: KubernetesApi, inputs: Properties): Promise<boolean> {
  return (await resourceOf(api, String(inputs.apiVersion), String(inputs.kind))) !== undefined;
}

/** Whether objects of a kind are in namespaces; so is a kind that is not there yet. */
export async function isNamespaced(api: KubernetesApi, apiVersion: string, kind: string): Promise<boolean> {
  return (await resourceOf(api, apiVersion, kind))?.namespaced ?? true;
}

async function resourceOf(api: KubernetesApi, apiVersion: string, kind: string) {
  return (await api.resources(apiVersion)).find((one) => one.kind === kind);
}

/**
 * A new object. Server-side apply begins with its first update, unless what is there is to be taken over.
 * @throws KubernetesError in the API server's words; fields that it does not know are refused, not dropped.
 */
export async function create(
  api: KubernetesApi,
  inputs: Properties,
  manager: string,
  options: WriteOptions,
): Promise<KubeObject> {
  if (options.upsert) return apply(api, inputs, manager, options);
  const object = inputs as unknown as ObjectRef;
  const query = `?fieldManager=${CREATOR}&fieldValidation=Strict${options.dryRun ? "&dryRun=All" : ""}`;
  try {
    return (await api.request("POST", (await collection(api, object)) + query, object)) as KubeObject;
  } catch (error) {
    if (!(error instanceof KubernetesError) || error.reason !== "AlreadyExists") throw error;
    throw new KubernetesError(error.status, error.reason, `${error.message}. ${THERE_ALREADY}`);
  }
}

/**
 * An object that is there, with other inputs.
 * @throws Error where it is gone, and where another manager holds a field.
 */
export async function update(
  api: KubernetesApi,
  inputs: Properties,
  manager: string,
  options: WriteOptions,
): Promise<KubeObject> {
  const object = inputs as unknown as ObjectRef;
  const live = await api.get(object);
  if (live === undefined) throw new Error(`${nameOf(object)} is gone; \`pulumi refresh\` lets it be made again`);
  // A preview must not change who manages what, so it may not stumble over it either.
  if (options.dryRun) return apply(api, inputs, manager, { ...options, force: options.force || isAsCreated(live) });
  const managedFields = takenOver(live, manager);
  if (managedFields !== undefined)
    await api.merge(object, { metadata: { resourceVersion: live.metadata.resourceVersion, managedFields } }, manager);
  return apply(api, inputs, manager, options);
}

async function apply(
  api: KubernetesApi,
  inputs: Properties,
  fieldManager: string,
  { force, dryRun }: WriteOptions,
): Promise<KubeObject> {
  const isForced = force || annotationsOf(inputs)["pulumi.com/patchForce"] === "true";
  try {
    return await api.apply(inputs as unknown as ObjectRef, { fieldManager, force: isForced, dryRun: dryRun === true });
  } catch (error) {
    if (!(error instanceof KubernetesError) || error.reason !== "Conflict") throw error;
    throw new KubernetesError(
      error.status,
      error.reason,
      `Server-Side Apply field conflict detected. See ${HELP} for troubleshooting help. ` +
        `The resource managed by field manager "${fieldManager}" had an apply conflict: ${error.message}`,
    );
  }
}

async function collection(api: KubernetesApi, { apiVersion, kind, metadata }: ObjectRef): Promise<string> {
  const resource = await resourceOf(api, apiVersion, kind);
  if (resource === undefined)
    throw new KubernetesError(
      404,
      "NotFound",
      `the API server knows no ${kind} of ${apiVersion}. Verify that any required CRDs have been created`,
    );
  const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const scope = resource.namespaced ? `/namespaces/${metadata.namespace ?? "default"}` : "";
  return `${group}${scope}/${resource.name}`;
}
