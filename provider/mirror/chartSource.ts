// Where a chart's tgz comes from: a chart repository (HTTPS) or an OCI registry.

import { createHash } from "node:crypto";
import { CHART_MEDIA_TYPES } from "../../net/chartManifest.ts";
import { describe } from "../../net/describe.ts";
import { type Answer, send } from "../../net/http.ts";
import { type Cloud, registryUntil } from "../azure/cloud.ts";

/**
 * Downloads a chart and verifies it.
 * @param url `https://.../kured-6.1.0.tgz` or `oci://host/path/name:version`.
 * @param sha256 of the tgz, hex.
 * @throws Error naming the URL when it cannot be had, or its content is another one than the lock's.
 */
export async function downloadChart(cloud: Cloud, url: string, sha256: string, signal: AbortSignal): Promise<Buffer> {
  const tgz = url.startsWith("oci://") ? await fromRegistry(cloud, url, signal) : await fromRepository(url, signal);
  const actual = createHash("sha256").update(tgz).digest("hex");
  if (actual === sha256) return tgz;
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

async function fromRegistry(cloud: Cloud, url: string, signal: AbortSignal): Promise<Buffer> {
  const [, host, repository, tag] = /^oci:\/\/([^/]+)\/(.+):([^:/]+)$/.exec(url) ?? [];
  if (!host || !repository || !tag) throw new Error(`"${url}" is not oci://<host>/<repository>:<version>`);
  const registry = registryUntil(cloud, host, signal);
  const found = await registry.manifest(repository, tag.replaceAll("+", "_"));
  if (found === undefined) throw new Error(`${host} has no chart ${repository}:${tag}`);
  const { layers = [] } = JSON.parse(found.body.toString()) as { layers?: { mediaType: string; digest: string }[] };
  const layer = layers.find(({ mediaType }) => mediaType === CHART_MEDIA_TYPES.layer);
  if (layer === undefined) throw new Error(`${url} is not a Helm chart: it has no layer of ${CHART_MEDIA_TYPES.layer}`);
  return registry.blob(repository, layer.digest);
}
