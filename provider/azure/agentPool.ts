// AgentPool: an agent pool of an AKS cluster, taken over where it is there already.

import { randomUUID } from "node:crypto";
import * as z from "zod";
import { isVersion, KUBERNETES_VERSION } from "../../net/kubernetesVersion.ts";
import { type Again, retry, type Try } from "../../net/retry.ts";
import { detailedDiff } from "../../plugin/diff.ts";
import { type CheckFailure, type Context, type Diff, type Properties, UNKNOWN } from "../../plugin/handler.ts";
import {
  handlerOf,
  type Inputs,
  instance,
  type Known,
  matching,
  type Previewed,
  resourceSchema,
  type SchemaHandler,
  type State,
} from "../../plugin/schema.ts";
import { ArmError } from "./armClient.ts";
import { armGet, azure, type Cloud } from "./cloud.ts";
import * as forms from "./forms.ts";
import { renamed, sameName } from "./names.ts";
import { BUSY_WAITS, later, lookingFor, removed } from "./patience.ts";
import { changedForGood, nameInAzure } from "./poolName.ts";
import { changedIn, created, fixedIn, isBehind, observed, refusal, written } from "./poolProperties.ts";
import { describePoolUpgrade, runningIn } from "./upgrade.ts";

const API_VERSION = "2025-09-01";

/** How long a pool's write may take, in milliseconds: an upgrade drains one node after another. */
const PATIENCE = 24 * 3_600_000;

/** Azure does something else with the cluster. */
const isBusy = ({ status }: ArmError) => status === 409;

const text = z.string().min(1).meta({ fault: "is not a text" });
const texts = z.array(z.string()).meta({ fault: "is not a list of texts" });
const count = z
  .int()
  .min(0)
  .max(1000)
  .meta({ fault: "is not a number of nodes: 0 to 1000, of a system pool 1 to 1000" });

