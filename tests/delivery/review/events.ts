// Engine events, made for a case that no recording has.
import type { EngineEvent, StepEventMetadata } from "@pulumi/pulumi/automation/index.js";
import type { StateResource } from "../../../delivery/review/engine.ts";

type Inputs = Record<string, unknown>;

export interface Step {
  readonly old?: Inputs;
  readonly new?: Inputs;
  /** The kind of difference, by path. */
  readonly diff?: Readonly<Record<string, string>>;
  readonly state?: Partial<NonNullable<StepEventMetadata["old"]>>;
}

export const urnOf = (type: string, name: string) => `urn:pulumi:prod::aks-gitops::${type}::${name}`;

/** What the engine says before it does something with a resource; of a replacement all three steps. */
export function step(
  op: string,
  type: string,
  name: string,
  { old, new: next, diff, state }: Step = {},
): EngineEvent[] {
  const urn = urnOf(type, name);
  const stateOf = (inputs: Inputs | undefined) =>
    inputs && { type, urn, custom: true, id: "id", parent: "", inputs, outputs: {}, provider: "", ...state };
  const detailedDiff =
    diff && Object.fromEntries(Object.entries(diff).map(([path, diffKind]) => [path, { diffKind, inputDiff: true }]));
  const keys = Object.entries(diff ?? {}).flatMap(([path, kind]) =>
    kind.endsWith("-replace") ? [path.split(/[.[]/)[0]] : [],
  );
  const before = op === "create" ? undefined : (old ?? {});
  const after = op === "delete" ? undefined : (next ?? {});
  const ops = op === "replace" ? ["create-replacement", "replace", "delete-replaced"] : [op];
  return ops.map((one) =>
    event("resourcePreEvent", {
      metadata: { op: one, urn, type, old: stateOf(before), new: stateOf(after), keys, detailedDiff, provider: "" },
    }),
  );
}

/** What the engine says when a step is done. */
export const done = (steps: readonly EngineEvent[]): EngineEvent[] =>
  steps.map(({ resourcePreEvent }) => event("resOutputsEvent", resourcePreEvent));

export const event = (name: string, content: unknown) =>
  ({ sequence: 0, timestamp: 0, [name]: content }) as EngineEvent;

export const diagnostic = (severity: string, message: string, urn?: string) =>
  event("diagnosticEvent", { severity, message, color: "never", prefix: `${severity}: `, ...(urn && { urn }) });

export const policy = (enforcementLevel: string, message: string, resourceUrn?: string) =>
  event("policyEvent", {
    policyName: "no-local-accounts",
    policyPackName: "guard-rails",
    policyPackVersion: "1.0.0",
    enforcementLevel,
    message: `<{%fg 13%}>${message}<{%reset%}>\n`,
    ...(resourceUrn && { resourceUrn }),
  });

export const ended = (result: string) => event("summaryEvent", { result, resourceChanges: {}, durationSeconds: 1 });

/** How the stack's outputs change. */
export const outputs = (old: Inputs, next: Inputs) =>
  event("resOutputsEvent", {
    metadata: { op: "same", type: "pulumi:pulumi:Stack", urn: "", old: { outputs: old }, new: { outputs: next } },
  });

/** A resource of the state. */
export const resource = (type: string, name: string, rest: Partial<StateResource> = {}): StateResource => ({
  urn: urnOf(type, name),
  ...rest,
});

export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
export const SECRET = {
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  ciphertext: "[secret]",
};
