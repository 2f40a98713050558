import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type InstallOptions, saidOptions } from "../flux/installOptions.ts";
import { minorVersion } from "../net/kubernetesVersion.ts";
import { ownPath, REGISTRY_PLACEHOLDER } from "../net/registry/ownRegistry.ts";
import { isMap } from "../net/values.ts";
import { isExact, satisfies } from "../net/versionRange.ts";
import { lockFaults } from "./lockForm.ts";
import { parseReference, sourceOf } from "./reference.ts";
import { KUBE_VERSIONS } from "./worlds.ts";

/** The version of the lock's format; another one must be resolved anew. */
export const LOCK_VERSION = 2;

/** What a chart's settings were resolved to. */
export interface LockedChart {
  readonly name: string;
  /** The release's name, where it is not the chart's. */
  readonly release?: string;
  /** The repository of the settings: `https://...` or `oci://...`. */
  readonly repository: string;
  /** One exact version, also where the settings give a range. */
  readonly version: string;
  /** Where the tgz is: an `https://` URL, or `oci://host/path/name:version`. */
  readonly url: string;
  /** Hex SHA-256 of the tgz. */
  readonly sha256: string;
  /** Hex SHA-256 of the settings that were resolved ({@link chartSettings}). */
  readonly settings: string;
  /** RFC 3339, pinned; goes into the chart's manifest. */
  readonly created: string;
  /** `sha256:<hex>` of the OCI manifest that is pushed. */
  readonly manifest: string;
  /** Hex SHA-256 of what the analysis below was made from; equal means that it need not be made again. */
  readonly analysis: string;
  /**
   * The minor of Kubernetes that it was rendered for alone: `1.34`, where the settings pin one and the chart may render
   * other objects for another. None where it was rendered for all that AKS supports.
   */
  readonly kubernetes?: string;
  /** The images of the settings' `acceptForeign` without which it could not be mirrored. @default none */
  readonly accepted?: readonly string[];
  /** The images that the chart runs, as in {@link LockedImage.source}. */
  readonly images: readonly string[];
  /** The digests that the chart itself names, by image; none when it names tags alone. */
  readonly pinned?: Readonly<Record<string, string>>;
  /** Values that make the chart use the mirrored images; to be merged over the settings' values. */
  readonly values: Readonly<Record<string, unknown>>;
  /** What comes along, of a chart from an OCI registry. */
  readonly attached?: readonly AttachedManifest[];
  /** What no value reaches: images of a HelmRelease's `postRenderers[].kustomize.images`. */
  readonly postRender: readonly PostRenderImage[];
  /** Texts that no value reaches, as patches of a HelmRelease's `postRenderers[].kustomize.patches`. */
  readonly patches?: readonly PostRenderPatch[];
}

/** One entry of a kustomization's `images`. */
export interface PostRenderImage {
  /** The image's name as the chart writes it, without tag and digest. */
  readonly name: string;
  /** `{registry}/<repository>`. */
  readonly newName: string;
  /** `sha256:<hex>`; none where one name stands for several images, which keep their tags. */
  readonly digest?: string;
  /** The tag in the place of the one that is written. */
  readonly newTag?: string;
}

/** Texts of one object, replaced after rendering. */
export interface PostRenderPatch {
  readonly target: { readonly kind: string; readonly name: string; readonly namespace?: string };
  /** A JSON patch (RFC 6902). */
  readonly ops: readonly { readonly op: "test" | "replace"; readonly path: string; readonly value: string }[];
}

/** What belongs to an image or chart: a signature, an attestation, a bill of materials. */
export interface AttachedManifest {
  /** `sha256:<hex>` of its manifest. */
  readonly digest: string;
  /** Its tag, which is made of the digest of what it belongs to; none where it refers to that by itself. */
  readonly tag?: string;
}

