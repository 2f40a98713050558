import type { Entra } from "../../../../rehearsal/cloud/entra/service.ts";
import type { Graph } from "../../../../rehearsal/cloud/graph/service.ts";
import { type Answer, ask } from "../request.ts";

/** The Authorization header of a new application with these permissions. */
export function callerOf(entra: Entra, ...permissions: string[]): string {
  const { objectId } = entra.addClient(`caller with ${permissions.join(" and ")}`);
  entra.grantGraph(objectId, ...permissions);
  const principal = entra.find(objectId);
  if (!principal) throw new Error("the caller is gone");
  return `Bearer ${entra.issuer.issue(principal, "https://graph.microsoft.com", "1", permissions)}`;
}

/** Graph's answer to a caller. */
export function callGraph(graph: Graph, as: string, method: string, path: string, body?: object): Promise<Answer> {
  return ask(graph.service, method, `https://graph.microsoft.com/v1.0${path}`, {
    headers: { authorization: as },
    ...(body ? { body } : {}),
  });
}
