import { type Lock, relocate } from "../../mirror/lock.ts";
import { CHART, DEMO as DEMO_DEFAULTS } from "../defaults.ts";
import { appSeeds, kustomization } from "./demo.ts";
import { clusterFiles, decryptedFolders, type Kustomization, kustomizationsOf } from "./kustomizations.ts";
import { appsFolder, DEMO, infrastructureFolder } from "./names.ts";
import { folderOf } from "./order.ts";
import { overlay, type Release, releaseFiles } from "./releases.ts";
import { type Source, sourceFiles } from "./sources.ts";
import { EXISTING_NAMESPACES } from "./taken.ts";
import { type Manifest, toYaml } from "./yaml.ts";

/** A chart of the lock, and how it is released. */
export interface Chart {
  /** Its name in the lock; its release has the same. */
  readonly name: string;
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
  /** The demo application; default none. */
  readonly demo?: Demo | undefined;
  /** The folder of its Kustomizations; default clusters/<stack>. */
  readonly path?: string | undefined;
  /** The stack's Kustomizations beside infrastructure; default apps, of the folder apps/<stack>. */
  readonly kustomizations?: readonly Kustomization[] | undefined;
  /** Further sources that these may come from; default none. */
  readonly sources?: readonly Source[] | undefined;
}

/**
 * The files that a stack owns in the repository, but for its encrypted secrets ({@link secretPath}).
 * @returns text by path; the paths do not depend on the registry.
 */
export function ownedFiles(options: RepositoryOptions): Record<string, string> {
  const { stack, path, charts, secrets, demo, kustomizations, sources } = options;
  const namespaces = namespacesOf([...charts, ...secrets, ...(demo ? [{ namespace: DEMO }] : [])]);
  const payload: Record<string, string> = {
    ...(namespaces.length > 0 ? { "namespaces.yaml": toYaml(...namespaces.map(namespace)) } : {}),
  };
  const releases = charts.map((chart) => releaseOf(chart, options));
  Object.assign(payload, releaseFiles(releases, options), sourceFiles(options.sources ?? []));
  const resources = [...Object.keys(payload), ...secrets.map(secretFile)];
  payload["kustomization.yaml"] = toYaml(kustomization(resources));
  const folder = infrastructureFolder(stack);
  const entries = Object.entries(payload).map(([path, text]) => [`${folder}/${path}`, text]);
  const mirrored = demo && {
    image: mirroredImage(demo.image, options),
    replicas: demo.replicas ?? DEMO_DEFAULTS.replicas,
  };
  return { ...clusterFiles({ stack, path, demo: mirrored, kustomizations, sources }), ...Object.fromEntries(entries) };
}

/** The files that a stack starts people off with: none where it applies other folders than its applications'. */
export function seedFiles(
  options: Pick<RepositoryOptions, "stack" | "demo" | "kustomizations">,
): Record<string, string> {
  const { stack, demo } = options;
  const hasApps = kustomizationsOf(options).some(
    ({ path, source }) => source === undefined && folderOf(path) === appsFolder(stack),
  );
  return hasApps ? appSeeds(stack, demo?.image) : {};
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
  const found = lock.charts.find(({ name }) => name === chart.name);
  if (!found) throw new Error(`the lock has no chart ${chart.name}, so nothing says what to release`);
  return {
    name: chart.name,
    namespace: chart.namespace,
    version: found.version,
    digest: found.manifest,
    values: overlay(chart.values ?? CHART.values, relocate(found.values, loginServer)),
    postRender: relocate(found.postRender, loginServer),
  };
}

function mirroredImage(source: string, { lock, loginServer }: RepositoryOptions): string {
  const found = lock.images.find((image) => image.source === source);
  if (!found) throw new Error(`the lock has no image ${source}, so nothing says which digest to run`);
  return `${loginServer}/${found.repository}@${found.digest}`;
}

const EXISTING: ReadonlySet<string> = new Set(EXISTING_NAMESPACES);

function namespacesOf(objects: readonly { readonly namespace: string }[]): string[] {
  return [...new Set(objects.map((object) => object.namespace))].filter((name) => !EXISTING.has(name)).sort();
}

function namespace(name: string): Manifest {
  return { apiVersion: "v1", kind: "Namespace", metadata: { name } };
}