/** The schema of `gitops:index:AgentPool`. */
export const AGENT_POOL = resourceSchema({
  token: "gitops:index:AgentPool",
  description:
    "An agent pool of an AKS cluster. One that is there already is taken over: what differs is changed, what is not said " +
    "here is not touched. What only another pool could have makes another pool of mode User, before the old one is deleted; " +
    "of mode System it is refused.\n\n" +
    "A pool of mode System is only ever taken over: Azure wants it in the cluster's own body to make the cluster. " +
    "Deleting it changes nothing in Azure, for a cluster must have a system pool, which goes with it. A pool of mode " +
    "User is made where it is not there, and deleted; that respects the pods' disruption budgets and takes minutes, " +
    "so let it go with its cluster (`deletedWith`) where the cluster goes too.\n\n" +
    "Imported into a stack by the agent pool's ARM id: `<cluster's ARM id>/agentPools/<name>`.",
  inputs: {
    clusterId: forms.clusterId
      .describe("The cluster's ARM id. Another one makes another resource.")
      .meta({ replaceOnChanges: true }),
    name: matching(
      /^[a-z][a-z0-9]{0,11}$/,
      "a Linux pool's name: 1 to 12 lower-case letters and digits, a letter first",
    )
      .describe(
        "The pool's name in the cluster. Another one makes another resource. A pool of mode User that has to be made anew " +
          "is called by its first letters and four digits, for both are there until the old one's pods have moved.",
      )
      .meta({ replaceOnChanges: true }),
    mode: z
      .enum(["System", "User"])
      .describe("What the pool is for: AKS's own pods, or the applications'.")
      .meta({ fault: 'is neither "System" nor "User"' }),
    type: text.describe("Cannot be changed."),
    vmSize: text.describe("Cannot be changed."),
    osType: text.describe("Cannot be changed."),
    osSKU: text.describe("The nodes' operating system."),
    osDiskType: text
      .describe(
        "Managed or Ephemeral. Cannot be changed. Default: what Azure chose: Ephemeral where the size has room.",
      )
      .exactOptional(),
    osDiskSizeGB: z
      .int()
      .describe("Size of the system disk in GiB. Cannot be changed. Default: what Azure chose.")
      .meta({ fault: "is not a number of GiB" })
      .exactOptional(),
    scaleSetPriority: z
      .enum(["Regular", "Spot"])
      .describe("Spot: nodes that Azure may take away. Cannot be changed. Default: Regular.")
      .meta({ fault: 'is neither "Regular" nor "Spot"' })
      .exactOptional(),
    scaleSetEvictionPolicy: z
      .enum(["Delete", "Deallocate"])
      .describe("What becomes of Spot nodes that are taken away. Cannot be changed. Default: what Azure chose: Delete.")
      .meta({ fault: 'is neither "Delete" nor "Deallocate"' })
      .exactOptional(),
    vnetSubnetID: text.describe("ARM id of the nodes' subnet. Cannot be changed."),
    enableAutoScaling: z
      .boolean()
      .describe(
        "How many nodes there are is the autoscaler's business: a new pool has the least number, and from then on the " +
          "number is never written but to be within the limits. Where it is false the pool has the least number of nodes.",
      )
      .meta({ fault: "is neither true nor false" }),
    minCount: count.describe("The least number of nodes, 0 to 1000; of a system pool 1 to 1000."),
    maxCount: count.describe("The largest number of nodes, 0 to 1000; of a system pool 1 to 1000."),
    upgradeSettings: z
      .strictObject({
        maxSurge: z
          .string()
          .describe(
            "How many nodes an upgrade adds for a while, a number or percentage. Default: none, as Azure wants of Spot nodes.",
          )
          .exactOptional(),
        drainTimeoutInMinutes: z.int().describe("How long an upgrade waits for pods to leave, in minutes."),
      })
      .describe("How an agent pool is upgraded.")
      .meta({ id: "UpgradeSettings", fault: 'is not {maxSurge: "33%", drainTimeoutInMinutes: 30}' })
      .describe("How the pool is upgraded."),
    orchestratorVersion: matching(
      KUBERNETES_VERSION,
      "a version of Kubernetes: a minor such as 1.34, or a patch such as 1.34.1",
    )
      .describe(
        "The nodes' version of Kubernetes: a minor such as `1.34`, or a patch such as `1.34.1`, which the control plane " +
          "has by then. A pool of another one gets the control plane's, node by node, as upgradeSettings say. Default: " +
          "what AKS makes of it; a new pool has the control plane's.",
      )
      .exactOptional(),
    availabilityZones: texts.describe("Cannot be changed. Default: none.").exactOptional(),
    nodeTaints: texts
      .describe("The nodes' taints: `<key>=<value>:<effect>`. Default: none: what Azure has there is removed.")
      .exactOptional(),
    nodeLabels: z
      .record(z.string(), z.string())
      .describe("The nodes' labels, all of them. Default: those that others gave them stay.")
      .meta({ fault: "is not a map of texts" })
      .exactOptional(),
    tags: z
      .record(z.string(), z.string())
      .describe("The tags of pool and nodes, all of them. Default: those that others gave it stay.")
      .meta({ fault: "is not a map of texts" })
      .exactOptional(),
  },
  outputs: { instance },
});

export type AgentPoolInputs = Inputs<typeof AGENT_POOL>;
type AgentPoolState = State<typeof AGENT_POOL>;

interface Resource {
  readonly properties?: Properties;
}

/**
 * The handler of `gitops:index:AgentPool` in a cloud.
 * @param waits in milliseconds, one after another, while Azure does something else with the cluster.
 */
