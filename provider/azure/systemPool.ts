// SystemPool: the settings of the agent pool that an AKS cluster was made with.

import * as z from "zod";
import { Again, retry, type Try } from "../../net/retry.ts";
import { detailedDiff } from "../../plugin/diff.ts";
import { type CheckFailure, type Context, type Diff, type Properties, UNKNOWN } from "../../plugin/handler.ts";
import {
  handlerOf,
  type Inputs,
  matching,
  type Previewed,
  resourceSchema,
  type SchemaHandler,
} from "../../plugin/schema.ts";
import { changedIn, fixedIn, observed, refusal, written } from "./agentPool.ts";
import { ArmError } from "./armClient.ts";
import { armGet, azure, type Cloud } from "./cloud.ts";
import * as forms from "./forms.ts";

const API_VERSION = "2025-09-01";

/** Waits in milliseconds while Azure does something else with the cluster (409): a quarter of an hour in all. */
const BUSY_WAITS = [5000, 10_000, 15_000, ...Array<number>(29).fill(30_000)];

const text = z.string().min(1).meta({ fault: "is not a text" });
const texts = z.array(z.string()).meta({ fault: "is not a list of texts" });
const count = z.int().min(1).max(1000).meta({ fault: "is not a number of nodes of a system pool: 1 to 1000" });

/** The schema of `gitops:index:SystemPool`. */
export const SYSTEM_POOL = resourceSchema({
  token: "gitops:index:SystemPool",
  description:
    "The settings of the agent pool that an AKS cluster was made with. Azure wants that pool in the cluster's own body " +
    "to make the cluster; this resource takes it over and keeps it from then on, without touching what is not said " +
    "here. Deleting it changes nothing in Azure: a cluster must have a system pool, which goes with it.\n\n" +
    "Imported into a stack by the agent pool's ARM id: `<cluster's ARM id>/agentPools/<name>`.",
  inputs: {
    clusterId: forms.clusterId
      .describe("The cluster's ARM id. Another one makes another resource.")
      .meta({ replaceOnChanges: true }),
    name: matching(
      /^[a-z][a-z0-9]{0,11}$/,
      "a Linux pool's name: 1 to 12 lower-case letters and digits, a letter first",
    )
      .describe("The pool's name in the cluster. Another one makes another resource.")
      .meta({ replaceOnChanges: true }),
    mode: z.literal("System").describe("What the pool is for.").meta({ fault: 'is not "System", the only value here' }),
    type: text.describe("Cannot be changed."),
    vmSize: text.describe("Cannot be changed."),
    osType: text.describe("Cannot be changed."),
    osSKU: text.describe("The nodes' operating system."),
    osDiskType: text.describe("Cannot be changed."),
    vnetSubnetID: text.describe("ARM id of the nodes' subnet. Cannot be changed."),
    enableAutoScaling: z
      .literal(true)
      .describe(
        "How many nodes there are is the autoscaler's business: the number is never written but to be within the limits.",
      )
      .meta({ fault: "is not true, the only value here" }),
    minCount: count.describe("The least number of nodes, 1 to 1000."),
    maxCount: count.describe("The largest number of nodes, 1 to 1000."),
    upgradeSettings: z
      .strictObject({
        maxSurge: z.string().describe("How many nodes an upgrade adds for a while, a number or percentage."),
        drainTimeoutInMinutes: z.int().describe("How long an upgrade waits for pods to leave, in minutes."),
      })
      .describe("How an agent pool is upgraded.")
      .meta({ id: "UpgradeSettings", fault: 'is not {maxSurge: "33%", drainTimeoutInMinutes: 30}' })
      .describe("How the pool is upgraded."),
    availabilityZones: texts.describe("Cannot be changed. Default: none.").exactOptional(),
    nodeTaints: texts
      .describe("The nodes' taints: `<key>=<value>:<effect>`. Default: none: what Azure has there is removed.")
      .exactOptional(),
    clusterRevision: text
      .describe(
        "Any text that changes whenever the cluster itself is written. That writes the pools in the cluster's body too, " +
          "with what they were before, so the pool is looked at again then. Default: never.",
      )
      .exactOptional(),
  },
  outputs: {},
});

export type SystemPoolInputs = Inputs<typeof SYSTEM_POOL>;

interface Pool {
  readonly properties?: Properties;
}

