// The members of groups: https://learn.microsoft.com/graph/api/group-post-members
import type { Entra } from "../entra/service.ts";
import type { CloudRequest, CloudResponse, Principal } from "../types.ts";
import { collection, notSupported, ORIGIN, readBody } from "./entities.ts";
import { GraphFault, notFound } from "./errors.ts";

/** Whether an address below a group is one of these. @param tail what follows the group's id. */
export function isOfMembers(tail: string): boolean {
  return /^members(\/|$)/.test(tail);
}

/** Answers a request. @param mayWrite throws where the caller may not. */
export function answerMembers(
  entra: Entra,
  group: Principal,
  tail: string,
  request: CloudRequest,
  mayWrite: () => void,
): CloudResponse {
  const { method } = request;
  const members = entra.membersOf(group.objectId);
  if (method === "GET" && tail === "members")
    return collection(
      method,
      "directoryObjects",
      members.map(({ objectId, displayName, kind }) => ({
        "@odata.type": `#microsoft.graph.${kind.charAt(0).toLowerCase()}${kind.slice(1)}`,
        id: objectId,
        displayName,
      })),
    );
  mayWrite();
  if (method === "POST" && tail === "members/$ref") {
    const id = String(readBody(request)["@odata.id"]).split("/").at(-1) ?? "";
    const member = entra.find(id);
    if (!member) throw notFound(id);
    if (members.includes(member)) {
      const word =
        "One or more added object references already exist for the following modified properties: 'members'.";
      throw new GraphFault(400, "Request_BadRequest", word);
    }
    entra.addMember(group.objectId, member.objectId);
    return { status: 204 };
  }
  const [, id = ""] = /^members\/([^/]+)\/\$ref$/.exec(tail) ?? [];
  if (method !== "DELETE" || id === "") throw notSupported(method);
  if (!members.some(({ objectId }) => objectId === id)) throw notFound(id);
  entra.removeMember(group.objectId, id);
  return { status: 204 };
}

/** The most ids that one question may have. */
const MOST = 20;

/** Which groups of a list hold an object: https://learn.microsoft.com/graph/api/directoryobject-checkmemberobjects */
export function checkMemberObjects(entra: Entra, objectId: string, request: CloudRequest): CloudResponse {
  const { ids } = readBody(request);
  if (!Array.isArray(ids) || ids.length > MOST)
    throw new GraphFault(400, "Request_BadRequest", `A value of at most ${MOST} items is required for property 'ids'.`);
  const groups = entra.groupsOf(objectId).map((id) => id.toLowerCase());
  const value = ids.map(String).filter((id) => groups.includes(id.toLowerCase()));
  return { status: 200, body: { "@odata.context": `${ORIGIN}/v1.0/$metadata#Collection(Edm.String)`, value } };
}
