// importImage: a copy on the server's side, with the rules and words of Azure Container Registry
// (learn.microsoft.com/azure/container-registry/container-registry-import-images; github.com/Azure/azure-cli and Azure/acr issues).
import { randomUUID } from "node:crypto";
import { armError } from "../arm/errors.ts";
import type { Arm, ArmResource, Caller, CloudRequest, CloudResponse } from "../types.ts";
import { ServiceError } from "../types.ts";
import { type ImportRequest, parseImport, type Source, type Target } from "./importRequest.ts";
import { isIndex, parseManifest } from "./manifests.ts";
import type { RegistryStore, StoredManifest } from "./store.ts";
import type { UpstreamRegistries } from "./upstream.ts";

/** Azure's limit for one imported image, the index itself not counted. */
const MAXIMUM_MANIFESTS = 50;

export interface ImportOptions {
  readonly arm: Pick<Arm, "subscriptionId" | "get" | "list">;
  /** The content of an Azure container registry. */
  readonly registryStore: (registry: ArmResource) => RegistryStore;
  /** The content of a public registry for who signs in, or its refusal; undefined for an unknown host. */
  readonly upstreamSource: UpstreamRegistries["source"];
  /** Whether a caller may pull from an Azure container registry. */
  readonly mayPull: (caller: Caller, registry: ArmResource) => boolean;
  /** The caller behind a client id and secret. */
  readonly byPassword: (clientId: string, secret: string) => Caller | undefined;
  /** Milliseconds that an import of several manifests takes; 0 when left out. */
  readonly importDelay?: number;
  /** Seconds between two looks at a running import, told to the client; 1 when left out (Azure was seen to say 10). */
  readonly retryAfter?: number;
}

export class Importer {
  readonly #options: ImportOptions;
  readonly #operations = new Map<string, CloudResponse | "running">();
  #hanging = { left: 0, done: false };

  constructor(options: ImportOptions) {
    this.#options = options;
  }

  /**
   * The ARM action importImage. One manifest is copied at once (200); an image of several takes an operation (202).
   * @throws ServiceError in ARM's error format.
   */
  start(registry: ArmResource, body: Record<string, unknown>, caller: Caller): CloudResponse {
    const id = `registries-${randomUUID()}`;
    const request = parseImport(body);
    const store = this.#options.registryStore(registry);
    const source = this.#source(request.source, caller, registry, id);
    checkConflicts(store, request);
    const root = source.find(request.source.repository)?.manifest(request.source.reference);
    if (!root) throw unknownManifest(registry, request.source, id);
    const manifests = closure(source, request.source, root);
    if (manifests.length - 1 > MAXIMUM_MANIFESTS)
      throw armError(
        400,
        "InvalidParameters",
        `The image has ${manifests.length - 1} manifests; the maximum number for an import is ${MAXIMUM_MANIFESTS}.`,
      );
    const copy = (): CloudResponse => {
      checkConflicts(store, request);
      for (const target of request.targets) copyInto(store, target, source, request.source.repository, manifests);
      return { status: 200 };
    };
    return manifests.length === 1 ? copy() : this.#later(id, registry, copy);
  }

  /**
   * Answers GET of an operation's Location.
   * @returns undefined for what is no import; 202 while it runs, then 200 or the error that ended it.
   */
  operationResult(request: CloudRequest): CloudResponse | undefined {
    const path =
      /^\/subscriptions\/[^/]+\/providers\/Microsoft\.ContainerRegistry\/locations\/[^/]+\/operationResults\/([^/]+)$/i;
    const id = path.exec(request.url.pathname)?.[1];
    if (id === undefined || request.method !== "GET") return undefined;
    const outcome = this.#operations.get(id);
    if (outcome === undefined) return undefined;
    return outcome === "running" ? this.#accepted(request.url.href) : outcome;
  }

  #later(id: string, registry: ArmResource, copy: () => CloudResponse): CloudResponse {
    this.#operations.set(id, "running");
    const hangs = this.#hanging.left > 0;
    if (hangs) this.#hanging.left -= 1;
    const isDone = !hangs || this.#hanging.done;
    const end = () => {
      const outcome = isDone ? outcomeOf(copy) : undefined;
      if (outcome !== undefined && !hangs) this.#operations.set(id, outcome);
    };
    setTimeout(end, this.#options.importDelay ?? 0).unref();
    const location = (registry.location ?? "global").toLowerCase().replaceAll(" ", "");
    const path = `/subscriptions/${this.#options.arm.subscriptionId}/providers/Microsoft.ContainerRegistry/locations/${location}/operationResults/${id}`;
    return this.#accepted(`https://management.azure.com${path}?api-version=2023-01-01-preview`);
  }

