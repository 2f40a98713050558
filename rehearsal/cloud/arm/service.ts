// management.azure.com: authentication, routing, authorization, and the life of a resource.
import type {
  Arm,
  ArmExtension,
  ArmResource,
  Caller,
  CloudRequest,
  CloudResponse,
  Directory,
  FederatedCredential,
  Place,
  Service,
} from "../types.ts";
import { ServiceError } from "../types.ts";
import { Access, ASSIGNMENT_TYPE } from "./access.ts";
import type { ArmSettings, World } from "./behaviour.ts";
import { armError, badContent, notFound } from "./errors.ts";
import { GROUP_TYPE, parseId, same } from "./ids.ts";
import { Lifecycle } from "./lifecycle.ts";
import { Providers, versionOf } from "./providers.ts";
import { type ApiServerRoute, apiServerRoute, noWay, unreachable } from "./reach.ts";
import { redact } from "./record.ts";
import type { Role } from "./roles.ts";
import { assignmentAttributes } from "./rules/authorization.ts";
import { CREDENTIAL_TYPE, isTaken } from "./rules/identity.ts";
import { behaviourOf } from "./rules/index.ts";
import { passTime } from "./rules/time.ts";
import { Store } from "./store.ts";
import { type Views, views } from "./views.ts";

/** How an ArmService is set up. */
export interface ArmOptions extends Partial<ArmSettings> {
  readonly subscriptionId: string;
  readonly tenantId: string;
  readonly directory: Directory;
  /** Told of every request, secrets replaced by "[redacted]". */
  readonly record?: (line: { method: string; url: string; body?: unknown }) => void;
  /** Ids of other subscriptions of the tenant. Default none. */
  readonly otherSubscriptions?: readonly string[];
  /** Resource providers that the subscription has not registered; none by default. */
  readonly unregistered?: readonly string[];
}

const audiences = ["https://management.azure.com", "https://management.core.windows.net"];

/** Simulated durations in milliseconds; real ones are a thousand times as long. */
const durations: Readonly<Record<string, number>> = {
  "Microsoft.ContainerService/managedClusters": 1500,
  "Microsoft.ContainerService/managedClusters/agentPools": 400,
  "Microsoft.KubernetesConfiguration/extensions": 400,
};

export class ArmService implements Arm {
  readonly subscriptionId: string;
  /** The service for the host management.azure.com. */
  readonly service: Service;
  readonly #options: ArmOptions;
  readonly #world: World;
  readonly #providers: Providers;
  readonly #views: Views;
  readonly #lifecycle: Lifecycle;
  readonly #begun = new Set<string>();

