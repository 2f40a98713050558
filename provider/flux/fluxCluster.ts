// What the resources that drive Flux in a cluster share: the way in, and waiting until Flux's objects are Ready.

import { randomUUID } from "node:crypto";
import { FLUX_SYSTEM, rootKind } from "../../flux/bootstrap.ts";
import { type FluxManifests, type FluxOptions, fluxManifests } from "../../flux/manifests.ts";
import { type KubeContext, kubeContext } from "../../net/kubeconfig.ts";
import { type KubeObject, KubernetesApi, KubernetesError, nameOf, type ObjectRef } from "../../net/kubernetesApi.ts";
import { Again, CLOCK, type Clock, retry, type Try } from "../../net/retry.ts";
import type { Context } from "../../plugin/handler.ts";
import { credential } from "../azure/armClient.ts";
import { azure, type Cloud } from "../azure/cloud.ts";
import { AKS_SERVER_ID } from "../azure/clusterAccess.ts";
import { ROLE_WAITS } from "../azure/patience.ts";
import type { DescentOf } from "./past.ts";

/** What these resources need of the world; tests give something else. */
export interface FluxWorld {
  readonly cloud: Cloud;
  /** A token for an AKS cluster's API server. */
  readonly token: () => Promise<string>;
  /** A context of the kubeconfig, for a cluster that is not AKS. @default the machine's */
  readonly kube?: (context: string) => Promise<KubeContext>;
  readonly manifests: (options: FluxOptions) => Promise<FluxManifests>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Between two looks, in milliseconds. */
  readonly poll: number;
  /** How long a deletion may take, in milliseconds. */
  readonly patience: number;
  /** Waits in milliseconds, one after another, while the API server does not know a new role. @default as everywhere */
  readonly roleWaits?: readonly number[];
  /** What of a branch descends from a commit. @default as git tells it */
  readonly descent?: DescentOf;
  /** What waits are measured by. */
  readonly clock: Clock;
}

/** The world as it is. */
export const machine: FluxWorld = {
  cloud: azure,
  token: async () => (await credential().getToken(`${AKS_SERVER_ID}/.default`))?.token ?? "",
  manifests: (options) => fluxManifests(options),
  environment: process.env,
  poll: 2000,
  patience: 300_000,
  clock: CLOCK,
};

/** Which API server, and who calls it. */
export interface ClusterInputs {
  readonly endpoint: string;
  readonly certificateAuthority: string;
  /** The context of the kubeconfig whose user calls; without one the caller's Entra token counts, as for AKS. */
  readonly kubeContext?: string;
}

/** The cluster of a resource's inputs. @param tries of each request where the server is busy or does not answer. */
export function openCluster(
  world: FluxWorld,
  inputs: ClusterInputs,
  signal: AbortSignal,
  tries?: number,
): KubernetesApi {
  const { endpoint, certificateAuthority } = inputs;
  const authority = Buffer.from(certificateAuthority, "base64").toString();
  return new KubernetesApi(
    { endpoint, authority, credential: credentialOf(world, inputs) },
    signal,
    world.poll / 4,
    tries,
  );
}

function credentialOf(world: FluxWorld, { endpoint, kubeContext: name }: ClusterInputs) {
  if (name === undefined) return async () => ({ token: await world.token() });
  let found: Promise<KubeContext> | undefined;
  return async () => {
    found ??= (world.kube ?? kubeContext)(name);
    const context = await found;
    // A credential goes to nobody but whom its owner gave it for.
    if (context.endpoint !== endpoint)
      throw new Error(
        `context ${name} of the kubeconfig is at ${context.endpoint}, and the stack's cluster at ${endpoint}: ` +
          "point KUBECONFIG to the one of this stack",
      );
    return context.credential();
  };
}

/**
 * Returns when the API server lets this caller in: a role assignment takes its time from ARM to there.
 * @throws KubernetesError when it does not in time, with a remedy.
 */
