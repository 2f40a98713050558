// Replays recorded exchanges with the real Azure against the simulated ARM and tells where the two agree.

import { mock } from "node:test";
import { setImmediate } from "node:timers/promises";
import { GROUP_TYPE, key, parseCollection, parseId, within } from "../../../../rehearsal/cloud/arm/ids.ts";
import { definitionOf } from "../../../../rehearsal/cloud/arm/types/index.ts";
import type { Principal } from "../../../../rehearsal/cloud/types.ts";
import type { Answer } from "../request.ts";
import { ask } from "../request.ts";
import { Cloud } from "./cloud.ts";
import { foundation } from "./foundation.ts";
import { canonical, type Exchange, errorCode, isGuid, leaves, type Recording } from "./recorded.ts";

/** What came of comparing one thing of one exchange. */
export interface Finding {
  /** `apart`: it could not be compared, for the reason that `what` says. */
  readonly kind: "agrees" | "differs" | "apart";
  /** The type, and what it is that agrees or differs: the same for all exchanges in which it does. */
  readonly what: string;
  /** Where it was seen, with both values. */
  readonly seen: string;
}

const SUBSCRIPTION = "00000000-0000-0000-0000-000000000001";
const TENANT = "00000000-0000-0000-0000-000000000002";
/** Longer than any operation that is waited for, in milliseconds. */
const LONG = 3_600_000;
const POLL =
  /\/(operations|operationStatus(es)?|operationResults|asyncoperations|privateDnsOperationStatuses)\/[^/]+$/i;
/** Errors about what a resource stands on. */
const NOTHING_STANDS = ["ResourceGroupNotFound", "ParentResourceNotFound"];
/** What ARM answers beside resources. */
const VIEW = /\/deletedVaults(\/|$)|\/checkNameAvailability$|\/roleDefinitions(\/|$)|\/kubernetesVersions$/i;
const ENDED = ["Succeeded", "Failed", "Canceled"];

/** Replays every recording; time passes only as it did there. */
export async function replayAll(all: readonly Recording[]): Promise<Finding[]> {
  mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.parse("2026-06-01T00:00:00Z") });
  try {
    const findings: Finding[] = [];
    for (const recording of all) findings.push(...(await new Replay(recording).run()));
    return findings;
  } finally {
    mock.timers.reset();
  }
}

/** Lets time pass while somebody waits for it. */
async function passing<T>(work: Promise<T>): Promise<T> {
  let isOver = false;
  const ended = work.finally(() => {
    isOver = true;
  });
  ended.catch(() => {});
  for (;;) {
    await setImmediate();
    if (isOver) return ended;
    mock.timers.tick(20);
  }
}

