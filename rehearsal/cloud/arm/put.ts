// PUT and PATCH of a resource: from the body to the accepted resource and its operation.
import type { ArmResource, Caller } from "../types.ts";
import { clientOf } from "./access.ts";
import type { Behaviour, World, Write } from "./behaviour.ts";
import { armError, badContent, notProvisioned } from "./errors.ts";
import { type ResourceId, same } from "./ids.ts";
import { checkLocation, normalLocation } from "./locations.ts";
import type { Rule, TypeDefinition } from "./schema.ts";
import { type Body, changedFixed, complete, equal, isObject, read, references, shown } from "./validate.ts";

/**
 * Checks a write completely and builds the resource that it makes; nothing is stored yet.
 * @throws ServiceError with the first fault.
 */
export function prepare(
  world: World,
  caller: Caller,
  definition: TypeDefinition,
  behaviour: Behaviour,
  id: ResourceId,
  raw: unknown,
): { write: Write; resource: ArmResource } {
  const old = world.store.get(id.id);
  checkName(definition, id);
  const own = isObject(raw) ? withoutOwnId(raw, definition, id) : (raw ?? {});
  const sent = read(definition.body, withoutEchoes(definition.body, own, old), "") as Body;
  behaviour.before?.({ world, caller, id, definition, sent, old });
  normalLocation(sent);
  if (typeof sent.location === "string") checkLocation(definition.type, id, sent.location, old);
  const write: Write = { world, caller, id, definition, sent, old, body: complete(definition.body, sent, old) as Body };
  behaviour.derive?.(write);
  const changed = old && changedFixed(definition.body, write.body, old, "");
  if (changed !== undefined) throw unchangeable(changed);
  checkReferences(write);
  behaviour.check?.(write);
  const resource = build(write);
  behaviour.accepted?.(resource, write);
  return { write, resource };
}

/** A body may say which resource it is, where that is true. */
function withoutOwnId({ id: path, name, type, ...body }: Body, definition: TypeDefinition, id: ResourceId): Body {
  const own: [string, unknown, string][] = [
    ["id", path, id.id],
    ["name", name, id.name],
    ["type", type, definition.type],
  ];
  for (const [member, given, is] of own)
    if (given !== undefined && given !== null && !same(String(given), is))
      throw badContent(`The ${member} '${given}' in the request content does not match '${is}' of the request URL`);
  return body;
}

/**
 * A body without what only the service sets and the client repeats as it read it; the items of a list are told apart by
 * their names.
 */
function withoutEchoes(rule: Rule, sent: unknown, old: unknown): unknown {
  if (rule.kind === "list" && Array.isArray(sent) && Array.isArray(old))
    return sent.map((item, index) => {
      const name = isObject(item) ? item.name : undefined;
      const before = name === undefined ? old[index] : old.find((other) => isObject(other) && other.name === name);
      return withoutEchoes(rule.item, item, before);
    });
  if (!isObject(sent) || !isObject(old)) return sent;
  const ruleOf = (name: string) =>
    rule.kind === "object" ? rule.properties[name] : rule.kind === "map" ? rule.value : undefined;
  return Object.fromEntries(
    Object.entries(sent).flatMap(([name, value]): [string, unknown][] => {
      const property = ruleOf(name);
      if (property === undefined) return [[name, value]];
      if (property.readOnly && equal(value, old[name])) return [];
      return [[name, withoutEchoes(property, value, old[name])]];
    }),
  );
}

/** 400 of a property that only a new resource can have. */
function unchangeable(path: string) {
  const target = path.replace(/^properties\./, "");
  return armError(400, "PropertyChangeNotAllowed", `Changing property '${path}' is not allowed.`, { target });
}

function checkName(definition: TypeDefinition, id: ResourceId): void {
  if (definition.name === undefined || definition.name.test(id.name)) return;
  const [code, message] = definition.nameFault ?? [
    "InvalidResourceName",
    "Resource name {name} is invalid. The name does not match the pattern of the resource type.",
  ];
  throw armError(400, code, message.replaceAll("{name}", id.name));
}

/** Every resource that is referred to must exist, be ready and be the caller's to use. */
function checkReferences({ world, caller, id, definition, body }: Write): void {
  for (const { path, id: target, rule } of references(definition.body, body)) {
    const found = world.store.get(target);
    if (found === undefined || !rule.types.some((type) => same(type, found.type))) throw missing(id, target, path);
    const state = isObject(found.properties) ? found.properties.provisioningState : undefined;
    if (same(found.type.split("/")[0] ?? "", "Microsoft.Network") && state !== undefined && state !== "Succeeded")
      throw notProvisioned(id, found, String(state));
    if (rule.action !== undefined)
      world.access.demandLinked(caller, `${definition.type}/write`, id.id, rule.action, target);
  }
}

function missing(id: ResourceId, target: string, path: string) {
  if (/^Microsoft\.Network\//i.test(id.type))
    return armError(
      400,
      "InvalidResourceReference",
      `Resource ${target} referenced by resource ${id.id} was not found. Please make sure that the referenced resource exists, and that both resources are in the same region.`,
      { details: [] },
    );
  return armError(404, "ResourceNotFound", `The Resource '${target}' at '${path}' was not found.`, { target: path });
}

function build({ id, definition, body, old, caller }: Write): ArmResource {
  const now = new Date().toISOString();
  const by = {
    lastModifiedBy: clientOf(caller),
    lastModifiedByType: caller.principal.kind === "User" ? "User" : "Application",
    lastModifiedAt: now,
  };
  const { createdBy, createdByType, createdAt } = (isObject(old?.systemData) ? old.systemData : {}) as Body;
  return {
    ...(shown(definition.body, body) as Body),
    id: old?.id ?? id.id,
    name: old?.name ?? id.name,
    type: definition.type,
    properties: (shown(definition.body, body) as Body).properties ?? {},
    ...(definition.stamped
      ? {
          systemData: {
            createdBy: createdBy ?? by.lastModifiedBy,
            createdByType: createdByType ?? by.lastModifiedByType,
            createdAt: createdAt ?? now,
            ...by,
          },
        }
      : {}),
  } as ArmResource;
}

/** The body of a PATCH as a PUT: what is there, without what only the service sets, with the changes merged in. */
export function merged(definition: TypeDefinition, old: ArmResource, patch: unknown): Body {
  if (!isObject(patch)) throw badContent("Unexpected end when deserializing object. Path ''");
  const allowed = ["tags", "properties", "sku", "identity"];
  const other = Object.keys(patch).find((name) => !allowed.includes(name));
  if (other !== undefined)
    throw badContent(
      `Could not find member '${other}' on object of type '${definition.body.name}Patch'. Path '${other}'`,
    );
  return merge(writable(definition.body, old), patch) as Body;
}

function writable(rule: TypeDefinition["body"], value: Body): Body {
  return Object.fromEntries(
    Object.entries(rule.properties)
      .filter(([name, property]) => !property.readOnly && value[name] !== undefined)
      .map(([name, property]) => [name, strip(property, value[name])]),
  );
}

function strip(rule: TypeDefinition["body"]["properties"][string], value: unknown): unknown {
  if (rule.kind === "object" && isObject(value)) return writable(rule, value);
  if (rule.kind === "list" && Array.isArray(value)) return value.map((item) => strip(rule.item, item));
  if (rule.kind === "map" && isObject(value))
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, strip(rule.value, item)]));
  return value;
}

/** JSON merge patch (RFC 7396); tags are replaced as a whole, as ARM does. */
function merge(base: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Body = isObject(base) ? { ...base } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = name === "tags" ? value : merge(result[name], value);
  }
  return result;
}
