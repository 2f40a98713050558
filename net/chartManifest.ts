import { parse } from "yaml";
import { readTarGz } from "./archive.ts";
import { digestOf, isMap } from "./values.ts";

/** The media types of a Helm chart in an OCI registry (https://helm.sh/docs/topics/registries). */
export const CHART_MEDIA_TYPES = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.cncf.helm.config.v1+json",
  layer: "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
} as const;

/** A chart as the three things a registry keeps: the manifest, its config and its only layer (the tgz itself). */
export interface ChartManifest {
  readonly manifest: Buffer;
  /** `sha256:<hex>`, what a reference by digest names. */
  readonly manifestDigest: string;
  readonly config: Buffer;
  readonly configDigest: string;
  readonly layerDigest: string;
  /** The chart's name, which must be the last part of its repository. */
  readonly name: string;
  /** The chart's version; its tag has `_` for every `+`. */
  readonly version: string;
}

/**
 * The OCI manifest of a packaged chart: the same bytes for the same arguments, and the same as `helm push` makes of a
 * file last changed at `created`.
 * @param tgz the packaged chart, untouched.
 * @param created RFC 3339, becomes `org.opencontainers.image.created`; must be pinned, else every push is another digest.
 * @throws Error when the archive holds no Chart.yaml with a name and a version.
 */
export async function chartManifest(tgz: Buffer, created: string): Promise<ChartManifest> {
  const chart = await readChartYaml(tgz);
  const config = Buffer.from(goJson(inHelmsOrder(chart, CHART_KEYS)));
  const manifest = Buffer.from(
    goJson({
      schemaVersion: 2,
      config: { mediaType: CHART_MEDIA_TYPES.config, digest: digestOf(config), size: config.length },
      layers: [{ mediaType: CHART_MEDIA_TYPES.layer, digest: digestOf(tgz), size: tgz.length }],
      annotations: annotations(chart, created),
    }),
  );
  return {
    manifest,
    manifestDigest: digestOf(manifest),
    config,
    configDigest: digestOf(config),
    layerDigest: digestOf(tgz),
    name: chart.name,
    version: chart.version,
  };
}

interface Chart extends Record<string, unknown> {
  readonly name: string;
  readonly version: string;
}

async function readChartYaml(tgz: Buffer): Promise<Chart> {
  // The chart's own file stands one folder deep; deeper ones belong to subcharts.
  const files = await readTarGz(tgz);
  const file = files.find((entry) => /^[^/]+\/Chart\.yaml$/.test(entry.path));
  if (file === undefined) throw new Error("The archive is no Helm chart: it holds no <name>/Chart.yaml.");
  const chart: unknown = parse(file.content.toString("utf8"));
  if (!isMap(chart) || typeof chart.name !== "string" || chart.version === undefined) {
    throw new Error(`${file.path} in the chart's archive must have a name and a version.`);
  }
  return { ...chart, name: chart.name, version: String(chart.version) };
}

// The order of Helm's own structures, which decides the bytes of the config.
const CHART_KEYS = [
  "name home sources version description keywords maintainers icon apiVersion condition tags appVersion",
  "deprecated annotations kubeVersion dependencies type",
].flatMap((line) => line.split(" "));
const NESTED_KEYS: Readonly<Record<string, readonly string[]>> = {
  maintainers: ["name", "email", "url"],
  dependencies: ["name", "version", "repository", "condition", "tags", "enabled", "import-values", "alias"],
};
const STRING_KEYS = new Set(["version", "appVersion", "kubeVersion", "condition"]);

function inHelmsOrder(
  source: Record<string, unknown>,
  keys: readonly string[],
  always: readonly string[] = [],
): Record<string, unknown> {
  const result: Record<string, unknown> = {};
  for (const key of keys) {
    const value = always.includes(key) ? String(source[key] ?? "") : helmValue(key, source[key]);
    if (value !== undefined) result[key] = value;
  }
  return result;
}

function helmValue(key: string, value: unknown): unknown {
  if (value === undefined || value === null || value === "" || value === false) return undefined;
  if (Array.isArray(value)) {
    const nested = NESTED_KEYS[key];
    if (value.length === 0) return undefined;
    if (nested === undefined) return value;
    // Of a dependency Helm writes name and repository even where they are empty.
    const always = key === "dependencies" ? ["name", "repository"] : [];
    return value.filter(isMap).map((item) => inHelmsOrder(item, nested, always));
  }
  if (isMap(value)) return sorted(value);
  return STRING_KEYS.has(key) || key === "tags" ? String(value) : value;
}

function annotations(chart: Chart, created: string): Record<string, unknown> {
  const own: Record<string, unknown> = {};
  const add = (key: string, value: unknown) => {
    const text = typeof value === "string" ? value.trim() : "";
    if (text !== "") own[`org.opencontainers.image.${key}`] = text;
  };
  const sources = Array.isArray(chart.sources) ? chart.sources : [];
  add("description", chart.description);
  add("title", chart.name);
  add("version", chart.version);
  add("url", chart.home);
  add("created", created);
  add("source", sources[0]);
  add("authors", authors(chart.maintainers));
  const result = { ...own };
  for (const [key, value] of Object.entries(isMap(chart.annotations) ? chart.annotations : {})) {
    // A chart may override what Helm derives, but for its identity.
    if (!/^org\.opencontainers\.image\.(title|version)$/.test(key)) result[key] = String(value);
  }
  return sorted(result);
}

function authors(maintainers: unknown): string {
  const list = Array.isArray(maintainers) ? maintainers.filter(isMap) : [];
  return list
    .map((person) => {
      const email = person.email;
      return typeof email === "string" && email !== "" ? `${person.name} (${email})` : String(person.name ?? "");
    })
    .join(", ");
}

function sorted(map: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** JSON as Go's encoder writes it: these characters are escaped inside strings. */
function goJson(value: unknown): string {
  const escapeUnit = (character: string) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  return JSON.stringify(value).replace(/[<>&\u2028\u2029]/g, escapeUnit);
}
