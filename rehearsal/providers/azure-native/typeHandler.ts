// The life of any resource of ARM, as azure-native leads it.

import {
  type Context,
  type Existing,
  PartialFailure,
  type Properties,
  type ResourceHandler,
  UNKNOWN,
} from "../../../plugin/handler.ts";
import { type Fields, isFields } from "../shared/values.ts";
import { type ArmClient, OperationFailed } from "./arm.ts";
import { type ArmType, parseId, resourceId } from "./armType.ts";
import { faults, type Locations, withDefaults } from "./check.ts";
import { applyDrift, inputDiff } from "./compare.ts";
import { addComputed, toBody, toInputs, toOutputs } from "./shape.ts";

/** What the handlers of all types share. */
export interface Azure {
  readonly subscriptionId: string;
  readonly arm: ArmClient;
  readonly locations: Locations;
}

/** Outputs that never change in an update, so a preview may show them. */
const STABLE = ["name", "location"];

export class TypeHandler implements ResourceHandler {
  readonly #type: ArmType;
  readonly #azure: () => Azure;

  /** @param azure what `configure` made; asked for when it is needed. */
  constructor(type: ArmType, azure: () => Azure) {
    this.#type = type;
    this.#azure = azure;
  }

  async check(news: Properties, old: Properties | undefined, context: Context, seed: Uint8Array) {
    const inputs = await withDefaults(this.#type, news, old, context.name, seed, this.#azure().locations);
    return { inputs, failures: faults(this.#type, inputs) };
  }

  async diff(existing: Existing, inputs: Properties) {
    return inputDiff(this.#type, existing.inputs, inputs, existing.state);
  }

  async preview(inputs: Properties, existing: Existing | undefined) {
    const given = Object.fromEntries(
      this.#type.inputs.filter((name) => name in inputs).map((name) => [name, inputs[name]]),
    );
    for (const name of STABLE) if (existing?.state[name] !== undefined) given[name] = existing.state[name];
    return addComputed(this.#type, { ...given, azureApiVersion: this.#type.apiVersion }, UNKNOWN);
  }

  async create(inputs: Properties, context: Context) {
    const { arm } = this.#azure();
    const id = this.#id(inputs);
    const body = toBody(this.#type, inputs);
    for (const path of this.#type.children ?? []) if (at(body, path) === undefined) set(body, path, []);
    await arm.mustNotExist(id, this.#type.apiVersion, context.signal);
    const answer = await this.#put(id, body, inputs, context);
    const canonical = typeof answer.id === "string" ? answer.id : id;
    return { id: canonical, state: await this.#readBack(canonical, answer, context) };
  }

  async update(_: Existing, inputs: Properties, context: Context) {
    const id = this.#id(inputs);
    const body = toBody(this.#type, inputs);
    const missing = (this.#type.children ?? []).filter((path) => at(body, path) === undefined);
    if (missing.length > 0) {
      const current = (await this.#azure().arm.get(id, this.#type.apiVersion, context.signal)) ?? {};
      for (const path of missing) if (at(current, path) !== undefined) set(body, path, at(current, path));
    }
    const answer = await this.#put(id, body, inputs, context);
    return this.#readBack(id, answer, context);
  }

  async read(id: string, inputs: Properties, state: Properties, context: Context) {
    const type = this.#type;
    const body = await this.#azure().arm.get(id, type.apiVersion, context.signal);
    if (body === undefined) return undefined;
    const outputs = this.#state(body);
    if (Object.keys(inputs).length === 0) return { id, inputs: this.#imported(id, outputs), state: outputs };
    // Children that the program does not list in their parent are no drift of the parent.
    const seen = structuredClone(body);
    const sent = toBody(type, inputs);
    for (const path of type.children ?? []) if (at(sent, path) === undefined) set(seen, path, undefined);
    const drifted = applyDrift(inputs, toInputs(type, state), toInputs(type, this.#state(seen)));
    return { id, inputs: drifted, state: outputs };
  }

  async delete(existing: Existing, context: Context) {
    await this.#azure().arm.delete(existing.id, this.#type.apiVersion, context.signal);
  }

  #id(inputs: Properties): string {
    return resourceId(this.#type.path, { ...inputs, subscriptionId: this.#azure().subscriptionId });
  }

  async #put(id: string, body: Fields, inputs: Properties, context: Context): Promise<Fields> {
    const { arm } = this.#azure();
    try {
      return await arm.put(id, this.#type.apiVersion, body, context.signal);
    } catch (error) {
      if (!(error instanceof OperationFailed)) throw error;
      // Accepted, then failed: it may exist, and what is there must not be lost from sight.
      const found = await arm.get(id, this.#type.apiVersion).catch(() => undefined);
      throw new PartialFailure(id, found === undefined ? inputs : this.#state(found), [error.message]);
    }
  }

  /** A PUT's answer may differ from what a refresh reads, which would be a difference for ever. */
  async #readBack(id: string, answer: Fields, context: Context): Promise<Fields> {
    const found = await this.#azure()
      .arm.get(id, this.#type.apiVersion, context.signal)
      .catch(() => undefined);
    if (found === undefined) context.log("warning", "Failed to read resource after it was written.");
    return this.#state(found ?? answer);
  }

  #state(body: Fields): Fields {
    return { ...toOutputs(this.#type, body), azureApiVersion: this.#type.apiVersion };
  }

  #imported(id: string, outputs: Fields): Fields {
    const { subscriptionId: _, ...parameters } = parseId(this.#type.path, id);
    return { ...toInputs(this.#type, outputs), ...parameters };
  }
}

function at(body: Fields, path: readonly string[]): unknown {
  return path.reduce<unknown>((value, step) => (isFields(value) ? value[step] : undefined), body);
}

/** Sets a nested value, objects on the way included; undefined removes it. */
function set(body: Fields, path: readonly string[], value: unknown): void {
  const [step, ...rest] = path;
  if (step === undefined) return;
  if (rest.length === 0) {
    if (value === undefined) delete body[step];
    else body[step] = value;
    return;
  }
  if (!isFields(body[step])) {
    if (value === undefined) return;
    body[step] = {};
  }
  set(body[step] as Fields, rest, value);
}
