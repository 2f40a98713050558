// Objects by server-side apply: kubernetes:core/v1:Secret, kubernetes:apps/v1:Deployment and every other kind.

import { detailedDiff, equal } from "../../../provider/diff.ts";
import { type Existing, type Properties, type ResourceHandler, Secret, UNKNOWN } from "../../../provider/handler.ts";
import { pause } from "../../../provider/http.ts";
import {
  type KubeObject,
  type KubernetesApi,
  KubernetesError,
  nameOf,
  type ObjectRef,
} from "../../../provider/kubernetesApi.ts";
import { hasUnknown } from "../../../provider/property.ts";
import { type Fields, hexDigits, isFields } from "../shared/values.ts";

/** The API of the provider's kubeconfig; undefined while that is not known. */
export type OpenApi = (signal: AbortSignal) => { readonly api: KubernetesApi; readonly namespace: string } | undefined;

/** Between two looks whether an object is gone, in milliseconds. */
const POLL = 250;

const COPIES = "kubectl.kubernetes.io/last-applied-configuration";

/** The handler of one kind. @param token `kubernetes:<group>/<version>:<Kind>`, the group `core` for none. */
export function objectHandler(token: string, open: OpenApi): ResourceHandler {
  const [, module = "", kind = ""] = token.split(":");
  const apiVersion = module.replace(/^core\//, "").replace(/^(apps|batch|autoscaling|policy)\//, "$1/");
  const reach = (signal: AbortSignal) => {
    const opened = open(signal);
    if (opened === undefined)
      throw new Error("configured Kubernetes cluster is unreachable: its kubeconfig is not known yet");
    return opened;
  };
  return {
    async check(news, old, context, seed) {
      const metadata = isFields(news.metadata) ? news.metadata : {};
      const before = isFields(old?.metadata) ? old.metadata : {};
      const name = metadata.name ?? before.name ?? `${context.name}-${hexDigits(seed, 8)}`;
      const inputs = { apiVersion, kind, ...news, metadata: { ...metadata, name } };
      return { inputs: named(inputs, open(context.signal)?.namespace) };
    },
    async diff(existing, inputs) {
      const changed = detailedDiff(existing.inputs, inputs);
      return {
        changes: Object.keys(changed).length > 0,
        detailed: changed,
        replaces: isMoved(existing.inputs, inputs) ? ["metadata"] : [],
      };
    },
    async preview(inputs, existing, { signal }) {
      const opened = open(signal);
      if (opened === undefined || hasUnknown(inputs)) return { ...existing?.state, ...inputs };
      // The API server's own checks and defaults; what is not there yet, such as the namespace, is no fault of a preview.
      const manager = managerOf(existing?.state) ?? "pulumi-kubernetes";
      const seen = await applied(opened.api, inputs, manager, true).catch((error: unknown) => {
        if (error instanceof KubernetesError && error.status === 404) return undefined;
        throw error;
      });
      return seen === undefined || existing === undefined ? { ...existing?.state, ...inputs } : stateOf(seen, manager);
    },
    async create(inputs, { signal, urn }) {
      const { api } = reach(signal);
      const manager = `pulumi-kubernetes-${hexDigits(Buffer.from(`${urn} ${Date.now()} ${Math.random()}`), 8)}`;
      const object = await applied(api, inputs, manager);
      return { id: idOf(object), state: stateOf(object, manager) };
    },
    async update(existing, inputs, { signal }) {
      const manager = managerOf(existing.state) ?? "pulumi-kubernetes";
      return stateOf(await applied(reach(signal).api, inputs, manager), manager);
    },
    async read(id, inputs, state, { signal }) {
      const [name = "", namespace] = id.split("/").reverse();
      const object = await reach(signal).api.get({ apiVersion, kind, metadata: { name, namespace } });
      if (object === undefined) return undefined;
      const isImport = Object.keys(inputs).length === 0;
      const found = isImport ? importedInputs(object) : (pruned(readable(object, inputs), inputs) as Properties);
      return { id, inputs: found, state: stateOf(object, managerOf(state) ?? "pulumi-kubernetes") };
    },
    async delete(existing, { signal }) {
      const { api } = reach(signal);
      const ref = refOf(existing);
      await api.delete(ref, "Background");
      while ((await api.get(ref)) !== undefined) await pause(POLL, signal);
    },
  };

  function refOf({ id }: Existing): ObjectRef {
    const [name = "", namespace] = id.split("/").reverse();
    return { apiVersion, kind, metadata: { name, namespace } };
  }
}

const CLUSTER_WIDE =
  /^(Namespace|ClusterRole|ClusterRoleBinding|CustomResourceDefinition|PersistentVolume|StorageClass)$/;

function named(inputs: Properties, namespace: string | undefined): Properties {
  const { kind, metadata } = inputs;
  if (!isFields(metadata) || metadata.namespace !== undefined || CLUSTER_WIDE.test(String(kind))) return inputs;
  return namespace === undefined ? inputs : { ...inputs, metadata: { ...metadata, namespace } };
}

/** Another name or namespace is another object; an unknown one may be. */
function isMoved(old: Properties, next: Properties): boolean {
  const [before, after] = [old.metadata, next.metadata].map((metadata) => (isFields(metadata) ? metadata : {}));
  return ["name", "namespace"].some((key) => !equal(before?.[key], after?.[key]));
}

async function applied(
  api: KubernetesApi,
  inputs: Properties,
  fieldManager: string,
  dryRun = false,
): Promise<KubeObject> {
  const object = inputs as unknown as ObjectRef;
  try {
    return await api.apply(object, { fieldManager, force: isForced(inputs), dryRun });
  } catch (error) {
    if (!(error instanceof KubernetesError) || error.reason !== "Conflict") throw error;
    throw new Error(
      `the resource ${nameOf(object)} was not applied: Server-Side Apply field conflict detected: ${error.message}. ` +
        'To force: set the annotation "pulumi.com/patchForce" to "true"',
    );
  }
}

function isForced({ metadata }: Properties): boolean {
  const annotations = isFields(metadata) && isFields(metadata.annotations) ? metadata.annotations : {};
  return annotations["pulumi.com/patchForce"] === "true";
}

function idOf({ metadata }: KubeObject): string {
  return metadata.namespace ? `${metadata.namespace}/${metadata.name}` : metadata.name;
}

function managerOf(state: Properties | undefined): string | undefined {
  return typeof state?.__fieldManager === "string" ? state.__fieldManager : undefined;
}

function stateOf(object: KubeObject, manager: string): Properties {
  const { managedFields: _, ...metadata } = object.metadata;
  const state: Properties = { ...object, metadata, __fieldManager: manager, __initialApiVersion: object.apiVersion };
  if (object.kind === "Secret")
    for (const key of ["data", "stringData"]) if (key in state) state[key] = new Secret(state[key]);
  return state;
}

/** The object with a Secret's values in the form that they were given in: the API server keeps `data` alone. */
function readable(object: KubeObject, inputs: Properties): KubeObject {
  if (object.kind !== "Secret" || !isFields(inputs.stringData)) return object;
  const data = isFields(object.data) ? object.data : {};
  const stringData = Object.entries(data).map(([key, value]) => [key, Buffer.from(String(value), "base64").toString()]);
  return { ...object, stringData: Object.fromEntries(stringData) };
}

/** What of an object somebody asked for: others' fields are none of our business. */
function pruned(live: unknown, asked: unknown): unknown {
  if (asked === UNKNOWN) return live;
  if (Array.isArray(live) && Array.isArray(asked)) return live.map((item, index) => pruned(item, asked[index] ?? item));
  if (!isFields(live) || !isFields(asked)) return live;
  const kept = Object.keys(asked).filter((key) => live[key] !== undefined);
  return Object.fromEntries(kept.map((key) => [key, pruned(live[key], asked[key])]));
}

function importedInputs(object: KubeObject): Properties {
  const { status: _status, metadata, ...rest } = object as KubeObject & { status?: unknown };
  const { name, namespace, labels, annotations } = metadata as Fields;
  const own = isFields(annotations) ? Object.entries(annotations).filter(([key]) => key !== COPIES) : [];
  const kept = { name, namespace, labels, ...(own.length > 0 ? { annotations: Object.fromEntries(own) } : {}) };
  return { ...rest, metadata: Object.fromEntries(Object.entries(kept).filter(([, value]) => value !== undefined)) };
}
