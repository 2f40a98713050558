// Lists of ARM: of one type below a scope, of all resources, of role assignments; with $filter and $top.
import type { ArmResource, Caller, CloudRequest, CloudResponse } from "../types.ts";
import { ASSIGNMENT_TYPE } from "./access.ts";
import type { World } from "./behaviour.ts";
import { armError } from "./errors.ts";
import { type Collection, GROUP_TYPE, parseId, same, within } from "./ids.ts";
import { definitionOf } from "./types/index.ts";

/** The texts that a resource has under a name of `$filter`. */
type Facts = (name: string) => readonly string[] | undefined;

/** `name eq 'value'` or `name ne 'value'`; clauses are joined by `and`. */
const CLAUSE = /^\(?([\w/.]+) (eq|ne) '((?:[^']|'')*)'\)?$/i;

function unreadable(filter: string) {
  return armError(
    400,
    "InvalidFilterInQueryString",
    `Invalid $filter '${filter}' specified in the query string. Please refer to https://aka.ms/ArmResourceListFilter`,
  );
}

/** Whether facts satisfy a filter. @throws ServiceError 400 for a filter that is not understood. */
function satisfies(filter: string | null, facts: Facts): boolean {
  return (filter ?? "")
    .split(/ and /i)
    .filter((clause) => clause.trim() !== "")
    .every((clause) => {
      const [, name = "", operator = "", value = ""] = CLAUSE.exec(clause.trim()) ?? [];
      const known = facts(name.toLowerCase());
      if (known === undefined) throw unreadable(filter ?? "");
      const found = known.some((one) => same(one, value.replaceAll("''", "'")));
      return operator.toLowerCase() === "eq" ? found : !found;
    });
}

/** What resources can be filtered by. https://learn.microsoft.com/rest/api/resources/resources/list */
const factsOf =
  (resource: ArmResource, tagName: string | undefined): Facts =>
  (name) => {
    const tags = resource.tags ?? {};
    const known: Readonly<Record<string, readonly (string | undefined)[]>> = {
      resourcetype: [resource.type],
      name: [resource.name],
      location: [resource.location],
      resourcegroup: [parseId(resource.id)?.group],
      tagname: Object.keys(tags),
      tagvalue: Object.entries(tags)
        .filter(([key]) => tagName === undefined || same(key, tagName))
        .map(([, value]) => value),
    };
    return known[name]?.filter((one): one is string => one !== undefined);
  };

/** A page of a list; what follows is behind `nextLink`. */
function page(request: CloudRequest, value: readonly object[]): CloudResponse {
  const { searchParams: query } = request.url;
  const from = Number(query.get("$skiptoken") ?? 0);
  const size = Number(query.get("$top") ?? value.length);
  if (!Number.isInteger(size) || size < 0 || (size === 0 && value.length > 0))
    throw armError(400, "InvalidTopInQueryString", `The $top '${query.get("$top")}' in the query string is invalid.`);
  const next = new URL(request.url);
  next.searchParams.set("$skiptoken", String(from + size));
  return {
    status: 200,
    body: {
      value: structuredClone(value.slice(from, from + size)),
      ...(from + size < value.length ? { nextLink: next.href } : {}),
    },
  };
}

/** Resources of a type below a scope; role assignments are listed with those of the scopes above. */
export function listOf(
  world: World,
  caller: Caller,
  { type, below }: Collection,
  request: CloudRequest,
): CloudResponse {
  const known = type === GROUP_TYPE ? "Microsoft.Resources/subscriptions/resourceGroups" : type;
  world.access.demand(caller, `${known}/read`, below);
  const filter = request.url.searchParams.get("$filter");
  if (same(type, ASSIGNMENT_TYPE)) return page(request, assignments(world, below, filter));
  const tagName = tagNameOf(filter);
  const found = world.store
    .list(type)
    .filter((resource) => within(resource.id, below) && satisfies(filter, factsOf(resource, tagName)));
  return page(request, found);
}

/** Everything that stands below a scope for itself, as `/resources` shows it. */
export function listResources(world: World, caller: Caller, scope: string, request: CloudRequest): CloudResponse {
  world.access.demand(caller, "Microsoft.Resources/subscriptions/resources/read", scope);
  const filter = request.url.searchParams.get("$filter");
  const tagName = tagNameOf(filter);
  const found = world.store
    .below(scope)
    .filter(({ type }) => type !== GROUP_TYPE && definitionOf(type)?.body.properties.location !== undefined)
    .filter((resource) => satisfies(filter, factsOf(resource, tagName)));
  return page(
    request,
    found.map(({ id, name, type, location, tags, sku, kind, identity }) => ({
      ...{ id, name, type, location, tags },
      ...(sku === undefined ? {} : { sku }),
      ...(kind === undefined ? {} : { kind }),
      ...(identity === undefined ? {} : { identity }),
    })),
  );
}

const tagNameOf = (filter: string | null): string | undefined => /tagname eq '([^']*)'/i.exec(filter ?? "")?.[1];

/** https://learn.microsoft.com/azure/role-based-access-control/role-assignments-list-rest */
function assignments(world: World, below: string, filter: string | null): ArmResource[] {
  const all = world.store.list(ASSIGNMENT_TYPE);
  const scopeOf = ({ properties }: ArmResource) => String(properties.scope ?? "");
  const [, who, principal = ""] =
    /^(?:atScope\(\) and )?(principalId eq |assignedTo\()'([^']*)'\)?$/i.exec(filter ?? "") ?? [];
  const atScope = /^atScope\(\)/i.test(filter ?? "");
  if (filter !== null && filter !== "" && !atScope && who === undefined)
    throw armError(400, "BadRequestQuery", `The filter '${filter}' in the query string is not supported.`);
  const ids =
    who?.toLowerCase().startsWith("assignedto") === true
      ? [principal, ...world.directory.groupsOf(principal)]
      : [principal];
  return all
    .filter((one) => within(below, scopeOf(one)) || (!atScope && within(scopeOf(one), below)))
    .filter(({ properties }) => who === undefined || ids.some((id) => same(id, String(properties.principalId))));
}
