// What ARM answers beside single resources: subscription, providers, operations, lists, role definitions, deleted vaults.
import type { ArmResource, Caller, CloudRequest, CloudResponse } from "../types.ts";
import { roleDefinition } from "./access.ts";
import type { DeletedVault, World } from "./behaviour.ts";
import { skus, usages } from "./compute.ts";
import { armError } from "./errors.ts";
import { GROUP_TYPE, parseCollection, parseId, same } from "./ids.ts";
import { listOf, listResources } from "./lists.ts";
import { regions } from "./locations.ts";
import { nameAvailability } from "./names.ts";
import type { Providers } from "./providers.ts";
import { purge } from "./remove.ts";
import type { Role } from "./roles.ts";
import { behaviourOf } from "./rules/index.ts";
import { offeredVersions } from "./rules/versions.ts";
import type { Operation } from "./store.ts";

/** Answers the requests that are not about one resource; undefined for others. */
export type Views = (
  request: CloudRequest,
  path: string,
  version: string,
  caller: Caller,
) => Promise<CloudResponse | undefined>;

const ok = (body: object): CloudResponse => ({ status: 200, body });

/** A poll is answered after this long at most, so that clients told to retry at once do not spin. In milliseconds. */
const LONGEST_POLL = 100;

export function views(world: World, providers: Providers, deleted: (resource: ArmResource) => Promise<void>): Views {
  const root = `/subscriptions/${world.subscriptionId}`;
  const routes: readonly [method: string, path: RegExp, view: View][] = [
    ["GET", /^\/subscriptions$/i, () => ok({ value: [subscription(world)] })],
    ["GET", /^\/subscriptions\/[^/]+$/i, () => ok(subscription(world))],
    [
      "GET",
      /^\/subscriptions\/[^/]+\/providers$/i,
      () => ok({ value: providers.namespaces().map((name) => providers.show(name)) }),
    ],
    [
      "GET",
      /^\/subscriptions\/[^/]+\/providers\/([^/]+)$/i,
      ([name = ""]) => ok(providers.show(namespace(providers, name))),
    ],
    [
      "POST",
      /^\/subscriptions\/[^/]+\/providers\/([^/]+)\/register$/i,
      ([name = ""], caller) => {
        const known = namespace(providers, name);
        world.access.demand(caller, `${known}/register/action`, root);
        providers.register(known);
        return ok(providers.show(known));
      },
    ],
    ["GET", /\/locations\/[^/]+\/operationStatuses\/([^/]+)$/i, ([id = ""]) => poll(world, id, status)],
    ["GET", /\/locations\/[^/]+\/operationResults\/([^/]+)$/i, ([id = ""]) => poll(world, id, result)],
    [
      "GET",
      /^\/subscriptions\/[^/]+\/resourceGroups$/i,
      (_parts, caller, request) => listOf(world, caller, { type: GROUP_TYPE, below: root }, request),
    ],
    [
      "GET",
      /^\/subscriptions\/[^/]+(\/resourceGroups\/[^/]+)?\/resources$/i,
      ([group = ""], caller, request) => listResources(world, caller, `${root}${group}`, request),
    ],
    ["GET", /^\/subscriptions\/[^/]+\/locations$/i, () => ok({ value: regions.map((name) => region(root, name)) })],
    ["GET", /^\/tenants$/i, () => ok({ value: [{ id: `/tenants/${world.tenantId}`, tenantId: world.tenantId }] })],
    [
      "POST",
      /^\/subscriptions\/[^/]+\/providers\/([^/]+)\/checkNameAvailability$/i,
      ([name = ""], _caller, request) => ok(nameAvailability(world, namespace(providers, name), request)),
    ],
    [
      "GET",
      /^\/subscriptions\/[^/]+\/providers\/Microsoft\.ContainerService\/locations\/[^/]+\/kubernetesVersions$/i,
      (_parts, caller) => {
        world.access.demand(caller, "Microsoft.ContainerService/locations/kubernetesVersions/read", root);
        return ok({ values: offeredVersions() });
      },
    ],
    // Nobody here has a managed HSM, and clients that list vaults ask for them too.
    ["GET", /^\/subscriptions\/.*\/providers\/Microsoft\.KeyVault\/(deletedM|m)anagedHSMs$/i, () => ok({ value: [] })],
    [
      "GET",
      /^\/subscriptions\/[^/]+\/providers\/Microsoft\.KeyVault\/deletedVaults$/i,
      (_parts, caller) => {
        world.access.demand(caller, "Microsoft.KeyVault/deletedVaults/read", root);
        return ok({ value: [...world.deletedVaults.values()].map((one) => showDeleted(world, one)) });
      },
    ],
    [
      "GET",
      /^\/subscriptions\/[^/]+\/providers\/Microsoft\.KeyVault\/locations\/([^/]+)\/deletedVaults\/([^/]+)$/i,
      ([location = "", name = ""], caller) => {
        world.access.demand(caller, "Microsoft.KeyVault/locations/deletedVaults/read", root);
        return ok(showDeleted(world, deletedVault(world, location, name)));
      },
    ],
    [
      "POST",
      /^\/subscriptions\/[^/]+\/providers\/Microsoft\.KeyVault\/locations\/([^/]+)\/deletedVaults\/([^/]+)\/purge$/i,
      async ([location = "", name = ""], caller) => {
        world.access.demand(caller, "Microsoft.KeyVault/locations/deletedVaults/purge/action", root);
        const { vault } = deletedVault(world, location, name);
        if (vault.properties.enablePurgeProtection === true)
          throw armError(
            400,
            "MethodNotAllowed",
            'Operation "DeletedVaultPurge" is not allowed because purge protection is enabled for this vault. Key Vault service will automatically purge it after the retention period has passed.',
          );
        await purge(world, name, deleted);
        return { status: 200 };
      },
    ],
    [
      "GET",
      /^\/subscriptions\/[^/]+\/providers\/Microsoft\.Compute\/skus$/i,
      (_parts, caller, request) => {
        world.access.demand(caller, "Microsoft.Compute/skus/read", root);
        return ok(skus(world.settings.compute ?? {}, request));
      },
    ],
    [
      "GET",
      /^\/subscriptions\/[^/]+\/providers\/Microsoft\.Compute\/locations\/([^/]+)\/usages$/i,
      ([location = ""], caller) => {
        world.access.demand(caller, "Microsoft.Compute/locations/usages/read", root);
        return ok(usages(world, world.settings.compute ?? {}, location));
      },
    ],
    [
      "GET",
      /^(\/subscriptions\/[^/]+.*)\/providers\/Microsoft\.Authorization\/permissions$/i,
      ([scope = ""], caller) => {
        world.access.demand(caller, "Microsoft.Authorization/permissions/read", scope);
        return ok({ value: world.access.permissions(caller, scope) });
      },
    ],
    [
      "GET",
      /^(.*)\/providers\/Microsoft\.Authorization\/roleDefinitions(?:\/([^/]+))?$/i,
      ([scope = "", id], caller, request) => {
        world.access.demand(caller, "Microsoft.Authorization/roleDefinitions/read", scope === "" ? root : scope);
        return roleDefinitions(world, id, request.url.searchParams.get("$filter"));
      },
    ],
  ];
  return async (request, path, version, caller) => {
    for (const [method, pattern, view] of routes) {
      const match = method === request.method ? pattern.exec(path) : null;
      if (match !== null) return view(match.slice(1), caller, request);
    }
    const collection = request.method === "GET" ? parseCollection(path) : undefined;
    if (collection === undefined) return undefined;
    providers.definition(collection.type, version);
    return listOf(world, caller, collection, request);
  };
}

