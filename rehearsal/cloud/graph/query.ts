// The OData query options that are understood: $filter with equality, $select and $top.
import { GraphFault } from "./errors.ts";

type Entity = Readonly<Record<string, unknown>>;

const filterable = ["id", "appId", "displayName"];

/** @returns the entities of a collection that the query asks for, each with the properties it asks for. */
export function query(entities: readonly Entity[], parameters: URLSearchParams): Entity[] {
  for (const name of parameters.keys()) {
    if (!["$filter", "$select", "$top", "$count"].includes(name)) throw unsupported(`query option '${name}'`);
  }
  const filter = parameters.get("$filter");
  const found = filter === null ? entities : entities.filter(readFilter(filter));
  return found.slice(0, Number(parameters.get("$top") ?? 100)).map((entity) => select(entity, parameters));
}

/** The properties of an entity that `$select` names; all without it. */
export function select(entity: Entity, parameters: URLSearchParams): Entity {
  const names = parameters.get("$select")?.split(",");
  return names ? Object.fromEntries(names.map((name) => [name, entity[name] ?? null])) : entity;
}

function readFilter(filter: string): (entity: Entity) => boolean {
  const conditions = filter.split(" and ").map((part) => {
    const [, name = "", value = ""] = /^(\w+) eq '((?:[^']|'')*)'$/.exec(part.trim()) ?? [];
    if (!filterable.includes(name)) throw unsupported(`filter clause '${part}'`);
    return { name, value: value.replaceAll("''", "'") };
  });
  return (entity) => conditions.every(({ name, value }) => entity[name] === value);
}

function unsupported(what: string): GraphFault {
  return new GraphFault(400, "Request_UnsupportedQuery", `Unsupported ${what}.`);
}