export async function entered(
  world: FluxWorld,
  api: KubernetesApi,
  { kubeContext: user }: Pick<ClusterInputs, "kubeContext">,
  context: Context,
): Promise<void> {
  const look = async ({ attempt, wait }: Try): Promise<undefined | Again> => {
    try {
      await api.get({ apiVersion: "v1", kind: "Namespace", metadata: { name: FLUX_SYSTEM } });
      return undefined;
    } catch (error) {
      const refused = error instanceof KubernetesError && [401, 403].includes(error.status);
      if (!refused) throw error;
      if (wait === undefined || user !== undefined) {
        const remedy =
          user === undefined
            ? "the deployers' group needs the role Azure Kubernetes Service RBAC Cluster Admin on the cluster, and the caller must be in it"
            : `the user of context ${user} needs the ClusterRole cluster-admin, as whoever installs Flux does`;
        throw new KubernetesError(error.status, error.reason, `${error.message}; ${remedy}`);
      }
      if (attempt === 1) context.log("info", "waiting until the API server knows the role assignment");
      return new Again();
    }
  };
  await retry(look, { waits: world.roleWaits ?? ROLE_WAITS, signal: context.signal, clock: world.clock });
}

const SOURCE = "source.toolkit.fluxcd.io/v1";
const KUSTOMIZE = "kustomize.toolkit.fluxcd.io/v1";

/** The GitRepository that everything comes from. */
export const ROOT_SOURCE: ObjectRef = rootSource(undefined);

/** The source that everything comes from: the GitRepository, or an artifact in place of it. */
export function rootSource(artifact: object | undefined): ObjectRef {
  return flux(SOURCE, rootKind(artifact), FLUX_SYSTEM);
}
/** A Kustomization of Flux's namespace. */
export const kustomizationRef = (name: string): ObjectRef => flux(KUSTOMIZE, "Kustomization", name);

/** A HelmRelease of Flux's namespace. */
export const releaseRef = (name: string): ObjectRef => flux("helm.toolkit.fluxcd.io/v2", "HelmRelease", name);
/** A source of Flux's namespace, as Flux writes it: `<kind>/<name>`. */
export function sourceRef(source: string): ObjectRef {
  const [kind = "", name = ""] = source.split("/");
  return flux(SOURCE, kind, name);
}

function flux(apiVersion: string, kind: string, name: string): ObjectRef {
  return { apiVersion, kind, metadata: { name, namespace: FLUX_SYSTEM } };
}

/** The annotation that asks a controller to look at an object now. */
export const REQUESTED_AT = "reconcile.fluxcd.io/requestedAt";

/** Asks Flux to look at an object now. @returns what the object's status names when Flux has done so. */
export async function requestReconcile(api: KubernetesApi, ref: ObjectRef): Promise<string> {
  const requestedAt = `${new Date().toISOString()}-${randomUUID().slice(0, 8)}`;
  await api.merge(ref, { metadata: { annotations: { [REQUESTED_AT]: requestedAt } } }, "flux");
  return requestedAt;
}

/** A condition of an object of Flux. */
export interface Condition {
  readonly type: string;
  readonly status: string;
  readonly reason?: string;
  readonly message?: string;
}

interface Status {
  readonly observedGeneration?: number;
  readonly lastHandledReconcileAt?: string;
  readonly lastAppliedRevision?: string;
  readonly artifact?: { readonly revision?: string };
  readonly conditions?: readonly Condition[];
  readonly [key: string]: unknown;
}

/** An object's status, without what is null: a new CRD has `conditions: null`. */
export function statusOf({ status }: KubeObject): Status {
  const fields = Object.entries((status ?? {}) as object);
  return Object.fromEntries(fields.filter(([, value]) => value !== null));
}

/** Why an object is not Ready; undefined when it is. */
export function unready(object: KubeObject): string | undefined {
  if (isStatic(object)) return undefined;
  const { observedGeneration } = statusOf(object);
  const ready = readyOf(object);
  const said = [ready?.reason, ready?.message].filter(Boolean).join(": ");
  if (ready?.status !== "True") return shown(said) || "has no status yet; does its controller run?";
  return (observedGeneration ?? 0) < (object.metadata.generation ?? 0) ? "its last change is not seen yet" : undefined;
}

/** What an object says of itself. */
export function readyOf(object: KubeObject) {
  return statusOf(object).conditions?.find(({ type }) => type === "Ready");
}

/** A HelmRepository of type oci is only an address: no controller says anything of it. */
function isStatic({ kind, spec }: KubeObject): boolean {
  return kind === "HelmRepository" && (spec as { type?: string } | undefined)?.type === "oci";
}