type View = (
  parts: readonly (string | undefined)[],
  caller: Caller,
  request: CloudRequest,
) => CloudResponse | Promise<CloudResponse>;

const region = (root: string, name: string) => ({
  id: `${root}/locations/${name}`,
  name,
  type: "Region",
  displayName: name,
  regionalDisplayName: name,
  metadata: { regionType: "Physical", regionCategory: "Recommended" },
});

const subscription = ({ subscriptionId, tenantId, settings }: World) => ({
  id: `/subscriptions/${subscriptionId}`,
  subscriptionId,
  tenantId,
  displayName: "Rehearsal",
  state: settings.subscriptionState ?? "Enabled",
  authorizationSource: "RoleBased",
});

function namespace(providers: Providers, name: string): string {
  const known = providers.namespaces().find((one) => same(one, name));
  if (known === undefined)
    throw armError(404, "InvalidResourceNamespace", `The resource namespace '${name}' is invalid.`);
  return known;
}

async function poll(world: World, id: string, show: (operation: Operation) => CloudResponse): Promise<CloudResponse> {
  const found = () => {
    world.store.settle();
    return world.store.operations.get(id);
  };
  const operation = found();
  if (operation === undefined) throw armError(404, "NotFound", `The operation '${id}' could not be found.`);
  if (operation.ended === undefined) {
    const left = operation.waiting ? LONGEST_POLL : Math.max(operation.endsAt - world.settings.now(), 0) + 1;
    await new Promise((resolve) => setTimeout(resolve, Math.min(left, LONGEST_POLL)));
  }
  return show(found() ?? operation);
}

