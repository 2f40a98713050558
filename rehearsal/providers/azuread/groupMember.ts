// azuread:GroupMember: one member of a group; the others are not looked at.

import type { ResourceHandler } from "../../../plugin/handler.ts";
import { isFields, missing, present } from "../shared/values.ts";
import { Graph } from "./graph.ts";

const REQUIRED = ["groupObjectId", "memberObjectId"];

/** Any change is another membership. */
export function groupMember(graph: () => Graph): ResourceHandler {
  const isMember = async (group: string, member: string, signal: AbortSignal) => {
    const found = await graph().send("GET", `/groups/${group}/members`, undefined, signal);
    return Array.isArray(found?.value) && found.value.some((one) => isFields(one) && one.id === member);
  };
  return {
    async check(news) {
      const inputs = present(news);
      return { inputs, failures: missing(inputs, REQUIRED) };
    },
    async create(inputs, { signal }) {
      const [group, member] = [String(inputs.groupObjectId), String(inputs.memberObjectId)];
      const id = `${group}/member/${member}`;
      if (await isMember(group, member, signal))
        throw new Error(`a member ${member} of group ${group} is there already; import it with the id ${id}`);
      const body = { "@odata.id": Graph.reference(member) };
      await graph().send("POST", `/groups/${group}/members/$ref`, body, signal);
      return { id, state: { ...inputs } };
    },
    async read(id, _inputs, _state, { signal }) {
      const [group = "", , member = ""] = id.split("/");
      if (!(await isMember(group, member, signal))) return undefined;
      const seen = { groupObjectId: group, memberObjectId: member };
      return { id, inputs: seen, state: seen };
    },
    async delete(existing, { signal }) {
      const [group, , member] = existing.id.split("/");
      await graph().send("DELETE", `/groups/${group}/members/${member}/$ref`, undefined, signal);
    },
  };
}
