import { RateLimited, RegistryClosed } from "../net/registry/client.ts";
import { findAttached } from "./attached.ts";
import type { Registry } from "./chartLookup.ts";
import type { LockedImage, Pools } from "./lock.ts";
import { amd64Warning, hasArm64, noted, platformsOf } from "./platforms.ts";
import { nameOf, type Reference, sourceOf } from "./reference.ts";

/** An image to resolve, and who asks for it. */
export interface WantedImage {
  readonly reference: Reference;
  /** For errors: `chart kured`, or `aks-gitops:images`. */
  readonly by: string;
}

/** Requests that are under way at once; registries answer bursts with 429. */
const PARALLEL = 4;

/**
 * Resolves images to digests: an image with a digest must exist, a tag is looked up now.
 * @param known images of earlier locks, whose platforms were looked at then.
 * @param pools the nodes that they run on. @default nodes of linux/amd64
 * @throws Error listing all images that cannot be resolved.
 */
export async function resolveImages(
  wanted: readonly WantedImage[],
  known: readonly LockedImage[],
  registry: (host: string) => Registry,
  pools?: Pools,
): Promise<{ images: LockedImage[]; warnings: string[] }> {
  const images: LockedImage[] = [];
  const warnings: string[] = [];
  const failures: string[] = [];
  // Registries that let nobody ask for now: the other images wait for the same.
  const limited = new Map<string, Error>();
  const closed = new Set<string>();
  const seen = new Map(known.map((image) => [`${image.source} ${image.digest}`, image]));
  const queue = unique(wanted).values();
  const work = async () => {
    for (const { reference, by } of queue) {
      const source = sourceOf(reference);
      try {
        const limit = limited.get(reference.host);
        if (limit !== undefined) throw limit;
        const resolved = await resolve(reference, registry(reference.host));
        const image = await withAttached(resolved, reference, registry(reference.host));
        const before = seen.get(`${source} ${image.digest}`);
        // A lock may have been made before platforms were kept.
        const isKnown = before !== undefined && (before.platforms !== undefined || !hasArm64(pools));
        const platforms = isKnown
          ? before.platforms
          : await platformsOf(reference.repository, image.digest, registry(reference.host));
        images.push({ ...image, ...noted(platforms) });
        const warning = before === undefined ? amd64Warning(platforms, pools) : undefined;
        if (warning !== undefined) warnings.push(`${source} (${by}): ${warning}`);
      } catch (error) {
        if (error instanceof RateLimited) limited.set(reference.host, error);
        if (error instanceof RegistryClosed && !error.network) closed.add(reference.host);
        failures.push(`${source} (${by}): ${(error as Error).message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  if (failures.length > 0) {
    const list = failures.sort().map((failure) => `\n  ${failure}`);
    throw new Error(
      `${failures.length === 1 ? "An image" : `${failures.length} images`} cannot be resolved:${list.join("")}\n` +
        "Check names and tags in the settings, that the images are public, the network and HTTPS_PROXY." +
        [...limited.keys()].map((host) => ` ${limitRemedy(host)}`).join("") +
        [...closed].map((host) => ` ${signInRemedy(host)}`).join(""),
    );
  }
  return { images, warnings: warnings.sort() };
}

const SETTING = "aks-gitops:imageSourceCredentials";

const loginOf = (host: string) => (host === "docker.io" ? "docker login" : `docker login ${host}`);

const limitRemedy = (host: string) =>
  `The rate limit of ${host} is over after a while; who signs in may ask more often: \`${loginOf(host)}\` for this command, ` +
  `${SETTING} for the import.`;

const signInRemedy = (host: string) =>
  `${host} wants to know who asks: \`${loginOf(host)}\` for this command, ${SETTING} for the import.`;

/** What is listed by itself needs no other entry, and what cosign attaches has nothing attached. */
async function withAttached(image: LockedImage, reference: Reference, registry: Registry): Promise<LockedImage> {
  if (image.tag !== undefined && COSIGN_TAG.test(image.tag)) return image;
  const attached = await findAttached(registry, reference.repository, image.digest);
  return attached.length === 0 ? image : { ...image, attached };
}

const COSIGN_TAG = /^sha256-[0-9a-f]{64}\.(sig|att|sbom)$/;

/** Each image once; one that names a digest stands for the same tag without one. */
function unique(wanted: readonly WantedImage[]): WantedImage[] {
  const result = new Map<string, WantedImage>();
  for (const image of wanted) {
    const source = sourceOf(image.reference);
    const other = result.get(source);
    const { digest } = image.reference;
    if (other === undefined || other.reference.digest === undefined)
      result.set(source, digest || !other ? image : other);
    else if (digest !== undefined && digest !== other.reference.digest) {
      throw new Error(
        `${source} is pinned to ${other.reference.digest} (${other.by}) and to ${digest} (${image.by}), but a tag of ` +
          "the registry can be one of them only: pin the same digest in the settings.",
      );
    }
  }
  return [...result.values()];
}

async function resolve(reference: Reference, registry: Registry): Promise<LockedImage> {
  const tag = reference.tag ?? (reference.digest === undefined ? "latest" : undefined);
  const found = await registry.head(reference.repository, reference.digest ?? tag ?? "latest");
  if (found === undefined) throw new Error(`${reference.host} has no such image`);
  const image = { source: sourceOf(reference), digest: found.digest, repository: nameOf(reference) };
  return tag === undefined ? image : { ...image, tag };
}
