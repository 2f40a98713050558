// Blobs on their way up: POST starts (or ends, or mounts), PATCH appends, PUT ends.

import type { CloudRequest, CloudResponse } from "../types.ts";
import { checkDigest, digestOf, registryError } from "./protocol.ts";
import type { RegistryStore, Upload } from "./store.ts";

/**
 * POST `/blobs/uploads/`: with `mount` and `from` another repository's blob is taken over, with `digest` the body is the
 * whole blob, else a session starts. A mount that is not possible starts a session too, as the specification says.
 * @param mayRead whether the caller may read the repository that is mounted from.
 */
export function startUpload(
  store: RegistryStore,
  name: string,
  request: CloudRequest,
  mayRead: (name: string) => boolean,
): CloudResponse {
  const { searchParams } = request.url;
  const mount = searchParams.get("mount");
  const from = searchParams.get("from");
  if (mount !== null && from !== null && mayRead(from) && store.mount(name, checkDigest(mount), from))
    return created(name, mount);
  const digest = searchParams.get("digest");
  if (digest !== null) return finish(store, name, request.body, checkDigest(digest));
  return accepted(name, store.startUpload(name));
}

/** PATCH, PUT, GET and DELETE of an upload session. */
export function continueUpload(
  store: RegistryStore,
  name: string,
  session: string,
  request: CloudRequest,
): CloudResponse {
  const repository = store.find(name);
  const upload = repository?.uploads.get(session);
  if (!repository || !upload)
    throw registryError("BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry", { session });
  if (request.method === "GET") return { ...accepted(name, upload), status: 204 };
  if (request.method === "DELETE") {
    repository.uploads.delete(session);
    return { status: 204 };
  }
  if (request.url.searchParams.get("_state") !== String(upload.state))
    throw registryError("BLOB_UPLOAD_INVALID", "this Location was answered before; use the one of the last answer", {
      session,
    });
  if (request.method === "PATCH") {
    append(name, upload, request);
    return accepted(name, upload);
  }
  if (request.method === "PUT") {
    const digest = checkDigest(request.url.searchParams.get("digest") ?? "");
    append(name, upload, request);
    const response = finish(store, name, Buffer.concat(upload.chunks), digest);
    repository.uploads.delete(session);
    return response;
  }
  throw registryError("UNSUPPORTED", `${request.method} is not supported for an upload`);
}

/** Chunks must come in order: a Content-Range that does not start where the last one ended is refused. */
function append(name: string, upload: Upload, request: CloudRequest): void {
  const given = request.headers["content-range"];
  const range = given === undefined ? undefined : /^(?:bytes )?(\d+)-(\d+)(?:\/.*)?$/.exec(given);
  if (given !== undefined) {
    const fits =
      range && Number(range[1]) === upload.size && Number(range[2]) - Number(range[1]) + 1 === request.body.length;
    if (!fits) {
      const { headers = {} } = accepted(name, upload);
      throw registryError(
        "RANGE_INVALID",
        "content range is out of order",
        { range: given, size: upload.size },
        headers,
      );
    }
  }
  if (request.body.length === 0) return;
  upload.chunks.push(request.body);
  upload.size += request.body.length;
  upload.state += 1;
}

function finish(store: RegistryStore, name: string, body: Buffer, digest: string): CloudResponse {
  if (digestOf(body) !== digest)
    throw registryError("DIGEST_INVALID", "provided digest did not match uploaded content", { digest });
  store.putBlob(name, body);
  return created(name, digest);
}

function created(name: string, digest: string): CloudResponse {
  return {
    status: 201,
    headers: { location: `/v2/${name}/blobs/${digest}`, "docker-content-digest": digest, "content-length": "0" },
  };
}

function accepted(name: string, upload: Upload): CloudResponse {
  return {
    status: 202,
    headers: {
      location: `/v2/${name}/blobs/uploads/${upload.id}?_state=${upload.state}`,
      range: `0-${Math.max(0, upload.size - 1)}`,
      "docker-upload-uuid": upload.id,
      "content-length": "0",
    },
  };
}
