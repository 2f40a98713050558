// api.pulumi.com, as far as deployments are concerned: settings, schedules, webhooks and pools of agents; and what a change
// in a repository makes of them.
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { type CloudRequest, type CloudResponse, type Service, ServiceError } from "../types.ts";
import { fault } from "./faults.ts";
import { patched, replaced, type Settings, Vault } from "./settings.ts";
import { check, isObject, type Json, type Shape } from "./shape.ts";
import type { Operation } from "./triggers.ts";

/** A stack in Pulumi Cloud. */
export interface CloudStack {
  readonly organization: string;
  readonly project: string;
  readonly stack: string;
}

interface Kept extends CloudStack {
  settings?: Json;
  version: number;
  readonly schedules: Map<string, Json>;
  readonly hooks: Map<string, Json>;
}

interface Organization {
  readonly pools: Map<string, Json>;
}

/** What a request for a deployment asks for. */
export interface Asked extends CloudStack {
  readonly operation: Operation;
}

const CRON: Shape = { fields: { scheduleCron: "string", autoRemediate: "boolean" }, required: ["scheduleCron"] };
const OPERATIONS: readonly Operation[] = ["update", "preview", "refresh", "destroy", "detect-drift", "remediate-drift"];
const SCHEDULE: Shape = {
  fields: {
    scheduleCron: "string",
    scheduleOnce: "string",
    request: {
      fields: { operation: { oneOf: OPERATIONS }, operationContext: { fields: { options: { map: "boolean" } } } },
      required: ["operation"],
    },
  },
  required: ["request"],
};
const HOOK_FIELDS: Readonly<Record<string, Shape>> = {
  organizationName: "string",
  projectName: "string",
  stackName: "string",
  displayName: "string",
  payloadUrl: "string",
  secret: "string",
  active: "boolean",
  format: { oneOf: ["raw", "slack", "ms_teams", "pulumi_deployments"] },
  filters: { list: "string" },
  groups: { list: "string" },
};
const HOOK: Shape = { fields: HOOK_FIELDS, required: ["organizationName", "displayName", "payloadUrl", "active"] };
const NAMED_HOOK: Shape = { fields: { ...HOOK_FIELDS, name: "string" }, required: ["name"] };
const POOL: Shape = { fields: { name: "string", description: "string" }, required: ["name"] };
const DEPLOYMENT: Shape = {
  fields: { operation: { oneOf: OPERATIONS }, inheritSettings: "boolean" },
  required: ["operation"],
};

const keyOf = ({ organization, project, stack }: CloudStack) => `${organization}/${project}/${stack}`;

export class PulumiCloud {
  /** Starts a deployment that somebody asks for through the API. */
  onDeployment?: (asked: Asked) => Promise<{ readonly id: string }>;
  readonly #tokens = new Map<string, ReadonlySet<string>>();
  readonly #stacks = new Map<string, Kept>();
  readonly #organizations = new Map<string, Organization>();
  readonly #vault = new Vault();

