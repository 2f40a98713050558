// pulumiservice:api/deployments:Settings. It writes what it is given, and each write is a merge
// (pulumi-pulumiservice v1.3.0, provider/pkg/rest/resource.go).

import type { Properties, ResourceHandler } from "../../../plugin/handler.ts";
import { type Fields, present } from "../shared/values.ts";
import { below, type PulumiApi, type StackName } from "./api.ts";

/** Inputs that are part of the address. */
const ADDRESS = ["orgName", "projectName", "stackName"];
/** Inputs that are part of the body, as the operation's schema names them. */
const BODY = [
  "tag",
  "executorContext",
  "sourceContext",
  "gitHub",
  "vcs",
  "operationContext",
  "agentPoolID",
  "cacheOptions",
];

const PATH = "deployments/settings";

export function settings(api: () => PulumiApi): ResourceHandler {
  const read = async (stack: StackName, inputs: Properties, signal: AbortSignal): Promise<Fields> => ({
    ...pick(inputs, ADDRESS),
    ...(await api().send("GET", below(stack, PATH), undefined, signal)),
  });
  return {
    async diff({ inputs: before }, inputs) {
      const names = [...new Set([...Object.keys(before), ...Object.keys(inputs)])];
      const changed = names.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(inputs[name]));
      const replaces = changed.filter((name) => ADDRESS.includes(name));
      return { changes: changed.length > 0, replaces, deleteBeforeReplace: true };
    },
    async create(inputs, { signal }) {
      const stack = stackOf(inputs);
      if ((await api().send("GET", below(stack, PATH), undefined, signal)) !== undefined)
        throw new Error(
          "resource already exists; use the `import` resource option to bring it under Pulumi management instead of " +
            "creating a new one",
        );
      await api().send("POST", below(stack, PATH), pick(inputs, BODY), signal);
      return { id: Object.values(stack).join("/"), state: await read(stack, inputs, signal) };
    },
    async read(id, inputs, _state, { signal }) {
      const [orgName, projectName, stackName] = id.split("/");
      const address = { orgName, projectName, stackName };
      const answer = await api().send("GET", below(stackOf(address), PATH), undefined, signal);
      if (answer === undefined) return undefined;
      const known = Object.keys(inputs).length === 0 ? { ...address, ...pick(answer, BODY) } : inputs;
      return { id, inputs: known, state: { ...address, ...answer } };
    },
    async update(existing, inputs, { signal }) {
      const stack = stackOf(inputs);
      const body = pick({ ...existing.state, ...existing.inputs, ...inputs }, BODY);
      await api().send("POST", below(stack, PATH), body, signal);
      return read(stack, inputs, signal);
    },
    async delete({ inputs }, { signal }) {
      const stack = stackOf(inputs);
      if ((await api().send("GET", below(stack, PATH), undefined, signal)) !== undefined)
        await api().send("DELETE", below(stack, PATH), undefined, signal);
    },
  };
}

const stackOf = (inputs: Properties): StackName => ({
  organization: String(inputs.orgName),
  project: String(inputs.projectName),
  stack: String(inputs.stackName),
});

const pick = (from: Properties, names: readonly string[]): Fields =>
  present(Object.fromEntries(names.map((name) => [name, from[name]])));
