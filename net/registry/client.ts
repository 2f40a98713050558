// A client of OCI registries (https://github.com/opencontainers/distribution-spec): manifests and blobs, read and pushed.

import type { TokenCredential } from "@azure/identity";
import { describe } from "../describe.ts";
import { type Answer, type AnswerLimits, send } from "../http.ts";
import type { Clock } from "../retry.ts";
import { digestOf, isMap } from "../values.ts";
import { RegistryClosed, RegistryError, refusal } from "./errors.ts";
import { type Access, type RegistryLogin, RegistryTokens, type Token } from "./tokens.ts";

export { RateLimited, RegistryClosed, RegistryError } from "./errors.ts";
export type { RegistryLogin } from "./tokens.ts";

const MANIFEST_TYPES = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ");

export interface RegistryOptions {
  /** Entra credential; used for Azure container registries only. */
  readonly credential?: TokenCredential;
  /** Goes before the credential; asked for once, where the registry wants to know who asks. @default none */
  readonly login?: RegistryLogin | (() => Promise<RegistryLogin | undefined>) | undefined;
  readonly signal?: AbortSignal;
  /** Origin to talk to instead of `https://<host>`. */
  readonly endpoint?: string;
  /** @default the machine's */
  readonly clock?: Clock;
  /** @default those of every answer */
  readonly limits?: AnswerLimits;
}

/** What is told of a manifest where another one refers to it. */
export interface ManifestDescriptor {
  readonly digest: string;
  readonly artifactType?: string;
}

const INDEX_TYPE = "application/vnd.oci.image.index.v1+json";

/** One registry. Tokens are kept as long as the client lives. */
export class RegistryClient {
  readonly host: string;
  readonly #endpoint: string;
  readonly #signal: AbortSignal | undefined;
  readonly #options: { readonly clock?: Clock | undefined; readonly limits?: AnswerLimits | undefined };
  readonly #tokens: RegistryTokens;

