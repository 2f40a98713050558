// A Kubernetes API server, with no more than Flux's installation needs: a client library would be many times as big.

import { type RequestOptions, request as requestHttp } from "node:http";
import { type Agent, request as requestHttps } from "node:https";
import { Again, retry } from "./retry.ts";

/** What a caller proves itself with: either, or both. */
export interface ApiCredential {
  /** A bearer token. */
  readonly token?: string;
  /** A client certificate (PEM). */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

/** How to reach an API server. */
export interface ApiServer {
  /** `https://<host>[:<port>]`. */
  readonly endpoint: string;
  /** The authority that signed its certificate (PEM); default: those that Node trusts. */
  readonly authority?: string | undefined;
  /** Asked for before every request; undefined for a caller without a name. */
  readonly credential: (() => Promise<ApiCredential>) | undefined;
  /** Keeps the connections; default: Node's own, which goes through the environment's proxy where Node is told to. */
  readonly agent?: Agent | undefined;
}

/** A Kubernetes object. */
export interface KubeObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly generation?: number;
    readonly deletionTimestamp?: string;
    readonly finalizers?: readonly string[];
    readonly annotations?: Readonly<Record<string, string>>;
    readonly [key: string]: unknown;
  };
  readonly [key: string]: unknown;
}

/** Which object. */
export interface ObjectRef {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string | undefined };
}

/** An object in words: `Deployment flux-system/source-controller`. */
export function nameOf({ kind, metadata }: ObjectRef): string {
  return `${kind} ${metadata.namespace ? `${metadata.namespace}/` : ""}${metadata.name}`;
}

/** A refusal by the API server, in its own words. */
export class KubernetesError extends Error {
  readonly status: number;
  /** For example `Conflict`; empty where the server said none. */
  readonly reason: string;
  constructor(status: number, reason: string, message: string) {
    super(message);
    this.name = "KubernetesError";
    this.status = status;
    this.reason = reason;
  }
}

/** No answer from the API server. */
export class UnreachableError extends Error {
  constructor(endpoint: string, cause: unknown) {
    super(`no answer from the API server ${endpoint}; does this machine reach it?`, { cause });
    this.name = "UnreachableError";
  }
}

interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

/** An answer of an API server, whatever its status. */
export interface KubernetesAnswer {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly body: string;
}

/** Tries in all where the server is busy or does not answer. */
const TRIES = 6;

/** What the server answers with: all of an object, or nothing but its metadata, so that no secret travels. */
const FORMS = {
  // Some answers are JSON by another name, such as the keys of service accounts' tokens.
  all: "application/json, */*",
  metadata: "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1",
  metadataList: "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1",
} as const;

type Form = keyof typeof FORMS;

/** How long an answer may take, and for how long new tries are begun where none came, in milliseconds. */
const SILENCE = 30_000;

/** An API server as one caller sees it. */
export class KubernetesApi {
  readonly #server: ApiServer;
  readonly #signal: AbortSignal;
  readonly #firstWait: number;
  readonly #tries: number;
  readonly #resources = new Map<string, readonly ApiResource[]>();

  /**
   * @param firstWait before the second try, in milliseconds; each wait is twice as long as the one before.
   * @param tries in all where the server is busy or does not answer.
   */
  constructor(server: ApiServer, signal: AbortSignal, firstWait = 500, tries = TRIES) {
    this.#server = server;
    this.#signal = signal;
    this.#firstWait = firstWait;
    this.#tries = tries;
  }