class Replay {
  readonly #recording: Recording;
  readonly #cloud = new Cloud({
    subscriptionId: SUBSCRIPTION,
    tenantId: TENANT,
    duration: () => LONG,
    replicationDelay: 30_000,
  });
  readonly #caller: Principal;
  readonly #findings: Finding[] = [];
  /** Ids of the recording and those of the simulation. */
  readonly #ids = new Map<string, string>();
  /** URLs of operations there and here, with the type whose operation it is. */
  readonly #operations = new Map<string, { url: string; type: string }>();
  /** What stood before the recording began. */
  readonly #rebuilt = new Set<string>();
  /** What the recording has, but the simulation could not make. */
  readonly #lost = new Set<string>();
  #line: number;
  #time = 0;

  constructor(recording: Recording) {
    this.#recording = recording;
    this.#line = recording.line;
    const kind = recording.source.includes("azure-service-operator") ? "ServicePrincipal" : "User";
    this.#caller = this.#cloud.directory.add(kind, "user@acme.example");
    this.#cloud.arm.assignRole(this.#caller.objectId, "Owner", `/subscriptions/${SUBSCRIPTION}`);
  }

  async run(): Promise<Finding[]> {
    for (const exchange of this.#recording.exchanges) {
      const reason = (await this.#cannot(exchange)) ?? (await this.#replay(exchange));
      if (reason !== undefined) this.#find("apart", reason, exchange.method, exchange.status);
      this.#line++;
    }
    return this.#findings;
  }

  #find(kind: Finding["kind"], what: string, there: unknown = "", here: unknown = ""): void {
    const { file } = this.#recording;
    const show = (value: unknown) => String(JSON.stringify(value)).slice(0, 200);
    this.#findings.push({ kind, what, seen: `${file}:${this.#line} Azure ${show(there)}, simulation ${show(here)}` });
  }

  /** Why an exchange cannot be replayed. */
  async #cannot({ method, url, request, status, response, recorded }: Exchange): Promise<string | undefined> {
    const path = pathOf(url);
    if (recorded === false) return "only quoted, not recorded";
    if (!path.startsWith("/")) return "another service than ARM";
    if (request === "<left out>") return "the recording left the request out";
    if (status >= 500) return "a failure of Azure's own";
    if (POLL.test(path)) {
      if (this.#operations.has(key(path))) return undefined;
      return "the poll of an operation that was not begun here";
    }
    if (VIEW.test(path)) return undefined;
    const type = typeOf(path);
    if (type === undefined) return `not simulated: ${unknownType(path)}`;
    if ([...this.#lost].some((one) => within(path, one))) return "what it is about was refused here";
    const isRead = method !== "PUT";
    if (isRead && status < 300 && parseId(path) !== undefined && this.#get(path) === undefined) {
      this.#lost.add(path);
      return "what it is about was made before the recording began";
    }
    const needed = [...(await this.#standing(path)), ...(method === "PUT" ? references(this.#here(request)) : [])];
    if (NOTHING_STANDS.includes(errorCode(response) ?? "")) return undefined;
    if (this.#rebuilt.has(key(path)) && method === "GET") return "what it shows was made before the recording began";
    if (method === "PUT" && isRecovery(request)) needed.push(path);
    for (const id of needed) {
      const fault = await this.#rebuild(id, location(request));
      if (fault !== undefined) return `what it needs cannot be rebuilt: ${fault}`;
    }
    if (method === "PUT" && isRecovery(request))
      await passing(this.#cloud.call("DELETE", this.#here(path) as string, undefined, { as: this.#caller }));
    if (errorCode(response) !== "PrincipalNotFound") this.#introduce(this.#here(request));
    return undefined;
  }

  #get(path: string) {
    return this.#cloud.arm.get(this.#here(path) as string);
  }

  /** The ids on which a resource stands: its group, its parents, its scope. */
  async #standing(path: string): Promise<string[]> {
    const id = parseId(path) ?? parseId(path.split("/").slice(0, -1).join("/"));
    if (id === undefined) return [];
    const group = id.group === undefined ? [] : [`/subscriptions/${id.subscription}/resourceGroups/${id.group}`];
    if (id.type === GROUP_TYPE) return [];
    const above = [id.parent, id.scope].filter((one): one is string => one !== undefined && parseId(one) !== undefined);
    const grand = above.flatMap((one) => parseId(one)?.parent ?? []);
    return [...group, ...grand, ...above];
  }

  /** Makes what stood before the recording began. @returns what cannot be made. */
  async #rebuild(id: string, where: string): Promise<string | undefined> {
    const known = parseId(id);
    if (known === undefined || this.#get(id) !== undefined) return undefined;
    const body = foundation(known, where);
    if (body === undefined) return known.type;
    for (const above of await this.#standing(id)) {
      const fault = await this.#rebuild(above, where);
      if (fault !== undefined) return fault;
    }
    const answer = await passing(this.#cloud.call("PUT", this.#here(id) as string, body, { as: this.#caller }));
    await this.#end();
    this.#rebuilt.add(key(id));
    return answer.status < 300 ? undefined : `${known.type} (${JSON.stringify(answer.body)})`;
  }

  /** Everybody whom a request names is in the directory. */
  #introduce(request: unknown): void {
    for (const [path, value] of leaves(request)) {
      if (!/principalId|objectId$/i.test(path) || !isGuid(value)) continue;
      const { directory } = this.#cloud;
      if (directory.find(value) === undefined)
        directory.principals.set(value, { objectId: value, kind: "ServicePrincipal", displayName: "recorded" });
    }
  }

  /** Ends every operation. */
  async #end(): Promise<void> {
    mock.timers.tick(LONG + 1);
    for (let turn = 0; turn < 5; turn++) await setImmediate();
    this.#cloud.arm.all();
  }

  /** A text or body of the recording with the simulation's ids. */
  #here(value: unknown): unknown {
    if (value === undefined || value === null) return value;
    let text = JSON.stringify(value);
    for (const [there, here] of this.#ids) text = text.replaceAll(there, here);
    return JSON.parse(text);
  }

  async #replay(exchange: Exchange): Promise<string | undefined> {
    const { method, url, request, t = this.#time } = exchange;
    if (t > this.#time) mock.timers.tick((t - this.#time) * 1000);
    this.#time = Math.max(t, this.#time);
    const path = pathOf(url);
    const poll = this.#operations.get(key(path));
    if (poll !== undefined) return this.#poll(exchange, poll);
    if (method !== "PUT" && stateOf(exchange) === "Succeeded") await this.#end();
    if (method === "GET" && exchange.status === 404) await this.#end();
    const target = `https://management.azure.com${this.#here(url)}`;
    const answer = await passing(ask(this.#cloud.arm.service, method, target, this.#question(this.#here(request))));
    if (exchange.status >= 400 && answer.status < 300)
      return `the state in which it is refused is not rebuilt: ${errorCode(exchange.response)}`;
    this.#compare(exchange, answer, typeOf(path) ?? unknownType(path));
    if (method === "PUT" && exchange.status < 300 && answer.status >= 300) this.#lost.add(path);
    return undefined;
  }

  #question(body: unknown) {
    const headers = { authorization: `Bearer ${this.#caller.objectId}@https://management.azure.com` };
    return body === null || body === undefined ? { headers } : { headers, body: body as object };
  }

  async #poll(exchange: Exchange, { url, type }: { url: string; type: string }): Promise<undefined> {
    const { status } = (exchange.response ?? {}) as { status?: string };
    const hasEnded = status === undefined ? exchange.status !== 202 : ENDED.includes(status);
    if (hasEnded) await this.#end();
    const answer = await passing(ask(this.#cloud.arm.service, "GET", url, this.#question(null)));
    this.#same(`${type} poll: status code`, exchange.status, answer.status);
    const here = (answer.body as { status?: string } | undefined)?.status;
    if (status !== undefined) this.#same(`${type} poll: status ${hasEnded ? "at the end" : "under way"}`, status, here);
    this.#retryAfter(`${type} poll`, exchange, answer);
  }

  #compare(exchange: Exchange, answer: Answer, type: string): void {
    const { method, status, response, url } = exchange;
    const of = `${type} ${method}`;
    const code = errorCode(answer.body);
    if (status < 300 && answer.status >= 300) {
      this.#find("differs", `${of}: refused with ${code}${place(answer.body)}`, status, answer.body);
      return;
    }
    this.#same(`${of}: status${status >= 400 ? " of an error" : ""}`, status, answer.status);
    if (status >= 400) {
      this.#same(`${of}: code ${errorCode(response)}`, errorCode(response), code);
      return;
    }
    for (const name of ["Azure-AsyncOperation", "Location"]) {
      const [there, here] = [exchange.headers[name], answer.headers[name.toLowerCase()]];
      this.#same(`${of}: header ${name}`, there !== undefined, here !== undefined);
      if (there !== undefined && here !== undefined && POLL.test(pathOf(there)))
        this.#operations.set(key(pathOf(there)), { url: here, type });
    }
    this.#retryAfter(of, exchange, answer);
    if (parseId(pathOf(url)) === undefined || typeof response !== "object" || response === null) return;
    const [there, here] = [hasMembers(response), hasMembers(answer.body)];
    this.#same(`${of}: has a body`, there, here);
    if (there && here) this.#bodies(exchange, answer.body, type);
  }

  #retryAfter(of: string, { headers }: Exchange, answer: Answer): void {
    // azure-cli's recordings are without it.
    if (!this.#recording.source.includes("azure-service-operator")) return;
    const [there, here] = [headers["Retry-After"], answer.headers["retry-after"]];
    this.#same(`${of}: header Retry-After`, there !== undefined, here !== undefined);
  }

  #bodies({ response, abridged }: Exchange, body: unknown, type: string): void {
    const [there, here] = [leaves(response), leaves(body ?? {})];
    for (const [path, value] of there) {
      if (value === null || value === "an empty object") continue;
      if (isGuid(value) && isGuid(here.get(path)) && !this.#ids.has(value) && ![SUBSCRIPTION, TENANT].includes(value))
        this.#ids.set(value, here.get(path) as string);
      // Who recorded is nobody here.
      if (/^systemData\.(created|lastModified)By/.test(path) && here.has(path)) continue;
      if (here.has(path)) this.#same(`${type} ${plain(path)}`, value, here.get(path));
      else this.#find("differs", `${type} ${plain(path)}: missing`, value);
    }
    if (abridged !== undefined) return;
    for (const [path, value] of here)
      if (!there.has(path) && value !== "an empty object")
        this.#find("differs", `${type} ${plain(path)}: added`, undefined, value);
  }

  #same(what: string, there: unknown, here: unknown): void {
    this.#find(canonical(there) === canonical(here) ? "agrees" : "differs", what, there, here);
  }
}

const pathOf = (url: string): string =>
  decodeURIComponent(url.replace(/^https:\/\/management\.azure\.com/, "").split("?")[0] ?? "");

/** A path without indices and without names that the user chose. */
const plain = (path: string): string =>
  path
    .replaceAll(/\[\d+\]/g, "[]")
    .replace(/^tags\..*/, "tags.*")
    .replaceAll(/\/subscriptions\/.*\/[^./]+/gi, "ID");

/** The type of what a path is about, where the simulation knows it. */
function typeOf(path: string): string | undefined {
  const whole = parseId(path);
  if (whole !== undefined) return definitionOf(whole.type)?.type;
  const list = parseCollection(path);
  const above = parseId(path.split("/").slice(0, -1).join("/"));
  return definitionOf(list?.type ?? "")?.type ?? definitionOf(above?.type ?? "")?.type;
}

const unknownType = (path: string): string => {
  const type = parseId(path)?.type ?? parseCollection(path)?.type ?? path;
  return type.replace(/^microsoft\.(.)/, (_, first: string) => `Microsoft.${first.toUpperCase()}`);
};

/** Where in a body a refusal finds the fault. */
const place = (body: unknown): string => {
  const { error } = (body ?? {}) as { error?: { message?: string; target?: string } };
  const found = /Path '([^']+)'/.exec(error?.message ?? "")?.[1] ?? error?.target ?? "";
  return found === "" ? "" : ` at ${plain(found)}`;
};

const hasMembers = (body: unknown): boolean =>
  typeof body === "object" && body !== null && Object.keys(body).length > 0;

const stateOf = ({ response }: Exchange): unknown =>
  (response as { properties?: { provisioningState?: unknown } } | null)?.properties?.provisioningState;

/** Whether a PUT brings a soft-deleted vault back. */
const isRecovery = (request: unknown): boolean =>
  (request as { properties?: { createMode?: string } } | null)?.properties?.createMode === "recover";

const location = (request: unknown): string => {
  const { location: where } = (request ?? {}) as { location?: string };
  return where === undefined || where === "global" || where === "Global" ? "westus2" : where;
};

/** Ids of resources that a body refers to. */
const references = (request: unknown): string[] =>
  [...leaves(request)]
    .flatMap(([path, value]) => [value, ...path.split(/\.(?=\/)/)])
    .filter(
      (value): value is string => typeof value === "string" && /^\/subscriptions\/[^/]+\/resourceGroups\//i.test(value),
    )
    .map((value) => value.replace(/\.(clientId|principalId)$/, ""))
    .filter((value) => definitionOf(parseId(value)?.type ?? "") !== undefined);
