// pulumiservice:index:AgentPool.

import { type Properties, type ResourceHandler, Secret, UNKNOWN } from "../../../plugin/handler.ts";
import { type Fields, present } from "../shared/values.ts";
import type { PulumiApi } from "./api.ts";

const poolsOf = (inputs: Properties) => `orgs/${encodeURIComponent(String(inputs.organizationName))}/agent-pools`;
const bodyOf = ({ name, description }: Properties): Fields => present({ name, description });

export function agentPool(api: () => PulumiApi): ResourceHandler {
  return {
    async check(news) {
      return { inputs: { forceDestroy: false, ...present(news) } };
    },
    async diff({ inputs: before }, inputs) {
      const names = ["organizationName", "name", "description", "forceDestroy"];
      const changed = names.filter((name) => before[name] !== inputs[name]);
      return { changes: changed.length > 0, replaces: changed.filter((name) => name === "organizationName") };
    },
    async preview(inputs, existing) {
      return { ...existing?.state, ...inputs, ...(existing ? {} : { agentPoolId: UNKNOWN, tokenValue: UNKNOWN }) };
    },
    async create(inputs, { signal }) {
      const made = await api().send("POST", poolsOf(inputs), bodyOf(inputs), signal);
      const agentPoolId = String(made?.id);
      const id = [inputs.organizationName, inputs.name, agentPoolId].join("/");
      return { id, state: { ...inputs, agentPoolId, tokenValue: new Secret(made?.tokenValue) } };
    },
    async read(id, inputs, state, { signal }) {
      const [organizationName = "", , agentPoolId = ""] = id.split("/");
      const answer = await api().send("GET", `${poolsOf({ organizationName })}/${agentPoolId}`, undefined, signal);
      if (answer === undefined) return undefined;
      const seen = { ...inputs, organizationName, ...bodyOf(answer) };
      // The token is told once.
      return { id, inputs: seen, state: { ...state, ...seen, agentPoolId, tokenValue: new Secret(state.tokenValue) } };
    },
    async update({ state }, inputs, { signal }) {
      await api().send("PATCH", `${poolsOf(inputs)}/${String(state.agentPoolId)}`, bodyOf(inputs), signal);
      return { ...state, ...inputs, tokenValue: new Secret(state.tokenValue) };
    },
    async delete({ inputs, state }, { signal }) {
      const force = inputs.forceDestroy === true ? "?force=true" : "";
      await api().send("DELETE", `${poolsOf(inputs)}/${String(state.agentPoolId)}${force}`, undefined, signal);
    },
  };
}
