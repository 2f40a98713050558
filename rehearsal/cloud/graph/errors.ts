// Refusals in Microsoft Graph's words and shape.
import { randomUUID } from "node:crypto";
import { ServiceError } from "../types.ts";

/** https://learn.microsoft.com/graph/errors */
export class GraphFault extends ServiceError {
  constructor(status: number, code: string, message: string) {
    const requestId = randomUUID();
    const innerError = {
      date: new Date().toISOString().replace(/\.\d+Z$/, ""),
      "request-id": requestId,
      "client-request-id": requestId,
    };
    super({ status, headers: { "request-id": requestId }, body: { error: { code, message, innerError } } }, message);
    this.name = "GraphFault";
  }
}

export function notFound(id: string): GraphFault {
  const word = `Resource '${id}' does not exist or one of its queried reference-property objects are not present.`;
  return new GraphFault(404, "Request_ResourceNotFound", word);
}

export function denied(): GraphFault {
  return new GraphFault(403, "Authorization_RequestDenied", "Insufficient privileges to complete the operation.");
}
