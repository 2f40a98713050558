// The life of a resource: read, PUT and PATCH, DELETE, and the operations that they start.
import type { ArmExtension, ArmResource, Caller, CloudRequest, CloudResponse } from "../types.ts";
import type { World, Write } from "./behaviour.ts";
import { armError, notFound } from "./errors.ts";
import { GROUP_TYPE, key, parseId, type ResourceId, same, scopeOwner } from "./ids.ts";
import { merged, prepare } from "./put.ts";
import { removeAll } from "./remove.ts";
import { behaviourOf } from "./rules/index.ts";
import type { TypeDefinition } from "./schema.ts";
import type { Operation } from "./store.ts";
import { definitionOf } from "./types/index.ts";

export class Lifecycle {
  readonly extensions: ArmExtension[] = [];
  readonly #world: World;
  readonly #exclusive = new Set<string>();

  constructor(world: World) {
    this.#world = world;
  }

  #get(id: string): ArmResource | undefined {
    return this.#world.store.get(id);
  }

  /** What a resource stands on must exist. */
  checkScope(id: ResourceId, definition: TypeDefinition, method: string): void {
    if (definition.type === GROUP_TYPE) return;
    const groupId = `/subscriptions/${id.subscription}/resourceGroups/${id.group}`;
    if (id.group !== undefined && this.#get(groupId) === undefined)
      throw armError(404, "ResourceGroupNotFound", `Resource group '${id.group}' could not be found.`);
    const standing = id.parent ?? (definition.home === "extension" ? scopeOwner(id.scope) : undefined);
    if (standing === undefined || /^\/subscriptions\/[^/]+(\/resourceGroups\/[^/]+)?$/i.test(standing)) {
      if (definition.on !== undefined)
        throw armError(400, "BadRequest", `Resources of type '${definition.type}' cannot be on scope '${id.scope}'.`);
      return;
    }
    const parent = parseId(standing);
    const found = this.#get(standing);
    if (parent === undefined || (found === undefined && method === "DELETE")) return;
    if (found === undefined && id.parent !== undefined && method === "PUT")
      throw armError(
        404,
        "ParentResourceNotFound",
        `Failed to perform 'write' on resource(s) of type '${definition.type.split("/").slice(1).join("/")}', because the parent resource '${standing}' could not be found.`,
      );
    if (found === undefined) throw notFound(parent.type, parent.path, parent.group);
    if (definition.on?.every((type) => !same(type, found.type)))
      throw armError(
        400,
        "BadRequest",
        `Resources of type '${definition.type}' cannot be on a resource of type '${found.type}'.`,
      );
  }

  read(id: ResourceId, definition: TypeDefinition, method: string): CloudResponse {
    const resource = this.#get(id.id);
    if (resource === undefined && method === "HEAD") return { status: 404 };
    if (resource === undefined && definition.type === GROUP_TYPE)
      throw armError(404, "ResourceGroupNotFound", `Resource group '${id.name}' could not be found.`);
    if (resource === undefined)
      throw behaviourOf(definition.type).answers?.missing?.(id) ?? notFound(definition.type, id.path, id.group);
    return method === "HEAD" ? { status: 204 } : { status: 200, body: structuredClone(resource) };
  }

  async write(
    id: ResourceId,
    definition: TypeDefinition,
    caller: Caller,
    raw: unknown,
    patch = false,
  ): Promise<CloudResponse> {
    const old = this.#get(id.id);
    if (patch && definition.without?.includes("PATCH"))
      throw armError(
        405,
        "MethodNotAllowed",
        `The http method 'PATCH' is not supported for type '${definition.type}'.`,
      );
    if (patch && old === undefined) throw notFound(definition.type, id.path, id.group);
    if (old !== undefined && same(definition.type, "Microsoft.KeyVault/vaults/keys"))
      return { status: 200, body: structuredClone(old) };
    const behaviour = behaviourOf(definition.type);
    return this.#alone(id, definition, async () => {
      this.#refuseBusy(id, definition);
      const sent = patch && old !== undefined ? merged(definition, old, raw) : raw;
      const { write, resource } = prepare(this.#world, caller, definition, behaviour, id, sent);
      this.#world.store.put(resource);
      if (old === undefined) await this.#created(resource);
      return this.#accepted(write, resource);
    });
  }

  /** Writes that the service itself cannot do at once for the children of one parent. */
  async #alone(id: ResourceId, definition: TypeDefinition, work: () => Promise<CloudResponse>): Promise<CloudResponse> {
    const { exclusive, conflict } = behaviourOf(definition.type);
    if (exclusive === undefined || id.parent === undefined) return work();
    const parent = key(id.parent);
    if (this.#exclusive.has(parent) && conflict !== undefined) {
      const { status, code, message } = conflict(id);
      throw armError(status, code, message);
    }
    this.#exclusive.add(parent);
    try {
      const response = await work();
      await new Promise((resolve) => setTimeout(resolve, exclusive));
      return response;
    } finally {
      this.#exclusive.delete(parent);
    }
  }

  #refuseBusy(id: ResourceId, definition: TypeDefinition): void {
    const behaviour = behaviourOf(definition.type);
    const holds = [id.id, ...(behaviour.holds?.(id, undefined) ?? [])];
    if (!holds.some((held) => this.#world.store.busy(held) !== undefined)) return;
    const { status, code, message } = behaviour.conflict?.(id) ?? {
      status: 409,
      code: "Conflict",
      message: `Another operation is in progress on the resource '${id.id}'.`,
    };
    throw armError(status, code, message);
  }

  #accepted({ id, definition, old }: Write, resource: ArmResource): CloudResponse {
    const behaviour = behaviourOf(definition.type);
    const { answers = {} } = behaviour;
    const isNew = old === undefined;
    const status = isNew ? (answers.created ?? 201) : 200;
    const where = answers.location?.(resource, isNew);
    const located: Record<string, string> = where === undefined ? {} : { location: where };
    if (!definition.slow || (answers.changesAtOnce && !isNew)) {
      if (definition.slow) resource.properties.provisioningState = "Succeeded";
      return { status, headers: located, body: structuredClone(resource) };
    }
    const body = structuredClone(resource);
    const location = resource.location ?? this.#get(id.parent ?? id.scope)?.location ?? "global";
    const operation = this.#world.store.begin(
      { ...resource, location },
      isNew ? "Creating" : "Updating",
      this.#world.settings.duration(definition.type),
      [resource.id, ...(behaviour.holds?.(id, resource) ?? [])],
      () => {
        resource.properties.provisioningState = operation.error === undefined ? "Succeeded" : "Failed";
        behaviour.finished?.(resource, this.#world);
      },
      behaviour.wait?.(resource, this.#world),
    );
    return { status, headers: { ...this.#polling(operation), ...located }, body };
  }

  async remove(
    id: ResourceId,
    definition: TypeDefinition,
    caller: Caller,
    request: CloudRequest,
  ): Promise<CloudResponse> {
    if (definition.without?.includes("DELETE"))
      throw armError(
        405,
        "MethodNotAllowed",
        `The http method 'DELETE' is not supported for type '${definition.type}'.`,
      );
    const resource = this.#get(id.id);
    if (resource === undefined && definition.type === GROUP_TYPE)
      throw armError(404, "ResourceGroupNotFound", `Resource group '${id.name}' could not be found.`);
    if (resource === undefined) return { status: 204 };
    const behaviour = behaviourOf(definition.type);
    return this.#alone(id, definition, async () => {
      this.#refuseBusy(id, definition);
      const force = request.url.searchParams.get("forceDelete") === "true";
      behaviour.mayDelete?.({ world: this.#world, caller, resource, force });
      const { answers = {} } = behaviour;
      const slow = (definition.slow || definition.type === GROUP_TYPE) && !answers.deletesAtOnce;
      const shown = () => (answers.showsDeleted ? { body: structuredClone(resource) } : {});
      if (!slow) {
        await removeAll(this.#world, resource, (one) => this.deleted(one));
        return { status: 200, ...shown() };
      }
      resource.properties.provisioningState = "Deleting";
      const duration = this.#world.settings.duration(definition.type);
      const wait = new Promise((resolve) => setTimeout(resolve, duration)).then(() =>
        removeAll(this.#world, resource, (one) => this.deleted(one)),
      );
      const location = resource.location ?? this.#get(id.parent ?? id.scope)?.location ?? "global";
      const operation = this.#world.store.begin(
        { ...resource, location },
        "Deleting",
        0,
        [resource.id, ...(behaviour.holds?.(id, resource) ?? [])],
        () => {},
        wait,
      );
      return { status: 202, headers: this.#polling(operation), ...shown() };
    });
  }

  #polling(operation: Operation): Record<string, string> {
    const base = `https://management.azure.com/subscriptions/${this.#world.subscriptionId}/providers/${operation.namespace}/locations/${operation.location}`;
    const { type = "" } = parseId(operation.resourceId) ?? {};
    const version = definitionOf(type)?.version ?? "2021-04-01";
    const only = operation.verb === "Deleting" ? behaviourOf(type).answers?.deletion : "azure-asyncoperation";
    const headers = {
      "azure-asyncoperation": `${base}/operationStatuses/${operation.id}?api-version=${version}`,
      location: `${base}/operationResults/${operation.id}?api-version=${version}`,
    };
    return {
      ...(only === undefined ? headers : { [only]: headers[only] }),
      "retry-after": operation.endsAt - operation.started > 2000 ? "1" : "0",
    };
  }

  async #created(resource: ArmResource): Promise<void> {
    try {
      for (const extension of this.extensions)
        if (same(extension.type, resource.type)) await extension.created?.(resource);
    } catch (error) {
      this.#world.store.remove(resource.id);
      throw error;
    }
  }

  async deleted(resource: ArmResource): Promise<void> {
    for (const extension of this.extensions)
      if (same(extension.type, resource.type)) await extension.deleted?.(resource);
  }
}
