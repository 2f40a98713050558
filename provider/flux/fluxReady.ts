// FluxReady: a commit's way into the cluster, until all that it promised is Ready.

import { FLUX_SYSTEM } from "../../flux/bootstrap.ts";
import { describe } from "../../net/describe.ts";
import { type KubernetesApi, nameOf } from "../../net/kubernetesApi.ts";
import { equal } from "../../plugin/diff.ts";
import { type Context, PartialFailure, type Properties, type ResourceHandler } from "../../plugin/handler.ts";
import { checkForm, type Form } from "../../plugin/inputs.ts";
import {
  entered,
  type FluxWorld,
  isEndpoint,
  isMinutes,
  isText,
  kustomizationRef,
  machine,
  openCluster,
  ROOT_SOURCE,
  requestReconcile,
  settled,
  unready,
  unsettled,
} from "./fluxCluster.ts";

const isNames = (value: unknown) =>
  Array.isArray(value) && value.length > 0 ? undefined : `${JSON.stringify(value)} is no list of names`;

const FORM: Form = {
  required: { endpoint: isEndpoint, certificateAuthority: isText, commit: isText, kustomizations: isNames },
  optional: { readyMinutes: isMinutes },
};

const DEFAULT_MINUTES = 15;

/** The handler of `gitops:index:FluxReady` in a world. */
export function fluxReadyIn(world: FluxWorld): ResourceHandler {
  return {
    check: async (inputs) => ({
      inputs: { readyMinutes: DEFAULT_MINUTES, ...inputs },
      failures: checkForm(inputs, FORM),
    }),
    async diff({ inputs: old }, next) {
      const part = ({ commit, kustomizations }: Properties) => ({ commit, kustomizations });
      const isMoved = !equal(old.endpoint, next.endpoint);
      return { changes: isMoved || !equal(part(old), part(next)), replaces: isMoved ? ["endpoint"] : [] };
    },
    preview: async (inputs) => inputs,
    async create(inputs, context) {
      const id = FLUX_SYSTEM;
      await wait(world, id, inputs, context);
      return { id, state: inputs };
    },
    async update({ id }, inputs, context) {
      await wait(world, id, inputs, context);
      return inputs;
    },
  };
}

/** The handler of `gitops:index:FluxReady`. */
export const fluxReady: ResourceHandler = fluxReadyIn(machine);

async function wait(world: FluxWorld, id: string, inputs: Properties, context: Context): Promise<void> {
  const api = openCluster(world, inputs, context.signal);
  await entered(world, api, context);
  const names = inputs.kustomizations as string[];
  const requestedAt = await requestReconcile(api, ROOT_SOURCE);
  for (const name of names) {
    const object = await api.get(kustomizationRef(name));
    // It tries again by itself, but may have chosen to wait for long.
    if (object !== undefined && unready(object) !== undefined) await requestReconcile(api, kustomizationRef(name));
  }
  try {
    await settled(world, context, Number(inputs.readyMinutes), () => unsettled(api, names, requestedAt));
  } catch (error) {
    context.signal.throwIfAborted();
    const reasons = [describe(error), ...(await others(api, names))];
    throw new PartialFailure(id, inputs, [reasons.join("\n  ")]);
  }
}

const KINDS = [
  ["source.toolkit.fluxcd.io/v1", "OCIRepository"],
  ["source.toolkit.fluxcd.io/v1", "HelmRepository"],
  ["source.toolkit.fluxcd.io/v1", "HelmChart"],
  ["helm.toolkit.fluxcd.io/v2", "HelmRelease"],
  ["kustomize.toolkit.fluxcd.io/v1", "Kustomization"],
] as const;

/** What else is not Ready: a Kustomization tells which object it waits for, that object tells why. */
async function others(api: KubernetesApi, names: readonly string[]): Promise<string[]> {
  const lists = await Promise.all(KINDS.map(([apiVersion, kind]) => api.list(apiVersion, kind)));
  return lists.flat().flatMap((object) => {
    const { kind, metadata, status } = object;
    const isTold = kind === "Kustomization" && names.includes(metadata.name);
    // A HelmRepository of type oci is only an address and has no status.
    const problem = isTold || status === undefined || !("conditions" in Object(status)) ? undefined : unready(object);
    return problem === undefined ? [] : [`${nameOf(object)}: ${problem}`];
  });
}
