import { imageSource, type Lock, type LockedImage, lockedRelease, relocate } from "../../mirror/lock.ts";
import { ownPath } from "../../net/registry/ownRegistry.ts";
import { CHART, DEMO as DEMO_DEFAULTS } from "../defaults.ts";
import { appSeeds, kustomization, type MarkedImage } from "./demo.ts";
import { clusterFiles, decryptedFolders, type Kustomization, kustomizationsOf } from "./kustomizations.ts";
import { appsFolder, CONFIGURATION, type Configuration, DEMO, infrastructureFolder, releaseName } from "./names.ts";
import { folderOf } from "./order.ts";
import { mirroredPlace, overlay, type Release, type ReleasePolicy, releaseFiles } from "./releases.ts";
import { type Source, sourceFiles } from "./sources.ts";
import { overlayStart } from "./start.ts";
import { EXISTING_NAMESPACES } from "./taken.ts";
import { type Manifest, toYaml } from "./yaml.ts";

/** A chart, and how it is released: one of the lock, or one that somebody else pushes into the stack's own registry. */
export interface Chart extends ReleasePolicy {
  /** The chart's name. */
  readonly name: string;
  /** The release's name, Helm's and that of its objects. @default the chart's */
  readonly release?: string | undefined;
  /** `oci://{registry}/<path>` for a chart that somebody else pushes into the registry. @default the lock knows the chart */
  readonly repository?: string | undefined;
  /** Of such a chart: one exact version, or a range with `follow`. @default the lock's */
  readonly version?: string | undefined;
  /** Of such a chart: whether Flux takes the highest version of the range, at most 10 minutes after it was pushed. @default false */
  readonly follow?: boolean | undefined;
  /** Where its objects go. */
  readonly namespace: string;
  /** The chart's values. @default none */
  readonly values?: Manifest | undefined;
}

/** The demo application. */
export interface Demo {
  /** Its image upstream, as in the lock. */
  readonly image: string;
  /** How many pods run. @default 1 */
  readonly replicas?: number | undefined;
  /**
   * The ImagePolicy of Flux's namespace whose image runs: name and tag then stand, marked for Flux's image automation, in
   * people's own `apps/<stack>/kustomization.yaml`, and the program says no more about them. @default none: the lock's
   */
  readonly imagePolicy?: string | undefined;
}

export interface RepositoryOptions {
  readonly stack: string;
  /** The registry that everything was mirrored into. */
  readonly loginServer: string;
  readonly charts: readonly Chart[];
  /** What charts and images were resolved to. */
  readonly lock: Pick<Lock, "charts" | "images">;
  /** The secrets that are encrypted into the repository. */
  readonly secrets: readonly { readonly name: string; readonly namespace: string }[];
  /** A Secret of Flux's namespace whose user name and password pull charts; default: Flux's own identity pulls. */
  readonly pullSecret?: string | undefined;
  /** The Secret of the namespaces that images are pulled with; default: the nodes may pull. */
  readonly imagePullSecret?: string | undefined;
  /** A Secret of Flux's namespace that decrypts; default: Flux's own identity does. */
  readonly decryptSecret?: string | undefined;
  /** The demo application; default none. */
  readonly demo?: Demo | undefined;
  /** The folder of its Kustomizations; default clusters/<stack>. */
  readonly path?: string | undefined;
  /** The stack's Kustomizations beside infrastructure; default apps, of the folder apps/<stack>. */
  readonly kustomizations?: readonly Kustomization[] | undefined;
  /** Further sources that these may come from; default none. */
  readonly sources?: readonly Source[] | undefined;
  /** What the cluster reads in place of the repository; default none. */
  readonly artifact?: object | undefined;
  /** What people begin with; default apps. */
  readonly start?: "apps" | "overlays" | undefined;
  /** The extension's configuration that Flux's objects belong to; default flux-system. */
  readonly configuration?: Configuration | undefined;
}

/**
 * The files that a stack owns in the repository, but for its encrypted secrets ({@link secretPath}).
 * @returns text by path; the paths do not depend on the registry.
 */
export function ownedFiles(options: RepositoryOptions): Record<string, string> {
  const { stack, path, charts, secrets, demo, configuration = CONFIGURATION, imagePullSecret, decryptSecret } = options;
  // Helm makes the others, unless something has to be in them before.
  const inOurs = charts.filter(({ install }) => !install?.createNamespace || imagePullSecret !== undefined);
  // The configuration's own comes with it.
  const namespaces = namespacesOf([...inOurs, ...secrets, ...(demo ? [{ namespace: DEMO }] : [])]).filter(
    (name) => name !== configuration.namespace,
  );
  const payload: Record<string, string> = {
    ...(namespaces.length > 0 ? { "namespaces.yaml": toYaml(...namespaces.map(namespace)) } : {}),
    ...(imagePullSecret === undefined
      ? {}
      : {
          "service-accounts.yaml": toYaml(...pullingNamespaces(options).map((each) => pulling(each, imagePullSecret))),
        }),
  };
  const releases = charts.map((chart) => releaseOf(chart, options));
  const { namespace: objectsIn } = configuration;
  Object.assign(payload, releaseFiles(releases, { ...options, namespace: objectsIn }));
  Object.assign(payload, sourceFiles(options.sources ?? [], objectsIn));
  const resources = [...Object.keys(payload), ...secrets.map(secretFile)];
  payload["kustomization.yaml"] = toYaml(kustomization(resources));
  const folder = infrastructureFolder(stack);
  const entries = Object.entries(payload).map(([path, text]) => [`${folder}/${path}`, text]);
  const mirrored = demo && {
    // One writer: where image automation has it, the program leaves it alone.
    image: demo.imagePolicy === undefined ? mirroredImage(demo.image, options) : undefined,
    replicas: demo.replicas ?? DEMO_DEFAULTS.replicas,
  };
  const kustomizations = options.kustomizations?.map((each) => fromRegistry(each, options));
  return {
    ...clusterFiles({
      stack,
      path,
      demo: mirrored,
      kustomizations,
      sources: options.sources,
      configuration,
      decryptSecret,
      artifact: options.artifact,
    }),
    ...Object.fromEntries(entries),
  };
}