  /** The object as it is; undefined when it, or its kind, is not there. */
  async get(ref: ObjectRef): Promise<KubeObject | undefined> {
    const path = await this.#path(ref);
    return path === undefined ? undefined : missing(this.#send("GET", path));
  }

  /** An object without spec, status and data: these do not leave the server. */
  async metadataOf(ref: ObjectRef): Promise<KubeObject | undefined> {
    const path = await this.#path(ref);
    const found = path && (await missing(this.#send("GET", path, undefined, { form: "metadata" })));
    return found ? { ...found, apiVersion: ref.apiVersion, kind: ref.kind } : undefined;
  }

  /**
   * All objects of a kind; none where the kind is not there.
   * @param labels a label selector.
   * @param metadataOnly leaves spec, status and data out.
   */
  async list(
    apiVersion: string,
    kind: string,
    options: { namespace?: string; labels?: string; metadataOnly?: boolean } = {},
  ): Promise<KubeObject[]> {
    const { namespace, labels, metadataOnly = false } = options;
    const path = await this.#path({ apiVersion, kind, metadata: { name: "", namespace } });
    if (path === undefined) return [];
    const query = labels === undefined ? "" : `?labelSelector=${encodeURIComponent(labels)}`;
    const form = metadataOnly ? "metadataList" : "all";
    const found = await missing(this.#send("GET", `${path.replace(/\/$/, "")}${query}`, undefined, { form }));
    return ((found?.items ?? []) as KubeObject[]).map((item) => ({ ...item, apiVersion, kind }));
  }

  /**
   * Server-side apply.
   * @param force takes fields over from other managers; otherwise such a conflict is an error.
   * @throws KubernetesError
   */
  async apply(object: ObjectRef, options: { fieldManager: string; force: boolean; dryRun?: boolean }) {
    const path = await this.#path(object);
    if (path === undefined)
      throw new KubernetesError(404, "NotFound", `the cluster knows no ${object.kind} of ${object.apiVersion}`);
    const { fieldManager, force, dryRun } = options;
    const query = `?fieldManager=${encodeURIComponent(fieldManager)}&force=${force}${dryRun ? "&dryRun=All" : ""}`;
    return (await this.#send("PATCH", path + query, object, {
      contentType: "application/apply-patch+yaml",
    })) as KubeObject;
  }

  /** A JSON merge patch; undefined when the object is not there. */
  async merge(ref: ObjectRef, patch: object, fieldManager: string): Promise<KubeObject | undefined> {
    const path = await this.#path(ref);
    if (path === undefined) return undefined;
    const query = `?fieldManager=${encodeURIComponent(fieldManager)}`;
    return missing(this.#send("PATCH", path + query, patch, { contentType: "application/merge-patch+json" }));
  }

  /** Deletes an object; that it is not there is as good. */
  async delete(ref: ObjectRef, propagationPolicy: "Foreground" | "Background" = "Background"): Promise<void> {
    const path = await this.#path(ref);
    if (path !== undefined) await missing(this.#send("DELETE", path, { propagationPolicy }));
  }

  /** What an API group's version has; empty where the cluster does not have it. */
  async resources(apiVersion: string): Promise<readonly ApiResource[]> {
    const found = await missing(this.#send("GET", groupPath(apiVersion)));
    const { resources = [] } = (found ?? {}) as { resources?: ApiResource[] };
    const known = resources.filter(({ name }) => !name.includes("/"));
    this.#resources.set(apiVersion, known);
    return known;
  }

  /** Asks for anything. @throws KubernetesError */
  async request(method: string, path: string, body?: object): Promise<unknown> {
    return this.#send(method, path, body);
  }

  /** Kinds come and go with CRDs: one that is not known yet is looked for anew. */
  async #path({ apiVersion, kind, metadata }: ObjectRef): Promise<string | undefined> {
    const find = (resources: readonly ApiResource[] | undefined) => resources?.find((one) => one.kind === kind);
    const resource = find(this.#resources.get(apiVersion)) ?? find(await this.resources(apiVersion));
    if (resource === undefined) return undefined;
    const scope = resource.namespaced && metadata.namespace ? `/namespaces/${metadata.namespace}` : "";
    return `${groupPath(apiVersion)}${scope}/${resource.name}/${metadata.name}`;
  }

  async #send(
    method: string,
    path: string,
    body?: object,
    { contentType, form }: { contentType?: string; form?: Form } = {},
  ): Promise<unknown> {
    const started = performance.now();
    const waits = (attempt: number) => this.#firstWait * 2 ** (attempt - 1);
    const answer = await retry<KubernetesAnswer>(
      async ({ wait }) => {
        try {
          const answer = await this.ask(method, path, body, contentType, form);
          const isBusy = answer.status === 429 || answer.status >= 500;
          if (!isBusy || wait === undefined) return answer;
          const asked = Number(answer.retryAfter) * 1000;
          return new Again(asked > 0 ? Math.min(asked, 60_000) : undefined);
        } catch (error) {
          this.#signal.throwIfAborted();
          // A firewall that swallows everything would be waited for in every try.
          const isLast = wait === undefined || performance.now() - started >= SILENCE;
          if (isLast || !(error instanceof UnreachableError)) throw error;
          return new Again();
        }
      },
      { waits, attempts: this.#tries, signal: this.#signal },
    );
    return contentOf(method, path, answer);
  }

  /** Sends a request once. @throws UnreachableError */
  async ask(
    method: string,
    path: string,
    body?: object,
    contentType = "application/json",
    form: Form = "all",
  ): Promise<KubernetesAnswer> {
    const { endpoint, authority, agent } = this.#server;
    const { token, certificate } = (await this.#server.credential?.()) ?? {};
    const url = new URL(endpoint.replace(/\/$/, "") + path);
    const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = {
      accept: FORMS[form],
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      // Node gives a DELETE's body no length by itself: the server would take it for the next request.
      ...(content === undefined ? {} : { "content-type": contentType, "content-length": content.length }),
    };
    const options: RequestOptions = { method, headers, signal: this.#signal };
    const tls = { ...(authority === undefined ? {} : { ca: authority }), ...certificate };
    return new Promise((resolve, reject) => {
      const fail = (cause: unknown) => reject(new UnreachableError(endpoint, cause));
      const request =
        url.protocol === "http:" ? requestHttp(url, options) : requestHttps(url, { ...options, ...tls, agent });
      request.setTimeout(SILENCE, () => request.destroy(new Error(`silent for ${SILENCE / 1000} s`)));
      request.on("error", fail).on("response", (response) => {
        const chunks: Buffer[] = [];
        response.on("error", fail).on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            retryAfter: response.headers["retry-after"],
            body: Buffer.concat(chunks).toString(),
          }),
        );
      });
      request.end(content);
    });
  }
}

function groupPath(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

async function missing(answer: Promise<unknown>): Promise<KubeObject | undefined> {
  try {
    return (await answer) as KubeObject;
  } catch (error) {
    if (error instanceof KubernetesError && error.status === 404) return undefined;
    throw error;
  }
}

/** What an answer holds. @throws KubernetesError for a refusal, in the server's own words. */
export function contentOf(method: string, path: string, { status, body }: KubernetesAnswer): unknown {
  let content: { message?: string; reason?: string } = {};
  try {
    content = JSON.parse(body) as typeof content;
  } catch {
    // A proxy in between answers in other forms; the status says enough.
  }
  if (status < 300) return content;
  // A refused Secret must not be repeated, and the server's own message holds no values.
  const said = content.message ?? `the API server answered ${status}`;
  throw new KubernetesError(status, content.reason ?? "", `${method} ${path.split("?")[0]}: ${said}`);
}
