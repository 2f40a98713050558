// pulumiservice:index:DriftSchedule and DeploymentSchedule.

import type { Existing, Properties, ResourceHandler } from "../../../plugin/handler.ts";
import { type Fields, isFields, present, text } from "../shared/values.ts";
import { below, type PulumiApi, type StackName } from "./api.ts";

const ADDRESS = ["organization", "project", "stack"];
const ALL = "deployments/schedules";

export function driftSchedule(api: () => PulumiApi): ResourceHandler {
  return schedule(api, {
    path: "deployments/drift/schedules",
    kind: "drift/",
    defaults: { autoRemediate: false },
    body: ({ scheduleCron, autoRemediate }) => ({ scheduleCron, autoRemediate }),
    inputs: ({ scheduleCron, definition }) => {
      const request = isFields(definition) && isFields(definition.request) ? definition.request : {};
      const context = isFields(request.operationContext) ? request.operationContext : {};
      const options = isFields(context.options) ? context.options : {};
      return { scheduleCron, autoRemediate: options.remediateIfDriftDetected ?? false };
    },
  });
}

export function deploymentSchedule(api: () => PulumiApi): ResourceHandler {
  return schedule(api, {
    path: ALL,
    kind: "",
    defaults: {},
    body: ({ scheduleCron, timestamp, pulumiOperation }) =>
      present({ scheduleCron, scheduleOnce: timestamp, request: { operation: pulumiOperation } }),
    inputs: ({ scheduleCron, scheduleOnce, definition }) => {
      const request = isFields(definition) && isFields(definition.request) ? definition.request : {};
      return present({ scheduleCron, timestamp: scheduleOnce, pulumiOperation: request.operation });
    },
  });
}

interface Kind {
  /** Where one is made and changed; all are read and deleted at one place. */
  readonly path: string;
  /** In the id, between stack and schedule. */
  readonly kind: string;
  readonly defaults: Fields;
  readonly body: (inputs: Properties) => Fields;
  readonly inputs: (answer: Fields) => Fields;
}

function schedule(api: () => PulumiApi, { path, kind, defaults, body, inputs: inputsOf }: Kind): ResourceHandler {
  return {
    async check(news) {
      const inputs: Fields = { ...defaults, ...present(news) };
      const isOne = (inputs.scheduleCron === undefined) !== (inputs.timestamp === undefined);
      const reason = "exactly one of scheduleCron or timestamp must be specified";
      return { inputs, failures: isOne ? [] : [{ property: "scheduleCron", reason }] };
    },
    async diff({ inputs: before }, inputs) {
      const names = [...new Set([...Object.keys(before), ...Object.keys(inputs)])];
      const changed = names.filter((name) => before[name] !== inputs[name]);
      return { changes: changed.length > 0, replaces: changed.filter((name) => ADDRESS.includes(name)) };
    },
    async create(inputs, { signal }) {
      const stack = stackOf(inputs);
      const scheduleId = text((await api().send("POST", below(stack, path), body(inputs), signal))?.id);
      return { id: `${Object.values(stack).join("/")}/${kind}${scheduleId}`, state: { ...inputs, scheduleId } };
    },
    async read(id, inputs, _state, { signal }) {
      const [organization = "", project = "", stack = ""] = id.split("/");
      const scheduleId = id.split("/").at(-1) ?? "";
      const address = { organization, project, stack };
      const answer = await api().send("GET", below(address, `${ALL}/${scheduleId}`), undefined, signal);
      if (answer === undefined) return undefined;
      const seen = { ...inputs, ...address, ...inputsOf(answer) };
      return { id, inputs: seen, state: { ...seen, scheduleId } };
    },
    async update(existing: Existing, inputs, { signal }) {
      const { scheduleId } = existing.state;
      await api().send("POST", below(stackOf(inputs), `${path}/${String(scheduleId)}`), body(inputs), signal);
      return { ...inputs, scheduleId };
    },
    async delete({ inputs, state }, { signal }) {
      await api().send("DELETE", below(stackOf(inputs), `${ALL}/${String(state.scheduleId)}`), undefined, signal);
    },
  };
}

const stackOf = (inputs: Properties): StackName => ({
  organization: String(inputs.organization),
  project: String(inputs.project),
  stack: String(inputs.stack),
});