  #accepted(location: string): CloudResponse {
    return { status: 202, headers: { location, "retry-after": String(this.#options.retryAfter ?? 1) } };
  }

  /** Lets the next imports of several manifests hang. @param done whether they copy all the same. */
  hang(imports: number, done: boolean): void {
    this.#hanging = { left: imports, done };
  }

  #source(source: Source, caller: Caller, target: ArmResource, operation: string): RegistryStore {
    if (source.resourceId !== undefined) return this.#linked(source.resourceId, caller, target);
    const host = source.registryUri ?? "";
    const { username: user = "", password: secret } = source.credentials ?? {};
    const login = secret === undefined ? undefined : { username: user, password: secret };
    const upstream = this.#options.upstreamSource(host, source.repository, login);
    if (upstream && "refusal" in upstream) throw refused(target, upstream.refusal, operation);
    if (upstream) return upstream.store;
    const registry = this.#options.arm
      .list("Microsoft.ContainerRegistry/registries")
      .find(({ properties }) => String(properties.loginServer).toLowerCase() === host.toLowerCase());
    if (!registry) throw armError(400, "InvalidParameters", `The source registry ${host} could not be reached.`);
    const { username = "", password = "" } = source.credentials ?? {};
    const puller = this.#options.byPassword(username, password);
    if (!puller || !this.#options.mayPull(puller, registry))
      throw armError(
        400,
        "InvalidParameters",
        `Authentication to the source registry ${host} failed. Check source.credentials.`,
      );
    return this.#options.registryStore(registry);
  }

  #linked(resourceId: string, caller: Caller, target: ArmResource): RegistryStore {
    const registry = this.#options.arm.get(resourceId);
    if (registry?.type.toLowerCase() !== "microsoft.containerregistry/registries")
      throw armError(404, "ResourceNotFound", `The source registry '${resourceId}' was not found.`);
    if (!this.#options.mayPull(caller, registry)) {
      const { objectId, clientId = objectId } = caller.principal;
      const words =
        `The client '${clientId}' with object id '${objectId}' has permission to perform action 'Microsoft.ContainerRegistry/registries/importImage/action' ` +
        `on scope '${target.id}'; however, it does not have permission to perform action(s) 'Microsoft.ContainerRegistry/registries/pull/read' on the linked scope(s) '${registry.id}'.`;
      throw armError(403, "LinkedAuthorizationFailed", words);
    }
    return this.#options.registryStore(registry);
  }
}

/** The manifest and everything below it, children first; referrers are not below it, so they are not copied. */
function closure(source: RegistryStore, { repository }: Source, root: StoredManifest): StoredManifest[] {
  if (!isIndex(root.mediaType)) return [root];
  const children = (parseManifest(root).manifests ?? []).flatMap(({ digest }) => {
    const child = source.find(repository)?.manifests.get(digest);
    return child ? closure(source, { repository, reference: digest }, child) : [];
  });
  return [...children, root];
}

function copyInto(
  store: RegistryStore,
  target: Target,
  source: RegistryStore,
  from: string,
  manifests: readonly StoredManifest[],
): void {
  for (const manifest of manifests) {
    const { config, layers = [] } = parseManifest(manifest);
    for (const { digest } of [...(config ? [config] : []), ...layers]) {
      const blob = source.blob(from, digest);
      if (blob) store.putBlob(target.repository, blob);
    }
    store.putManifest(
      target.repository,
      manifest.body,
      manifest.mediaType,
      manifest === manifests.at(-1) ? target.tag : undefined,
    );
  }
}

function checkConflicts(store: RegistryStore, { mode, targets }: ImportRequest): void {
  if (mode === "Force") return;
  for (const { repository, tag } of targets)
    if (tag !== undefined && store.find(repository)?.tags.has(tag))
      throw armError(409, "Conflict", `Tag ${repository}:${tag} already exists in target registry.`);
}

/** A source that refuses what Azure asks of it. */
function refused(registry: ArmResource, refusal: "limited" | "unauthorized", operation: string): ServiceError {
  const [status, code, words] =
    refusal === "limited"
      ? ["Too Many Requests", "TOOMANYREQUESTS", "You have reached your unauthenticated pull rate limit."]
      : ["Unauthorized", "UNAUTHORIZED", "authentication required"];
  const body = JSON.stringify({ errors: [{ code, message: words }] });
  const message = `Operation ${operation} failed. Resource ${registry.id} Invalid message ${status} ${body}`;
  return armError(400, "InvalidParameters", message);
}

function unknownManifest(registry: ArmResource, source: Source, operation: string): ServiceError {
  const [tag, digest] = source.reference.includes(":") ? ["", source.reference] : [source.reference, ""];
  const name = [source.registryUri ?? source.resourceId?.split("/").at(-1), source.repository].join("/");
  const words = `Operation ${operation} failed. Resource ${registry.id} Unable to find manifest digest  Repo: ${name} Tag: ${tag} Manifest: ${digest}`;
  return armError(400, "InvalidParameters", words);
}

function outcomeOf(copy: () => CloudResponse): CloudResponse {
  try {
    return copy();
  } catch (error) {
    if (error instanceof ServiceError) return error.response;
    throw error;
  }
}
