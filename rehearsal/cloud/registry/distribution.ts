// The OCI distribution protocol over one store. Who may do what is the caller's business, by `need`.

import type { CloudRequest, CloudResponse } from "../types.ts";
import { readBlob } from "./blobs.ts";
import { acceptManifest, deleteManifest, readManifest, referrers } from "./manifests.ts";
import { checkDigest, parseRoute, type Route, registryError } from "./protocol.ts";
import type { RegistryStore } from "./store.ts";
import { continueUpload, startUpload } from "./uploads.ts";

/** What a request needs, in the words of a token's scope; no repository for `/v2/` itself and for the catalog. */
export interface Need {
  readonly type: "base" | "catalog" | "repository";
  readonly name: string;
  readonly actions: readonly ("pull" | "push" | "delete" | "metadata_read" | "*")[];
}

/** The answering half of a registry. */
export interface Guard {
  /** Refuses a request whose caller may not do what it needs, by throwing. */
  require(need: Need): void;
  /** Whether the caller may also read another repository (for mounts). */
  mayPull(name: string): boolean;
}

/**
 * Answers one request.
 * @throws ServiceError with the specification's error body.
 */
export function distribution(store: RegistryStore, request: CloudRequest, guard: Guard): CloudResponse {
  const route = parseRoute(request.url.pathname);
  if (!route)
    return { status: 404, headers: { "content-type": "text/plain; charset=utf-8" }, body: "404 page not found\n" };
  guard.require(needOf(route, request.method));
  const response = dispatch(store, route, request, guard);
  return { ...response, headers: { "docker-distribution-api-version": "registry/2.0", ...response.headers } };
}

function needOf(route: Route, method: string): Need {
  if (!("name" in route)) {
    return route.kind === "base"
      ? { type: "base", name: "", actions: [] }
      : { type: "catalog", name: "catalog", actions: ["*"] };
  }
  const reading = method === "GET" || method === "HEAD";
  if (route.kind === "tags") return { type: "repository", name: route.name, actions: ["metadata_read"] };
  if (route.kind === "upload") return { type: "repository", name: route.name, actions: ["pull", "push"] };
  if (reading) return { type: "repository", name: route.name, actions: ["pull"] };
  return { type: "repository", name: route.name, actions: method === "DELETE" ? ["delete"] : ["pull", "push"] };
}

function dispatch(store: RegistryStore, route: Route, request: CloudRequest, guard: Guard): CloudResponse {
  const reading = request.method === "GET" || request.method === "HEAD";
  if (route.kind === "upload") {
    if (route.session !== undefined) return continueUpload(store, route.name, route.session, request);
    if (request.method === "POST") return startUpload(store, route.name, request, (name) => guard.mayPull(name));
  }
  if (route.kind === "manifest") {
    if (reading) return readManifest(store.find(route.name), route.reference, request);
    if (request.method === "PUT") return writeManifest(store, route.name, route.reference, request);
    if (request.method === "DELETE") return deleteManifest(store.find(route.name), route.reference);
  }
  if (reading && route.kind === "base") return { status: 200, body: {} };
  if (reading && route.kind === "catalog")
    return page(request, "/v2/_catalog", store.names(), (names) => ({ repositories: names }));
  if (reading && route.kind === "tags") return tags(store, route.name, request);
  if (reading && route.kind === "blob") return readBlob(store, route.name, route.reference, request);
  if (reading && route.kind === "referrers")
    return referrers(
      store.find(route.name),
      checkDigest(route.reference),
      request.url.searchParams.get("artifactType"),
    );
  throw registryError("UNSUPPORTED", `the operation ${request.method} is unsupported here`);
}

function writeManifest(store: RegistryStore, name: string, reference: string, request: CloudRequest): CloudResponse {
  const { digest, subject } = acceptManifest(store, name, reference, request.body, request.headers["content-type"]);
  return {
    status: 201,
    headers: {
      location: `/v2/${name}/manifests/${digest}`,
      "docker-content-digest": digest,
      "content-length": "0",
      ...(subject !== undefined && { "oci-subject": subject }),
    },
  };
}

function tags(store: RegistryStore, name: string, request: CloudRequest): CloudResponse {
  const repository = store.find(name);
  if (!repository?.exists) throw registryError("NAME_UNKNOWN", `repository "${name}" is not found`, { name });
  return page(request, `/v2/${name}/tags/list`, [...repository.tags.keys()].sort(), (list) => ({ name, tags: list }));
}

/** A page of a sorted list by `n` and `last`, with the Link to the next one. */
function page(
  request: CloudRequest,
  path: string,
  all: readonly string[],
  shape: (part: readonly string[]) => object,
): CloudResponse {
  const n = request.url.searchParams.get("n");
  const last = request.url.searchParams.get("last");
  if (n !== null && !/^\d+$/.test(n))
    throw registryError("PAGINATION_NUMBER_INVALID", "invalid number of results requested", { n });
  const rest = last === null ? all : all.filter((entry) => entry > last);
  const part = n === null ? rest : rest.slice(0, Number(n));
  const end = part.at(-1);
  const more = end !== undefined && part.length < rest.length;
  return {
    status: 200,
    headers: {
      "content-type": "application/json; charset=utf-8",
      ...(more && { link: `<${path}?last=${encodeURIComponent(end)}&n=${n}>; rel="next"` }),
    },
    body: JSON.stringify(shape(part)),
  };
}
