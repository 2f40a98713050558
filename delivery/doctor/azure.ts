// Azure Resource Manager and Microsoft Graph as the doctor reads them.

import { type AzureCloud, cloudOf } from "../../net/azureCloud.ts";
import { type Environment, signInOf } from "../../net/signIn.ts";
import { isMap } from "../../net/values.ts";
import { azSubscriptions } from "../azProfile.ts";
import { claimsOf } from "../ci/signIn.ts";
import type { Reach } from "./reach.ts";

type Json = Record<string, unknown>;

/** An answer of a service that is an error, in its own words. */
export class Refused extends Error {
  readonly status: number;
  readonly code: string;
  constructor(what: string, status: number, code: string, words: string) {
    super(`${what}: ${status}${code && ` ${code}`}${words && `: ${words}`}`);
    this.name = "Refused";
    this.status = status;
    this.code = code;
  }
}

/** Whether somebody may not do what was asked. */
export const isForbidden = (error: unknown): boolean => error instanceof Refused && [401, 403].includes(error.status);

/** Whether something is not there. */
export const isMissing = (error: unknown): boolean => error instanceof Refused && error.status === 404;

/** Who calls. */
export interface Caller {
  readonly objectId: string;
  readonly tenantId: string;
  /** Whether it is an application or a managed identity, and not a person. */
  readonly isApplication: boolean;
}

/** Azure as one caller sees it. */
export class Azure {
  readonly subscriptionId: string;
  readonly caller: Caller;
  readonly cloud: AzureCloud;
  readonly #reach: Pick<Reach, "send" | "token">;

  constructor(reach: Pick<Reach, "send" | "token">, cloud: AzureCloud, subscriptionId: string, caller: Caller) {
    this.#reach = reach;
    this.cloud = cloud;
    this.subscriptionId = subscriptionId;
    this.caller = caller;
  }

  /** The subscription's own path. */
  get root(): string {
    return `/subscriptions/${this.subscriptionId}`;
  }

  /**
   * Reads from Azure Resource Manager.
   * @param path begins with a slash, without the api-version.
   * @throws Refused
   */
  read(path: string, apiVersion: string): Promise<Json> {
    return this.#arm("GET", path, apiVersion);
  }

  /** Asks Azure Resource Manager what takes a body and changes nothing. @throws Refused */
  ask(path: string, apiVersion: string, body: object): Promise<Json> {
    return this.#arm("POST", path, apiVersion, body);
  }

  /** Reads a list to its end. @throws Refused */
  async list<T = Json>(path: string, apiVersion: string): Promise<readonly T[]> {
    const own = new URL(this.cloud.resourceManager).origin;
    const items: T[] = [];
    let page = await this.read(path, apiVersion);
    for (;;) {
      if (Array.isArray(page.value)) items.push(...(page.value as T[]));
      const { nextLink } = page;
      if (typeof nextLink !== "string" || nextLink === "") return items;
      const next = new URL(nextLink);
      // The token must not go anywhere else.
      if (next.origin !== own)
        throw new Error(`${own} sends on to ${next.origin} for the rest of a list: not followed`);
      page = await this.#send(own, "GET", next.href, path);
    }
  }

  /** A resource; undefined where there is none. @throws Refused where it may not be read. */
  async find(id: string, apiVersion: string): Promise<Json | undefined> {
    try {
      return await this.read(id, apiVersion);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Reads from Microsoft Graph, or asks it what takes a body and changes nothing. @throws Refused */
  graph(path: string, body?: object): Promise<Json> {
    const { graph } = this.cloud;
    return this.#send(graph, body ? "POST" : "GET", `${graph}/v1.0${path}`, path, body);
  }

  #arm(method: string, path: string, apiVersion: string, body?: object): Promise<Json> {
    const { resourceManager } = this.cloud;
    const url = `${resourceManager}${path}${path.includes("?") ? "&" : "?"}api-version=${apiVersion}`;
    return this.#send(resourceManager, method, url, path, body);
  }

  async #send(service: string, method: string, url: string, path: string, body?: object): Promise<Json> {
    const headers = {
      accept: "application/json",
      authorization: `Bearer ${await this.#reach.token(`${service}/.default`)}`,
      ...(body ? { "content-type": "application/json" } : {}),
    };
    const init = { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) };
    const answer = await this.#reach.send(url, init);
    const given = parsed(answer.body);
    if (answer.ok) return given;
    const error = isMap(given.error) ? given.error : given;
    throw new Refused(
      `${method} ${path.replace(/\?.*$/, "")}`,
      answer.status,
      String(error.code ?? ""),
      String(error.message ?? answer.statusText),
    );
  }
}

function parsed(body: Buffer): Json {
  try {
    const value: unknown = JSON.parse(body.toString());
    return isMap(value) ? value : {};
  } catch {
    return {};
  }
}

/**
 * Signs in, and finds out who that is.
 * @param configured the subscription of the stack's file.
 * @throws Error where nobody signs in, or no subscription is named.
 */
export async function signIn(
  reach: Pick<Reach, "send" | "token">,
  environment: Environment,
  configured: unknown,
): Promise<Azure> {
  const cloud = cloudOf(environment);
  const caller = callerOf(await reach.token(`${cloud.resourceManager}/.default`));
  const subscriptionId = await subscriptionOf(environment, configured);
  if (subscriptionId === undefined)
    throw new Error(
      "no subscription is named: set ARM_SUBSCRIPTION_ID, or azure-native:subscriptionId in the stack's file",
    );
  return new Azure(reach, cloud, subscriptionId, caller);
}

/** Which subscription azure-native takes: that of the stack's file, of the environment, then the one that az is set to. */
async function subscriptionOf(environment: Environment, configured: unknown): Promise<string | undefined> {
  if (typeof configured === "string" && configured !== "") return configured;
  if (environment.ARM_SUBSCRIPTION_ID) return environment.ARM_SUBSCRIPTION_ID;
  if (signInOf(environment).way !== "az") return undefined;
  const found = (await azSubscriptions(environment)).find(({ isDefault }) => isDefault === true)?.id;
  return typeof found === "string" ? found : undefined;
}

/** Who a token of Entra is for. https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference */
function callerOf(token: string): Caller {
  const { oid, tid, scp } = claimsOf(token);
  // What a person lets a program do is in `scp`; an application acts for itself.
  return { objectId: String(oid ?? ""), tenantId: String(tid ?? ""), isApplication: scp === undefined };
}
