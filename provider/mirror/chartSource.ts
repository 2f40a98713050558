// Where a chart's tgz comes from: a chart repository (HTTPS) or an OCI registry.

import { createHash } from "node:crypto";
import { CHART_MEDIA_TYPES } from "../../net/chartManifest.ts";
import { describe } from "../../net/describe.ts";
import { type Answer, send } from "../../net/http.ts";
import type { RegistryLogin } from "../../net/registry/client.ts";
import { type Registries, registryUntil } from "../azure/cloud.ts";

/** What the lock says of a chart's source. */
export interface ChartSource {
  /** `https://.../kured-6.1.0.tgz` or `oci://host/path/name:version`. */
  readonly url: string;
  /** Of the tgz, hex. */
  readonly sha256: string;
  readonly credentials?: RegistryLogin;
}

/** A chart as it was downloaded. */
export interface Download {
  readonly tgz: Buffer;
  /** Of a chart in an OCI registry: its manifest, and all that it refers to. */
  readonly artifact?: { readonly manifest: Buffer; readonly mediaType: string; readonly blobs: readonly Buffer[] };
}

/** Where a chart is in an OCI registry; undefined for one of a chart repository. @throws Error for another form. */
export function chartPlace(url: string): { host: string; repository: string; tag: string } | undefined {
  if (!url.startsWith("oci://")) return undefined;
  const [, host, repository, version] = /^oci:\/\/([^/]+)\/(.+):([^:/]+)$/.exec(url) ?? [];
  if (!host || !repository || !version) throw new Error(`"${url}" is not oci://<host>/<repository>:<version>`);
  return { host, repository, tag: version.replaceAll("+", "_") };
}

/**
 * Downloads a chart and verifies it.
 * @throws Error naming the URL when it cannot be had, or its content is another one than the lock's.
 */
export async function downloadChart(cloud: Registries, source: ChartSource, signal: AbortSignal): Promise<Download> {
  const { url, sha256 } = source;
  const download = (await fromRegistry(cloud, source, signal)) ?? { tgz: await fromRepository(url, signal) };
  const actual = createHash("sha256").update(download.tgz).digest("hex");
  if (actual === sha256) return download;
  throw new Error(
    `${url} has the SHA-256 ${actual}, not ${sha256} as when it was locked: somebody changed a published chart. ` +
      "Find out why before you take it with `npm run mirror -- update`",
  );
}

async function fromRepository(url: string, signal: AbortSignal): Promise<Buffer> {
  let response: Answer;
  try {
    response = await send(url, {}, { signal, repeatable: true });
  } catch (error) {
    signal.throwIfAborted();
    throw new Error(`${url} cannot be downloaded: ${describe(error)}`);
  }
  if (response.ok) return response.body;
  throw new Error(`${url} cannot be downloaded: ${response.status} ${response.statusText}`.trimEnd());
}

interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
}

async function fromRegistry(
  cloud: Registries,
  { url, credentials }: ChartSource,
  signal: AbortSignal,
): Promise<Download | undefined> {
  const place = chartPlace(url);
  if (place === undefined) return undefined;
  const { host, repository, tag } = place;
  const registry = registryUntil(cloud, host, signal, credentials);
  const found = await registry.manifest(repository, tag);
  if (found === undefined) throw new Error(`${host} has no chart ${repository}:${tag}`);
  const content = JSON.parse(found.body.toString()) as { config?: Descriptor; layers?: Descriptor[] };
  const { config, layers = [] } = content;
  const layer = layers.find(({ mediaType }) => mediaType === CHART_MEDIA_TYPES.layer);
  if (layer === undefined) throw new Error(`${url} is not a Helm chart: it has no layer of ${CHART_MEDIA_TYPES.layer}`);
  const tgz = await registry.blob(repository, layer.digest);
  const others = [...(config ? [config] : []), ...layers].filter((one) => one !== layer);
  const blobs = await Promise.all(others.map(({ digest }) => registry.blob(repository, digest)));
  const { body: manifest, mediaType } = found;
  return { tgz, artifact: { manifest, mediaType, blobs: [tgz, ...blobs] } };
}
