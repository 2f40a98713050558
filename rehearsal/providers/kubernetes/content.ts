// Objects as the engine keeps them: state, and inputs as they are found in the cluster.

import type { KubeObject } from "../../../net/kubernetesApi.ts";
import { type Properties, Secret, UNKNOWN } from "../../../plugin/handler.ts";
import { type Fields, isFields } from "../shared/values.ts";

const COPIES = "kubectl.kubernetes.io/last-applied-configuration";

/** The state of a resource: the object, who manages its fields, and in which version it was made. */
export function stateOf(object: KubeObject, manager: string): Properties {
  const { managedFields: _, ...metadata } = object.metadata;
  return hidden({ ...object, metadata, __fieldManager: manager, __initialApiVersion: object.apiVersion });
}

/** A Secret's values are secrets, whether the program said so or not. */
function hidden(properties: Properties): Properties {
  if (properties.kind !== "Secret") return properties;
  const keys = ["data", "stringData"].filter((key) => properties[key] !== undefined);
  return { ...properties, ...Object.fromEntries(keys.map((key) => [key, new Secret(properties[key])])) };
}

/** What of an object somebody asked for, as it is now: others' fields are none of our business. */
export function inputsAsFound(object: KubeObject, inputs: Properties): Properties {
  return hidden(pruned(readable(object, inputs), inputs) as Properties);
}

/** A Secret's values in the form that they were given in: the API server keeps `data` alone. */
function readable(object: KubeObject, { stringData }: Properties): KubeObject {
  if (object.kind !== "Secret" || !isFields(stringData)) return object;
  const data = Object.entries(isFields(object.data) ? object.data : {});
  const texts = data.map(([key, value]) => [key, Buffer.from(String(value), "base64").toString()]);
  return { ...object, stringData: Object.fromEntries(texts) };
}

function pruned(live: unknown, asked: unknown): unknown {
  if (asked === UNKNOWN) return live;
  if (Array.isArray(live) && Array.isArray(asked)) return live.map((item, index) => pruned(item, asked[index] ?? item));
  if (!isFields(live) || !isFields(asked)) return live;
  const kept = Object.keys(asked).filter((key) => live[key] !== undefined);
  return Object.fromEntries(kept.map((key) => [key, pruned(live[key], asked[key])]));
}

/** The inputs of an object that nobody asked for yet. */
export function importedInputs(object: KubeObject): Properties {
  const { status: _, metadata, ...rest } = object;
  const { name, namespace, labels, annotations } = metadata as Fields;
  const own = isFields(annotations) ? Object.entries(annotations).filter(([key]) => key !== COPIES) : [];
  const kept = { name, namespace, labels, ...(own.length > 0 && { annotations: Object.fromEntries(own) }) };
  const known = Object.entries(kept).filter(([, value]) => value !== undefined);
  return hidden({ ...rest, metadata: Object.fromEntries(known) });
}