export function agentPoolIn(cloud: Cloud, waits: readonly number[] = BUSY_WAITS): SchemaHandler {
  // By URN: the engine checks what replaces another one a second time, and tells nothing of that one then.
  const names = new Map<string, unknown>();
  return handlerOf(AGENT_POOL, {
    decided(inputs, old, { urn }) {
      if (inputs.name === undefined) return inputs;
      const name = nameInAzure(inputs, old);
      if (old !== undefined) names.set(urn, name);
      return { ...inputs, name: old === undefined ? (names.get(urn) ?? name) : name };
    },
    rules: (next, old) => [...counted(next), ...changed(next, old)],
    diff: async ({ inputs: old }, next, context) => diff(old, next, context),
    async preview(inputs, existing, context) {
      await announceUpgrade(cloud, inputs, existing, context);
      return { ...existing?.state, ...inputs };
    },
    async create(inputs, context) {
      await ensure(cloud, waits, inputs, context);
      return { id: idOf(inputs), state: { ...inputs, instance: randomUUID() } };
    },
    async update({ inputs: old, state }, inputs, context) {
      // Tags and labels that the program gave and gives no more.
      const given = (["tags", "nodeLabels"] as const).filter((name) => old[name] !== undefined && !inputs[name]);
      await ensure(cloud, waits, { ...inputs, ...Object.fromEntries(given.map((name) => [name, {}])) }, context);
      return { ...inputs, instance: state.instance ?? randomUUID() };
    },
    read: (id, known, context) => read(cloud, id, known, context),
    async delete({ id, inputs: { mode } }, context, successor) {
      if (mode === "System" || (successor !== undefined && sameName(successor.id, id))) return;
      await removed(cloud, id, { apiVersion: API_VERSION, waits, passes: isBusy }, context);
    },
  });
}

/** The handler of `gitops:index:AgentPool`. */
export const agentPool = agentPoolIn(azure);

/** Says of another version what becomes of the nodes, as the pool is by now. */
async function announceUpgrade(
  cloud: Cloud,
  inputs: Previewed<AgentPoolInputs>,
  existing: Known<AgentPoolInputs, AgentPoolState> | undefined,
  context: Context,
): Promise<void> {
  if (existing === undefined || inputs.orchestratorVersion === existing.inputs.orchestratorVersion) return;
  const look = async () => {
    const actual = (await armGet<Resource>(cloud, existing.id, API_VERSION, context.signal))?.properties;
    if (actual !== undefined && isBehind(inputs, actual)) context.log("info", describePoolUpgrade(inputs, actual));
  };
  await lookingFor("which version its nodes have", look, context);
}

function counted({ mode, ...next }: Previewed<AgentPoolInputs>): CheckFailure[] {
  if (mode !== "System") return [];
  return (["minCount", "maxCount"] as const)
    .filter((property) => next[property] === 0)
    .map((property) => ({ property, reason: "0 is not a number of nodes of a system pool: 1 to 1000" }));
}

/**
 * What the program changed and Azure never does. Another cluster or name is another pool, which `ensure` looks at; a user
 * pool has another name then.
 */
function changed(next: Previewed<AgentPoolInputs>, old: Previewed<AgentPoolInputs> | undefined): CheckFailure[] {
  if (old === undefined || isAnother(old, next).length > 0) return [];
  return refusals(old, next);
}

function refusals(actual: Properties, wanted: Properties): CheckFailure[] {
  return fixedIn(wanted, actual)
    .filter((property) => wanted[property] !== UNKNOWN)
    .map((property) => ({ property, reason: refusal(property, actual, wanted) }));
}

function isAnother(old: Properties, next: Properties): string[] {
  return renamed(["clusterId", "name"], old, next);
}

function diff(old: Properties, next: Properties, context: Context): Diff {
  const another = isAnother(old, next);
  const isRenewed = another.includes("name") && !another.includes("clusterId");
  const forGood = isRenewed && next.mode === "User" ? changedForGood(next, old) : [];
  if (forGood.length > 0)
    context.log(
      "info",
      `another agent pool, ${String(next.name)}, is made before ${old.name} goes: Azure never changes ` +
        `${forGood.join(", ")} of one that is there. The old one's pods move when its nodes are drained`,
    );
  const replaces = [...another, ...forGood];
  const differing = Object.entries(detailedDiff(old, next)).filter(
    ([path]) => path !== "clusterId" || replaces.includes(path),
  );
  return { changes: differing.length > 0, replaces, detailed: Object.fromEntries(differing) };
}

/**
 * Makes the pool what is wanted; writes nothing where it is already.
 * @throws Error when the cluster has no such system pool or goes, when only another pool could be so, or when ARM refuses.
 */