/**
 * The handler of `gitops:index:SystemPool` in a cloud.
 * @param waits in milliseconds, one after another, while Azure does something else with the cluster.
 */
export function systemPoolIn(cloud: Cloud, waits: readonly number[] = BUSY_WAITS): SchemaHandler {
  return handlerOf(SYSTEM_POOL, {
    rules: refused,
    diff: async ({ inputs: old }, next) => diff(old, next),
    async create(inputs, context) {
      await ensure(cloud, waits, inputs, context);
      return { id: idOf(inputs), state: inputs };
    },
    async update(_existing, inputs, context) {
      await ensure(cloud, waits, inputs, context);
      return inputs;
    },
    read: (id, known, context) => read(cloud, id, known?.inputs, context),
    // A cluster must have a system pool: it goes with its cluster.
    async delete() {},
  });
}

/** The handler of `gitops:index:SystemPool`. */
export const systemPool = systemPoolIn(azure);

/** What the program changed and Azure never does. Another cluster or name is another pool, which `ensure` looks at. */
function refused(next: Previewed<SystemPoolInputs>, old: Previewed<SystemPoolInputs> | undefined): CheckFailure[] {
  if (old === undefined || isAnother(old, next).length > 0) return [];
  return refusals(old, next);
}

function refusals(actual: Properties, wanted: Properties): CheckFailure[] {
  return fixedIn(wanted, actual)
    .filter((property) => wanted[property] !== UNKNOWN)
    .map((property) => ({
      property,
      reason: refusal(String(wanted.name), property, actual[property], wanted[property]),
    }));
}

function isAnother(old: Properties, next: Properties): string[] {
  return ["clusterId", "name"].filter(
    (property) => next[property] === UNKNOWN || !sameText(old[property], next[property]),
  );
}

function sameText(one: unknown, other: unknown): boolean {
  return String(one).toLowerCase() === String(other).toLowerCase();
}

function diff(old: Properties, next: Properties): Diff {
  const replaces = isAnother(old, next);
  const changed = Object.entries(detailedDiff(old, next)).filter(
    ([path]) => path !== "clusterId" || replaces.includes(path),
  );
  return { changes: changed.length > 0, replaces, detailed: Object.fromEntries(changed) };
}

/**
 * Makes the pool what is wanted; writes nothing where it is already.
 * @throws Error when the cluster has no such pool, when only another pool could be so, or when ARM refuses.
 */
async function ensure(
  cloud: Cloud,
  waits: readonly number[],
  wanted: SystemPoolInputs,
  context: Context,
): Promise<void> {
  const id = idOf(wanted);
  const once = async ({ wait }: Try): Promise<undefined | Again> => {
    const actual = (await armGet<Pool>(cloud, id, API_VERSION, context.signal))?.properties;
    if (actual === undefined) {
      throw new Error(`${id} is not there: this resource only takes over the pool that the cluster was made with`);
    }
    const fixed = refusals(actual, wanted);
    if (fixed.length > 0) throw new Error(fixed.map(({ reason }) => reason).join("; "));
    if (changedIn(wanted, actual).length === 0) return undefined;
    try {
      const body = { properties: written(wanted, actual) };
      await cloud.arm().request("PUT", id, API_VERSION, body, { signal: context.signal });
      return undefined;
    } catch (error) {
      const isBusy = error instanceof ArmError && error.status === 409;
      if (!isBusy || wait === undefined) throw error;
      context.log("info", `${error.message}; trying again in ${wait / 1000} s`);
      return new Again();
    }
  };
  await retry(once, { waits, signal: context.signal });
}

const ID = /^(\/subscriptions\/[^?#]+\/managedClusters\/[^/?#]+)\/agentPools\/([^/?#]+)$/i;

async function read(cloud: Cloud, id: string, inputs: SystemPoolInputs | undefined, context: Context) {
  const [, clusterId, name] = ID.exec(id) ?? [];
  if (clusterId === undefined || name === undefined) {
    throw new Error(`"${id}" is not the ARM id of an agent pool: <ARM id of the cluster>/agentPools/<name>`);
  }
  const actual = (await armGet<Pool>(cloud, id, API_VERSION, context.signal))?.properties;
  if (actual === undefined) return undefined;
  const found = observed({ clusterId, name, ...inputs }, actual);
  return { id, inputs: found, state: found };
}

function idOf({ clusterId, name }: SystemPoolInputs): string {
  return `${clusterId}/agentPools/${name}`;
}