/** One image to be imported. */
export interface LockedImage {
  /** Full name with host and tag (or digest), as `docker.io/library/nginx:1.29`. */
  readonly source: string;
  /** `sha256:<hex>` of the manifest or, for several platforms, of the index. */
  readonly digest: string;
  /** The repository in the target registry: `<source host>/<full repository>`. */
  readonly repository: string;
  /** The tag in the target registry; none for an image named by digest alone. */
  readonly tag?: string;
  /** What it runs on, where linux/amd64 or linux/arm64 is not among it; none where both are, or where nobody could tell. */
  readonly platforms?: readonly string[];
  /** What comes along into the same repository. */
  readonly attached?: readonly AttachedManifest[];
}

/**
 * The file `mirror.<stack>.lock.json`: everything mutable of the mirrored charts and images, pinned. Nothing in it is of the
 * whole, so that two branches that change other charts merge.
 */
export interface Lock {
  readonly version: typeof LOCK_VERSION;
  readonly charts: readonly LockedChart[];
  readonly images: readonly LockedImage[];
  /** The Flux that is bootstrapped; none where the cluster's extension brings it. */
  readonly flux?: LockedFlux;
}

/** What a Flux version was resolved to. */
export interface LockedFlux {
  readonly version: string;
  /** Whether its controllers of image automation are among it; only where they are. */
  readonly imageAutomation?: true;
  /** The Secret that its images are pulled with, where there is one. */
  readonly imagePullSecret?: string;
  /** How its controllers are installed, where the settings say it. */
  readonly install?: InstallOptions;
  /** Hex SHA-256 of its manifests, the registry left open. */
  readonly manifests: string;
  /** Its images, as in {@link LockedImage.source}. */
  readonly images: readonly string[];
}

/** The part of Flux's settings that the lock depends on. */
export interface FluxSource {
  readonly mode: "extension" | "bootstrap";
  readonly version: string;
  readonly imageAutomation: boolean;
  /** The Secret that its images are pulled with. @default none */
  readonly imagePullSecret?: string | undefined;
  /** How its controllers are installed. @default as the flux CLI does by itself */
  readonly install?: InstallOptions | undefined;
}

/** The part of a chart's settings that the lock depends on. */
export interface ChartSource {
  readonly name: string;
  /** The release's name. @default the chart's */
  readonly release?: string | undefined;
  readonly repository: string;
  /** One exact version, or a range. */
  readonly version: string;
  readonly namespace: string;
  readonly values?: Readonly<Record<string, unknown>>;
  /** The key that lists it, for messages. @default aks-gitops:charts */
  readonly listedIn?: string;
}

/** The key that lists a chart, for messages. */
export function listedIn(chart: Pick<ChartSource, "listedIn">): string {
  return chart.listedIn ?? "aks-gitops:charts";
}

/** A chart as it is named, and the release that it is for. */
interface Released {
  readonly name: string;
  readonly release?: string | undefined;
}

/** Whether a chart of a lock is the one of a release. */
export function lockedRelease({ name, release = name }: Released): (locked: Released) => boolean {
  return (locked) => locked.name === name && (locked.release ?? locked.name) === release;
}

/** A chart in the words of messages: with its release where that has another name. */
export function called({ name, release = name }: Released): string {
  return release === name ? `chart ${name}` : `chart ${name} (release ${release})`;
}

/** The charts that are mirrored: all but those that somebody else pushes into the stack's own registry. */
export function mirrored<T extends { readonly repository: string }>(charts: readonly T[]): T[] {
  return charts.filter(({ repository }) => ownPath(repository) === undefined);
}

/** What a person says of an image that charts name. */
export interface ImageRule {
  /** Its name, of all tags; or with the one tag or digest that is meant. */
  readonly image: string;
  readonly reason: string;
}

/** What people say of images that charts name. */
export interface ImageRules {
  /** What in charts looks like an image and is none, or never runs. @default none */
  readonly ignoreImages?: readonly ImageRule[] | undefined;
  /** Images of charts that may come from elsewhere. @default none */
  readonly acceptForeign?: readonly ImageRule[] | undefined;
}

