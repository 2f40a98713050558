// The federated credentials of applications: https://learn.microsoft.com/graph/api/resources/federatedidentitycredential
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Application, ApplicationCredential } from "../entra/directory.ts";
import type { CloudRequest, CloudResponse } from "../types.ts";
import { type Body, collection, entity, notSupported, readBody } from "./entities.ts";
import { GraphFault, notFound } from "./errors.ts";

/** https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations */
const MOST = 20;
const MOST_CHARACTERS = { name: 120, issuer: 600, subject: 600, description: 600 };
/** Milliseconds that a write takes, in which Entra refuses another one to the same application. */
const WRITE = 100;

const SEGMENT = "federatedIdentityCredentials";

export class FederatedCredentials {
  readonly #writing = new Set<string>();

  /** Whether an address below an application is one of these. @param tail what follows the application's id. */
  static owns(tail: string): boolean {
    return tail === SEGMENT || tail.startsWith(`${SEGMENT}/`);
  }

  /** Answers a request. @param mayWrite throws where the caller may not. */
  async answer(
    application: Application,
    tail: string,
    request: CloudRequest,
    mayWrite: () => void,
  ): Promise<CloudResponse> {
    const { method } = request;
    const set = `applications('${application.objectId}')/${SEGMENT}`;
    const own = application.federatedCredentials;
    const key = tail.slice(SEGMENT.length + 1);
    if (method === "GET" && key === "") return collection(method, set, own.map(shown));
    const found = own.find(({ id, name }) => key === id || key === name);
    if (method === "GET") return entity(set, shown(found ?? missing(key)));
    mayWrite();
    if (method === "POST" && key === "")
      return this.#alone(application, () => {
        const made = credential(application, readBody(request));
        own.push(made);
        return entity(set, shown(made), 201);
      });
    if (key === "" || !["PATCH", "DELETE"].includes(method)) throw notSupported(method);
    const index = own.indexOf(found ?? missing(key));
    return this.#alone(application, () => {
      if (method === "DELETE") own.splice(index, 1);
      else own.splice(index, 1, credential(application, readBody(request), own[index]));
      return { status: 204 };
    });
  }

  async #alone(application: Application, write: () => CloudResponse): Promise<CloudResponse> {
    const id = application.objectId;
    if (this.#writing.has(id)) {
      const word = "Error due to concurrent requests being made to the tenant. Please wait briefly and retry.";
      throw new GraphFault(409, "Directory_ConcurrencyViolation", word);
    }
    this.#writing.add(id);
    try {
      const response = write();
      await sleep(WRITE);
      return response;
    } finally {
      this.#writing.delete(id);
    }
  }
}

function shown({ id, name, issuer, subject, audiences, description }: ApplicationCredential): Body {
  return { id, name, issuer, subject, description, audiences: [...audiences] };
}

function missing(key: string): never {
  throw notFound(key);
}

/** What a body makes of a new credential, or of one that is there. */
function credential(application: Application, body: Body, old?: ApplicationCredential): ApplicationCredential {
  const { name = old?.name, issuer = old?.issuer, subject = old?.subject, audiences = old?.audiences, ...rest } = body;
  const { description = old?.description ?? null, id = old?.id, ...unknown } = rest;
  const [strange] = Object.keys(unknown).filter((property) => !property.startsWith("@odata"));
  if (strange !== undefined) throw new GraphFault(400, "Request_BadRequest", `Invalid property '${strange}'.`);
  for (const [property, value] of Object.entries({ name, issuer, subject })) {
    if (typeof value !== "string" || value === "")
      throw new GraphFault(
        400,
        "Request_BadRequest",
        `A value is required for property '${property}' of resource 'FederatedIdentityCredential'.`,
      );
    if (value.length > MOST_CHARACTERS[property as keyof typeof MOST_CHARACTERS]) throw invalid(property, value);
  }
  if (!/^[A-Za-z0-9][A-Za-z0-9_-]*$/.test(String(name))) throw invalid("Name", name);
  if (old !== undefined && (name !== old.name || id !== old.id))
    throw new GraphFault(400, "Request_BadRequest", "Property 'name' is read-only and cannot be set.");
  if (!URL.canParse(String(issuer)) || new URL(String(issuer)).protocol !== "https:") throw invalid("Issuer", issuer);
  if (!Array.isArray(audiences) || audiences.length !== 1 || typeof audiences[0] !== "string")
    throw invalid("Audiences", JSON.stringify(audiences));
  if (description !== null && typeof description !== "string") throw invalid("Description", description);
  const others = application.federatedCredentials.filter((other) => other !== old);
  if (others.some((other) => other.name === name)) {
    const word = `FederatedIdentityCredential with name ${name} already exists.`;
    throw new GraphFault(409, "Request_MultipleObjectsWithSameKeyValue", word);
  }
  if (others.some((other) => other.issuer === issuer && other.subject === subject)) {
    const word =
      `The combination of issuer and subject must be unique for the application. Issuer ${issuer} and Subject: ` +
      `${subject} already exist. paramName: FederatedIdentityCredential.Subject, paramValue: ${subject}, ` +
      "objectType: Microsoft.Online.DirectoryServices.Application";
    throw new GraphFault(400, "InvalidFederatedIdentityCredentialValue", word);
  }
  // Microsoft documents the limit, not the words in which Graph says it.
  if (others.length >= MOST)
    throw new GraphFault(400, "Request_BadRequest", `No more than ${MOST} federated identity credentials are allowed.`);
  return {
    id: old?.id ?? randomUUID(),
    name: String(name),
    issuer: String(issuer),
    subject: String(subject),
    audiences: audiences as string[],
    description,
  };
}

function invalid(property: string, value: unknown): GraphFault {
  const word = `Invalid value specified for property '${property}' of resource 'FederatedIdentityCredential': ${value}`;
  return new GraphFault(400, "InvalidFederatedIdentityCredentialValue", word);
}
