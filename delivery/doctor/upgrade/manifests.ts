// Kubernetes objects as they stand in files, or in a rendered chart.

import { parseAllDocuments } from "yaml";
import { type ChartFile, Renderer } from "../../../mirror/render.ts";
import { SERVED_APIS } from "../../../mirror/worlds.ts";
import { isPatch } from "../../../net/kubernetesVersion.ts";
import { isMap } from "../../../net/values.ts";

/** An object and where it is from. */
export interface Manifest {
  /** A file's path from the repository's root, or a chart's name. */
  readonly from: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Where it says one. */
  readonly namespace?: string;
  /** Whether something changes it before it is applied: then its file does not say what it is. */
  readonly isPatched?: true;
  readonly body: Readonly<Record<string, unknown>>;
}

/** The objects of a text, those in lists too; documents that are no object are left out. */
export function objectsIn(text: string, from: string): Manifest[] {
  if (!/^\s*["']?kind/m.test(text)) return [];
  return parseAllDocuments(text, { logLevel: "silent", uniqueKeys: false }).flatMap((document) =>
    document.errors.length > 0 ? [] : manifestsOf(document.toJS(), from),
  );
}

/** What a parsed object is, or its items are. */
function manifestsOf(body: unknown, from: string): Manifest[] {
  if (!isMap(body) || typeof body.kind !== "string" || typeof body.apiVersion !== "string") return [];
  if (body.kind.endsWith("List") && Array.isArray(body.items))
    return body.items.flatMap((item) => manifestsOf(item, from));
  const { name, namespace } = isMap(body.metadata) ? body.metadata : {};
  const { apiVersion, kind } = body;
  return [
    {
      ...{ from, apiVersion, kind, name: String(name ?? "") },
      ...(typeof namespace === "string" && { namespace }),
      body,
    },
  ];
}

/**
 * The objects of a chart's release in a cluster of a version, CRDs and hooks too.
 * @param helm the path of Helm.
 * @param version a minor or a patch.
 * @throws RenderError where it does not render with the values.
 */
export function chartManifests(
  helm: string,
  chart: ChartFile,
  values: Readonly<Record<string, unknown>>,
  version: string,
): Promise<Manifest[]> {
  const world = { kube: isPatch(version) ? version : `${version}.0`, apis: SERVED_APIS, upgrade: true };
  return Renderer.use(helm, chart, async (renderer) => {
    const objects = await renderer.render({ ...values }, world);
    // What says no namespace is in the release's.
    return objects
      .flatMap(({ body }) => manifestsOf(body, `chart ${chart.release ?? chart.name}`))
      .map((manifest) => ({ namespace: chart.namespace, ...manifest }));
  });
}
