import { rename, writeFile } from "node:fs/promises";
import { saidOptions } from "../flux/installOptions.ts";
import type { FluxManifests, FluxOptions } from "../flux/manifests.ts";
import { chartManifest } from "../net/chartManifest.ts";
import { type Analysis, analyseChart, analysisHash } from "./analysis.ts";
import { findAttached } from "./attached.ts";
import { describeChanges } from "./changes.ts";
import { readChart } from "./chart.ts";
import { type FoundChart, lookUpChart, type Registry } from "./chartLookup.ts";
import { resolveImages, type WantedImage } from "./images.ts";
import {
  type ChartSource,
  called,
  chartSettings,
  type FluxSource,
  fitsChart,
  fitsFlux,
  isSupported,
  LOCK_VERSION,
  type Lock,
  LockError,
  type LockedChart,
  type LockedFlux,
  type LockedImage,
  loadLock,
  lockedRelease,
  lockText,
  type MirrorList,
  type MirrorSource,
  mirrored,
  pinnedMinor,
} from "./lock.ts";
import { arm64Warnings } from "./platforms.ts";
import { parseReference, type Reference, sourceOf } from "./reference.ts";
import { digestMark, fillDigests } from "./relocation.ts";
import { dependsOnKubernetes } from "./worlds.ts";

export interface UpdateOptions {
  /** Where the charts and images are listed, and where the lock is written. */
  readonly source: MirrorSource;
  readonly settings: MirrorList;
  /** Files of locks whose analyses may be used again; the lock itself always is one. */
  readonly bases: readonly string[];
  /** A client of the registry with this host. */
  readonly registry: (host: string) => Registry;
  /** The manifests of a Flux; called only when the settings bootstrap one. */
  readonly flux: (options: FluxOptions) => Promise<FluxManifests>;
  /** The path of Helm; called only when a chart must be analysed. */
  readonly helm: () => Promise<string>;
  /** The folder of what was rendered in earlier runs. @default nothing is kept */
  readonly cache?: string | undefined;
  /** The one chart or release to resolve; all others stay as they are locked. @default all of them */
  readonly only?: string | undefined;
  /** Receives what a person should know, a line at a time. */
  readonly log: (line: string) => void;
}

/** Where a repository does not say when a chart was made: any fixed time does, as long as it stays. */
const NO_TIME = "1970-01-01T00:00:00Z";

/**
 * Resolves charts and images anew and writes their lock.
 * @returns the lock and what changed, a line each ({@link describeChanges}).
 * @throws Error naming chart, image or file, and what to do.
 */
export async function updateLock(options: UpdateOptions): Promise<{ lock: Lock; changes: string[] }> {
  const { source, settings, log } = options;
  const path = source.lock;
  const own = await earlier(path, log);
  const bases = [own, ...(await Promise.all(options.bases.map((file) => earlierOrFail(file))))];
  const known = bases.filter((lock) => lock !== undefined);
  const kept = options.only === undefined ? undefined : keptBeside(options.only, own, options);
  const wantedCharts = mirrored(settings.charts).filter((chart) => kept === undefined || isCalled(chart, options.only));
  const resolved = await Promise.all(wantedCharts.map((chart) => findChart(chart, options)));
  const charts: ResolvedChart[] = [];
  // One after the other: rendering takes all processors there are.
  for (const { chart, found } of resolved) charts.push(await analysed(chart, found, known, options));

  const wanted: WantedImage[] = settings.images
    .map((image) => ({ reference: reference(image, source.images), by: source.images }))
    .filter(({ reference }) => !kept?.images.has(sourceOf(reference)));
  for (const { chart, analysis } of charts) {
    for (const reference of analysis.images)
      if (!isKept(reference, kept)) wanted.push({ reference, by: called(chart) });
  }
  const flux = kept
    ? kept.flux
    : settings.flux?.mode === "bootstrap"
      ? await lockedFlux(settings.flux, options)
      : undefined;
  for (const image of (kept ? undefined : flux?.images) ?? [])
    wanted.push({ reference: reference(image, source.images), by: "Flux" });
  const { images: found, warnings } = await resolveImages(
    wanted,
    own?.images ?? [],
    options.registry,
    settings.cluster,
  );
  for (const warning of warnings) log(`warning: ${warning}`);
  const images = [...found, ...(kept?.images.values() ?? [])];
  const digests = new Map(images.map(({ source, digest }) => [source, digest]));
  const anew = await Promise.all(charts.map((chart) => lockedChart(chart, digests, own, options)));
  const locked = [...anew, ...(kept?.charts ?? [])];
  checkTwins(locked);
  const text = lockText({
    version: LOCK_VERSION,
    charts: locked,
    images,
    ...(flux ? { flux } : {}),
  });
  await writeFile(`${path}.new`, text);
  await rename(`${path}.new`, path);
  const lock = JSON.parse(text) as Lock;
  for (const warning of arm64Warnings(lock, settings.cluster)) log(`warning: ${warning}`);
  return { lock, changes: describeChanges(own, lock) };
}