  constructor(options: ArmOptions) {
    this.#options = options;
    this.subscriptionId = options.subscriptionId;
    const settings: ArmSettings = {
      duration: (type) => durations[type] ?? 250,
      now: Date.now,
      replicationDelay: 3000,
      roleDelay: 0,
      federationDelay: 0,
      ...options,
    };
    const store = new Store(options.subscriptionId, settings.now);
    this.#world = {
      store,
      access: new Access(store, settings),
      directory: options.directory,
      subscriptionId: options.subscriptionId,
      tenantId: options.tenantId,
      settings,
      deletedVaults: new Map(),
      born: new Map(),
    };
    this.#lifecycle = new Lifecycle(this.#world);
    this.#providers = new Providers(
      [options.subscriptionId, ...(options.otherSubscriptions ?? [])],
      options.unregistered ?? [],
    );
    this.#views = views(this.#world, this.#providers, (resource) => this.#lifecycle.deleted(resource));
    this.service = (request) => this.#answer(request);
  }

  /** Plugs a service in whose control plane this is. */
  extend(extension: ArmExtension): void {
    this.#lifecycle.extensions.push(extension);
  }

  /**
   * Assigns a role without any check, as what exists before a rehearsal begins.
   * @param role name, GUID or definition id of a built-in role or one of defineRole().
   * @param condition under which alone; default none.
   */
  assignRole(objectId: string, role: string, scope: string, condition?: string): void {
    this.#begun.add(this.#world.access.assign(objectId, role, scope, condition).id.toLowerCase());
  }

  /** Puts resources there without any check, as what exists before a rehearsal begins. */
  begin(resources: readonly ArmResource[]): void {
    for (const resource of resources) {
      this.#world.store.put(resource);
      this.#begun.add(resource.id.toLowerCase());
    }
  }

  /** Whether a resource was there before the rehearsal began: by `begin` or `assignRole`. */
  hasBegun({ id }: Pick<ArmResource, "id">): boolean {
    return this.#begun.has(id.toLowerCase());
  }

  /**
   * Adds a custom role of the organisation.
   * @returns the GUID of its definition.
   */
  defineRole(role: Omit<Role, "id"> & { readonly id?: string }): string {
    return this.#world.access.define(role);
  }

  get(id: string): ArmResource | undefined {
    return this.#world.store.get(id);
  }

  list(type: string): ArmResource[] {
    return this.#world.store.list(type);
  }

  /** Everything there is, oldest first, role assignments included. */
  all(): ArmResource[] {
    return this.#world.store.all();
  }

  /** The names of vaults in the recoverable state. */
  deletedVaults(): string[] {
    return [...this.#world.deletedVaults.values()].map(({ vault }) => vault.name);
  }

  adopt(resource: ArmResource): void {
    this.#world.store.put(resource);
  }

  /** Forgets a resource that its own data plane has deleted (ARM has no DELETE for keys). */
  forget(id: string): void {
    this.#world.store.remove(id);
  }

  federatedCredentials(identityId: string): FederatedCredential[] {
    return this.#world.store
      .below(identityId)
      .filter(({ type, id }) => same(type, CREDENTIAL_TYPE) && isTaken(this.#world, id))
      .map(({ properties }) => properties as unknown as FederatedCredential);
  }

  allows(caller: Caller, action: string, scope: string, kind: "control" | "data"): boolean {
    return this.#world.access.allows(caller, action, scope, kind);
  }

  unreachable(resource: ArmResource, request: Pick<CloudRequest, "place" | "address">): string | undefined {
    return unreachable(this.#world, this.get(resource.id) ?? resource, request);
  }

  noWay(resource: ArmResource, host: string, place: Place): string | undefined {
    return noWay(this.#world, this.get(resource.id) ?? resource, host, place);
  }

  /** How a caller in a place comes to the API server of a private cluster. */
  apiServerRoute(cluster: ArmResource, place: Place): ApiServerRoute {
    return apiServerRoute(this.#world, this.get(cluster.id) ?? cluster, place);
  }

  /** Lets the services change by themselves what they change in the course of time. */
  passTime(): void {
    passTime(this.#world);
  }

  /** Changes what a running Flux agent reports of its configuration, for example `complianceState` and `statuses`. */
  reportFlux(id: string, report: Readonly<Record<string, unknown>>): void {
    const configuration = this.get(id);
    if (configuration === undefined) throw new Error(`There is no Flux configuration ${id} to report on.`);
    Object.assign(configuration.properties, report, { statusUpdatedAt: new Date().toISOString() });
  }

  async #answer(request: CloudRequest): Promise<CloudResponse> {
    try {
      const caller = this.#authenticate(request);
      const body = parseBody(request);
      this.#options.record?.({
        method: request.method,
        url: `${request.url.pathname}${request.url.search}`,
        ...(body === undefined ? {} : { body: redact(body) }),
      });
      return await this.#route(request, caller, body);
    } catch (error) {
      if (error instanceof ServiceError) return error.response;
      throw error;
    }
  }

  #authenticate(request: CloudRequest): Caller {
    const header = request.headers.authorization;
    if (header === undefined)
      throw armError(401, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.");
    const [first, second] = audiences as [string, string];
    try {
      return this.#options.directory.authenticate(header, first);
    } catch {
      return this.#options.directory.authenticate(header, second);
    }
  }

  async #route(request: CloudRequest, caller: Caller, body: unknown): Promise<CloudResponse> {
    const path = decodeURIComponent(request.url.pathname)
      .replaceAll(/\/{2,}/g, "/")
      .replace(/\/$/, "");
    const version = versionOf(request);
    this.#providers.checkSubscription(path);
    const view = await this.#views(request, path, version, caller);
    if (view !== undefined) return view;
    const id = parseId(path);
    if (id === undefined) return this.#act(request, path, version, caller, body);
    const definition = this.#providers.definition(id.type, version, /^(PUT|PATCH)$/.test(request.method));
    const verb =
      request.method === "GET" || request.method === "HEAD" ? "read" : request.method === "DELETE" ? "delete" : "write";
    if (verb !== "read") this.#providers.checkRegistered(id.type);
    const attributes =
      verb !== "read" && same(definition.type, ASSIGNMENT_TYPE)
        ? assignmentAttributes(this.#world, verb === "write" ? body : this.get(id.id), verb === "write")
        : undefined;
    this.#world.access.demand(caller, `${actionType(definition.type)}/${verb}`, id.id, attributes);
    this.#lifecycle.checkScope(id, definition, request.method);
    switch (request.method) {
      case "GET":
      case "HEAD":
        return this.#lifecycle.read(id, definition, request.method);
      case "PUT":
        return this.#lifecycle.write(id, definition, caller, body);
      case "PATCH":
        return this.#lifecycle.write(id, definition, caller, body, true);
      case "DELETE":
        return this.#lifecycle.remove(id, definition, caller, request);
      default:
        throw armError(405, "MethodNotAllowed", `The http method '${request.method}' is not supported for a resource.`);
    }
  }

  /** POST on a resource, and lists of resources. */
  async #act(
    request: CloudRequest,
    path: string,
    version: string,
    caller: Caller,
    body: unknown,
  ): Promise<CloudResponse> {
    const id = parseId(path.split("/").slice(0, -1).join("/"));
    const name = path.split("/").at(-1) ?? "";
    if (request.method !== "POST" || id === undefined)
      throw armError(
        404,
        "NotFound",
        `The path '${path}' is not a resource, a list or an action that the service knows.`,
      );
    const definition = this.#providers.definition(id.type, version);
    this.#world.access.demand(caller, `${definition.type}/${name}/action`, id.id);
    this.#lifecycle.checkScope(id, definition, "POST");
    const resource = this.get(id.id);
    if (resource === undefined) throw notFound(definition.type, id.path, id.group);
    const fields = (typeof body === "object" && body !== null ? body : {}) as Record<string, unknown>;
    for (const extension of this.#lifecycle.extensions) {
      const action = same(extension.type, definition.type) ? named(extension.actions, name) : undefined;
      if (action !== undefined) return action(resource, fields, caller);
    }
    const own = named(behaviourOf(definition.type).actions, name);
    if (own === undefined)
      throw armError(
        404,
        "InvalidResourceType",
        `The resource type '${definition.type}/${name}' could not be found for api version '${version}'.`,
      );
    return own({ world: this.#world, caller, resource, body: fields, request });
  }
}

/** Resource groups are authorized under their old name. */
const actionType = (type: string): string =>
  type === GROUP_TYPE ? "Microsoft.Resources/subscriptions/resourceGroups" : type;

function named<T>(actions: Readonly<Record<string, T>> | undefined, name: string): T | undefined {
  return Object.entries(actions ?? {}).find(([one]) => same(one, name))?.[1];
}

function parseBody(request: CloudRequest): unknown {
  if (request.body.length === 0) return undefined;
  try {
    return JSON.parse(request.body.toString("utf8"));
  } catch {
    throw badContent("Unexpected character encountered while parsing the body. Path ''");
  }
}
