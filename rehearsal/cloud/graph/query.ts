// The OData query options that are understood: $filter with equality, startswith and any, $select and $top.
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

type Condition = (entity: Entity) => boolean;

const QUOTED = "'((?:[^']|'')*)'";

/** The forms of a condition; the name of a property comes first, the value second. */
const forms: readonly (readonly [
  pattern: RegExp,
  names: readonly string[],
  holds: (found: unknown, value: string) => boolean,
])[] = [
  [new RegExp(`^(\\w+) eq ${QUOTED}$`), filterable, (found, value) => found === value],
  [
    new RegExp(`^startswith\\((\\w+), ?${QUOTED}\\)$`, "i"),
    ["displayName"],
    (found, value) => String(found).toLowerCase().startsWith(value.toLowerCase()),
  ],
  [
    new RegExp(`^(\\w+)/any\\((?:\\w): ?\\w eq ${QUOTED}\\)$`),
    ["servicePrincipalNames", "identifierUris", "tags"],
    (found, value) => Array.isArray(found) && found.includes(value),
  ],
];

function readFilter(filter: string): Condition {
  const conditions = filter.split(" and ").map((part) => readCondition(part.trim()));
  return (entity) => conditions.every((holds) => holds(entity));
}

function readCondition(text: string): Condition {
  for (const [pattern, names, holds] of forms) {
    const [, name = "", value = ""] = pattern.exec(text) ?? [];
    if (names.includes(name)) return (entity) => holds(entity[name], value.replaceAll("''", "'"));
  }
  throw unsupported(`filter clause '${text}'`);
}

function unsupported(what: string): GraphFault {
  return new GraphFault(400, "Request_UnsupportedQuery", `Unsupported ${what}.`);
}