async function ensure(
  cloud: Cloud,
  waits: readonly number[],
  wanted: AgentPoolInputs,
  context: Context,
): Promise<void> {
  const id = idOf(wanted);
  const once = async (current: Try): Promise<undefined | Again> => {
    const actual = (await armGet<Resource>(cloud, id, API_VERSION, context.signal))?.properties;
    const state = actual?.provisioningState;
    if (actual === undefined || state === "Deleting") await refuseGoing(cloud, wanted, context);
    if (actual === undefined && wanted.mode === "System") {
      throw new Error(`${id} is not there: this resource only takes over the pool that the cluster was made with`);
    }
    // As an interrupted update left it, or somebody else.
    if (state === "Creating" || state === "Deleting") return later(`${id} is in the state ${state}`, current, context);
    if (actual !== undefined) {
      const fixed = refusals(actual, wanted);
      if (fixed.length > 0) throw new Error(fixed.map(({ reason }) => reason).join("; "));
      const hasFailed = state === "Failed" || state === "Canceled";
      if (changedIn(wanted, actual).length === 0 && !isBehind(wanted, actual) && !hasFailed) return undefined;
    }
    const version = actual !== undefined && isBehind(wanted, actual) ? await controlPlane(cloud, wanted, context) : {};
    const body = { properties: actual === undefined ? created(wanted) : { ...written(wanted, actual), ...version } };
    try {
      await cloud.arm().request("PUT", id, API_VERSION, body, { signal: context.signal, patience: PATIENCE });
      return undefined;
    } catch (error) {
      if (!(error instanceof ArmError && isBusy(error))) throw error;
      return later(error.message, current, context, error);
    }
  };
  await retry(once, { waits, signal: context.signal });
}

/**
 * The control plane's version for a pool that follows it: its very patch, which a minor alone would not be.
 * @throws Error where the control plane has not the version that the pool is to have.
 */
async function controlPlane(
  cloud: Cloud,
  { clusterId, name, orchestratorVersion = "" }: AgentPoolInputs,
  { signal }: Context,
): Promise<Properties> {
  const cluster = await armGet<Resource>(cloud, clusterId, API_VERSION, signal);
  const running = runningIn(cluster?.properties ?? {});
  if (isVersion(orchestratorVersion, running)) return { orchestratorVersion: running };
  throw new Error(
    `the agent pool ${name} cannot be of ${orchestratorVersion}: the control plane of ${clusterId} is of ${running}. ` +
      "Upgrade that first, or ask for its version",
  );
}

/** @throws Error for a cluster that is gone or on its way out: an interrupted `destroy` left it so. */
async function refuseGoing(cloud: Cloud, { clusterId, name }: AgentPoolInputs, { signal }: Context): Promise<void> {
  const cluster = await armGet<Resource>(cloud, clusterId, API_VERSION, signal);
  if (cluster !== undefined && cluster.properties?.provisioningState !== "Deleting") return;
  throw new Error(
    `the agent pool ${name} cannot be made: ${clusterId} is ${cluster === undefined ? "not there" : "being deleted"}. ` +
      "After an interrupted `pulumi destroy` the stack may still list it: end that with another `pulumi destroy`, or " +
      `have the cluster made anew with \`pulumi up --refresh\`${cluster === undefined ? "" : " when it is gone"}`,
  );
}

const ID = /^(\/subscriptions\/[^?#]+\/managedClusters\/[^/?#]+)\/agentPools\/([^/?#]+)$/i;

async function read(
  cloud: Cloud,
  id: string,
  known: Known<AgentPoolInputs, AgentPoolState> | undefined,
  context: Context,
) {
  const [, clusterId, name] = ID.exec(id) ?? [];
  if (clusterId === undefined || name === undefined) {
    throw new Error(`"${id}" is not the ARM id of an agent pool: <ARM id of the cluster>/agentPools/<name>`);
  }
  const actual = (await armGet<Resource>(cloud, id, API_VERSION, context.signal))?.properties;
  if (actual === undefined) return undefined;
  const inputs = observed({ clusterId, name, ...(known?.inputs ?? { osDiskType: actual.osDiskType }) }, actual);
  return { id, inputs, state: { ...inputs, instance: known?.state.instance ?? randomUUID() } };
}

function idOf({ clusterId, name }: AgentPoolInputs): string {
  return `${clusterId}/agentPools/${name}`;
}