  /** @param host as in image names: `ghcr.io`, `docker.io`, `<name>.azurecr.io`. */
  constructor(host: string, options: RegistryOptions = {}) {
    this.host = host;
    // Docker Hub's registry has another name than its images.
    this.#endpoint = options.endpoint ?? `https://${host === "docker.io" ? "registry-1.docker.io" : host}`;
    this.#signal = options.signal;
    const credential = /\.azurecr\.(io|cn|us)$/.test(host) ? options.credential : undefined;
    this.#options = { clock: options.clock, limits: options.limits };
    const send = { signal: options.signal, repeatable: true, ...this.#options };
    this.#tokens = new RegistryTokens(host, this.#endpoint, { credential, login: options.login, send });
  }

  /**
   * A manifest or index, byte for byte.
   * @param reference a tag or digest.
   * @returns undefined when there is none.
   * @throws RegistryError; also when the content does not fit the digest that was asked for.
   */
  async manifest(
    repository: string,
    reference: string,
  ): Promise<{ digest: string; mediaType: string; body: Buffer } | undefined> {
    const response = await this.#get("GET", repository, `manifests/${reference}`, MANIFEST_TYPES);
    if (response === undefined) return undefined;
    const body = response.body;
    const digest = digestOf(body);
    const expected = reference.startsWith("sha256:") ? reference : response.headers.get("docker-content-digest");
    if (expected?.startsWith("sha256:") && expected !== digest) throw this.#damaged(repository, expected, digest);
    return { digest, mediaType: mediaType(response), body };
  }

  /** The digest behind a tag or digest; undefined when there is none. @throws RegistryError */
  async head(repository: string, reference: string): Promise<{ digest: string; mediaType: string } | undefined> {
    const response = await this.#get("HEAD", repository, `manifests/${reference}`, MANIFEST_TYPES);
    if (response === undefined) return undefined;
    const digest = response.headers.get("docker-content-digest");
    // The header is only recommended; without it the content tells.
    return digest === null ? this.manifest(repository, reference) : { digest, mediaType: mediaType(response) };
  }

  /** All tags of a repository; none where there is no such repository. @throws RegistryError */
  async tags(repository: string): Promise<string[]> {
    const found: string[] = [];
    let page: string | URL | undefined = "tags/list?n=1000";
    while (page !== undefined) {
      const response = await this.#call("GET", repository, page, "pull", { headers: { accept: "application/json" } });
      if (response.status === 404) return found;
      const content: unknown = JSON.parse(this.#expect(response, 200, repository, "list tags").body.toString("utf8"));
      if (isMap(content) && Array.isArray(content.tags)) found.push(...content.tags.map(String));
      const [, next] = /<([^>]*)>\s*;\s*rel="?next"?/.exec(response.headers.get("link") ?? "") ?? [];
      page = next === undefined ? undefined : new URL(next, response.url);
    }
    return found;
  }

  /**
   * What refers to a manifest: signatures, attestations, bills of materials. A registry that does not serve the referrers
   * API has them in an index, whose tag is the digest with a dash
   * (https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers).
   * @throws RegistryError
   */
  async referrers(repository: string, digest: string): Promise<ManifestDescriptor[]> {
    const found: ManifestDescriptor[] = [];
    let page: string | URL | undefined = `referrers/${digest}`;
    while (page !== undefined) {
      const response = await this.#call("GET", repository, page, "pull", { headers: { accept: INDEX_TYPE } });
      const isServed = response.status === 200 && mediaType(response) === INDEX_TYPE;
      if (!isServed && response.status >= 200 && response.status < 500 && response.status !== 429)
        return this.#tagged(repository, digest);
      found.push(...descriptorsOf(this.#expect(response, 200, repository, "list referrers").body));
      const [, next] = /<([^>]*)>\s*;\s*rel="?next"?/.exec(response.headers.get("link") ?? "") ?? [];
      page = next === undefined ? undefined : new URL(next, response.url);
    }
    return found;
  }

  async #tagged(repository: string, digest: string): Promise<ManifestDescriptor[]> {
    const index = await this.manifest(repository, digest.replace(":", "-"));
    return index === undefined || index.mediaType !== INDEX_TYPE ? [] : descriptorsOf(index.body);
  }

  /** A blob. @throws RegistryError when there is none or its content does not fit the digest. */
  async blob(repository: string, digest: string): Promise<Buffer> {
    const response = await this.#get("GET", repository, `blobs/${digest}`, "*/*");
    if (response === undefined) throw new RegistryError(404, `${this.host}/${repository} has no blob ${digest}`);
    const body = response.body;
    const actual = digestOf(body);
    if (actual !== digest) throw this.#damaged(repository, digest, actual);
    return body;
  }

  /** Pushes a blob that is not there yet. @returns its digest. @throws RegistryError */
  async pushBlob(repository: string, body: Buffer): Promise<string> {
    const digest = digestOf(body);
    const there = await this.#call("HEAD", repository, `blobs/${digest}`, "pull,push", {});
    if (there.ok) return digest;
    const started = await this.#call("POST", repository, "blobs/uploads/", "pull,push", { body: "" });
    const upload = this.#expect(started, 202, repository, "start an upload");
    const bytes = new Uint8Array(body);
    const headers = { "content-type": "application/octet-stream" };
    const patched = await this.#call("PATCH", repository, nextUrl(upload), "pull,push", { body: bytes, headers });
    // Every answer has another address for the next step.
    const finish = nextUrl(this.#expect(patched, 202, repository, "upload"));
    finish.searchParams.set("digest", digest);
    const done = await this.#call("PUT", repository, finish, "pull,push", { body: "" });
    this.#expect(done, 201, repository, "finish an upload");
    return digest;
  }

  /** Pushes a manifest under a tag or its digest. @returns its digest. @throws RegistryError */
  async pushManifest(repository: string, reference: string, body: Buffer, type: string): Promise<string> {
    const request = { body: new Uint8Array(body), headers: { "content-type": type } };
    const response = await this.#call("PUT", repository, `manifests/${reference}`, "pull,push", request);
    this.#expect(response, 201, repository, `push ${reference}`);
    return digestOf(body);
  }

  async #get(method: string, repository: string, path: string, accept: string): Promise<Answer | undefined> {
    const response = await this.#call(method, repository, path, "pull", { headers: { accept } });
    if (response.status === 404) return undefined;
    return this.#expect(response, 200, repository, `read ${path}`);
  }

  /**
   * Sends a request with a token; where one is asked for, another time with that. Some registries keep nothing and send
   * on to another one, so who asks may not be who was asked: a token goes straight to the host that wanted it.
   */
  async #call(method: string, repository: string, path: string | URL, access: Access, init: Init): Promise<Answer> {
    let url = new URL(path instanceof URL ? path : `/v2/${repository}/${path}`, this.#endpoint);
    const first = url.origin;
    const asked = new Set<string>();
    try {
      let token = await this.#tokens.expected(url.origin, repository, access);
      let answer = await this.#send(method, url, init, token);
      let isInsteadOfAll = false;
      for (;;) {
        const { origin } = new URL(answer.url);
        if (isInsteadOfAll && answer.status !== 401) this.#tokens.keepToRepositories();
        if (answer.status !== 401 || asked.has(origin)) return answer;
        const challenge = answer.headers.get("www-authenticate");
        const refused: Token | undefined = origin === url.origin ? token : undefined;
        token = origin === url.origin ? undefined : this.#tokens.known(origin, repository, access);
        if (token === undefined) {
          token = await this.#tokens.obtain(challenge, origin, repository, access, refused);
          // One for all repositories may not count for this one: then its own is asked for.
          if (token?.isForAll !== true) asked.add(origin);
        }
        if (token === undefined) return answer;
        isInsteadOfAll = refused?.isForAll === true && !/error="?invalid_token/.test(challenge ?? "");
        url = new URL(answer.url);
        answer = await this.#send(method, url, init, token);
      }
    } catch (error) {
      this.#signal?.throwIfAborted();
      if (error instanceof RegistryError) throw error;
      throw new RegistryClosed(0, `${this.host} cannot be reached: ${describe(error)}`, true);
    } finally {
      this.#tokens.met(first);
    }
  }

  #send(method: string, url: URL, { headers, body }: Init, token: Token | undefined): Promise<Answer> {
    const all = { ...headers, ...(token === undefined ? {} : { authorization: token.authorization }) };
    const repeatable = method === "GET" || method === "HEAD" || method === "PUT";
    return send(
      url,
      { method, headers: all, ...(body === undefined ? {} : { body }) },
      { signal: this.#signal, repeatable, ...this.#options },
    );
  }

  #expect(response: Answer, status: number, repository: string, doing: string): Answer {
    if (response.status === status) return response;
    throw refusal(response, `${this.host}/${repository}: cannot ${doing}`, this.host);
  }

  #damaged(repository: string, expected: string, actual: string): RegistryError {
    return new RegistryError(0, `${this.host}/${repository}: asked for ${expected}, the content is ${actual}`);
  }
}

type Init = { readonly headers?: Record<string, string>; readonly body?: NonNullable<RequestInit["body"]> };

function descriptorsOf(index: Buffer): ManifestDescriptor[] {
  const content: unknown = JSON.parse(index.toString("utf8"));
  const manifests = isMap(content) && Array.isArray(content.manifests) ? content.manifests.filter(isMap) : [];
  return manifests.flatMap(({ digest, artifactType }) =>
    typeof digest === "string" && /^sha256:[0-9a-f]{64}$/.test(digest)
      ? [{ digest, ...(typeof artifactType === "string" ? { artifactType } : {}) }]
      : [],
  );
}

function nextUrl(response: Answer): URL {
  return new URL(response.headers.get("location") ?? "", response.url);
}

function mediaType(response: Answer): string {
  return (response.headers.get("content-type") ?? "").split(";")[0]?.trim() ?? "";
}
