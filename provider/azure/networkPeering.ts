// NetworkPeering: two virtual networks, wherever they are, peered from both sides and Connected.

import { randomUUID } from "node:crypto";
import { type Again, retry, type Try } from "../../net/retry.ts";
import { replacement } from "../../plugin/diff.ts";
import { type Context, type Diff, UNKNOWN } from "../../plugin/handler.ts";
import {
  handlerOf,
  type Inputs,
  instance,
  type Known,
  type Previewed,
  resourceSchema,
  type SchemaHandler,
  type State,
} from "../../plugin/schema.ts";
import { ArmError } from "./armClient.ts";
import { lookedAt } from "./closed.ts";
import { armGet, azure, type Cloud } from "./cloud.ts";
import * as forms from "./forms.ts";
import { renamed, sameName } from "./names.ts";
import { BUSY_WAITS, isHeld, later, removed } from "./patience.ts";

const API_VERSION = "2024-05-01";

/** The schema of `gitops:index:NetworkPeering`. */
export const NETWORK_PEERING = resourceSchema({
  token: "gitops:index:NetworkPeering",
  description:
    "Two virtual networks that reach each other, also those of two subscriptions: both peerings, each named after the " +
    "network that it leads to, one after the other, and there when both are Connected. A peering that is there under " +
    "another name is used and never written or deleted. One that is gone or not Connected is made anew.\n\n" +
    "It needs Network Contributor on both networks, or a role with `virtualNetworkPeerings/*` and `peer/action`.\n\n" +
    "Imported into a stack by `<ARM id of the network>/virtualNetworkPeerings/<name of the remote network>`.",
  inputs: {
    networkId: forms.networkId
      .describe("ARM id of a virtual network. Another one makes another resource.")
      .meta({ replaceOnChanges: true }),
    remoteNetworkId: forms.networkId
      .describe("ARM id of the network that it is peered with. Another one makes another resource.")
      .meta({ replaceOnChanges: true }),
  },
  outputs: { instance },
});

type PeeringInputs = Inputs<typeof NETWORK_PEERING>;
type PeeringState = State<typeof NETWORK_PEERING>;

interface Peering {
  readonly id: string;
  readonly name: string;
  readonly properties: { readonly peeringState: string; readonly remoteVirtualNetwork: { readonly id: string } };
}

/** One direction. */
interface Side {
  readonly from: string;
  readonly to: string;
}

/**
 * The handler of `gitops:index:NetworkPeering` in a cloud.
 * @param waits in milliseconds, one after another, while one of the networks is being written or a side not Connected yet.
 */
export function networkPeeringIn(cloud: Cloud, waits: readonly number[] = BUSY_WAITS): SchemaHandler {
  return handlerOf(NETWORK_PEERING, {
    rules: (next) =>
      next.networkId !== UNKNOWN && sameName(next.networkId, next.remoteNetworkId)
        ? [
            {
              property: "remoteNetworkId",
              reason: `${String(next.remoteNetworkId)} is networkId itself: name another one`,
            },
          ]
        : [],
    diff: async ({ inputs: old }, next) => diff(old, next),
    async create(inputs, context) {
      await connect(cloud, waits, inputs, context);
      return { id: idOf(sidesOf(inputs)[0]), state: { ...inputs, instance: randomUUID() } };
    },
    async update({ state }, inputs, context) {
      await connect(cloud, waits, inputs, context);
      return { ...state, ...inputs };
    },
    read: (id, known, context) => lookedAt(id, known, context, () => read(cloud, id, known, context)),
    async delete({ id, inputs }, context, successor) {
      if (successor !== undefined && sameName(successor.id, id)) return;
      const removal = { apiVersion: API_VERSION, waits, passes: isHeld };
      for (const side of sidesOf(inputs).reverse()) await removed(cloud, idOf(side), removal, context);
    },
  });
}

/** The handler of `gitops:index:NetworkPeering`. */
export const networkPeering = networkPeeringIn(azure);

function diff(old: PeeringInputs, next: Previewed<PeeringInputs>): Diff {
  return replacement(renamed(["networkId", "remoteNetworkId"], old, next));
}

