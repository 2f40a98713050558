import * as pulumi from "@pulumi/pulumi";
import { type Lock, LockError, type MirrorSettings, readLock } from "../../mirror/lock.ts";
import { arm64Warnings } from "../../mirror/platforms.ts";
import { ChartMirror } from "../../provider/sdk/chartMirror.ts";
import { ImageImport, type SourceCredentialsArgs } from "../../provider/sdk/imageImport.ts";

/** What a HelmMirror brings, and where to. */
export interface HelmMirrorArgs {
  /** What charts and images were resolved to; {@link readMirrorLock} reads it. */
  readonly lock: Pick<Lock, "charts" | "images">;
  /** ARM id of the registry. */
  readonly registryId: pulumi.Input<string>;
  /**
   * When the registry was made, as ContainerRegistry gives it: one that was made anew under its name is filled again.
   * @default the registry counts as the same
   */
  readonly registryCreated?: pulumi.Input<string> | undefined;
  /** The registry's login server, when images may be imported. */
  readonly importServer: pulumi.Input<string>;
  /** The same, when charts may be pushed. @default importServer */
  readonly pushServer?: pulumi.Input<string> | undefined;
  /** What is to be known of registries that images and charts come from. @default nothing */
  readonly sources?: readonly ImageSourceArgs[] | undefined;
  /** What signs in at registries that images and charts come from, by host. @default nobody signs in */
  readonly credentials?: Readonly<Record<string, SourceCredentialsArgs>> | undefined;
  /**
   * ARM id of another stack's registry, from which all is imported by digest instead.
   * @default all is imported from where it is published
   */
  readonly promoteFrom?: pulumi.Input<string> | undefined;
}

/** What is to be known of a registry, or a part of one, that images and charts come from. */
export interface ImageSourceArgs {
  /** A host, or a path in it with all that is below; of several the longest counts. */
  readonly from: string;
  /** ARM id of the Azure registry that it is. @default it is asked by its name */
  readonly resourceId?: string | undefined;
  /** PEM; what cosign has not signed with its private half is not imported. @default signatures are not looked at */
  readonly publicKey?: string | undefined;
}

/**
 * Charts and the images they use, in the registry with the digests of the lock. Its resources are called like the releases
 * and images, so a program has one of it.
 */
export class HelmMirror extends pulumi.ComponentResource {
  /** `<login server>/<repository>@sha256:<hex>` of every image, by the images' original names. */
  readonly images: Readonly<Record<string, pulumi.Output<string>>>;
  /** `oci://<login server>/<repository>:<version>` of every chart, by the names of its releases. */
  readonly charts: Readonly<Record<string, pulumi.Output<string>>>;
  /** Every mirrored chart and image: what has to be there before a cluster may read about them. */
  readonly contents: readonly pulumi.Resource[];

  constructor(name: string, args: HelmMirrorArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:HelmMirror", name, {}, opts);
    const images = this.#importImages(args);
    const charts = this.#pushCharts(args);
    this.images = references(images);
    this.charts = references(charts);
    this.contents = [...images.values(), ...new Set(charts.values())];
    this.registerOutputs({ images: this.images, charts: this.charts });
  }

  #importImages({ lock, importServer, ...args }: HelmMirrorArgs): Map<string, ImageImport> {
    const target = { ...targetOf(args), loginServer: importServer };
    const images = lock.images.map((image) => {
      const inputs = { ...target, ...image, ...originOf(image.source, image.repository, args) };
      return [image.source, new ImageImport(image.source, inputs, { parent: this })] as const;
    });
    return new Map(images);
  }

  #pushCharts({ lock, importServer, pushServer = importServer, ...args }: HelmMirrorArgs): Map<string, ChartMirror> {
    const target = { ...targetOf(args), loginServer: pushServer };
    const charts = new Map<string, ChartMirror>();
    // A chart in one version is mirrored once, and called like the first of its releases.
    const mirrors = new Map<string, ChartMirror>();
    for (const { name, release = name, version, url, sha256, created, manifest, attached } of lock.charts) {
      const repository = `charts/${name}`;
      const key = `${repository}:${version}`;
      const origin = originOf(url.startsWith("oci://") ? url.slice("oci://".length) : undefined, repository, args);
      const chart = { repository, version, url, sha256, created, manifest, ...(attached && { attached }), ...origin };
      const mirror = mirrors.get(key) ?? new ChartMirror(release, { ...target, ...chart }, { parent: this });
      mirrors.set(key, mirror);
      charts.set(release, mirror);
    }
    return charts;
  }
}

/**
 * The lock of charts and images, `mirror.<stack>.lock.json`.
 * @param root the folder that it is in, that of Pulumi.yaml.
 * @param settings what it has to fit; a chart or image that changed since then makes it stale. An image that does not run on
 * the nodes of one of `cluster`'s pools is warned of.
 * @throws pulumi.RunError when it is missing or stale, so that the engine shows the remedy without a stack trace.
 */
export async function readMirrorLock(root: string, settings: MirrorSettings): Promise<Lock> {
  try {
    const lock = await readLock(root, settings);
    for (const warning of arm64Warnings(lock, settings.cluster)) pulumi.log.warn(warning);
    return lock;
  } catch (error) {
    throw error instanceof LockError ? new pulumi.RunError(error.message) : error;
  }
}

function targetOf({ registryId, registryCreated }: Pick<HelmMirrorArgs, "registryId" | "registryCreated">) {
  return { registryId, ...(registryCreated === undefined ? {} : { registryCreated }) };
}

/**
 * Where something is imported from, beside its name.
 * @param name with the host; undefined for a chart of a chart repository, which is no registry.
 * @param repository the one in the target, and in another stack's registry too.
 */
function originOf(
  name: string | undefined,
  repository: string,
  { sources = [], credentials = {}, promoteFrom }: Pick<HelmMirrorArgs, "sources" | "credentials" | "promoteFrom">,
) {
  const fitting = sources
    .filter(({ from }) => name === from || name?.startsWith(`${from}/`) || name?.startsWith(`${from}:`))
    .sort((one, other) => other.from.length - one.from.length);
  const publicKey = fitting.find((source) => source.publicKey !== undefined)?.publicKey;
  const resourceId = fitting.find((source) => source.resourceId !== undefined)?.resourceId;
  const login = name === undefined ? undefined : credentials[name.slice(0, name.indexOf("/"))];
  const key = publicKey === undefined ? {} : { publicKey };
  if (promoteFrom !== undefined) return { ...key, sourceRegistryId: promoteFrom, sourceRepository: repository };
  if (resourceId !== undefined) return { ...key, sourceRegistryId: resourceId };
  return { ...key, ...(login === undefined ? {} : { credentials: login }) };
}

function references(
  resources: Map<string, { readonly reference: pulumi.Output<string> }>,
): Record<string, pulumi.Output<string>> {
  return Object.fromEntries([...resources].map(([name, { reference }]) => [name, reference]));
}
