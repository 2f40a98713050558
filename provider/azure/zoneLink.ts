// ZoneLink: a virtual network that asks a private DNS zone, wherever both are.

import { createHash, randomUUID } from "node:crypto";
import { type Again, retry, type Try } from "../../net/retry.ts";
import { replacement } from "../../plugin/diff.ts";
import type { Context, Diff } from "../../plugin/handler.ts";
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
import { BUSY_WAITS, isPassing, later, removed } from "./patience.ts";

const API_VERSION = "2024-06-01";

/** The schema of `gitops:index:ZoneLink`. */
export const ZONE_LINK = resourceSchema({
  token: "gitops:index:ZoneLink",
  description:
    "A virtual network that asks a private DNS zone, also one of another subscription. A link that is there under another " +
    "name is used and never written or deleted. One that is gone is made anew.\n\n" +
    "It needs Private DNS Zone Contributor on the zone and `Microsoft.Network/virtualNetworks/join/action` on the " +
    "network.\n\n" +
    "Imported into a stack by the link's ARM id.",
  inputs: {
    zoneId: forms.zoneId
      .describe("ARM id of the private DNS zone. Another one makes another resource.")
      .meta({ replaceOnChanges: true }),
    networkId: forms.networkId
      .describe("ARM id of the virtual network. Another one makes another resource.")
      .meta({ replaceOnChanges: true }),
  },
  outputs: { instance },
});

type LinkInputs = Inputs<typeof ZONE_LINK>;
type LinkState = State<typeof ZONE_LINK>;

interface Link {
  readonly id: string;
  readonly properties: {
    readonly virtualNetwork: { readonly id: string };
    readonly virtualNetworkLinkState?: string;
  };
}

/**
 * The handler of `gitops:index:ZoneLink` in a cloud.
 * @param waits in milliseconds, one after another, while Azure does something else with the zone or the link.
 */
export function zoneLinkIn(cloud: Cloud, waits: readonly number[] = BUSY_WAITS): SchemaHandler {
  return handlerOf(ZONE_LINK, {
    diff: async ({ inputs: old }, next) => diff(old, next),
    async create(inputs, context) {
      await connect(cloud, waits, inputs, context);
      return { id: idOf(inputs), state: { ...inputs, instance: randomUUID() } };
    },
    async update({ state }, inputs, context) {
      await connect(cloud, waits, inputs, context);
      return { ...state, ...inputs };
    },
    read: (id, known, context) => lookedAt(id, known, context, () => read(cloud, id, known, context)),
    async delete({ id, inputs }, context, successor) {
      if (successor !== undefined && sameName(successor.id, id)) return;
      await removed(cloud, idOf(inputs), { apiVersion: API_VERSION, waits, passes: isPassing }, context);
    },
  });
}

/** The handler of `gitops:index:ZoneLink`. */
export const zoneLink = zoneLinkIn(azure);

function diff(old: LinkInputs, next: Previewed<LinkInputs>): Diff {
  return replacement(renamed(["zoneId", "networkId"], old, next));
}

/** Networks of two subscriptions may have one name, and a zone one link of a name. */
function idOf({ zoneId, networkId }: LinkInputs): string {
  const digits = createHash("sha256").update(networkId.toLowerCase()).digest("hex").slice(0, 8);
  return `${zoneId}/virtualNetworkLinks/${networkId.split("/").at(-1)}-${digits}`;
}

async function find(cloud: Cloud, { zoneId, networkId }: LinkInputs, signal: AbortSignal): Promise<Link | undefined> {
  const list = await armGet<{ value: Link[] }>(cloud, `${zoneId}/virtualNetworkLinks`, API_VERSION, signal);
  return list?.value.find(({ properties }) => sameName(properties.virtualNetwork.id, networkId));
}

/** @throws Error in ARM's words, or that the link does not come to Completed. */
async function connect(cloud: Cloud, waits: readonly number[], inputs: LinkInputs, context: Context): Promise<void> {
  const { signal } = context;
  const once = async (current: Try): Promise<undefined | Again> => {
    const found = await find(cloud, inputs, signal);
    if (found?.properties.virtualNetworkLinkState === "Completed") return undefined;
    if (found !== undefined) {
      const state = found.properties.virtualNetworkLinkState ?? "unknown";
      return later(`${found.id} has to be Completed, it is ${state}`, current, context);
    }
    try {
      const properties = { virtualNetwork: { id: inputs.networkId }, registrationEnabled: false };
      await cloud.arm().request("PUT", idOf(inputs), API_VERSION, { location: "global", properties }, { signal });
    } catch (error) {
      // Conflict is also said of two zones of a name, which will not pass.
      if (!isPassing(error, current.attempt) || error.code === "Conflict") throw told(error, inputs);
      return later(error.message, current, context, error);
    }
    return once(current);
  };
  await retry(once, { waits, signal });
}

function told(error: unknown, { zoneId, networkId }: LinkInputs): unknown {
  if (!(error instanceof ArmError) || !/overlapping namespaces/.test(error.message)) return error;
  return new Error(
    `${error.message}\n${networkId} asks another zone named ${zoneId.split("/").at(-1)}: name that one instead of ${zoneId}, ` +
      "or have its owner take its link away",
    { cause: error },
  );
}

async function read(
  cloud: Cloud,
  id: string,
  known: Known<LinkInputs, LinkState> | undefined,
  { signal }: Context,
): Promise<{ id: string; inputs: LinkInputs; state: LinkState } | undefined> {
  const [, zoneId] = /^(\/subscriptions\/[^?#]+)\/virtualNetworkLinks\/[^/?#]+$/i.exec(id) ?? [];
  if (zoneId === undefined)
    throw new Error(`"${id}" is not the ARM id of a link: <ARM id of the zone>/virtualNetworkLinks/<name>`);
  const inputs = known?.inputs ?? (await imported(cloud, id, zoneId, signal));
  if (inputs === undefined || (await find(cloud, inputs, signal)) === undefined) return undefined;
  return { id, inputs, state: { ...inputs, instance: known?.state.instance ?? randomUUID() } };
}

async function imported(
  cloud: Cloud,
  id: string,
  zoneId: string,
  signal: AbortSignal,
): Promise<LinkInputs | undefined> {
  const link = await armGet<Link>(cloud, id, API_VERSION, signal);
  return link && { zoneId, networkId: link.properties.virtualNetwork.id };
}