function status(operation: Operation): CloudResponse {
  const { id, started, ended, error } = operation;
  return {
    status: 200,
    ...(ended === undefined ? { headers: { "retry-after": "0" } } : {}),
    body: {
      id: `/subscriptions/operations/${id}`,
      name: id,
      status:
        ended === undefined
          ? answersOf(operation)?.namesVerb
            ? operation.verb
            : "InProgress"
          : error === undefined
            ? "Succeeded"
            : "Failed",
      startTime: new Date(started).toISOString(),
      ...(ended === undefined ? {} : { endTime: new Date(ended).toISOString() }),
      ...(error === undefined ? {} : { error }),
    },
  };
}

function result(operation: Operation): CloudResponse {
  const { ended, error } = operation;
  if (ended === undefined) return { status: 202, headers: { "retry-after": "0" } };
  if (error !== undefined) return { status: 409, body: { error } };
  return { status: answersOf(operation)?.deletion === "location" ? 200 : 204 };
}

const answersOf = ({ resourceId }: Operation) => behaviourOf(parseId(resourceId)?.type ?? "").answers;

function roleDefinitions(world: World, id: string | undefined, filter: string | null): CloudResponse {
  const [, name] = /roleName eq '([^']+)'/i.exec(filter ?? "") ?? [];
  const show = (role: Role) => roleDefinition(world.access, role);
  if (id === undefined)
    return ok({
      value: world.access
        .definitions()
        .filter((role) => name === undefined || same(role.name, name))
        .map(show),
    });
  const role = world.access.definitions().find((one) => same(one.id, id));
  if (role === undefined)
    throw armError(404, "RoleDefinitionDoesNotExist", `The specified role definition with ID '${id}' does not exist.`);
  return ok(show(role));
}

function deletedVault(world: World, location: string, name: string): DeletedVault {
  const found = world.deletedVaults.get(name.toLowerCase());
  if (found === undefined || !same(found.vault.location ?? "", location))
    throw armError(404, "DeletedVaultNotFound", `The specified deleted vault '${name}' does not exist.`);
  return found;
}

const showDeleted = (world: World, { vault, deletedAt, purgeAt }: DeletedVault) => ({
  id: `/subscriptions/${world.subscriptionId}/providers/Microsoft.KeyVault/locations/${vault.location}/deletedVaults/${vault.name}`,
  name: vault.name,
  type: "Microsoft.KeyVault/deletedVaults",
  properties: {
    vaultId: vault.id,
    location: vault.location,
    tags: vault.tags ?? {},
    deletionDate: deletedAt,
    scheduledPurgeDate: purgeAt,
    purgeProtectionEnabled: vault.properties.enablePurgeProtection,
  },
});
