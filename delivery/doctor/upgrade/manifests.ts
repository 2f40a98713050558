// Kubernetes objects as they stand in files: of a folder, or of a rendered chart.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { type ChartFile, Renderer } from "../../../mirror/render.ts";
import { KUBE_VERSIONS, SERVED_APIS } from "../../../mirror/worlds.ts";
import { isMap } from "../../../net/values.ts";

/** An object and where it is from. */
export interface Manifest {
  /** A file's path from the folder, or a chart's name. */
  readonly from: string;
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  /** Where it says one. */
  readonly namespace?: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Every object in the YAML of a folder, but for what Git itself keeps; a file that is no YAML has none. */
export async function manifestsIn(folder: string): Promise<Manifest[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() && /\.ya?ml$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !path.slice(folder.length).split(/[\\/]/).includes(".git"))
    .sort();
  const found = await Promise.all(
    paths.map(async (path) => {
      const from = path.slice(folder.length).replaceAll("\\", "/").replace(/^\//, "");
      return objectsIn(await readFile(path, "utf8"), from);
    }),
  );
  return found.flat();
}

/** The objects of a text, those in lists too; documents that are no object are left out. */
export function objectsIn(text: string, from: string): Manifest[] {
  if (!/^\s*["']?kind/m.test(text)) return [];
  return parseAllDocuments(text, { logLevel: "silent", uniqueKeys: false }).flatMap((document) =>
    document.errors.length > 0 ? [] : manifestsOf(document.toJS(), from),
  );
}

/** What a parsed object is, or its items are. */
export function manifestsOf(body: unknown, from: string): Manifest[] {
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

const NEWEST = { kube: KUBE_VERSIONS.at(-1) as string, apis: SERVED_APIS, upgrade: true };

/**
 * The objects of a chart's release in the newest cluster that AKS supports, CRDs and hooks too.
 * @param helm the path of Helm.
 * @throws RenderError where it does not render with the values.
 */
export function chartManifests(
  helm: string,
  chart: ChartFile,
  values: Readonly<Record<string, unknown>>,
): Promise<Manifest[]> {
  return Renderer.use(helm, chart, async (renderer) => {
    const objects = await renderer.render({ ...values }, NEWEST);
    // What says no namespace is in the release's.
    return objects
      .flatMap(({ body }) => manifestsOf(body, `chart ${chart.release ?? chart.name}`))
      .map((manifest) => ({ namespace: chart.namespace, ...manifest }));
  });
}