/** What an update of one chart leaves alone. */
interface Kept {
  readonly charts: readonly LockedChart[];
  /** Those that others than the chart need, by source. */
  readonly images: ReadonlyMap<string, LockedImage>;
  readonly flux: LockedFlux | undefined;
}

const isCalled = ({ name, release = name }: ChartSource, one: string | undefined): boolean =>
  release === one || name === one;

/** @throws Error where there is no such chart, or the lock does not fit the rest of the settings. */
function keptBeside(only: string, own: Lock | undefined, { settings, source }: UpdateOptions): Kept {
  const charts = mirrored(settings.charts);
  if (!charts.some((chart) => isCalled(chart, only))) {
    const names = charts.map(({ name, release = name }) => release).join(", ");
    throw new Error(`"${only}" is no chart or release of ${source.charts}; there are ${names || "none"}.`);
  }
  const all = `Run: ${source.update}`;
  if (own === undefined) throw new LockError(`${source.lock} does not exist yet, so all has to be resolved. ${all}`);
  const others = charts.filter((chart) => !isCalled(chart, only));
  const kept = others.map((chart) => {
    const locked = own.charts.find(lockedRelease(chart));
    if (!fitsChart(locked, chart, settings))
      throw new LockError(`${called(chart)} does not fit the lock either, so all has to be resolved. ${all}`);
    return locked;
  });
  if (!fitsFlux(own, settings))
    throw new LockError(`Flux does not fit the lock either, so all has to be resolved. ${all}`);
  const needed = new Set([
    ...kept.flatMap(({ images }) => images),
    ...(own.flux?.images ?? []),
    ...settings.images.map((image) => sourceOf(reference(image, source.images))),
  ]);
  const images = own.images.filter((image) => needed.has(image.source));
  return { charts: kept, images: new Map(images.map((image) => [image.source, image])), flux: own.flux };
}

/** Whether an image stays as it is locked: others run it too, and the chart asks for no other digest. */
function isKept(reference: Reference, kept: Kept | undefined): boolean {
  const image = kept?.images.get(sourceOf(reference));
  if (image === undefined) return false;
  if (reference.digest === undefined || reference.digest === image.digest) return true;
  throw new Error(
    `${image.source} is locked as ${image.digest}, which others run, and the chart asks for ${reference.digest}: ` +
      "update all without a name.",
  );
}

interface ResolvedChart {
  readonly chart: ChartSource;
  readonly found: FoundChart;
  readonly hash: string;
  /** The minor of Kubernetes that the analysis is for alone. */
  readonly kubernetes: string | undefined;
  readonly analysis: Analysis;
}

async function lockedFlux(flux: FluxSource, options: UpdateOptions): Promise<LockedFlux> {
  const { version, imageAutomation, imagePullSecret, install } = flux;
  const said = saidOptions(install);
  const { sha256, images } = await options.flux({
    version,
    imageAutomation,
    ...(imagePullSecret && { imagePullSecret }),
    ...(install && { install }),
  });
  return {
    version,
    ...(imageAutomation && { imageAutomation }),
    ...(imagePullSecret && { imagePullSecret }),
    ...(said && { install: said }),
    manifests: sha256,
    images,
  };
}

async function earlier(path: string, log: (line: string) => void): Promise<Lock | undefined> {
  try {
    return await loadLock(path, "It is made anew.");
  } catch (error) {
    if (!(error instanceof LockError)) throw error;
    log(error.message);
    return undefined;
  }
}

async function earlierOrFail(path: string): Promise<Lock> {
  const lock = await loadLock(path, "Give another --base, or none.", true);
  if (lock === undefined) throw new LockError(`${path} does not exist. Give another --base, or none.`);
  return lock;
}

/** A chart by the version that it is found in. */
async function findChart(chart: ChartSource, { registry }: UpdateOptions) {
  const found = await lookUpChart(chart, registry);
  return { chart: { ...chart, version: found.version }, found };
}

/** The registry has one chart of a name and version, whatever repositories they come from. */
function checkTwins(charts: readonly LockedChart[]): void {
  for (const [index, { name, version, manifest, url }] of charts.entries()) {
    const twin = charts.slice(0, index).find((other) => other.name === name && other.version === version);
    if (twin !== undefined && twin.manifest !== manifest)
      throw new Error(
        `${twin.url} and ${url} are two charts ${name} ${version} of other content, and the registry can have one of ` +
          "them only: take both releases from one repository, or in two versions.",
      );
  }
}

