// What the public registries and chart repositories of a rehearsal hold: what the stack's settings ask for, and no more.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parse } from "yaml";
import { mirrored } from "../../mirror/lock.ts";
import { readTarGz } from "../../net/archive.ts";
import { chartManifest } from "../../net/chartManifest.ts";
import { highestOf, isExact } from "../../net/versionRange.ts";
import type { ChartSetting as FullChartSetting } from "../../settings/settings.ts";
import type { ChartRepository } from "../cloud/registry/charts.ts";
import { MEDIA } from "../cloud/registry/protocol.ts";
import type { UpstreamImage } from "../cloud/registry/upstream.ts";
import { CREATED, imageContent, parseReference } from "./image.ts";
import { ownCharts, type PackedChart } from "./ownCharts.ts";

/**
 * Where real charts stand, which are served instead of the rehearsal's own: the checkout's folder for those of its
 * user, then one beside the checkout. Neither need exist.
 */
const REAL_CHARTS = ["../../rehearsal-charts", "../../../shared/charts"].map((path) =>
  resolve(import.meta.dirname, path),
);

export interface UpstreamOptions {
  /**
   * A folder of `NAME-VERSION.tgz` charts to prefer; it need not exist.
   * @default `rehearsal-charts` of the checkout, then one beside it
   */
  readonly realCharts?: string;
  /** References of images that charts use beyond `image.repository` and `image.tag` of their values. */
  readonly extraImages?: readonly string[];
}

export interface UpstreamContent {
  /** For `new UpstreamRegistries(images)`; OCI charts are among them. */
  readonly images: readonly UpstreamImage[];
  /** For `ChartRepositories`. */
  readonly repositories: readonly ChartRepository[];
}

type ChartSetting = Pick<FullChartSetting, "name" | "repository" | "version"> & {
  readonly values?: Readonly<Record<string, unknown>> | undefined;
};

/**
 * The content for a stack's settings.
 * @throws Error for a chart that the rehearsal has no content for, and for an image pinned to a digest that it cannot make.
 */
export async function upstreamContent(
  settings: { readonly charts: readonly ChartSetting[]; readonly images: readonly string[] },
  options: UpstreamOptions = {},
): Promise<UpstreamContent> {
  const folders = options.realCharts === undefined ? REAL_CHARTS : [options.realCharts];
  const charts = mirrored(settings.charts).map((setting) => ({ setting, packed: findChart(setting, folders) }));
  const ofCharts = await Promise.all(charts.map(({ setting, packed }) => chartImages(setting, packed)));
  const references = new Set([...settings.images, ...ofCharts.flat(), ...(options.extraImages ?? [])]);
  const oci = charts.filter(({ setting }) => setting.repository.startsWith("oci://"));
  const https = charts.filter(({ setting }) => !setting.repository.startsWith("oci://"));
  const urls = [...new Set(https.map(({ setting }) => setting.repository))];
  return {
    images: [
      ...[...references].map(seed),
      ...(await Promise.all(oci.map(({ setting, packed }) => chartArtifact(setting.repository, packed)))),
    ],
    repositories: urls.map((url) => ({
      url,
      // A chart may have several releases.
      charts: [
        ...new Map(
          https
            .filter(({ setting }) => setting.repository === url)
            .map(({ packed }) => [`${packed.name} ${packed.version}`, packed.tgz]),
        ).values(),
      ],
    })),
  };
}

/** The chart that is served for a setting. @throws Error where there is none. */
export function servedChart(setting: ChartSetting): PackedChart {
  return findChart(setting, REAL_CHARTS);
}

/** A chart as the highest version that can be served, where its setting gives a range. */
function findChart(setting: ChartSetting, folders: readonly string[]): PackedChart {
  if (isExact(setting.version)) return findVersion(setting, folders);
  const own = ownCharts().filter(({ name }) => name === setting.name);
  const served = folders
    .filter(existsSync)
    .flatMap((folder) => readdirSync(folder))
    .filter((file) => file.startsWith(`${setting.name}-`) && file.endsWith(".tgz"))
    .map((file) => file.slice(setting.name.length + 1, -".tgz".length));
  const versions = [...own.map(({ version }) => version), ...served];
  return findVersion({ ...setting, version: highestOf(versions, setting.version) ?? setting.version }, folders);
}

function findVersion({ name, version, repository }: ChartSetting, folders: readonly string[]): PackedChart {
  const wanted = `${name}-${version}.tgz`;
  const file = folders.map((folder) => join(folder, wanted)).find((path) => existsSync(path));
  if (file !== undefined) return { name, version, tgz: readFileSync(file) };
  const all = ownCharts();
  const own = all.find((chart) => chart.name === name && chart.version === version);
  if (own !== undefined) return own;
  const real = folders.filter(existsSync).flatMap((folder) => readdirSync(folder));
  const known = new Set([
    ...all.map((chart) => `${chart.name}-${chart.version}.tgz`),
    ...real.filter((entry) => entry.endsWith(".tgz")),
  ]);
  // A URL may hold a password.
  const url = repository.replace(/\/\/[^/]*@/, "//").replace(/\/+$/, "");
  const source = url.startsWith("oci://") ? `${url}/${name}` : `${name} --repo ${url}`;
  throw new Error(
    `The rehearsal cannot serve the chart ${name} ${version} (aks-gitops:charts, repository ${url}). ` +
      `It can serve ${[...known].sort().join(", ")}. Put ${wanted} into ${folders[0]}, ` +
      `with \`helm pull ${source} --version ${version} --destination ${folders[0]}\`, ` +
      "or leave the chart out of the rehearsed stack.",
  );
}

/** The image that a chart's own and the setting's values name in `image`; other images are for the caller to find. */
async function chartImages(setting: ChartSetting, { name, tgz }: PackedChart): Promise<string[]> {
  const files = await readTarGz(tgz);
  const read = (path: string): Record<string, unknown> =>
    parse(files.find((file) => file.path === `${name}/${path}`)?.content.toString("utf8") ?? "{}") ?? {};
  const image = { ...map(read("values.yaml").image), ...map(setting.values?.image) };
  const tag = image.tag || read("Chart.yaml").appVersion;
  return typeof image.repository === "string" && tag ? [`${image.repository}:${String(tag)}`] : [];
}

function map(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function seed(reference: string): UpstreamImage {
  const image = imageContent(reference);
  const { digest } = parseReference(reference);
  if (digest === undefined || digest === image.digest) return image;
  throw new Error(
    `The rehearsal cannot serve ${reference}: the image it makes for that name has the digest ${image.digest}. ` +
      `Name the image by its tag alone, or with that digest.`,
  );
}

/** A chart as `helm push` puts it into an OCI registry, below the repository of the setting. */
async function chartArtifact(repository: string, { name, tgz }: PackedChart): Promise<UpstreamImage> {
  const { manifest, config, version } = await chartManifest(tgz, CREATED);
  const target = parseReference(`${repository.slice("oci://".length).replace(/\/$/, "")}/${name}`);
  return {
    registry: target.registry,
    repository: target.repository,
    tags: [version.replaceAll("+", "_")],
    blobs: [config, tgz],
    manifests: [{ mediaType: MEDIA.ociManifest, body: manifest }],
  };
}
