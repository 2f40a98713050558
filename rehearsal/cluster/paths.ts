// Where objects stand in the API.
import type { KubeObject } from "./api.ts";

/** What decides where an object stands. */
export type ObjectReference = Pick<KubeObject, "apiVersion" | "kind"> & {
  readonly metadata: { readonly name: string; readonly namespace?: string };
};

/** The path of all objects of a kind, in one namespace or everywhere. */
export function listPath(apiVersion: string, kind: string, namespace?: string): string {
  const group = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = `${kind.toLowerCase().replace(/y$/, "ie")}s`;
  return namespace === undefined ? `${group}/${plural}` : `${group}/namespaces/${namespace}/${plural}`;
}

/** The path of one object; it holds for kinds whose plural follows the rule, as all of Flux's and its manifests' do. */
export function objectPath({ apiVersion, kind, metadata: { name, namespace } }: ObjectReference): string {
  return `${listPath(apiVersion, kind, namespace)}/${name}`;
}
