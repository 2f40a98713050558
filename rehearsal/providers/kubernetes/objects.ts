// Objects of every kind: kubernetes:core/v1:Secret, kubernetes:apps/v1:Deployment and so on.

import { type KubernetesApi, KubernetesError, nameOf, type ObjectRef } from "../../../net/kubernetesApi.ts";
import { pause } from "../../../net/retry.ts";
import {
  type Context,
  type Existing,
  PartialFailure,
  type Properties,
  type ResourceHandler,
} from "../../../plugin/handler.ts";
import { hasUnknown } from "../../../plugin/property.ts";
import { hexDigits, isFields } from "../shared/values.ts";
import { importedInputs, inputsAsFound, stateOf } from "./content.ts";
import { managerOf } from "./managers.ts";
import { AUTONAMED, annotationsOf, isAutonamed, metadataOf, objectDiff } from "./replacement.ts";
import { create, exists, isNamespaced, update, type WriteOptions } from "./write.ts";

/** The API of the provider's kubeconfig; undefined while that is not known. */
export type OpenApi = (signal: AbortSignal) => { readonly api: KubernetesApi; readonly namespace: string } | undefined;

/** What the provider's settings decide. */
export interface ObjectOptions extends WriteOptions {
  /** Which of Secret and ConfigMap may be changed in place. */
  readonly mutable: ReadonlySet<string>;
}

/** Between two looks whether an object is gone, and the longest wait for it, in milliseconds. */
const POLL = 250;
const DELETE_LIMIT = 600_000;

/** The handler of one kind. @param token `kubernetes:<group>/<version>:<Kind>`, the group `core` for none. */
export function objectHandler(token: string, options: ObjectOptions, open: OpenApi): ResourceHandler {
  const [, module = "", kind = ""] = token.split(":");
  const apiVersion = module.replace(/^core\//, "");
  const reach = ({ signal }: Context) => {
    const opened = open(signal);
    if (opened === undefined)
      throw new Error("configured Kubernetes cluster is unreachable: its kubeconfig is not known yet");
    return opened.api;
  };
  const refOf = (id: string): ObjectRef => {
    const [name = "", namespace] = id.split("/").reverse();
    return { apiVersion, kind, metadata: { name, namespace } };
  };
  return {
    async check(news, old, context, seed) {
      const inputs = named({ ...news, apiVersion, kind }, old, context.name, seed);
      const opened = open(context.signal);
      if (opened === undefined || metadataOf(inputs).namespace !== undefined) return { inputs };
      if (!(await isNamespaced(opened.api, apiVersion, kind))) return { inputs };
      return { inputs: { ...inputs, metadata: { ...metadataOf(inputs), namespace: opened.namespace } } };
    },
    diff: async (existing, inputs) => objectDiff(existing.inputs, inputs, options.mutable),
    async preview(inputs, existing, context) {
      const opened = open(context.signal);
      if (opened === undefined || hasUnknown(inputs) || !(await exists(opened.api, inputs))) return inputs;
      const manager = managerOf(inputs, existing?.state);
      if (existing !== undefined)
        return stateOf(await update(opened.api, inputs, manager, { ...options, dryRun: true }), manager);
      // What is not there yet, such as the namespace, or still there, before a replacement, is no fault of a preview.
      await create(opened.api, inputs, manager, { ...options, dryRun: true }).catch((error: unknown) => {
        if (!(error instanceof KubernetesError) || ![403, 404, 409].includes(error.status)) throw error;
      });
      return inputs;
    },
    async create(inputs, context) {
      const manager = managerOf(inputs, undefined);
      const object = await create(reach(context), inputs, manager, options);
      const { name, namespace } = object.metadata;
      return { id: namespace ? `${namespace}/${name}` : name, state: stateOf(object, manager) };
    },
    async update(existing, inputs, context) {
      const api = reach(context);
      const manager = managerOf(inputs, existing.state);
      return stateOf(await update(api, inputs, manager, options).catch(unfinished(api, existing)), manager);
    },
    async read(id, inputs, state, context) {
      const object = await reach(context).get(refOf(id));
      if (object === undefined) return undefined;
      const isImport = Object.keys(inputs).length === 0;
      const found = isImport ? importedInputs(object) : inputsAsFound(object, inputs);
      return { id, inputs: found, state: stateOf(object, managerOf(found, state)) };
    },
    async delete({ id, inputs }, context) {
      const api = reach(context);
      const policy = annotationsOf(inputs)["pulumi.com/deletionPropagationPolicy"];
      await api.delete(refOf(id), policy === "background" ? "Background" : "Foreground");
      const deadline = Date.now() + DELETE_LIMIT;
      for (let left = await api.get(refOf(id)); left !== undefined; left = await api.get(refOf(id))) {
        if (Date.now() > deadline)
          throw new Error(
            `${nameOf(left)} is still there after ${DELETE_LIMIT / 1000} s; finalizers: ${left.metadata.finalizers ?? "none"}`,
          );
        await pause(POLL, context.signal);
      }
    },
  };

  /** An update that was refused: the engine keeps the object as it is, and tries again next time. */
  function unfinished(api: KubernetesApi, { id, state }: Existing) {
    return async (error: Error): Promise<never> => {
      const live = await api.get(refOf(id));
      if (live === undefined) throw error;
      throw new PartialFailure(id, stateOf(live, managerOf({}, state)), [
        `the Kubernetes API server reported that "${id}" failed to fully initialize or become live: ${error.message}`,
      ]);
    };
  }
}

/** With a name: the given one, that of before, or one that is drawn. */
function named(inputs: Properties, old: Properties | undefined, logicalName: string, seed: Uint8Array): Properties {
  const metadata = inputs.metadata ?? {};
  if (!isFields(metadata)) return inputs; // Not known yet.
  if (metadata.generateName !== undefined)
    throw new Error("the `.metadata.generateName` field is not supported in Server-Side Apply mode");
  if (metadata.name !== undefined) return inputs;
  const before = old !== undefined && isAutonamed(old) ? metadataOf(old).name : undefined;
  const name = before ?? `${logicalName}-${hexDigits(seed, 8)}`;
  const annotations = { ...annotationsOf(inputs), [AUTONAMED]: "true" };
  return { ...inputs, metadata: { ...metadata, name, annotations } };
}