  /** Adds a stack and its organisation, where they are not there yet. */
  addStack(stack: CloudStack): void {
    if (this.#stacks.has(keyOf(stack))) return;
    if (!this.#organizations.has(stack.organization)) this.#organizations.set(stack.organization, { pools: new Map() });
    this.#stacks.set(keyOf(stack), { ...stack, version: 0, schedules: new Map(), hooks: new Map() });
  }

  /** Adds an access token of a member of organisations. @returns its text. */
  addToken(organizations: readonly string[]): string {
    const token = `pul-${randomBytes(20).toString("hex")}`;
    this.#tokens.set(hash(token), new Set(organizations));
    return token;
  }

  /** The stacks that have settings, with these. */
  get configured(): readonly (CloudStack & { readonly settings: Settings })[] {
    return [...this.#stacks.values()].flatMap(({ organization, project, stack, settings }) =>
      settings === undefined ? [] : [{ organization, project, stack, settings: settings as Settings }],
    );
  }

  /** What a variable of settings says, opened. */
  open(value: string | { readonly ciphertext: string }): string {
    return this.#vault.open(value);
  }

  /** What is kept beside the settings, secrets opened by nobody. */
  inspect(stack: CloudStack): { readonly schedules: readonly Json[]; readonly hooks: readonly Json[] } {
    const kept = this.#stacks.get(keyOf(stack));
    return { schedules: [...(kept?.schedules.values() ?? [])], hooks: [...(kept?.hooks.values() ?? [])] };
  }

  /** The pools of agents of an organisation. */
  pools(organization: string): readonly Json[] {
    return [...(this.#organizations.get(organization)?.pools.values() ?? [])].map(({ tokenValue: _, ...pool }) => pool);
  }

  /** Answers for api.pulumi.com. */
  readonly service: Service = async (request) => {
    try {
      return await this.#route(request);
    } catch (error) {
      if (error instanceof ServiceError) return error.response;
      throw error;
    }
  };

  async #route(request: CloudRequest): Promise<CloudResponse> {
    const organizations = this.#authenticate(request);
    const parts = request.url.pathname.split("/").slice(1).map(decodeURIComponent);
    const [api, set, name = "", ...rest] = parts;
    if (api !== "api") throw fault(404, "Not Found");
    // Whoever is no member learns of nothing.
    const organization = organizations.has(name) ? this.#organizations.get(name) : undefined;
    if (set === "orgs" && rest[0] === "agent-pools") {
      if (!organization) throw fault(404, `Not Found: Organization '${name}' not found`);
      return this.#pools(request, organization, rest[1], name);
    }
    const [project = "", stack = "", ...path] = rest;
    const kept = this.#stacks.get(keyOf({ organization: name, project, stack }));
    if (set === "stacks" && path.length > 0) {
      if (!organization || !kept) throw fault(404, `Not Found: Stack '${name}/${project}/${stack}' not found`);
      return this.#stack(request, kept, path, organization);
    }
    throw fault(404, "Not Found");
  }

  #authenticate({ headers }: CloudRequest): ReadonlySet<string> {
    const [scheme, token = ""] = (headers.authorization ?? "").split(" ");
    const known = scheme === "token" ? this.#tokens.get(hash(token)) : undefined;
    if (!known) throw fault(401, "Unauthorized: No credentials provided or are invalid.");
    return known;
  }

  async #stack(
    request: CloudRequest,
    kept: Kept,
    path: readonly string[],
    organization: Organization,
  ): Promise<CloudResponse> {
    const at = path.join("/");
    if (at === "deployments/settings") return this.#settings(request, kept, organization);
    if (path[0] === "hooks") return hooks(request, kept, path[1]);
    if (at === "deployments" && request.method === "POST") {
      const body = bodyOf(request, DEPLOYMENT);
      if (!kept.settings) throw fault(400, "Bad Request: no deployment settings found for stack");
      const { organization: name, project, stack } = kept;
      const asked = { organization: name, project, stack, operation: body.operation as Operation };
      if (!this.onDeployment) throw new Error("nothing runs deployments here");
      const { id } = await this.onDeployment(asked);
      return { status: 202, body: { id } };
    }
    const [, isDrift, id] = /^deployments\/(drift\/)?schedules(?:\/([^/]+))?$/.exec(at) ?? [];
    if (at.startsWith("deployments/") && at.includes("schedules"))
      return schedules(request, kept, isDrift !== undefined, id);
    throw fault(404, "Not Found");
  }

  #settings({ method, body, headers }: CloudRequest, kept: Kept, { pools }: Organization): CloudResponse {
    if (method === "GET") {
      if (!kept.settings) throw fault(404, "Not Found: deployment settings not found");
      return { status: 200, body: kept.settings };
    }
    if (method === "DELETE") {
      if (!kept.settings) throw fault(404, "Not Found: deployment settings not found");
      delete kept.settings;
      kept.schedules.clear();
      return { status: 200, body: "true", headers: { "content-type": "application/json" } };
    }
    if (method !== "PUT" && method !== "POST") throw fault(405, "Method Not Allowed");
    const given = parsed(body);
    const { version: _, source: __, ...before } = kept.settings ?? {};
    const settings = method === "PUT" ? replaced(given, this.#vault) : patched(before, given, this.#vault);
    if (settings.agentPoolID !== undefined && !pools.has(String(settings.agentPoolID)))
      throw fault(400, "Bad Request: Invalid agent pool id");
    kept.version += 1;
    kept.settings = { ...settings, version: kept.version, source: headers["x-pulumi-source"] ?? "api" };
    return { status: 200, body: kept.settings };
  }

  #pools(request: CloudRequest, { pools }: Organization, id: string | undefined, organization: string): CloudResponse {
    const { method, url } = request;
    if (id === undefined) {
      if (method === "GET") return { status: 200, body: { agentPools: this.pools(organization) } };
      if (method !== "POST") throw fault(405, "Method Not Allowed");
      const { name, description = "" } = bodyOf(request, POOL);
      if ([...pools.values()].some((pool) => pool.name === name))
        throw fault(409, `Conflict: agent pool '${String(name)}' already exists`);
      const made = { id: randomUUID(), name, description };
      const tokenValue = `pul-${randomBytes(20).toString("hex")}`;
      pools.set(made.id, made);
      return { status: 201, body: { id: made.id, tokenValue } };
    }
    const pool = pools.get(id);
    if (!pool) throw fault(404, "Not Found: agent pool not found");
    if (method === "GET") return { status: 200, body: pool };
    if (method === "PATCH") {
      Object.assign(pool, bodyOf(request, POOL));
      return { status: 204 };
    }
    if (method !== "DELETE") throw fault(405, "Method Not Allowed");
    const isUsed = [...this.#stacks.values()].some(({ settings }) => settings?.agentPoolID === id);
    if (isUsed && url.searchParams.get("force") !== "true")
      throw fault(400, "Bad Request: agent pool is used by stacks");
    pools.delete(id);
    return { status: 204 };
  }
}

function hooks(request: CloudRequest, { hooks: kept }: Kept, name: string | undefined): CloudResponse {
  const { method } = request;
  if (name === undefined) {
    if (method === "GET") return { status: 200, body: [...kept.values()] };
    if (method !== "POST") throw fault(405, "Method Not Allowed");
    const { secret, ...hook } = bodyOf(request, HOOK);
    const made = { ...hook, name: randomBytes(4).toString("hex"), hasSecret: secret !== undefined };
    kept.set(made.name, made);
    return { status: 201, body: made };
  }
  const hook = kept.get(name);
  if (!hook) throw fault(404, "Not Found: webhook not found");
  if (method === "GET") return { status: 200, body: hook };
  if (method === "PATCH") {
    const { secret, ...changed } = bodyOf(request, NAMED_HOOK);
    const now = { ...hook, ...changed, ...(secret === undefined ? {} : { hasSecret: true }) };
    kept.set(name, now);
    return { status: 200, body: now };
  }
  if (method !== "DELETE") throw fault(405, "Method Not Allowed");
  kept.delete(name);
  return { status: 204 };
}

function schedules(request: CloudRequest, kept: Kept, isDrift: boolean, id: string | undefined): CloudResponse {
  const { method } = request;
  const there = id === undefined ? undefined : kept.schedules.get(id);
  if (id !== undefined && !there) throw fault(404, "Not Found: schedule not found");
  if (method === "POST") {
    if (!kept.settings) throw fault(400, "Bad Request: stack has no deployment settings");
    const made = { ...there, id: id ?? randomUUID(), ...(isDrift ? driftOf(request) : scheduleOf(request)) };
    kept.schedules.set(made.id, made);
    return { status: 200, body: made };
  }
  if (isDrift || id === undefined || !there) throw fault(405, "Method Not Allowed");
  if (method === "GET") return { status: 200, body: there };
  if (method !== "DELETE") throw fault(405, "Method Not Allowed");
  kept.schedules.delete(id);
  return { status: 204 };
}

function driftOf(request: CloudRequest): Json {
  const { scheduleCron, autoRemediate = false } = bodyOf(request, CRON);
  const options = { remediateIfDriftDetected: autoRemediate };
  return { scheduleCron, definition: { request: { operation: "detect-drift", operationContext: { options } } } };
}

function scheduleOf(request: CloudRequest): Json {
  const { scheduleCron, scheduleOnce, request: asked } = bodyOf(request, SCHEDULE);
  if ((scheduleCron === undefined) === (scheduleOnce === undefined))
    throw fault(400, "Bad Request: exactly one of scheduleCron and scheduleOnce is required");
  return { ...(scheduleCron ? { scheduleCron } : { scheduleOnce }), definition: { request: asked } };
}

function bodyOf({ body }: CloudRequest, shape: Shape): Json {
  const value = parsed(body);
  check(value, shape, "");
  return value as Json;
}

function parsed(body: Buffer): unknown {
  try {
    const value: unknown = JSON.parse(body.toString());
    if (isObject(value)) return value;
  } catch {
    // Said below.
  }
  throw fault(400, "Bad Request: failed to parse the body as JSON");
}

function hash(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}
