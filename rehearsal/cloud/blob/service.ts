// Containers of Azure Storage, as far as somebody reads them: lists blobs and hands them out to whoever has the right, in the
// words of the REST API: https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api

import { createHash } from "node:crypto";
import type { Arm, Caller, CloudRequest, CloudResponse, Directory, Service } from "../types.ts";
import { ServiceError } from "../types.ts";

/** The resource that tokens have to be for. */
const AUDIENCE = "https://storage.azure.com";

/** What Storage Blob Data Reader has; listing is a read of the container. */
const READ = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read";

/** Versions that take Entra's tokens begin here; they are dates. */
const OLDEST_VERSION = "2017-11-09";

const MOST_RESULTS = 5000;

export interface BlobOptions {
  readonly arm: Pick<Arm, "allows">;
  readonly directory: Pick<Directory, "authenticate">;
  /** The ARM id of a storage account by its name; undefined where there is none. */
  readonly accountId: (name: string) => string | undefined;
}

interface Blob {
  readonly body: Buffer;
  readonly etag: string;
  readonly modified: string;
}

export class BlobStorage {
  readonly #options: BlobOptions;
  /** Blobs by `account/container`, and by name. */
  readonly #containers = new Map<string, Map<string, Blob>>();

  constructor(options: BlobOptions) {
    this.#options = options;
  }

  /** Puts blobs into a container, which it makes. */
  put(account: string, container: string, blobs: Readonly<Record<string, string>>): void {
    const key = `${account}/${container}`;
    const held = this.#containers.get(key) ?? new Map<string, Blob>();
    this.#containers.set(key, held);
    for (const [name, text] of Object.entries(blobs)) {
      const body = Buffer.from(text);
      const etag = `0x${createHash("sha256").update(body).digest("hex").slice(0, 15).toUpperCase()}`;
      held.set(name, { body, etag: `"${etag}"`, modified: new Date().toUTCString() });
    }
  }

  /** Answers for `*.blob.core.windows.net`. */
  readonly service: Service = async (request) => {
    try {
      return this.#answer(request);
    } catch (error) {
      if (!(error instanceof ServiceError)) throw error;
      return error.response;
    }
  };

  #answer(request: CloudRequest): CloudResponse {
    const { method, url, headers } = request;
    const [account = ""] = url.hostname.split(".");
    const id = this.#options.accountId(account);
    if (id === undefined) throw fault(404, "ResourceNotFound", "The specified resource does not exist.");
    const version = headers["x-ms-version"];
    if (version === undefined || !/^\d{4}-\d\d-\d\d$/.test(version) || version < OLDEST_VERSION)
      throw fault(400, "InvalidHeaderValue", "The value for one of the HTTP headers is not in the correct format.");
    const caller = this.#callerOf(headers.authorization);
    const [container = "", ...steps] = decodeURIComponent(url.pathname).slice(1).split("/");
    const scope = `${id}/blobServices/default/containers/${container}`;
    if (!this.#options.arm.allows(caller, READ, scope, "data"))
      throw fault(
        403,
        "AuthorizationPermissionMismatch",
        "This request is not authorized to perform this operation using this permission.",
      );
    const blobs = this.#containers.get(`${account}/${container}`);
    if (blobs === undefined) throw fault(404, "ContainerNotFound", "The specified container does not exist.");
    const isList = url.searchParams.get("restype") === "container" && url.searchParams.get("comp") === "list";
    if (method === "GET" && steps.length === 0 && isList) return listed(url, container, blobs);
    if (method === "GET" && steps.length > 0) return this.#blob(blobs.get(steps.join("/")));
    throw fault(405, "UnsupportedHttpVerb", "The resource doesn't support specified Http Verb.");
  }

  #callerOf(authorization: string | undefined): Caller {
    if (authorization === undefined)
      throw fault(401, "NoAuthenticationInformation", "Server failed to authenticate the request.");
    if (!authorization.startsWith("Bearer "))
      throw fault(
        403,
        "KeyBasedAuthenticationNotPermitted",
        "Key based authentication is not permitted on this account.",
      );
    return this.#options.directory.authenticate(authorization, AUDIENCE);
  }

  #blob(blob: Blob | undefined): CloudResponse {
    if (blob === undefined) throw fault(404, "BlobNotFound", "The specified blob does not exist.");
    const headers = { etag: blob.etag, "last-modified": blob.modified, "x-ms-blob-type": "BlockBlob" };
    return { status: 200, headers: { "content-type": "application/octet-stream", ...headers }, body: blob.body };
  }
}

/** List Blobs: in the order of names, at most so many, and where the next ones begin. */
function listed(url: URL, container: string, blobs: ReadonlyMap<string, Blob>): CloudResponse {
  const asked = Number(url.searchParams.get("maxresults") ?? MOST_RESULTS);
  if (!Number.isInteger(asked) || asked < 1)
    throw fault(400, "OutOfRangeQueryParameterValue", "One of the query parameters is out of its range.");
  const [prefix, marker] = [url.searchParams.get("prefix") ?? "", url.searchParams.get("marker") ?? ""];
  const names = [...blobs.keys()].sort().filter((name) => name.startsWith(prefix) && name >= marker);
  const shown = names.slice(0, Math.min(asked, MOST_RESULTS));
  const entries = shown.map((name) => {
    const { body, etag, modified } = blobs.get(name) as Blob;
    const properties = [
      `<Last-Modified>${modified}</Last-Modified><Etag>${etag.replaceAll('"', "")}</Etag>`,
      `<Content-Length>${body.length}</Content-Length><BlobType>BlockBlob</BlobType>`,
    ];
    return `<Blob><Name>${escaped(name)}</Name><Properties>${properties.join("")}</Properties></Blob>`;
  });
  const next = names[shown.length] ?? "";
  const head = `ServiceEndpoint="https://${url.hostname}/" ContainerName="${escaped(container)}"`;
  const content = `<Blobs>${entries.join("")}</Blobs><NextMarker>${escaped(next)}</NextMarker>`;
  return xml(200, `<EnumerationResults ${head}>${content}</EnumerationResults>`);
}

function fault(status: number, code: string, message: string): ServiceError {
  const answer = xml(status, `<Error><Code>${code}</Code><Message>${message}</Message></Error>`);
  return new ServiceError({ ...answer, headers: { ...answer.headers, "x-ms-error-code": code } }, message);
}

function xml(status: number, content: string): CloudResponse {
  return {
    status,
    headers: { "content-type": "application/xml" },
    body: `<?xml version="1.0" encoding="utf-8"?>${content}`,
  };
}

const escaped = (text: string) => text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