/** The part of a cluster's settings that decides what its nodes are. */
export interface Pools {
  readonly systemPool?: { readonly vmSize: string } | undefined;
  readonly userPools?: readonly { readonly name: string; readonly vmSize: string }[] | undefined;
}

/** What the settings say of the cluster. */
export interface PinnedCluster {
  /** What charts are rendered for. @default charts are rendered for every Kubernetes that AKS supports */
  readonly cluster?: { readonly kubernetesVersion?: string | undefined } | undefined;
}

/** The charts and images that a lock is made of. */
export interface MirrorList extends ImageRules {
  readonly charts: readonly ChartSource[];
  readonly images: readonly string[];
  /** Default: Flux is not bootstrapped. */
  readonly flux?: FluxSource;
  /** What charts are rendered for, and the pools, for warnings. @default every supported Kubernetes, on linux/amd64 */
  readonly cluster?: (PinnedCluster["cluster"] & Pools) | undefined;
}

/** The part of a stack's settings that the lock depends on. */
export interface MirrorSettings extends MirrorList {
  readonly stack: string;
}

/** A list of charts and images in the words of messages, and where its lock is. */
export interface MirrorSource {
  /** The lock's path. */
  readonly lock: string;
  /** The whole name: `the settings of stack prod`. */
  readonly name: string;
  /** The name once it is known which is meant: `the settings`. */
  readonly short: string;
  /** The key of the charts: `aks-gitops:charts`. */
  readonly charts: string;
  /** The key of the images: `aks-gitops:images`. */
  readonly images: string;
  /** The command that makes the lock anew. */
  readonly update: string;
}

/** The lock's file name of a stack, beside Pulumi.yaml. */
export function lockName(stack: string): string {
  return `mirror.${stack}.lock.json`;
}

/**
 * The settings of a stack.
 * @param root the folder of Pulumi.yaml.
 */
export function stackSource(root: string, stack: string): MirrorSource {
  return {
    lock: join(root, lockName(stack)),
    name: `the settings of stack ${stack}`,
    short: "the settings",
    charts: "aks-gitops:charts",
    images: "aks-gitops:images",
    update: `npm run mirror -- update --stack ${stack}`,
  };
}

/**
 * Hex SHA-256 of the settings that a chart of a lock is made from; the order of keys does not matter.
 * @param rules what people say of images that charts name.
 * @param accepted the images of `acceptForeign` that the chart needs: what is accepted for others has no part in it.
 */
export function chartSettings(
  { name, release = name, repository, version, values }: ChartSource,
  { ignoreImages = [], acceptForeign: all = [] }: ImageRules = {},
  accepted: readonly string[] = [],
): string {
  const acceptForeign = all.filter(({ image }) => accepted.includes(image));
  return sha256(
    canonicalJson({
      ...{ name, ...(release === name ? {} : { release }), repository, version, values: values ?? {} },
      ...(ignoreImages.length > 0 ? { ignoreImages } : {}),
      ...(acceptForeign.length > 0 ? { acceptForeign } : {}),
    }),
  );
}

/** Hex SHA-256 of a text or bytes. */
export function sha256(body: string | Buffer): string {
  return createHash("sha256").update(body).digest("hex");
}

/** JSON with every map's keys sorted: equal values give equal text. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, item: unknown) =>
    typeof item === "object" && item !== null && !Array.isArray(item)
      ? Object.fromEntries(Object.entries(item).sort(([a], [b]) => (a < b ? -1 : 1)))
      : item,
  );
}

/** A lock that is missing, unreadable or no longer fits the settings; the message names the difference and the remedy. */
export class LockError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "LockError";
  }
}

/**
 * The lock of a stack, checked against its settings.
 * @param root the folder of Pulumi.yaml.
 * @throws LockError when the lock is missing, of another version, damaged or stale.
 */
export function readLock(root: string, settings: MirrorSettings): Promise<Lock> {
  return readLockOf(stackSource(root, settings.stack), settings);
}

