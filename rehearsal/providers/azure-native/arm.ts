// Azure Resource Manager over HTTPS: the requests and the waiting of azure-native's client.

import { setTimeout as sleep } from "node:timers/promises";
import type { EntraTokens } from "../shared/entra.ts";
import { type JsonResponse, retryAfter, sendJson } from "../shared/http.ts";
import { type Fields, isFields, text } from "../shared/values.ts";

const ENDPOINT = "https://management.azure.com";
const SCOPE = `${ENDPOINT}/.default`;
const TERMINAL = new Set(["succeeded", "failed", "canceled"]);

/** Milliseconds between polls where the service names no time. */
const PUT_INTERVAL = 10_000;
const DELETE_INTERVAL = 30_000;
/** For a service that says `Retry-After: 0`: at once would be a busy loop. */
const SHORTEST_INTERVAL = 150;

/** A refusal, in ARM's words. */
export class ArmError extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message: string) {
    super(`Status=${status} Code="${code}" Message="${message}"`);
    this.name = "ArmError";
    this.status = status;
    this.code = code;
  }
}

/** A request that was accepted and failed later: the resource may exist. */
export class OperationFailed extends Error {
  constructor(cause: Error) {
    super(cause.message);
    this.name = "OperationFailed";
  }
}

export class ArmClient {
  readonly #tokens: EntraTokens;

  constructor(tokens: EntraTokens) {
    this.#tokens = tokens;
  }

  /** The resource as it is; undefined where there is none. */
  async get(id: string, apiVersion: string, signal?: AbortSignal): Promise<Fields | undefined> {
    const response = await this.#send("GET", urlOf(id, apiVersion), undefined, signal);
    if (response.status === 404) return undefined;
    if (response.status !== 200 || !isFields(response.body)) throw armError(response);
    return response.body;
  }

  /** @throws Error where something is there, or where ARM does not tell. */
  async mustNotExist(id: string, apiVersion: string, signal: AbortSignal): Promise<void> {
    const { status, body, text: content } = await this.#send("GET", urlOf(id, apiVersion), undefined, signal);
    if (status === 404 || status === 204) return;
    if (status !== 200)
      throw new Error(`cannot check existence of resource '${id}': status code ${status}, ${content}`);
    if (isFields(body) && Object.keys(body).length > 0) {
      throw new Error(`cannot create already existing resource '${id}'`);
    }
  }

  /**
   * Creates or updates, and waits until it is done.
   * @returns the last body that ARM gave.
   * @throws ArmError where it is refused at once, OperationFailed where it fails later.
   */
  async put(id: string, apiVersion: string, body: Fields, signal: AbortSignal): Promise<Fields> {
    const url = urlOf(id, apiVersion);
    const response = await this.#send("PUT", url, body, signal);
    if (![200, 201, 202].includes(response.status)) throw armError(response);
    try {
      const done = await this.#wait(url, response, PUT_INTERVAL, signal);
      return isFields(done) ? done : {};
    } catch (error) {
      throw error instanceof Error ? new OperationFailed(error) : error;
    }
  }

  /** Deletes and waits until it is gone; what is not there is gone already. */
  async delete(id: string, apiVersion: string, signal: AbortSignal): Promise<void> {
    const url = urlOf(id, apiVersion);
    const response = await this.#send("DELETE", url, undefined, signal);
    if (response.status === 404) return;
    if (![200, 202, 204].includes(response.status)) throw armError(response);
    try {
      await this.#wait(url, response, DELETE_INTERVAL, signal, true);
    } catch (error) {
      if (!(error instanceof ArmError && error.status === 404)) throw error;
    }
  }

  async #wait(url: string, first: JsonResponse, interval: number, signal: AbortSignal, deleting = false) {
    const operation = absolute(first.headers.get("azure-asyncoperation"));
    if (operation !== undefined) {
      await this.#poll(operation, first, interval, signal, (response) => terminal(status(response)));
      return deleting ? undefined : (await this.#expect(url, signal)).body;
    }
    const location = absolute(first.headers.get("location"));
    // Beside 201 it only says where the new resource is.
    if (location !== undefined && first.status === 202) {
      const last = await this.#poll(location, first, interval, signal, (response) => response.status !== 202);
      const complete = isFields(last.body) && "id" in last.body;
      return deleting || complete ? last.body : (await this.#expect(url, signal)).body;
    }
    if (deleting || terminal(provisioningState(first) ?? "succeeded")) return first.body;
    const last = await this.#poll(url, first, interval, signal, (response) =>
      terminal(provisioningState(response) ?? "succeeded"),
    );
    return last.body;
  }

  /** Asks until `done`; a final `Failed` or `Canceled` is an error. */
  async #poll(
    url: string,
    first: JsonResponse,
    interval: number,
    signal: AbortSignal,
    done: (response: JsonResponse) => boolean,
  ): Promise<JsonResponse> {
    const initial = retryAfter(first.headers);
    if (initial !== undefined && initial > 0) await sleep(initial, undefined, { signal });
    for (;;) {
      const response = await this.#expect(url, signal);
      if (done(response)) {
        const state = status(response) ?? provisioningState(response) ?? "Succeeded";
        if (/^(failed|canceled)$/i.test(state)) throw operationError(response, state);
        return response;
      }
      const asked = retryAfter(response.headers) ?? retryAfter(first.headers);
      await sleep(Math.max(asked ?? interval, SHORTEST_INTERVAL), undefined, { signal });
    }
  }

  async #expect(url: string, signal: AbortSignal): Promise<JsonResponse> {
    const response = await this.#send("GET", url, undefined, signal);
    if (![200, 201, 202, 204].includes(response.status)) throw armError(response);
    return response;
  }

  async #send(method: string, url: string, body: Fields | undefined, signal?: AbortSignal): Promise<JsonResponse> {
    const authorization = `Bearer ${await this.#tokens.token(SCOPE)}`;
    const busy = (response: JsonResponse) =>
      response.status === 409 && errorOf(response).code === "AnotherOperationInProgress";
    return sendJson(url, { method, headers: { authorization }, body, signal }, busy);
  }
}

function urlOf(id: string, apiVersion: string): string {
  return `${ENDPOINT}${id}?api-version=${apiVersion}`;
}

/** Some services give polling addresses without a host. */
function absolute(url: string | null): string | undefined {
  return url ? new URL(url, ENDPOINT).href : undefined;
}

function status(response: JsonResponse): string | undefined {
  return isFields(response.body) ? text(response.body.status) : undefined;
}

function provisioningState(response: JsonResponse): string | undefined {
  const properties = isFields(response.body) ? response.body.properties : undefined;
  return isFields(properties) ? text(properties.provisioningState) : undefined;
}

function terminal(state: string | undefined): boolean {
  return state !== undefined && TERMINAL.has(state.toLowerCase());
}

function errorOf(response: JsonResponse): { code: string; message: string } {
  const body = isFields(response.body) ? response.body : {};
  const error = isFields(body.error) ? body.error : body;
  const message = text(error.message) ?? response.text;
  const details = Array.isArray(error.details)
    ? error.details.filter(isFields).map((detail) => text(detail.message))
    : [];
  const more = details.filter((detail) => detail !== undefined && !message.includes(detail));
  return { code: text(error.code) ?? "", message: [message, ...more].join(" ") };
}

function armError(response: JsonResponse): ArmError {
  const { code, message } = errorOf(response);
  return new ArmError(response.status, code, message);
}

function operationError(response: JsonResponse, state: string): ArmError {
  const { code, message } = errorOf(response);
  return new ArmError(response.status, code || state, message || `the operation ended as ${state}`);
}
