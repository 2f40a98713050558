// How Microsoft Graph shows what is in the directory, and how it reads what it is sent.
import type { Application, ApplicationSecret } from "../entra/directory.ts";
import type { Entra } from "../entra/service.ts";
import type { CloudRequest, CloudResponse } from "../types.ts";
import { GraphFault } from "./errors.ts";

export const ORIGIN = "https://graph.microsoft.com";

export type Body = Record<string, unknown>;

/** An application as Graph shows it. */
export function applicationEntity(application: Application): Body {
  return {
    id: application.objectId,
    appId: application.clientId,
    createdDateTime: application.createdDateTime,
    deletedDateTime: null,
    displayName: application.displayName,
    identifierUris: [],
    publisherDomain: null,
    signInAudience: "AzureADMyOrg",
    tags: [],
    ...application.properties,
    passwordCredentials: application.secrets.map((secret) => ({ ...secretEntity(secret), secretText: null })),
  };
}

/** A secret as Graph shows it. */
export function secretEntity({ hash: _, takenFrom: _from, ...secret }: ApplicationSecret): Body {
  return { customKeyIdentifier: null, ...secret };
}

/** The answer with one entity of a set. */
export function entity(set: string, value: Body, status = 200): CloudResponse {
  return { status, body: { "@odata.context": `${ORIGIN}/v1.0/$metadata#${set}/$entity`, ...value } };
}

/** The answer with entities of a set. */
export function collection(method: string, set: string, value: Body[]): CloudResponse {
  if (method !== "GET") throw notSupported(method);
  return { status: 200, body: { "@odata.context": `${ORIGIN}/v1.0/$metadata#${set}`, value } };
}

/** The refusal of a method. */
export function notSupported(method: string): GraphFault {
  return new GraphFault(
    405,
    "Request_BadRequest",
    `Specified HTTP method '${method}' is not allowed for the request target.`,
  );
}

/** The object in a request's body. */
export function readBody(request: CloudRequest): Body {
  try {
    const value: unknown = JSON.parse(request.body.toString() || "{}");
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Body;
  } catch {
    // Said below.
  }
  throw new GraphFault(
    400,
    "BadRequest",
    "Unable to read JSON request payload. Please ensure Content-Type header is set and payload is of valid JSON format.",
  );
}

/** The secret that an `addPassword` asks for. */
export function readPassword({ passwordCredential, ...rest }: Body): Parameters<Entra["addSecret"]>[1] {
  const given = (passwordCredential ?? {}) as Body;
  const known = ["displayName", "startDateTime", "endDateTime"];
  const [unknown] = [...Object.keys(rest), ...Object.keys(given).filter((name) => !known.includes(name))];
  if (unknown !== undefined) throw new GraphFault(400, "Request_BadRequest", `Invalid property '${unknown}'.`);
  const set = Object.entries(given).filter(([, value]) => value !== null);
  for (const [name, value] of set) {
    if (name === "displayName" || !Number.isNaN(Date.parse(String(value)))) continue;
    const word = `Cannot convert the literal '${value}' to the expected type 'Edm.DateTimeOffset'.`;
    throw new GraphFault(400, "Request_BadRequest", word);
  }
  return Object.fromEntries(set.map(([name, value]) => [name, String(value)]));
}