/**
 * The lock of a list of charts and images, checked against it.
 * @throws LockError when the lock is missing, of another version, damaged or stale.
 */
export async function readLockOf(source: MirrorSource, list: MirrorList): Promise<Lock> {
  const { lock: path, name, update } = source;
  const remedy = `Run: ${update}`;
  const lock = await loadLock(path, remedy);
  if (lock === undefined) {
    throw new LockError(`${path} does not exist, so nothing says which digests to mirror. ${remedy}`);
  }
  const differences = staleness(lock, list, source);
  if (differences.length === 0) return lock;
  throw new LockError(`${path} does not fit ${name}: ${differences.join("; ")}. ${remedy}`);
}

/** Whether the Flux of a lock was made from that of the settings; the version of one that is not bootstrapped is nothing. */
export function fitsFlux(lock: Pick<Lock, "flux">, { flux }: Pick<MirrorList, "flux">): boolean {
  if (flux?.mode !== "bootstrap") return lock.flux === undefined;
  const { version, imageAutomation = false, imagePullSecret, install } = lock.flux ?? {};
  return (
    flux.version === version &&
    flux.imageAutomation === imageAutomation &&
    flux.imagePullSecret === imagePullSecret &&
    canonicalJson({ ...install }) === canonicalJson({ ...saidOptions(flux.install) })
  );
}

/** Whether a chart of a lock was made from a chart of the settings; a range that its version is within fits as it is. */
export function fitsChart(
  locked: LockedChart | undefined,
  chart: ChartSource,
  rules: ImageRules & PinnedCluster,
): locked is LockedChart {
  return (
    locked !== undefined &&
    satisfies(locked.version, chart.version) &&
    fitsKubernetes(locked, rules) &&
    locked.settings === chartSettings({ ...chart, version: locked.version }, rules, locked.accepted)
  );
}

/** The minor of Kubernetes that the settings pin. */
export function pinnedMinor({ cluster }: PinnedCluster): string | undefined {
  const version = cluster?.kubernetesVersion;
  return version === undefined ? undefined : minorVersion(version);
}

const SUPPORTED = KUBE_VERSIONS.map(minorVersion);

/** Whether a minor is among those that charts are rendered for where none is pinned. */
export function isSupported(minor: string | undefined): boolean {
  return minor === undefined || SUPPORTED.includes(minor);
}

/** Whether a chart of a lock was rendered for the Kubernetes that the settings pin, or for any where they pin none. */
function fitsKubernetes({ kubernetes }: LockedChart, settings: PinnedCluster): boolean {
  const pinned = pinnedMinor(settings);
  return kubernetes === undefined ? isSupported(pinned) : kubernetes === pinned;
}

function describeKubernetes({ kubernetes }: LockedChart, settings: PinnedCluster): string {
  const rendered = kubernetes ?? `${SUPPORTED[0]} to ${SUPPORTED.at(-1)}`;
  const pinned = pinnedMinor(settings);
  return (
    `is rendered for Kubernetes ${rendered} in the lock, ` +
    (pinned === undefined ? "and cluster.kubernetesVersion pins none" : `cluster.kubernetesVersion is ${pinned}`)
  );
}

/**
 * A lock as it is in its file; undefined when there is no such file.
 * @param remedy what to do about a damaged file, added to the error.
 * @param isBase whether nothing but its analyses is used. @default false
 * @throws LockError when the file is no lock of this version.
 */
export async function loadLock(path: string, remedy: string, isBase = false): Promise<Lock | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  let lock: unknown;
  try {
    lock = JSON.parse(text);
  } catch (error) {
    throw new LockError(`${path} is no JSON (a merge conflict?): ${(error as Error).message}. ${remedy}`);
  }
  if (!isMap(lock)) throw new LockError(`${path} holds no lock. ${remedy}`);
  if (lock.version !== LOCK_VERSION) {
    throw new LockError(
      `${path} has the format version ${JSON.stringify(lock.version)}, this program reads ${LOCK_VERSION}. ${remedy}`,
    );
  }
  if (!Array.isArray(lock.charts) || !Array.isArray(lock.images)) {
    throw new LockError(`${path} lacks its charts or images. ${remedy}`);
  }
  const faults = lockFaults(lock, isBase);
  if (faults.length > 0) throw new LockError(`${path} is damaged: ${faults.join("; ")}. ${remedy}`);
  return lock as unknown as Lock;
}

