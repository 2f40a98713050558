// Manifests: what they may look like, what they refer to, and the routes that serve them.

import type { CloudRequest, CloudResponse } from "../types.ts";
import { digestOf, isDigest, isTag, MEDIA, registryError } from "./protocol.ts";
import type { RegistryStore, Repository, StoredManifest } from "./store.ts";

/** Azure's registries and Docker's distribution refuse larger manifests (bytes). */
const MAXIMUM_SIZE = 4 * 1024 * 1024;
const INDEXES: readonly string[] = [MEDIA.ociIndex, MEDIA.dockerList];
const KNOWN: readonly string[] = Object.values(MEDIA);

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  /** Bytes. */
  readonly size: number;
  readonly urls?: readonly string[];
  readonly artifactType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** The parts of a manifest or index that a registry looks at. */
export interface ManifestBody {
  readonly mediaType?: string;
  readonly artifactType?: string;
  readonly config?: Descriptor;
  readonly layers?: readonly Descriptor[];
  readonly manifests?: readonly Descriptor[];
  readonly subject?: Descriptor;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Whether a media type is one of an index, which refers to manifests instead of blobs. */
export function isIndex(mediaType: string): boolean {
  return INDEXES.includes(mediaType);
}

/** A stored manifest's content; it was checked when it came in. */
export function parseManifest(manifest: Pick<StoredManifest, "body">): ManifestBody {
  return JSON.parse(manifest.body.toString("utf8")) as ManifestBody;
}

/**
 * Stores a manifest under a tag or digest after checking it and everything that it refers to.
 * @param contentType the request's Content-Type.
 * @throws ServiceError MANIFEST_INVALID, MANIFEST_BLOB_UNKNOWN, DIGEST_INVALID, SIZE_INVALID or TAG_INVALID.
 */
export function acceptManifest(
  store: RegistryStore,
  name: string,
  reference: string,
  body: Buffer,
  contentType: string | undefined,
): { digest: string; subject: string | undefined } {
  const mediaType = knownType(contentType);
  if (body.length > MAXIMUM_SIZE)
    throw registryError("MANIFEST_INVALID", `manifest is larger than ${MAXIMUM_SIZE} bytes`, { size: body.length });
  const byDigest = reference.includes(":");
  if (!byDigest && !isTag(reference))
    throw registryError("TAG_INVALID", "manifest tag did not match the rules", { tag: reference });
  const digest = digestOf(body);
  if (byDigest && reference !== digest)
    throw registryError("DIGEST_INVALID", "provided digest did not match uploaded content", { digest: reference });
  const manifest = shapeOf(body, mediaType);
  checkReferences(store, name, manifest, mediaType);
  store.putManifest(name, body, mediaType, byDigest ? undefined : reference);
  return { digest, subject: manifest.subject?.digest };
}

function knownType(contentType: string | undefined): string {
  const mediaType = contentType?.split(";")[0]?.trim();
  if (!mediaType) throw registryError("MANIFEST_INVALID", "the request has no Content-Type");
  if (!KNOWN.includes(mediaType))
    throw registryError("MANIFEST_INVALID", "manifest media type is not supported", { mediaType });
  return mediaType;
}

function shapeOf(body: Buffer, mediaType: string): ManifestBody {
  let manifest: ManifestBody & { schemaVersion?: unknown };
  try {
    manifest = JSON.parse(body.toString("utf8"));
  } catch {
    throw registryError("MANIFEST_INVALID", "manifest is not JSON");
  }
  const fault = shapeFault(manifest, mediaType);
  if (fault) throw registryError("MANIFEST_INVALID", fault);
  return manifest;
}

function shapeFault(manifest: ManifestBody & { schemaVersion?: unknown }, mediaType: string): string | undefined {
  if (manifest === null || typeof manifest !== "object") return "manifest is not an object";
  if (manifest.schemaVersion !== 2) return "schemaVersion must be 2";
  const docker = mediaType.startsWith("application/vnd.docker.");
  if (manifest.mediaType !== mediaType && (docker || manifest.mediaType !== undefined))
    return `mediaType ${JSON.stringify(manifest.mediaType)} differs from the Content-Type ${mediaType}`;
  const expected = isIndex(mediaType) ? [manifest.manifests] : [manifest.layers, manifest.config && [manifest.config]];
  if (!expected.every(Array.isArray))
    return isIndex(mediaType) ? "manifests is missing" : "config or layers is missing";
  const descriptors = [...expected.flat(), ...(manifest.subject ? [manifest.subject] : [])];
  return descriptors.every(isDescriptor) ? undefined : "a descriptor lacks mediaType, size or a sha256 digest";
}

function isDescriptor(value: unknown): value is Descriptor {
  const { mediaType, digest, size } = (value ?? {}) as Partial<Descriptor>;
  return typeof mediaType === "string" && isDigest(String(digest)) && Number.isInteger(size) && Number(size) >= 0;
}

/** A subject may come later, children and blobs may not; layers with `urls` live elsewhere. */
function checkReferences(store: RegistryStore, name: string, manifest: ManifestBody, mediaType: string): void {
  const unknown: string[] = [];
  const children = isIndex(mediaType) ? (manifest.manifests ?? []) : [...(manifest.layers ?? []), manifest.config];
  for (const child of children) {
    if (!child || child.urls?.length) continue;
    const found = isIndex(mediaType)
      ? store.find(name)?.manifests.get(child.digest)?.body
      : store.blob(name, child.digest);
    if (!found) unknown.push(child.digest);
    else if (found.length !== child.size)
      throw registryError("SIZE_INVALID", "a descriptor's size did not match the content", { digest: child.digest });
  }
  if (unknown.length)
    throw registryError("MANIFEST_BLOB_UNKNOWN", "manifest references a manifest or blob unknown to registry", {
      digests: unknown,
    });
}

/** GET and HEAD of a manifest. OCI types are only given to clients that name them in Accept, as distribution does it. */
export function readManifest(
  repository: Repository | undefined,
  reference: string,
  request: CloudRequest,
): CloudResponse {
  const manifest = repository?.manifest(reference);
  if (!manifest) {
    const detail = isDigest(reference) ? { Digest: reference } : { Tag: reference };
    throw registryError("MANIFEST_UNKNOWN", `manifest ${describe(reference)} is not found`, detail);
  }
  const kind =
    manifest.mediaType === MEDIA.ociIndex ? "index" : manifest.mediaType === MEDIA.ociManifest ? "manifest" : "";
  if (kind && !accepts(request.headers.accept, manifest.mediaType)) {
    const message = `OCI ${kind} found, but accept header does not support OCI ${kind === "index" ? "indexes" : "manifests"}`;
    throw registryError("MANIFEST_UNKNOWN", message);
  }
  const headers = {
    "content-type": manifest.mediaType,
    "content-length": String(manifest.body.length),
    "docker-content-digest": manifest.digest,
    etag: `"${manifest.digest}"`,
  };
  return request.method === "HEAD" ? { status: 200, headers } : { status: 200, headers, body: manifest.body };
}

function describe(reference: string): string {
  return isDigest(reference) ? reference : `tagged by "${reference}"`;
}

function accepts(accept: string | undefined, mediaType: string): boolean {
  return (accept ?? "").split(",").some((entry) => entry.split(";")[0]?.trim() === mediaType);
}

/** Removes a tag, or a manifest with every tag that points at it. */
export function deleteManifest(repository: Repository | undefined, reference: string): CloudResponse {
  const manifest = repository?.manifest(reference);
  if (!repository || !manifest) throw registryError("MANIFEST_UNKNOWN", `manifest ${describe(reference)} is not found`);
  if (repository.tags.delete(reference)) return { status: 202 };
  repository.manifests.delete(manifest.digest);
  for (const [tag, digest] of repository.tags) if (digest === manifest.digest) repository.tags.delete(tag);
  return { status: 202 };
}

/** The referrers API: every manifest whose subject is the digest, as an image index; an empty one where there is none. */
export function referrers(
  repository: Repository | undefined,
  digest: string,
  artifactType: string | null,
): CloudResponse {
  const manifests = [...(repository?.manifests.values() ?? [])]
    .map((manifest) => ({ manifest, content: parseManifest(manifest) }))
    .filter(({ content }) => content.subject?.digest === digest)
    .map(({ manifest, content }) => ({
      mediaType: manifest.mediaType,
      digest: manifest.digest,
      size: manifest.body.length,
      ...artifactTypeOf(content),
      ...(content.annotations && { annotations: content.annotations }),
    }))
    .filter((descriptor) => artifactType === null || descriptor.artifactType === artifactType);
  return {
    status: 200,
    headers: {
      "content-type": MEDIA.ociIndex,
      ...(artifactType !== null && { "oci-filters-applied": "artifactType" }),
    },
    body: JSON.stringify({ schemaVersion: 2, mediaType: MEDIA.ociIndex, manifests }),
  };
}

function artifactTypeOf(content: ManifestBody): { artifactType?: string } {
  const artifactType = content.artifactType ?? content.config?.mediaType;
  return artifactType === undefined ? {} : { artifactType };
}
