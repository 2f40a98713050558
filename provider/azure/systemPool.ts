// SystemPool: the settings of the agent pool that an AKS cluster was made with.

import { Again, retry, type Try } from "../../net/retry.ts";
import { detailedDiff } from "../../plugin/diff.ts";
import {
  type CheckFailure,
  type Context,
  type Diff,
  type Properties,
  type ResourceHandler,
  UNKNOWN,
} from "../../plugin/handler.ts";
import { armIdOf, checkForm, type Form, matching, type Rule } from "../../plugin/inputs.ts";
import { changedIn, fixedIn, observed, refusal, written } from "./agentPool.ts";
import { ArmError } from "./armClient.ts";
import { armGet, azure, type Cloud } from "./cloud.ts";

const API_VERSION = "2025-09-01";

/** Waits in milliseconds while Azure does something else with the cluster (409): a quarter of an hour in all. */
const BUSY_WAITS = [5000, 10_000, 15_000, ...Array<number>(29).fill(30_000)];

const isText: Rule = (value) =>
  typeof value === "string" && value !== "" ? undefined : `${JSON.stringify(value)} is not a text`;

const isCount: Rule = (value) =>
  Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 1000
    ? undefined
    : `${JSON.stringify(value)} is not a number of nodes of a system pool: 1 to 1000`;

const isTexts: Rule = (value) =>
  Array.isArray(value) && value.every((item) => item === UNKNOWN || typeof item === "string")
    ? undefined
    : `${JSON.stringify(value)} is not a list of texts`;

const isUpgradeSettings: Rule = (value) => {
  const { maxSurge, drainTimeoutInMinutes, ...more } = (value ?? {}) as Properties;
  const isGood = typeof maxSurge === "string" && Number.isInteger(drainTimeoutInMinutes);
  return isGood && Object.keys(more).length === 0
    ? undefined
    : `${JSON.stringify(value)} is not {maxSurge: "33%", drainTimeoutInMinutes: 30}`;
};

const only =
  (expected: unknown): Rule =>
  (value) =>
    value === expected ? undefined : `${JSON.stringify(value)} is not ${JSON.stringify(expected)}, the only value here`;

const FORM: Form = {
  required: {
    clusterId: armIdOf("Microsoft.ContainerService/managedClusters"),
    name: matching(
      /^[a-z][a-z0-9]{0,11}$/,
      "a Linux pool's name: 1 to 12 lower-case letters and digits, a letter first",
    ),
    mode: only("System"),
    type: isText,
    vmSize: isText,
    osType: isText,
    osSKU: isText,
    osDiskType: isText,
    vnetSubnetID: isText,
    enableAutoScaling: only(true),
    minCount: isCount,
    maxCount: isCount,
    upgradeSettings: isUpgradeSettings,
  },
  optional: { availabilityZones: isTexts, nodeTaints: isTexts, clusterRevision: isText },
};

interface Pool {
  readonly properties?: Properties;
}

/**
 * The handler of `gitops:index:SystemPool` in a cloud.
 * @param waits in milliseconds, one after another, while Azure does something else with the cluster.
 */
export function systemPoolIn(cloud: Cloud, waits: readonly number[] = BUSY_WAITS): ResourceHandler {
  return {
    check: async (inputs, old) => ({ inputs, failures: [...checkForm(inputs, FORM), ...refused(inputs, old)] }),
    diff: async ({ inputs: old }, next) => diff(old, next),
    async create(inputs, context) {
      await ensure(cloud, waits, inputs, context);
      return { id: idOf(inputs), state: inputs };
    },
    async update(_existing, inputs, context) {
      await ensure(cloud, waits, inputs, context);
      return inputs;
    },
    read: (id, inputs, _state, context) => read(cloud, id, inputs, context),
    // A cluster must have a system pool: it goes with its cluster.
    async delete() {},
  };
}

/** The handler of `gitops:index:SystemPool`. */
export const systemPool: ResourceHandler = systemPoolIn(azure);

/** What the program changed and Azure never does. Another cluster or name is another pool, which `ensure` looks at. */
function refused(next: Properties, old: Properties | undefined): CheckFailure[] {
  if (old === undefined || isAnother(old, next).length > 0) return [];
  return fixedIn(next, old)
    .filter((property) => next[property] !== UNKNOWN)
    .map((property) => ({ property, reason: refusal(String(next.name), property, old[property], next[property]) }));
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
async function ensure(cloud: Cloud, waits: readonly number[], wanted: Properties, context: Context): Promise<void> {
  const id = idOf(wanted);
  const once = async ({ wait }: Try): Promise<undefined | Again> => {
    const actual = (await armGet<Pool>(cloud, id, API_VERSION, context.signal))?.properties;
    if (actual === undefined) {
      throw new Error(`${id} is not there: this resource only takes over the pool that the cluster was made with`);
    }
    const fixed = fixedIn(wanted, actual).map((property) =>
      refusal(String(wanted.name), property, actual[property], wanted[property]),
    );
    if (fixed.length > 0) throw new Error(fixed.join("; "));
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

async function read(cloud: Cloud, id: string, inputs: Properties, context: Context) {
  const [, clusterId, name] = ID.exec(id) ?? [];
  if (clusterId === undefined || name === undefined) {
    throw new Error(`"${id}" is not the ARM id of an agent pool: <ARM id of the cluster>/agentPools/<name>`);
  }
  const actual = (await armGet<Pool>(cloud, id, API_VERSION, context.signal))?.properties;
  if (actual === undefined) return undefined;
  const found = observed({ clusterId, name, ...inputs }, actual);
  return { id, inputs: found, state: found };
}

function idOf({ clusterId, name }: Properties): string {
  return `${clusterId}/agentPools/${name}`;
}