/** The name under which the lock lists an image of the settings; a text that is no image stays as it is. */
export function imageSource(image: string): string {
  const reference = parseReference(image);
  return reference === undefined ? image : sourceOf(reference);
}

function staleness(lock: Lock, settings: MirrorList, { short, charts: key }: MirrorSource): string[] {
  const differences: string[] = [];
  const flux = settings.flux?.mode === "bootstrap" ? settings.flux.version : undefined;
  if (lock.flux?.version !== flux) {
    differences.push(`Flux is ${lock.flux?.version ?? "not"} in the lock, ${flux ?? "not bootstrapped"} in ${short}`);
  } else if (!fitsFlux(lock, settings)) differences.push("Flux's controllers or what installs them changed");
  const charts = mirrored(settings.charts);
  for (const chart of charts) {
    const name = called(chart);
    const locked = lock.charts.find(lockedRelease(chart));
    if (locked === undefined) differences.push(`${name} is not in the lock`);
    else if (!satisfies(locked.version, chart.version)) {
      differences.push(
        isExact(chart.version)
          ? `${name} is ${locked.version} in the lock, ${chart.version} in ${short}`
          : `${name} is ${locked.version} in the lock, which is not within ${chart.version} of ${key}`,
      );
    } else if (locked.repository !== chart.repository) {
      differences.push(`${name} comes from ${locked.repository} in the lock, not ${chart.repository}`);
    } else if (!fitsKubernetes(locked, settings)) {
      differences.push(`${name} ${describeKubernetes(locked, settings)}`);
    } else if (!fitsChart(locked, chart, settings)) {
      differences.push(`${name} has other values, or ignoreImages and acceptForeign say something else of its images`);
    }
  }
  for (const locked of lock.charts) {
    if (!charts.some((chart) => lockedRelease(chart)(locked)))
      differences.push(`${called(locked)} is in the lock only`);
  }
  const charted = new Set([...lock.charts.flatMap(({ images }) => images), ...(lock.flux?.images ?? [])]);
  const listed = new Set(lock.images.map(({ source }) => source));
  const wanted = new Set(settings.images.map(imageSource));
  for (const image of wanted) {
    if (!listed.has(image)) differences.push(`image ${image} is not in the lock`);
  }
  for (const source of listed) {
    if (!charted.has(source) && !wanted.has(source)) differences.push(`image ${source} is in the lock only`);
  }
  return differences;
}

/** A lock as it is written: charts and images in order, the keys of values too. */
export function lockText(lock: Lock): string {
  const key = ({ name, release = name }: LockedChart) => `${name} ${release}`;
  const charts = [...lock.charts].sort((a, b) => (key(a) < key(b) ? -1 : 1));
  const images = [...lock.images].sort((a, b) => (a.source < b.source ? -1 : 1));
  const ordered = charts.map((chart) => ({ ...chart, values: JSON.parse(canonicalJson(chart.values)) as unknown }));
  return `${JSON.stringify({ ...lock, charts: ordered, images }, null, 2)}\n`;
}

/** A copy of a lock's values with the registry's login server in the place of `{registry}`, at any depth. */
export function relocate<T>(value: T, loginServer: string): T {
  if (typeof value === "string") return value.replaceAll(REGISTRY_PLACEHOLDER, loginServer) as T;
  if (Array.isArray(value)) return value.map((item: unknown) => relocate(item, loginServer)) as T;
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, relocate(item, loginServer)])) as T;
  }
  return value;
}