/** The longest text that is shown of what Flux says: a failed health check names every object that it waited for. */
const LONGEST = 300;

/** What Flux says, as one line that can be read. */
export function shown(said: string): string {
  const line = said.replace(/\s+/g, " ").trim();
  return line.length > LONGEST ? `${line.slice(0, LONGEST - 1)}…` : line;
}

/** Why a Deployment does not run as it shall; undefined when it does. */
export async function unavailable(api: KubernetesApi, object: KubeObject): Promise<string | undefined> {
  const { observedGeneration = 0, updatedReplicas = 0, availableReplicas = 0, conditions = [] } = statusOf(object);
  const wanted = Number((object.spec as { replicas?: number } | undefined)?.replicas ?? 1);
  const isSeen = observedGeneration >= (object.metadata.generation ?? 0);
  if (isSeen && Number(updatedReplicas) >= wanted && Number(availableReplicas) >= wanted) return undefined;
  const refused = conditions.find(({ type, status }) => type === "ReplicaFailure" && status === "True");
  const { namespace = "", name } = object.metadata;
  const pods = refused === undefined ? await api.list("v1", "Pod", { namespace, labels: `app=${name}` }) : [];
  const stuck = pods.map(stuckPod).find((problem) => problem !== undefined);
  return refused?.message ?? stuck ?? `${String(availableReplicas)} of ${wanted} pods available`;
}

/** What a pod waits for: an image that it does not get, or a node. A Deployment does not tell. */
function stuckPod(pod: KubeObject): string | undefined {
  const { containerStatuses = [], conditions = [] } = statusOf(pod);
  const containers = containerStatuses as { state?: { waiting?: { reason?: string; message?: string } } }[];
  const waiting = containers.map(({ state }) => state?.waiting).find((one) => one?.message);
  if (waiting !== undefined) return [waiting.reason, waiting.message].filter(Boolean).join(": ");
  return conditions.find(({ type, status }) => type === "PodScheduled" && status === "False")?.message;
}

/** What is wrong with an object. */
export interface Problem {
  readonly ref: ObjectRef;
  readonly problem: string;
  /**
   * - missing: somebody has to write it;
   * - behind: it is Ready, but has not applied what there is now;
   * - held: it is suspended, or waits for something that is; no time helps, only people.
   */
  readonly nature?: "missing" | "behind" | "held";
}

/** What a look found wrong, by object; nothing when all is well. */
export type Look = () => Promise<readonly Problem[]>;

/** A problem in one line. */
export const lineOf = ({ ref, problem }: Problem): string => `${nameOf(ref)}: ${problem}`;

/** What was waited for did not come. */
export class UnsettledError extends Error {
  /** Each object with what is wrong. */
  readonly lines: readonly string[];
  /** Whether no time would have helped: these lines are all that there is to say then. */
  readonly isHeld: boolean;
  constructor(what: string, lines: readonly string[], isHeld: boolean) {
    super(`${what}:\n  ${lines.join("\n  ")}`);
    this.name = "UnsettledError";
    this.lines = lines;
    this.isHeld = isHeld;
  }
}

/**
 * Looks until nothing is wrong any more, and says beside the resource what is waited for.
 * @param failure what is the case when the time is over.
 * @throws UnsettledError naming every object and its message when the time is over, or when no time helps.
 */
export async function settled(
  world: Pick<FluxWorld, "poll" | "clock">,
  context: Context,
  minutes: number,
  look: Look,
  failure = "not Ready",
): Promise<void> {
  let told = "";
  const once = async ({ wait }: Try): Promise<undefined | Again> => {
    const problems = await look();
    const lines = problems.map(lineOf);
    if (lines.length === 0) return undefined;
    if (problems.every(({ nature }) => nature === "held"))
      throw new UnsettledError(`${failure}, and waiting does not help`, lines, true);
    if (wait === undefined)
      throw new UnsettledError(`${failure} after ${minutes} ${minutes === 1 ? "minute" : "minutes"}`, lines, false);
    const [first = ""] = lines;
    if (first !== told) context.log("info", `waiting for ${first}`);
    told = first;
    return new Again();
  };
  await retry(once, { waits: () => world.poll, within: minutes * 60_000, signal: context.signal, clock: world.clock });
}