const sidesOf = ({ networkId, remoteNetworkId }: PeeringInputs): [Side, Side] => [
  { from: networkId, to: remoteNetworkId },
  { from: remoteNetworkId, to: networkId },
];

const idOf = ({ from, to }: Side): string => `${from}/virtualNetworkPeerings/${to.split("/").at(-1)}`;

async function find(cloud: Cloud, { from, to }: Side, signal: AbortSignal): Promise<Peering | undefined> {
  const list = await armGet<{ value: Peering[] }>(cloud, `${from}/virtualNetworkPeerings`, API_VERSION, signal);
  return list?.value.find(({ properties }) => sameName(properties.remoteVirtualNetwork.id, to));
}

/** @throws Error naming the sides that do not come to Connected, or in ARM's words. */
async function connect(cloud: Cloud, waits: readonly number[], inputs: PeeringInputs, context: Context): Promise<void> {
  const { signal } = context;
  const sides = sidesOf(inputs);
  const once = async (current: Try): Promise<undefined | Again> => {
    const found = await Promise.all(sides.map((side) => find(cloud, side, signal)));
    try {
      // A side whose other one went and came back is of no use: both have to be made anew.
      for (const [index, peering] of found.entries())
        if (peering?.properties.peeringState === "Disconnected")
          await cloud.arm().request("DELETE", own(peering, sides[index] as Side), API_VERSION, undefined, { signal });
      for (const [index, peering] of found.entries())
        if (peering === undefined || peering.properties.peeringState === "Disconnected")
          await cloud
            .arm()
            .request("PUT", idOf(sides[index] as Side), API_VERSION, bodyOf(sides[index] as Side), { signal });
    } catch (error) {
      if (!(error instanceof ArmError && isHeld(error))) throw error;
      return later(error.message, current, context, error);
    }
    const states = await Promise.all(sides.map(async (side) => ({ side, peering: await find(cloud, side, signal) })));
    const open = states.filter(({ peering }) => peering?.properties.peeringState !== "Connected");
    if (open.length === 0) return undefined;
    const words = open.map(({ side, peering }) => `${idOf(side)} is ${peering?.properties.peeringState ?? "gone"}`);
    return later(`both peerings have to be Connected: ${words.join(", ")}`, current, context);
  };
  await retry(once, { waits, signal });
}

/** @throws Error for a peering that somebody else made. */
function own({ id }: Peering, side: Side): string {
  if (sameName(id, idOf(side))) return id;
  throw new Error(
    `${id} is Disconnected and not of this stack: delete it or make it anew, then run \`pulumi up\` again`,
  );
}

function bodyOf({ to }: Side) {
  return {
    properties: {
      remoteVirtualNetwork: { id: to },
      allowVirtualNetworkAccess: true,
      // What a firewall of the other network hands on.
      allowForwardedTraffic: true,
    },
  };
}

async function read(
  cloud: Cloud,
  id: string,
  known: Known<PeeringInputs, PeeringState> | undefined,
  { signal }: Context,
) {
  const [, networkId] = /^(\/subscriptions\/[^?#]+)\/virtualNetworkPeerings\/[^/?#]+$/i.exec(id) ?? [];
  if (networkId === undefined)
    throw new Error(`"${id}" is not the ARM id of a peering: <ARM id of the network>/virtualNetworkPeerings/<name>`);
  const inputs = known?.inputs ?? (await imported(cloud, id, networkId, signal));
  if (inputs === undefined) return undefined;
  const sides = await Promise.all(sidesOf(inputs).map((side) => find(cloud, side, signal)));
  // One that does not connect is as good as none: `pulumi up` makes it anew.
  if (sides.some((side) => side?.properties.peeringState !== "Connected")) return undefined;
  return { id, inputs, state: { ...inputs, instance: known?.state.instance ?? randomUUID() } };
}

async function imported(
  cloud: Cloud,
  id: string,
  networkId: string,
  signal: AbortSignal,
): Promise<PeeringInputs | undefined> {
  const peering = await armGet<Peering>(cloud, id, API_VERSION, signal);
  return peering && { networkId, remoteNetworkId: peering.properties.remoteVirtualNetwork.id };
}
