// FluxConfigurationReady: a commit's way into a cluster that the AKS extension runs Flux in, as Azure tells of it. The API
// server may be out of reach, so Azure Resource Manager is all that is asked.

import { describe } from "../../net/describe.ts";
import { CLOCK, type Clock } from "../../net/retry.ts";
import { equal } from "../../plugin/diff.ts";
import type { Context, Diff, Properties } from "../../plugin/handler.ts";
import {
  handlerOf,
  type Inputs,
  type Known,
  type Previewed,
  resourceSchema,
  type SchemaHandler,
  type State,
  someText,
} from "../../plugin/schema.ts";
import { armGet, azure, type Cloud } from "../azure/cloud.ts";
import { sameName } from "../azure/names.ts";
import { gitAccess } from "../git/gitAccess.ts";
import {
  appliedIn,
  type Configuration,
  configurationRef,
  type Promised,
  shaOf,
  unsettledIn,
  wrongIn,
} from "./configurationHealth.ts";
import { type Problem, settled } from "./fluxCluster.ts";
import * as forms from "./forms.ts";
import { changesBy, glanced, inVain, seen, told } from "./glance.ts";
import { type DescentOf, descent, Past } from "./past.ts";

/** The schema of `gitops:index:FluxConfigurationReady`. */
export const FLUX_CONFIGURATION_READY = resourceSchema({
  token: "gitops:index:FluxConfigurationReady",
  description:
    "Arrives when Azure tells that a Flux configuration has synced the commit or one that descends from it, that every " +
    "Kustomization named has applied such a one and no other one of the repository is behind, and that every object below " +
    "the configuration is compliant; otherwise it fails with the messages of all that is not. Azure has no way to ask Flux for a look, so the configuration's own sync " +
    "interval is waited for, and Azure's word on it, which is late by a minute or so.\n\n" +
    "A refresh and a preview look at the same objects: what is missing, is suspended or has failed makes an update. " +
    "Where Azure may not be asked, that is told and what is known is kept. Deleting it does nothing.",
  inputs: {
    configurationId: forms.configurationId
      .describe("The configuration's ARM id. Another one is another configuration.")
      .meta({ replaceOnChanges: true }),
    url: someText.describe(
      "The repository's URL, without credentials: git is asked for what descends from the commit where Azure tells of " +
        "another one, with `GIT_TOKEN` or else, on GitHub, `GITHUB_TOKEN`, and over SSH `GIT_SSH_KEY`, of the environment.",
    ),
    access: gitAccess
      .describe("How the repository is signed in to, where the environment's own ways do not do.")
      .meta({ hidden: true })
      .exactOptional(),
    branch: someText.describe("The branch that Flux reads."),
    commit: someText.describe("The commit that the cluster shall come to; a new one is waited for."),
    kustomizations: forms.kustomizations.describe(
      "The names of Flux's Kustomizations, as the cluster has them, that have to apply the commit.",
    ),
    releases: forms.names.describe("The names of HelmReleases that these write. Default: none.").exactOptional(),
    readyMinutes: forms.readyMinutes.describe("How long to wait, in minutes. Default: 15.").default(15),
  },
  outputs: { wrong: forms.wrong },
});

type ReadyInputs = Inputs<typeof FLUX_CONFIGURATION_READY>;
type KnownReady = Known<ReadyInputs, State<typeof FLUX_CONFIGURATION_READY>>;

const API_VERSION = "2023-05-01";

/** What this resource needs of the world; tests give something else. */
export interface ConfigurationWorld {
  readonly cloud: Cloud;
  /** What of a branch descends from a commit, as git sees it. */
  readonly descent: DescentOf;
  /** Between two looks, in milliseconds; ARM counts them. */
  readonly poll: number;
  /** How late Azure's word on an object may be, in milliseconds. */
  readonly lag: number;
  /** How long a look may take that is no wait, in milliseconds. */
  readonly glance: number;
  /** What waits are measured by. */
  readonly clock: Clock;
}

/** The world as it is: the extension's agent tells Azure of a change within a minute or so. */
const machine: ConfigurationWorld = {
  cloud: azure,
  descent,
  poll: 10_000,
  lag: 180_000,
  glance: 10_000,
  clock: CLOCK,
};

