// pulumiservice:index:Webhook, of a stack.

import type { Properties, ResourceHandler } from "../../../plugin/handler.ts";
import { type Fields, present } from "../shared/values.ts";
import { below, type PulumiApi, type StackName } from "./api.ts";

const ADDRESS = ["organizationName", "projectName", "stackName"];
/** Inputs that the service calls the same. */
const FIELDS = [...ADDRESS, "displayName", "payloadUrl", "secret", "active", "format", "filters", "groups"];

export function webhook(api: () => PulumiApi): ResourceHandler {
  return {
    async check(news) {
      const inputs: Fields = { format: "raw", ...present(news) };
      const failures = ADDRESS.filter((name) => inputs[name] === undefined).map((property) => ({
        property,
        reason: "the stand-in knows webhooks of stacks alone: organizationName, projectName and stackName are needed",
      }));
      const isFiltered = inputs.filters !== undefined || inputs.groups !== undefined;
      return { inputs: isFiltered ? inputs : { ...inputs, groups: ["stacks", "deployments"] }, failures };
    },
    async diff({ inputs: before }, inputs) {
      const changed = FIELDS.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(inputs[name]));
      return { changes: changed.length > 0, replaces: changed.filter((name) => ADDRESS.includes(name)) };
    },
    async create(inputs, { signal }) {
      const stack = stackOf(inputs);
      const answer = await api().send("POST", below(stack, "hooks"), pick(inputs), signal);
      const name = String(answer?.name);
      return { id: [...Object.values(stack), name].join("/"), state: { ...inputs, name } };
    },
    async read(id, inputs, state, { signal }) {
      const [organization = "", project = "", stack = "", name = ""] = id.split("/");
      const answer = await api().send(
        "GET",
        below({ organization, project, stack }, `hooks/${name}`),
        undefined,
        signal,
      );
      if (answer === undefined) return undefined;
      const address = { organizationName: organization, projectName: project, stackName: stack };
      const seen = { ...inputs, ...pick({ ...answer, ...address }) };
      return { id, inputs: seen, state: { ...state, ...seen, name } };
    },
    async update({ state }, inputs, { signal }) {
      const { name } = state;
      const body = { ...pick(inputs), name };
      await api().send("PATCH", below(stackOf(inputs), `hooks/${String(name)}`), body, signal);
      return { ...inputs, name };
    },
    async delete({ inputs, state }, { signal }) {
      await api().send("DELETE", below(stackOf(inputs), `hooks/${String(state.name)}`), undefined, signal);
    },
  };
}

const stackOf = (inputs: Properties): StackName => ({
  organization: String(inputs.organizationName),
  project: String(inputs.projectName),
  stack: String(inputs.stackName),
});

const pick = (from: Properties): Fields => present(Object.fromEntries(FIELDS.map((name) => [name, from[name]])));
