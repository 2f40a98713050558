// Words of the OCI distribution specification 1.1 (github.com/opencontainers/distribution-spec): names, digests, errors.
import { createHash } from "node:crypto";
import type { CloudRequest, CloudResponse } from "../types.ts";
import { ServiceError } from "../types.ts";

/** Media types of manifests and indexes, OCI's and Docker's. */
export const MEDIA = {
  ociManifest: "application/vnd.oci.image.manifest.v1+json",
  ociIndex: "application/vnd.oci.image.index.v1+json",
  dockerManifest: "application/vnd.docker.distribution.manifest.v2+json",
  dockerList: "application/vnd.docker.distribution.manifest.list.v2+json",
} as const;

const STATUS = {
  BLOB_UNKNOWN: 404,
  BLOB_UPLOAD_INVALID: 404,
  BLOB_UPLOAD_UNKNOWN: 404,
  DENIED: 403,
  DIGEST_INVALID: 400,
  MANIFEST_BLOB_UNKNOWN: 400,
  MANIFEST_INVALID: 400,
  MANIFEST_UNKNOWN: 404,
  NAME_INVALID: 400,
  NAME_UNKNOWN: 404,
  PAGINATION_NUMBER_INVALID: 400,
  RANGE_INVALID: 416,
  SIZE_INVALID: 400,
  TAG_INVALID: 400,
  TOOMANYREQUESTS: 429,
  UNAUTHORIZED: 401,
  UNSUPPORTED: 405,
} as const;

export type RegistryErrorCode = keyof typeof STATUS;

/**
 * An answer in the error format of the specification, to be thrown.
 * @param detail further data for the client; left out when undefined.
 * @param headers more headers of the answer.
 */
export function registryError(
  code: RegistryErrorCode,
  message: string,
  detail?: unknown,
  headers: Readonly<Record<string, string>> = {},
): ServiceError {
  const error = detail === undefined ? { code, message } : { code, message, detail };
  return new ServiceError(
    {
      status: STATUS[code],
      headers: { "content-type": "application/json; charset=utf-8", ...headers },
      body: { errors: [error] },
    },
    `${code}: ${message}`,
  );
}

/** The answer of a service: a thrown ServiceError becomes the response that it carries, and HEAD never has a body. */
export async function answering(request: CloudRequest, work: () => CloudResponse): Promise<CloudResponse> {
  const response = await attempt(work);
  const { body: _, ...bare } = response;
  return request.method === "HEAD" ? bare : response;
}

async function attempt(work: () => CloudResponse): Promise<CloudResponse> {
  try {
    return work();
  } catch (error) {
    if (error instanceof ServiceError) return error.response;
    throw error;
  }
}

/** `sha256:<hex>` of some bytes. */
export function digestOf(body: Buffer): string {
  return `sha256:${createHash("sha256").update(body).digest("hex")}`;
}

const NAME = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$/;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/;
const DIGEST = /^sha256:[a-f0-9]{64}$/;

/** Whether a repository name follows the rules; at most 255 characters. */
export function isName(name: string): boolean {
  return name.length <= 255 && NAME.test(name);
}

export function isTag(tag: string): boolean {
  return TAG.test(tag);
}

/** Whether a text is a digest of the one algorithm that registries must know. */
export function isDigest(digest: string): boolean {
  return DIGEST.test(digest);
}

/** A digest as given by a client. @throws ServiceError DIGEST_INVALID */
export function checkDigest(digest: string): string {
  if (!isDigest(digest)) throw registryError("DIGEST_INVALID", "provided digest is not a sha256 digest", { digest });
  return digest;
}

/** What a path below `/v2/` names. */
export type Route =
  | { readonly kind: "base" | "catalog" }
  | { readonly kind: "tags"; readonly name: string }
  | { readonly kind: "manifest" | "blob" | "referrers"; readonly name: string; readonly reference: string }
  | { readonly kind: "upload"; readonly name: string; readonly session: string | undefined };

/**
 * Takes a path apart.
 * @param path percent-encoded, for example `/v2/library/busybox/manifests/1.36`.
 * @returns undefined for a path that the specification does not know.
 * @throws ServiceError NAME_INVALID for a repository name against the rules.
 */
export function parseRoute(path: string): Route | undefined {
  if (path === "/v2/" || path === "/v2") return { kind: "base" };
  if (path === "/v2/_catalog") return { kind: "catalog" };
  const match =
    /^\/v2\/(.+)\/(?:(tags)\/list|(manifests|referrers)\/([^/]+)|blobs\/(uploads)\/?([^/]*)|(blobs)\/([^/]+))$/.exec(
      path,
    );
  if (!match) return undefined;
  const name = decodeURIComponent(match[1] ?? "");
  if (!isName(name)) throw registryError("NAME_INVALID", "invalid repository name", { name });
  if (match[2]) return { kind: "tags", name };
  if (match[5]) return { kind: "upload", name, session: match[6] || undefined };
  const reference = decodeURIComponent(match[4] ?? match[8] ?? "");
  if (match[7]) return { kind: "blob", name, reference };
  return { kind: match[3] === "referrers" ? "referrers" : "manifest", name, reference };
}
