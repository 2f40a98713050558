import { parse } from "yaml";
import { CHART_MEDIA_TYPES } from "../net/chartManifest.ts";
import { describe } from "../net/describe.ts";
import { type Answer, send } from "../net/http.ts";
import type { RegistryClient } from "../net/registry/client.ts";
import { isMap } from "../net/values.ts";
import { compareVersions, highestOf, isExact } from "../net/versionRange.ts";
import { type ChartSource, listedIn, sha256 } from "./lock.ts";
import type { YamlMap } from "./tree.ts";

/** What is read of a registry. */
export type Registry = Pick<RegistryClient, "head" | "manifest" | "blob" | "tags" | "referrers">;

/** A chart as it was found. */
export interface FoundChart {
  /** The version: the highest one, where a range was asked for. */
  readonly version: string;
  /** `https://...` or `oci://host/path/name:version`. */
  readonly url: string;
  readonly tgz: Buffer;
  /** Hex SHA-256 of the tgz. */
  readonly sha256: string;
  /** RFC 3339, when the chart was made, as far as its repository says so. */
  readonly created?: string;
  /** Of a chart in an OCI registry: where it is, and the digest of its manifest there. */
  readonly artifact?: { readonly host: string; readonly repository: string; readonly digest: string };
}

/** How many versions or names an error offers. */
const OFFERED = 5;

/**
 * Finds and downloads a chart from its repository: an index.yaml over HTTPS (https://helm.sh/docs/topics/chart_repository)
 * or an OCI registry. Of a range of versions it is the highest.
 * @throws Error naming chart, repository and what is there instead.
 */
export async function lookUpChart(chart: ChartSource, registry: (host: string) => Registry): Promise<FoundChart> {
  if (chart.repository.startsWith("oci://")) {
    const base = chart.repository.replace(/\/+$/, "");
    const version = isExact(chart.version) ? chart.version : await newestTag(chart, base, registry);
    return { version, ...(await fromRegistry(chart, `${base}/${chart.name}:${version}`, registry)) };
  }
  const base = `${chart.repository.replace(/\/+$/, "")}/`;
  const { url, version, digest, created } = entryOf(chart, await index(chart, `${base}index.yaml`), base);
  const found = url.startsWith("oci://")
    ? await fromRegistry(chart, url, registry)
    : verified(await download(chart, url), url);
  if (digest !== undefined && digest !== found.sha256) {
    throw new Error(
      `${url} has the SHA-256 ${found.sha256}, but ${base}index.yaml says ${digest}. ` +
        "The archive was changed or damaged; ask the chart's makers before using it.",
    );
  }
  return { version, ...found, ...(created === undefined ? {} : { created }) };
}

/**
 * The highest version of a chart above the one that is there: within its range, else of all that are no prereleases.
 * @returns undefined where there is none.
 */
export async function newerVersions(
  chart: ChartSource,
  version: string,
  registry: (host: string) => Registry,
): Promise<string | undefined> {
  const all = await versionsOf(chart, registry);
  const newer = all.filter((one) => compareVersions(one, version) > 0);
  return highestOf(newer, chart.version) ?? highestOf(newer, ">=0.0.0");
}

async function versionsOf(chart: ChartSource, registry: (host: string) => Registry): Promise<string[]> {
  const base = chart.repository.replace(/\/+$/, "");
  if (chart.repository.startsWith("oci://")) return (await tagsOf(chart, base, registry)).versions;
  const versions = (await index(chart, `${base}/index.yaml`))[chart.name];
  return Array.isArray(versions) ? versions.filter(isMap).map((one) => String(one.version)) : [];
}

/** The highest version of an OCI registry that is within a chart's range. */
async function newestTag(chart: ChartSource, base: string, registry: (host: string) => Registry): Promise<string> {
  const { host, repository, versions } = await tagsOf(chart, base, registry);
  if (versions.length === 0) throw new Error(`${host} has no chart ${repository}. ${settingsOf(chart)}`);
  return highest(chart, versions, base);
}

async function tagsOf(chart: ChartSource, base: string, registry: (host: string) => Registry) {
  const [, host = "", path = ""] = /^oci:\/\/([^/]+)\/?(.*)$/.exec(base) ?? [];
  const repository = path === "" ? chart.name : `${path}/${chart.name}`;
  // Tags have no plus sign, so Helm writes an underscore.
  const versions = (await registry(host).tags(repository)).map((tag) => tag.replaceAll("_", "+"));
  return { host, repository, versions };
}

function highest(chart: ChartSource, versions: readonly string[], place: string): string {
  const found = highestOf(versions, chart.version);
  if (found !== undefined) return found;
  const newest = [...versions].sort(compareVersions).reverse().slice(0, OFFERED).join(", ");
  throw new Error(
    `${place} has no version of the chart ${chart.name} within ${chart.version}; the newest are ${newest}. ` +
      settingsOf(chart),
  );
}

type Archive = Omit<FoundChart, "version">;

function verified(tgz: Buffer, url: string): Archive {
  return { url, tgz, sha256: sha256(tgz) };
}