async function analysed(
  chart: ChartSource,
  found: FoundChart,
  bases: readonly Lock[],
  { helm, cache, log, settings, source }: UpdateOptions,
): Promise<ResolvedChart> {
  const { name, release = name, namespace } = chart;
  const { name: packed, version } = await chartManifest(found.tgz, NO_TIME);
  if (packed !== name || version !== chart.version) {
    throw new Error(`${found.url} holds the chart ${packed} ${version}, not ${name} ${chart.version}.`);
  }
  const values = { ...chart.values };
  const { ignoreImages, acceptForeign } = settings;
  const rules = { ignoreImages, acceptForeign };
  const kubeVersion = pinnedMinor(settings);
  const hash = analysisHash({ sha256: found.sha256, name: release, namespace, values, ...rules, kubeVersion });
  const depends =
    kubeVersion !== undefined && (!isSupported(kubeVersion) || dependsOnKubernetes(await readChart(found.tgz)));
  const resolved = { chart, found, hash, kubernetes: depends ? kubeVersion : undefined };
  for (const base of bases) {
    const known = base.charts.find(({ analysis }) => analysis === hash);
    if (known !== undefined) return { ...resolved, analysis: reused(known, base.images) };
  }
  log(`${called(chart)} ${version}: rendering it with Helm to find its images`);
  const analysis = await analyseChart(await helm(), { ...chart, tgz: found.tgz }, values, {
    ...rules,
    kubeVersion,
    cache,
    progress: log,
  });
  for (const warning of analysis.warnings) log(`warning: ${called(chart)}: ${warning}`);
  for (const { image, where } of missing(analysis, settings)) {
    log(
      `warning: ${called(chart)}: ${where}: a program may put ${image} together while it runs; it is not mirrored ` +
        `unless it is listed: ${source.images}: [${image}]`,
    );
  }
  return { ...resolved, analysis };
}

/** What a chart's programs may join while they run, and nobody lists. */
function missing({ offers = [] }: Analysis, { images }: MirrorList) {
  const listed = new Set(images.flatMap((image) => parseReference(image) ?? []).map(sourceOf));
  return offers.filter(({ kind, image }) => kind === "joined" && !listed.has(image));
}

/** An earlier analysis with marks again where the digests of that time were put. */
function reused(
  { accepted, images, pinned, values, postRender, patches = [] }: LockedChart,
  locked: readonly LockedImage[],
): Analysis {
  const references = images.map((source): Reference => {
    const digest = pinned?.[source];
    // A lock whose images have no such names is not read.
    return { ...(parseReference(source) as Reference), ...(digest === undefined ? {} : { digest }) };
  });
  let text = JSON.stringify({ values, postRender, patches });
  for (const { source, digest } of locked) {
    if (images.includes(source) && pinned?.[source] === undefined) text = text.replaceAll(digest, digestMark(source));
  }
  const marked = JSON.parse(text) as Pick<Analysis, "values" | "postRender" | "patches">;
  return { ...marked, images: references, warnings: [], ...(accepted ? { accepted } : {}) };
}

async function lockedChart(
  { chart, found, hash, kubernetes, analysis }: ResolvedChart,
  digests: ReadonlyMap<string, string>,
  own: Lock | undefined,
  { registry, settings }: UpdateOptions,
): Promise<LockedChart> {
  const old = own?.charts.find((locked) => locked.name === chart.name && locked.sha256 === found.sha256);
  const created = old?.created ?? found.created ?? NO_TIME;
  const digestOf = (source: string) => {
    const digest = digests.get(source);
    if (digest === undefined) throw new Error(`The chart ${chart.name} uses ${source}, which was not resolved.`);
    return digest;
  };
  const marked = { values: analysis.values, postRender: analysis.postRender, patches: analysis.patches ?? [] };
  const { values, postRender, patches } = JSON.parse(fillDigests(JSON.stringify(marked), digestOf)) as Required<
    Pick<LockedChart, "values" | "postRender" | "patches">
  >;
  const pinned = analysis.images.flatMap((image) =>
    image.digest && image.tag ? [[sourceOf(image), image.digest]] : [],
  );
  const { artifact } = found;
  const attached = artifact ? await findAttached(registry(artifact.host), artifact.repository, artifact.digest) : [];
  const { name, release = name } = chart;
  return {
    name,
    ...(release === name ? {} : { release }),
    repository: chart.repository,
    version: chart.version,
    url: found.url,
    sha256: found.sha256,
    settings: chartSettings(chart, settings, analysis.accepted),
    created,
    // What a publisher pushed and signed stays what it is.
    manifest: found.artifact?.digest ?? (await chartManifest(found.tgz, created)).manifestDigest,
    analysis: hash,
    ...(kubernetes === undefined ? {} : { kubernetes }),
    ...(analysis.accepted ? { accepted: analysis.accepted } : {}),
    images: [...new Set(analysis.images.map(sourceOf))].sort(),
    ...(attached.length === 0 ? {} : { attached }),
    ...(pinned.length === 0 ? {} : { pinned: Object.fromEntries(pinned.sort()) as Record<string, string> }),
    values,
    postRender,
    ...(patches.length > 0 ? { patches } : {}),
  };
}

function reference(image: string, key: string): Reference {
  const parsed = parseReference(image);
  if (parsed === undefined) throw new Error(`"${image}" is no image's name. Correct it in ${key}.`);
  return parsed;
}
