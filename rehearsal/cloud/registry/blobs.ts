// Blobs on their way down, with ranges (RFC 7233, which Azure's import needs of its sources).

import type { CloudRequest, CloudResponse } from "../types.ts";
import { checkDigest, registryError } from "./protocol.ts";
import type { RegistryStore } from "./store.ts";

/** GET and HEAD of a blob. */
export function readBlob(store: RegistryStore, name: string, digest: string, request: CloudRequest): CloudResponse {
  const blob = store.blob(name, checkDigest(digest));
  if (!blob) throw registryError("BLOB_UNKNOWN", "blob unknown to registry", { digest });
  const headers = {
    "content-type": "application/octet-stream",
    "docker-content-digest": digest,
    "accept-ranges": "bytes",
    etag: `"${digest}"`,
  };
  if (request.method === "HEAD") return { status: 200, headers: { ...headers, "content-length": String(blob.length) } };
  const range = parseRange(request.headers.range, blob.length);
  if (range === "unsatisfiable")
    return { status: 416, headers: { ...headers, "content-range": `bytes */${blob.length}`, "content-length": "0" } };
  if (!range) return { status: 200, headers: { ...headers, "content-length": String(blob.length) }, body: blob };
  const part = blob.subarray(range.first, range.last + 1);
  const partial = {
    "content-range": `bytes ${range.first}-${range.last}/${blob.length}`,
    "content-length": String(part.length),
  };
  return { status: 206, headers: { ...headers, ...partial }, body: part };
}

/** One range of bytes; what is not understood is ignored, as the RFC wants it, several ranges too. */
function parseRange(
  header: string | undefined,
  size: number,
): { first: number; last: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  if (match[1] === "") {
    const suffix = Math.min(Number(match[2]), size);
    return suffix === 0 ? "unsatisfiable" : { first: size - suffix, last: size - 1 };
  }
  const first = Number(match[1]);
  const last = match[2] === "" ? size - 1 : Math.min(Number(match[2]), size - 1);
  if (match[2] !== "" && Number(match[2]) < first) return undefined;
  return first >= size ? "unsatisfiable" : { first, last };
}