async function index(chart: ChartSource, url: string): Promise<YamlMap> {
  const text = (await download(chart, url)).toString("utf8");
  let content: unknown;
  try {
    content = parse(text, { logLevel: "silent" });
  } catch (error) {
    throw new Error(`${url} is no YAML: ${describe(error)}. ${settingsOf(chart)}`);
  }
  if (isMap(content) && isMap(content.entries)) return content.entries;
  throw new Error(`${url} is not the index of a chart repository. ${settingsOf(chart)}`);
}

async function download(chart: ChartSource, url: string): Promise<Buffer> {
  let response: Answer;
  try {
    response = await send(url, {}, { repeatable: true });
  } catch (error) {
    throw new Error(
      `${url} cannot be reached: ${describe(error)}. Check the network, HTTPS_PROXY and ` +
        `the repository of the chart ${chart.name} in ${listedIn(chart)}.`,
    );
  }
  if (response.ok) return response.body;
  throw new Error(`${`${url} answers ${response.status} ${response.statusText}`.trimEnd()}. ${settingsOf(chart)}`);
}

function entryOf(chart: ChartSource, entries: YamlMap, base: string) {
  const { name } = chart;
  const versions = entries[name];
  if (!Array.isArray(versions)) {
    const names = Object.keys(entries).sort(byLikeness(name)).slice(0, OFFERED).join(", ");
    throw new Error(`${base} has no chart ${name}; among others it has ${names}. ${settingsOf(chart)}`);
  }
  const offered = versions.filter(isMap).map((candidate) => String(candidate.version));
  const version = isExact(chart.version) ? chart.version : highest(chart, offered, base);
  const entry = versions.filter(isMap).find((candidate) => String(candidate.version) === version);
  if (entry === undefined) {
    const near = nearVersions(version, offered);
    throw new Error(
      `${base} has no version ${version} of the chart ${name}; near it are ${near.join(", ")}. ${settingsOf(chart)}`,
    );
  }
  const [place] = Array.isArray(entry.urls) ? entry.urls : [];
  const url = typeof place === "string" && URL.canParse(place, base) ? new URL(place, base).href : undefined;
  if (url === undefined || !/^(https|oci):/.test(url)) {
    throw new Error(
      `${base}index.yaml gives ${JSON.stringify(place)} as the URL of ${name} ${version}; it must be https:// or oci://.`,
    );
  }
  return { url, version, digest: hexDigest(entry.digest), created: time(entry.created) };
}

async function fromRegistry(chart: ChartSource, url: string, registry: (host: string) => Registry): Promise<Archive> {
  const [, host = "", repository = "", version = ""] = /^oci:\/\/([^/]+)\/(.+):([^:/]+)$/.exec(url) ?? [];
  const client = registry(host);
  // Tags have no plus sign, so Helm writes an underscore.
  const found = await client.manifest(repository, version.replaceAll("+", "_"));
  if (found === undefined) throw new Error(`${host} has no chart ${repository}:${version}. ${settingsOf(chart)}`);
  const manifest: unknown = JSON.parse(found.body.toString("utf8"));
  const layers = isMap(manifest) && Array.isArray(manifest.layers) ? manifest.layers.filter(isMap) : [];
  const layer = layers.find(({ mediaType }) => mediaType === CHART_MEDIA_TYPES.layer);
  if (layer === undefined)
    throw new Error(`${url} is no Helm chart: it has no layer ${CHART_MEDIA_TYPES.layer}. ${settingsOf(chart)}`);
  const annotations = isMap(manifest) && isMap(manifest.annotations) ? manifest.annotations : {};
  const created = time(annotations["org.opencontainers.image.created"]);
  return {
    ...verified(await client.blob(repository, String(layer.digest)), url),
    ...(created === undefined ? {} : { created }),
    artifact: { host, repository, digest: found.digest },
  };
}

function settingsOf(chart: ChartSource): string {
  return `Correct name, version or repository of the chart ${chart.name} in ${listedIn(chart)}.`;
}

function hexDigest(value: unknown): string | undefined {
  return typeof value === "string" ? /^(?:sha256:)?([0-9a-f]{64})$/.exec(value)?.[1] : undefined;
}

function time(value: unknown): string | undefined {
  return typeof value === "string" && /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(value)
    ? value
    : undefined;
}

/** The nearest versions: of the same minor version, of the same major version, then the newest. */
function nearVersions(wanted: string, versions: readonly string[]): string[] {
  const numbers = (version: string) => version.replace(/^v/, "").split(/[.+-]/).slice(0, 3).map(Number);
  const [major, minor] = numbers(wanted);
  const distance = (version: string) => {
    const [a, b] = numbers(version);
    return a !== major ? 2 : b !== minor ? 1 : 0;
  };
  const newestFirst = (a: string, b: string) => b.localeCompare(a, "en", { numeric: true });
  return [...versions].sort((a, b) => distance(a) - distance(b) || newestFirst(a, b)).slice(0, OFFERED);
}

function byLikeness(wanted: string): (a: string, b: string) => number {
  const distance = (name: string) => (name.includes(wanted) || wanted.includes(name) ? 0 : 1);
  return (a, b) => distance(a) - distance(b) || (a < b ? -1 : 1);
}