/**
 * A Kustomization whose mirrored images come from the registry, each by its digest; where only a name is written, in the
 * registry too, the tag stays that of the files, which image automation may write.
 */
function fromRegistry(kustomization: Kustomization, options: RepositoryOptions): Kustomization {
  const images = kustomization.images?.map(({ mirrored, ...image }) => {
    if (mirrored === undefined) return relocate(image, options.loginServer);
    const [newName, digest] = mirroredImage(mirrored, options).split("@");
    return { name: image.name, newName, digest };
  });
  return { ...kustomization, images };
}

/**
 * The files that a stack starts people off with: no applications where it applies other folders than theirs.
 * @param marked the demo's image, where image automation is to move it on ({@link markedImage}).
 */
export function seedFiles(
  options: Pick<RepositoryOptions, "stack" | "demo" | "kustomizations" | "start">,
  marked?: MarkedImage,
): Record<string, string> {
  const { stack, demo, start } = options;
  const hasApps = kustomizationsOf(options).some(
    ({ path, source }) => source === undefined && folderOf(path) === appsFolder(stack),
  );
  const apps = hasApps ? appSeeds(stack, demo?.image, marked) : {};
  return { ...(start === "overlays" ? overlayStart() : {}), ...apps };
}

/** The demo's image as image automation finds it first; none where the demo has no ImagePolicy. */
export function markedImage({
  demo,
  lock,
  loginServer,
  configuration = CONFIGURATION,
}: Pick<RepositoryOptions, "demo" | "lock" | "loginServer" | "configuration">): MarkedImage | undefined {
  if (demo?.imagePolicy === undefined) return undefined;
  const { image, imagePolicy } = demo;
  const policy = `${configuration.namespace}:${imagePolicy}`;
  const { repository, tag } = lockedImage(image, lock);
  if (tag === undefined) throw new Error(`the lock has no tag of image ${image}, so there is none to move on from`);
  return { name: image.replace(/(:[^:/]+)?(@.*)?$/, ""), newName: `${loginServer}/${repository}`, newTag: tag, policy };
}

/** The namespaces that something of the stack runs in. */
export function pullingNamespaces({
  charts = [],
  demo,
}: {
  readonly charts?: RepositoryOptions["charts"] | undefined;
  readonly demo?: Demo | undefined;
}): string[] {
  return [...new Set([...charts.map(({ namespace }) => namespace), ...(demo ? [DEMO] : [])])].sort();
}

/** The account that pods have which name none; Kubernetes makes it, so it does not go with the stack. */
function pulling(namespace: string, secret: string): Manifest {
  return {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default", namespace, annotations: { "kustomize.toolkit.fluxcd.io/prune": "disabled" } },
    imagePullSecrets: [{ name: secret }],
  };
}

/** Where a stack's encrypted secret stands. */
export function secretPath(stack: string, secret: { readonly name: string; readonly namespace: string }): string {
  return `${infrastructureFolder(stack)}/${secretFile(secret)}`;
}

/** The rule of `.sops.yaml` by which `sops` encrypts files of a stack. */
export function sopsRule(options: Pick<RepositoryOptions, "stack" | "kustomizations">) {
  const folders = decryptedFolders(options).map((folder) => folder.replace(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return {
    path_regex: `^(${folders.join("|")})/.*\\.yaml$`,
    encrypted_regex: "^(data|stringData)$",
  };
}

const secretFile = ({ name, namespace }: { name: string; namespace: string }) => `secrets/${namespace}/${name}.yaml`;

function releaseOf(chart: Chart, { lock, loginServer }: RepositoryOptions): Release {
  const { name, release: _, repository, version = "", follow, ...policy } = chart;
  // Whoever writes the settings does not know the registry's address yet.
  const values = relocate(chart.values ?? CHART.values, loginServer);
  const path = ownPath(repository);
  const own = { ...policy, name: releaseName(chart) };
  if (path !== undefined) return { ...own, chart: { name, path, version, follow }, values, postRender: [] };
  const found = lock.charts.find(lockedRelease(chart));
  if (!found) throw new Error(`the lock has no chart ${name}, so nothing says what to release`);
  return {
    ...own,
    chart: mirroredPlace(found),
    values: overlay(values, relocate(found.values, loginServer)),
    postRender: relocate(found.postRender, loginServer),
    ...(found.patches ? { patches: relocate(found.patches, loginServer) } : {}),
  };
}

function mirroredImage(source: string, { lock, loginServer }: RepositoryOptions): string {
  const { repository, digest } = lockedImage(source, lock);
  return `${loginServer}/${repository}@${digest}`;
}

function lockedImage(source: string, lock: RepositoryOptions["lock"]): LockedImage {
  const found = lock.images.find((image) => image.source === imageSource(source));
  if (!found) throw new Error(`the lock has no image ${source}, so nothing says which digest to run`);
  return found;
}

const EXISTING: ReadonlySet<string> = new Set(EXISTING_NAMESPACES);

function namespacesOf(objects: readonly { readonly namespace: string }[]): string[] {
  return [...new Set(objects.map((object) => object.namespace))].filter((name) => !EXISTING.has(name)).sort();
}

function namespace(name: string): Manifest {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}
