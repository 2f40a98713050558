// Flux's components in a cluster: applied where they are not there, and left alone where Git rules them.

import { parseAllDocuments } from "yaml";
import { FLUX_SYSTEM, identifiedControllers, identityPatches } from "../../flux/bootstrap.ts";
import { fluxControllers } from "../../flux/manifests.ts";
import { type KubeObject, type KubernetesApi, KubernetesError, type ObjectRef } from "../../net/kubernetesApi.ts";
import { isMap } from "../../net/values.ts";
import type { Context } from "../../plugin/handler.ts";
import { type FluxWorld, settled, statusOf, unavailable } from "./fluxCluster.ts";
import { componentsText, type FluxComponents } from "./fluxComponents.ts";

/** As `flux bootstrap` itself is known to the API server. */
export const MANAGER = { fieldManager: "flux", force: true } as const;

/** As kustomize-controller is: what it wrote is what Git says. */
const GIT = "kustomize-controller";

/** What Flux's components are made from. */
export interface ComponentInputs extends FluxComponents {
  /** The identity that the controllers act as; none where both are left out. */
  readonly clientId?: string;
  readonly tenantId?: string;
}

/** The controllers' Deployments. */
export function deploymentsOf(inputs: Pick<FluxComponents, "imageAutomation">): ObjectRef[] {
  return fluxControllers(inputs).map((name) => ({
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: FLUX_SYSTEM },
  }));
}

/** Whether a Deployment was scaled to nothing by somebody else than Git. */
export function isStopped(deployment: KubeObject): boolean {
  return wantedPods(deployment) === 0 && !writers(deployment).some(({ fields }) => "f:replicas" in fields);
}

/** Applies what is not there, and what only `flux install` or an interrupted installation has put there. */
export async function applyComponents(
  world: FluxWorld,
  api: KubernetesApi,
  inputs: ComponentInputs,
  context: Context,
): Promise<void> {
  const objects = await componentObjects(world, inputs);
  const isFirst = ({ kind }: ObjectRef) => kind === "CustomResourceDefinition" || kind === "Namespace";
  const first = objects.filter(isFirst);
  for (const object of first) await applyComponent(api, object);
  await settled(world, context, 1, async () => {
    const found = await Promise.all(first.map(async (ref) => ({ ref, problem: notThere(await api.get(ref)) })));
    return found.flatMap(({ ref, problem }) => (problem === undefined ? [] : [{ ref, problem }]));
  });
  for (const object of objects.filter((one) => !isFirst(one))) await applyComponent(api, object);
}

async function applyComponent(api: KubernetesApi, object: ObjectRef): Promise<void> {
  const found = await (object.kind === "Deployment" ? api.get(object) : api.metadataOf(object));
  if (found === undefined || writers(found).length === 0) await api.apply(object, MANAGER);
  else if (object.kind === "Deployment" && isStopped(found))
    await api.merge(object, { spec: { replicas: wantedPods(object) } }, MANAGER.fieldManager);
}

/**
 * Lets go of what was applied here and is written by Git as well: as long as two have applied a field, it stays in the
 * cluster when Git takes it out.
 */
export async function handOver(api: KubernetesApi, inputs: Pick<FluxComponents, "imageAutomation">): Promise<void> {
  for (const deployment of deploymentsOf(inputs))
    for (const [apiVersion, kind] of [
      [deployment.apiVersion, deployment.kind] as const,
      ["v1", "ServiceAccount"] as const,
    ])
      await letGo(api, { ...deployment, apiVersion, kind });
}

/** How often an object may have changed meanwhile: its status does so all the time. */
const TRIES = 5;

async function letGo(api: KubernetesApi, ref: ObjectRef): Promise<void> {
  for (let left = TRIES; ; left--) {
    const { managedFields = [], resourceVersion } = ((await api.metadataOf(ref))?.metadata ?? {}) as Managed;
    const appliedBy = (name: string) => (one: ManagedFields) => one.manager === name && one.operation === "Apply";
    const isOwn = appliedBy(MANAGER.fieldManager);
    if (!managedFields.some(isOwn) || !managedFields.some(appliedBy(GIT))) return;
    const metadata = { resourceVersion, managedFields: managedFields.filter((one) => !isOwn(one)) };
    try {
      await api.merge(ref, { metadata }, MANAGER.fieldManager);
      return;
    } catch (error) {
      if (!(error instanceof KubernetesError) || error.status !== 409 || left === 1) throw error;
    }
  }
}

/** Which controllers do not run, and why. */
export async function stopped(api: KubernetesApi, deployments: readonly ObjectRef[]) {
  const found = await Promise.all(
    deployments.map(async (ref) => {
      const object = await api.get(ref);
      return { ref, problem: object === undefined ? "is not there" : await unavailable(api, object) };
    }),
  );
  return found.flatMap(({ ref, problem }) => (problem === undefined ? [] : [{ ref, problem }]));
}

function wantedPods(deployment: object): number {
  return (deployment as { spec?: { replicas?: number } }).spec?.replicas ?? 1;
}

interface Managed {
  readonly managedFields?: readonly ManagedFields[];
  readonly resourceVersion?: string;
}

interface ManagedFields {
  readonly manager?: string;
  readonly operation?: string;
  readonly fieldsV1?: { readonly "f:spec"?: object };
}

/** What Git wrote of an object, if it wrote any of it. */
function writers({ metadata }: KubeObject) {
  const { managedFields = [] } = metadata as Managed;
  return managedFields
    .filter(({ manager }) => manager === GIT)
    .map(({ fieldsV1 }) => ({ fields: fieldsV1?.["f:spec"] ?? {} }));
}

/** Why a CRD or a namespace cannot be used yet. */
function notThere(object: KubeObject | undefined): string | undefined {
  if (object === undefined) return "is not there";
  const { conditions = [], phase } = statusOf(object);
  if (object.kind === "Namespace") return phase === "Active" ? undefined : `is ${String(phase)}`;
  const established = conditions.find(({ type }) => type === "Established");
  return established?.status === "True" ? undefined : (established?.message ?? "is not established");
}

/** @throws Error when the manifests are others than the program committed. */
async function componentObjects(world: FluxWorld, inputs: ComponentInputs): Promise<ObjectRef[]> {
  const text = await componentsText(inputs, world.manifests);
  const { clientId, tenantId } = inputs;
  const patches = clientId && tenantId ? identityPatches({ clientId, tenantId }) : undefined;
  const identified = patches ? identifiedControllers(inputs.imageAutomation) : [];
  const documents = parseAllDocuments(text);
  const objects = documents.map((document) => document.toJS() as ObjectRef | null).filter((one) => one !== null);
  return objects.map((object) => {
    if (patches === undefined || !identified.includes(object.metadata.name)) return object;
    if (object.kind === "ServiceAccount")
      return merged(object, { metadata: { annotations: patches.serviceAccount.metadata.annotations } });
    return object.kind === "Deployment" ? merged(object, { spec: patches.deployment.spec }) : object;
  });
}

/** Maps merged, everything else replaced. */
function merged<T>(below: T, above: unknown): T {
  if (!isMap(below) || !isMap(above)) return above as T;
  const result: Record<string, unknown> = { ...below };
  for (const [key, value] of Object.entries(above)) result[key] = merged(result[key], value);
  return result as T;
}
