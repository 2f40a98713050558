// Resource ids: /subscriptions/S[/resourceGroups/G][/providers/NS/type/name[/type/name...]][/providers/NS/type/name...]

/** A parsed resource id. Types and names are as the caller spelled them. */
export interface ResourceId {
  /** The whole id without a trailing slash. */
  readonly id: string;
  readonly subscription: string;
  readonly group?: string;
  /** Full type, for example `Microsoft.Network/virtualNetworks/subnets`. */
  readonly type: string;
  readonly name: string;
  /** All names of the last provider part, joined by `/`. */
  readonly path: string;
  /** What the last provider part stands on: a group, a subscription or a resource. */
  readonly scope: string;
  /** The id of the parent resource of a child type; undefined for others. */
  readonly parent?: string;
}

/** A list or an action: a type's collection below a scope or a parent. */
export interface Collection {
  readonly type: string;
  /** What the collection is below of. */
  readonly below: string;
}

export const GROUP_TYPE = "Microsoft.Resources/resourceGroups";

const GROUP_PATTERN = /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)$/i;

/** The key under which an id is kept: ids are compared without case. */
export const key = (id: string): string => id.toLowerCase().replace(/\/+$/, "");

/** Whether two ids or type names are the same, without case. */
export const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase();

/** Whether `id` is `scope` itself or lies below it. */
export const within = (id: string, scope: string): boolean =>
  key(scope) === "" || key(id) === key(scope) || key(id).startsWith(`${key(scope)}/`);

/** The resource that a path names; undefined where it names none (a list, an action, nothing). */
export function parseId(path: string): ResourceId | undefined {
  const id = path.replace(/\/+$/, "");
  const [, subscription, group] = /^\/subscriptions\/([^/]+)(?:\/resourceGroups\/([^/]+))?(?:\/|$)/i.exec(id) ?? [];
  if (subscription === undefined) return undefined;
  const common = { id, subscription, ...(group === undefined ? {} : { group }) };
  if (GROUP_PATTERN.test(id) && group !== undefined) {
    return { ...common, type: GROUP_TYPE, name: group, path: group, scope: `/subscriptions/${subscription}` };
  }
  const at = id.toLowerCase().lastIndexOf("/providers/");
  if (at < 0) return undefined;
  const [namespace, ...rest] = id.slice(at + "/providers/".length).split("/");
  if (rest.length === 0 || rest.length % 2 === 1 || rest.includes("")) return undefined;
  const types = rest.filter((_, i) => i % 2 === 0);
  const names = rest.filter((_, i) => i % 2 === 1);
  return {
    ...common,
    type: [namespace, ...types].join("/"),
    name: names.at(-1) as string,
    path: names.join("/"),
    scope: id.slice(0, at),
    ...(names.length > 1 ? { parent: id.split("/").slice(0, -2).join("/") } : {}),
  };
}

/** The collection that a path names (its last segment is a type or an action); undefined where it names none. */
export function parseCollection(path: string): Collection | undefined {
  const id = path.replace(/\/+$/, "");
  const at = id.toLowerCase().lastIndexOf("/providers/");
  if (at < 0) return undefined;
  const [namespace, ...rest] = id.slice(at + "/providers/".length).split("/");
  if (rest.length % 2 === 0) return undefined;
  return {
    type: [namespace, ...rest.filter((_, i) => i % 2 === 0)].join("/"),
    below: rest.length === 1 ? id.slice(0, at) : id.split("/").slice(0, -1).join("/"),
  };
}

/**
 * The resource that a scope belongs to. Namespaces of a cluster are none of ARM's, and there is no need that they are there:
 * https://learn.microsoft.com/azure/aks/manage-azure-rbac
 */
export const scopeOwner = (scope: string): string =>
  scope.replace(/(\/Microsoft\.ContainerService\/managedClusters\/[^/]+)\/namespaces\/[^/]+$/i, "$1");