/** The handler of `gitops:index:FluxConfigurationReady` in a world. */
export function fluxConfigurationReadyIn(world: ConfigurationWorld): SchemaHandler {
  return handlerOf(FLUX_CONFIGURATION_READY, {
    diff: (existing, next, context) => diff(world, existing, next, context),
    async create(inputs, context) {
      await wait(world, inputs.configurationId, inputs, context);
      return { id: inputs.configurationId, state: inputs };
    },
    async update({ id }, inputs, context) {
      await wait(world, id, inputs, context);
      return inputs;
    },
    read: (_id, known, context) => read(world, known, context),
  });
}

/** The handler of `gitops:index:FluxConfigurationReady`. */
export const fluxConfigurationReady = fluxConfigurationReadyIn(machine);

const promised = ({ branch, commit, kustomizations, releases }: Properties) => ({
  branch,
  commit,
  kustomizations,
  releases,
});

async function diff(
  world: ConfigurationWorld,
  existing: KnownReady,
  next: Previewed<ReadyInputs>,
  context: Context,
): Promise<Diff> {
  const { inputs: old, state } = existing;
  if (!sameName(old.configurationId, next.configurationId)) return { changes: true, replaces: ["configurationId"] };
  if (!equal(promised(old), promised(next))) return { changes: true, replaces: [] };
  const look = await glanced(context, world.glance, async (signal) => problemsOf(world, existing, signal));
  const wrong = look === undefined ? (state.wrong ?? []) : told(look.problems, context);
  return changesBy(wrong);
}

/** Gone with the configuration, which is another resource's: both are made again then. */
async function read(world: ConfigurationWorld, known: KnownReady | undefined, context: Context) {
  if (known === undefined)
    throw new Error(
      "FluxConfigurationReady needs no import: declare it, and it waits for what the cluster already has",
    );
  const look = await glanced(context, world.glance, async (signal) => problemsOf(world, known, signal));
  if (look?.isGone) return undefined;
  return seen(known, look && told(look.problems, context));
}

/** What one look finds wrong. After a wait in vain the commit itself still has to come. */
async function problemsOf(world: ConfigurationWorld, { inputs, state }: KnownReady, signal: AbortSignal) {
  const configuration = await find(world, inputs, signal);
  if (configuration === undefined) return { isGone: true, problems: [missing(inputs)] };
  const isAwaited = (state.wrong ?? []).length > 0;
  if (!isAwaited) return { isGone: false, problems: wrongIn(configuration, inputs) };
  const past = new Past(world.descent, inputs, signal);
  return { isGone: false, problems: await unsettledOf(configuration, inputs, past) };
}

const find = ({ cloud }: ConfigurationWorld, { configurationId }: ReadyInputs, signal: AbortSignal) =>
  armGet<Configuration>(cloud, configurationId, API_VERSION, signal);

const missing = ({ configurationId }: ReadyInputs): Problem => ({
  ref: configurationRef(configurationId),
  problem: "is not there; `pulumi up --refresh` makes it again",
  nature: "held",
});

async function wait(world: ConfigurationWorld, id: string, inputs: ReadyInputs, context: Context): Promise<void> {
  const past = new Past(world.descent, inputs, context.signal);
  const started = world.clock.now();
  try {
    await settled(world, context, inputs.readyMinutes, async () => {
      const configuration = await find(world, inputs, context.signal);
      if (configuration === undefined) return [missing(inputs)];
      const problems = await unsettledOf(configuration, inputs, past);
      // What was resumed just now is told to be suspended for a while yet; what ARM itself holds is not.
      const isTold = world.clock.now() - started >= world.lag || configuration.properties?.suspend === true;
      return isTold ? problems : problems.map(({ ref, problem }) => ({ ref, problem }));
    });
  } catch (error) {
    context.signal.throwIfAborted();
    throw inVain(id, inputs, error, describe(error));
  }
}

async function unsettledOf(configuration: Configuration, promised: Promised & ReadyInputs, past: Past) {
  const synced = shaOf(configuration.properties?.sourceSyncedCommitId);
  const fault = await past.learn(synced, appliedIn(configuration));
  return unsettledIn(configuration, promised, behind(past, promised, synced, fault), (commit) => past.ageOf(commit));
}

/** Undefined where what the source has synced is new enough, else what to say of it. */
function behind(past: Past, { commit }: ReadyInputs, synced: string | undefined, fault: string | undefined) {
  if (synced === undefined) return `has synced nothing yet, not ${commit}`;
  if (past.ageOf(synced) === "later") return undefined;
  const found = `has synced ${synced}, not ${commit} yet`;
  return fault === undefined ? found : `${found}, or a later one: ${fault}`;
}
