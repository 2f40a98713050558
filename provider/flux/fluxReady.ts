// FluxReady: a commit's way into the cluster, until all that it promised is Ready.

import * as z from "zod";
import { FLUX_SYSTEM } from "../../flux/bootstrap.ts";
import { describe } from "../../net/describe.ts";
import { type KubernetesApi, nameOf } from "../../net/kubernetesApi.ts";
import { equal } from "../../plugin/diff.ts";
import { type Context, PartialFailure, type Properties } from "../../plugin/handler.ts";
import { handlerOf, type Inputs, resourceSchema, type SchemaHandler, someText } from "../../plugin/schema.ts";
import {
  entered,
  type FluxWorld,
  kustomizationRef,
  machine,
  openCluster,
  ROOT_SOURCE,
  requestReconcile,
  settled,
  unready,
  unsettled,
} from "./fluxCluster.ts";
import * as forms from "./forms.ts";

/** The schema of `gitops:index:FluxReady`. */
export const FLUX_READY = resourceSchema({
  token: "gitops:index:FluxReady",
  description:
    "Arrives when Flux has fetched the commit (or a later one) and every Kustomization named is Ready at that revision; " +
    "otherwise it fails with the messages of all that is not. Deleting it does nothing.",
  inputs: {
    endpoint: forms.endpoint
      .describe("The API server's URL, as ClusterAccess gives it. Another one is another cluster.")
      .meta({ replaceOnChanges: true }),
    certificateAuthority: someText.describe("The API server's authority: PEM, base64."),
    commit: someText.describe("The commit that the cluster shall come to; a new one is waited for."),
    kustomizations: z
      .array(z.string())
      .min(1)
      .describe("The names of Flux's Kustomizations that have to be Ready.")
      .meta({ fault: "is no list of names" }),
    readyMinutes: forms.readyMinutes.describe("How long to wait, in minutes. Default: 15.").default(15),
  },
  outputs: {},
});

type FluxReadyInputs = Inputs<typeof FLUX_READY>;

/** The handler of `gitops:index:FluxReady` in a world. */
export function fluxReadyIn(world: FluxWorld): SchemaHandler {
  return handlerOf(FLUX_READY, {
    async diff({ inputs: old }, next) {
      const part = ({ commit, kustomizations }: Properties) => ({ commit, kustomizations });
      const isMoved = !equal(old.endpoint, next.endpoint);
      return { changes: isMoved || !equal(part(old), part(next)), replaces: isMoved ? ["endpoint"] : [] };
    },
    async create(inputs, context) {
      const id = FLUX_SYSTEM;
      await wait(world, id, inputs, context);
      return { id, state: inputs };
    },
    async update({ id }, inputs, context) {
      await wait(world, id, inputs, context);
      return inputs;
    },
  });
}

/** The handler of `gitops:index:FluxReady`. */
export const fluxReady = fluxReadyIn(machine);

async function wait(world: FluxWorld, id: string, inputs: FluxReadyInputs, context: Context): Promise<void> {
  const api = openCluster(world, inputs, context.signal);
  await entered(world, api, context);
  const names = inputs.kustomizations;
  const requestedAt = await requestReconcile(api, ROOT_SOURCE);
  for (const name of names) {
    const object = await api.get(kustomizationRef(name));
    // It tries again by itself, but may have chosen to wait for long.
    if (object !== undefined && unready(object) !== undefined) await requestReconcile(api, kustomizationRef(name));
  }
  try {
    await settled(world, context, inputs.readyMinutes, () => unsettled(api, names, requestedAt));
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
