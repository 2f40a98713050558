// Small images for the upstream registries, made from nothing but their reference.
import { digestOf, MEDIA } from "../cloud/registry/protocol.ts";
import type { UpstreamImage } from "../cloud/registry/upstream.ts";
import { gzip, tar } from "./archive.ts";

const LAYER = "application/vnd.oci.image.layer.v1.tar+gzip";
const CONFIG = "application/vnd.oci.image.config.v1+json";
/** The creation time of every image made here. */
export const CREATED = "2026-01-01T00:00:00Z";
const ARCHITECTURES = ["amd64", "arm64"] as const;

/** The parts of an image reference. */
export interface ImageReference {
  /** The registry's host as references name it; `docker.io` where there is none. */
  readonly registry: string;
  /** With `library/` for official images of Docker Hub. */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

/**
 * Takes an image reference apart as container engines do.
 * @throws Error for a text that is no reference.
 */
export function parseReference(reference: string): ImageReference {
  const match = /^([^@]+?)(?::([\w][\w.-]{0,127}))?(?:@(sha256:[a-f0-9]{64}))?$/.exec(reference);
  if (!match?.[1])
    throw new Error(`${JSON.stringify(reference)} is not an image reference such as ghcr.io/owner/name:tag.`);
  const [first = "", ...rest] = match[1].split("/");
  const hosted = rest.length > 0 && /[.:]|^localhost$/.test(first);
  const [registry, path] = hosted ? [first, rest.join("/")] : ["docker.io", match[1]];
  const repository = registry === "docker.io" && !path.includes("/") ? `library/${path}` : path;
  const digest = match[3];
  return { registry, repository, tag: match[2] ?? (digest ? undefined : "latest"), digest };
}

export interface ImageContent extends UpstreamImage {
  /** Digest of the index, which the tag points at. */
  readonly digest: string;
}

/**
 * An image of two architectures, linux/amd64 and linux/arm64, the same bytes for the same reference every time.
 * @param reference with a tag, or without one for `latest`; a digest beside the tag is for the caller to compare.
 */
export function imageContent(reference: string): ImageContent {
  const { registry, repository, tag = "latest" } = parseReference(reference);
  const name = `${registry}/${repository}:${tag}`;
  const platforms = ARCHITECTURES.map((architecture) => platformImage(name, architecture));
  const index = json({
    schemaVersion: 2,
    mediaType: MEDIA.ociIndex,
    manifests: platforms.map(({ manifest, architecture }) => ({
      ...descriptor(MEDIA.ociManifest, manifest),
      platform: { architecture, os: "linux" },
    })),
  });
  const manifests = platforms.map(({ manifest }) => ({ mediaType: MEDIA.ociManifest, body: manifest }));
  return {
    registry,
    repository,
    tags: [tag],
    blobs: platforms.flatMap(({ blobs }) => blobs),
    manifests: [...manifests, { mediaType: MEDIA.ociIndex, body: index }],
    digest: digestOf(index),
  };
}

function platformImage(
  name: string,
  architecture: string,
): { architecture: string; manifest: Buffer; blobs: Buffer[] } {
  const files = tar([{ path: "etc/rehearsal", body: Buffer.from(`${name} linux/${architecture}\n`) }]);
  const layer = gzip(files);
  const config = json({
    created: CREATED,
    architecture,
    os: "linux",
    config: { Entrypoint: ["/rehearsal"], Labels: { "org.opencontainers.image.ref.name": name } },
    rootfs: { type: "layers", diff_ids: [digestOf(files)] },
    history: [{ created: CREATED, created_by: "rehearsal" }],
  });
  const manifest = json({
    schemaVersion: 2,
    mediaType: MEDIA.ociManifest,
    config: descriptor(CONFIG, config),
    layers: [descriptor(LAYER, layer)],
  });
  return { architecture, manifest, blobs: [config, layer] };
}

/** JSON as bytes; keys in the order of the object. */
export function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** What points at a blob or manifest. */
export function descriptor(mediaType: string, body: Buffer): { mediaType: string; digest: string; size: number } {
  return { mediaType, digest: digestOf(body), size: body.length };
}
