// NatGateway: a zone-redundant NAT gateway with one public IPv4 address, both of the StandardV2 tier.
// azure-native's own resources know an older API version, which has no such tier:
// https://learn.microsoft.com/azure/nat-gateway/nat-sku

import { randomUUID } from "node:crypto";
import * as z from "zod";
import { detailedDiff, equal, replacement } from "../../plugin/diff.ts";
import { type Context, type Diff, UNKNOWN } from "../../plugin/handler.ts";
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
import { armGet, azure, type Cloud } from "./cloud.ts";
import * as forms from "./forms.ts";
import { renamed, sameName } from "./names.ts";
import { BUSY_WAITS, isPassing, patiently, removed } from "./patience.ts";

const API_VERSION = "2025-01-01";
const GROUP_API_VERSION = "2024-03-01";

const SKU = { name: "StandardV2" } as const;

/** The schema of `gitops:index:NatGateway`. */
export const NAT_GATEWAY = resourceSchema({
  token: "gitops:index:NatGateway",
  description:
    "A NAT gateway of the StandardV2 tier, which works as long as one zone of the region does, and its public IPv4 address " +
    "of the same name and tier. What an interrupted update left is taken over.\n\n" +
    "Imported into a stack by the gateway's ARM id.",
  inputs: {
    resourceGroupId: forms.resourceGroupId
      .describe("ARM id of the resource group. Another one makes another gateway.")
      .meta({ replaceOnChanges: true }),
    name: matching(
      /^[a-zA-Z0-9]([-\w.]{0,78}\w)?$/,
      "a name: 1 to 80 letters, digits, hyphens, underscores and periods",
    )
      .describe("The name of gateway and address, decided before they are made. Another one makes another gateway.")
      .meta({ replaceOnChanges: true }),
    location: z
      .string()
      .min(1)
      .describe("The region of both. Another one makes another gateway. Default: the resource group's.")
      .meta({ fault: "is not a region", replaceOnChanges: true })
      .exactOptional(),
    tags: z
      .record(z.string(), z.string())
      .describe("Tags of both; those that others give them stay. Default: none.")
      .meta({ fault: "is not a map of texts" })
      .exactOptional(),
  },
  outputs: {
    ipAddress: z.string().describe("The public IPv4 address that traffic comes from."),
    instance,
  },
});

type GatewayInputs = Inputs<typeof NAT_GATEWAY>;
type GatewayState = State<typeof NAT_GATEWAY>;

/** What only Azure knows. */
const UNMADE = { ipAddress: UNKNOWN, instance: UNKNOWN } as const;

type Tags = Readonly<Record<string, string>>;

interface Found {
  readonly id: string;
  readonly tags?: Tags;
  readonly properties: {
    readonly ipAddress?: string;
    readonly publicIpAddresses?: readonly { readonly id: string }[];
  };
}

/**
 * The handler of `gitops:index:NatGateway` in a cloud.
 * @param waits in milliseconds, one after another, while Azure does something else with one of both.
 */
export function natGatewayIn(cloud: Cloud, waits: readonly number[] = BUSY_WAITS): SchemaHandler {
  return handlerOf(NAT_GATEWAY, {
    diff: async ({ inputs: old }, next) => diff(old, next),
    preview: async (inputs, existing) => ({ ...(existing?.state ?? UNMADE), ...inputs }),
    async create(inputs, context) {
      const ipAddress = await write(cloud, waits, inputs, {}, context);
      return { id: idsOf(inputs).gateway, state: { ...inputs, ipAddress, instance: randomUUID() } };
    },
    async update({ inputs: old, state }, inputs, context) {
      const ipAddress = await write(cloud, waits, inputs, old.tags ?? {}, context);
      return { ...state, ...inputs, ipAddress };
    },
    read: (id, known, context) => read(cloud, id, known, context),
    async delete({ id, inputs }, context, successor) {
      if (successor !== undefined && sameName(successor.id, id)) return;
      const { gateway, address } = idsOf(inputs);
      for (const one of [gateway, address])
        await removed(cloud, one, { apiVersion: API_VERSION, waits, passes: isPassing }, context);
    },
  });
}

/** The handler of `gitops:index:NatGateway`. */
export const natGateway = natGatewayIn(azure);

function diff(old: GatewayInputs, next: Previewed<GatewayInputs>): Diff {
  const replaces = renamed(["resourceGroupId", "name", "location"], old, next);
  if (replaces.length > 0) return replacement(replaces);
  const [was, shall] = [{ tags: old.tags ?? {} }, { tags: next.tags ?? {} }];
  return { changes: next.tags === UNKNOWN || !equal(was, shall), detailed: detailedDiff(was, shall) };
}

function idsOf({ resourceGroupId, name }: GatewayInputs) {
  const network = `${resourceGroupId}/providers/Microsoft.Network`;
  return { gateway: `${network}/natGateways/${name}`, address: `${network}/publicIPAddresses/${name}` };
}

/**
 * Writes both.
 * @param before the tags that were this resource's: those of others stay.
 * @returns the public address.
 */
async function write(
  cloud: Cloud,
  waits: readonly number[],
  inputs: GatewayInputs,
  before: Tags,
  context: Context,
): Promise<string> {
  const { signal } = context;
  const { gateway, address } = idsOf(inputs);
  const location = inputs.location ?? (await regionOf(cloud, inputs.resourceGroupId, signal));
  const put = async (id: string, properties: object) => {
    const found = await armGet<Found>(cloud, id, API_VERSION, signal);
    const others = Object.entries(found?.tags ?? {}).filter(([name]) => !Object.hasOwn(before, name));
    const tags = { ...Object.fromEntries(others), ...inputs.tags };
    const body = { location, tags, sku: SKU, properties };
    const ask = () => cloud.arm().request("PUT", id, API_VERSION, body, { signal });
    await patiently(ask, { waits, passes: isPassing }, context);
  };
  await put(address, { publicIPAddressVersion: "IPv4", publicIPAllocationMethod: "Static" });
  await put(gateway, { publicIpAddresses: [{ id: address }] });
  const made = await armGet<Found>(cloud, address, API_VERSION, signal);
  return made?.properties.ipAddress ?? "";
}

async function regionOf(cloud: Cloud, resourceGroupId: string, signal: AbortSignal): Promise<string> {
  const group = await armGet<{ location: string }>(cloud, resourceGroupId, GROUP_API_VERSION, signal);
  if (group === undefined) throw new Error(`there is no resource group ${resourceGroupId}`);
  return group.location;
}

async function read(
  cloud: Cloud,
  id: string,
  known: Known<GatewayInputs, GatewayState> | undefined,
  { signal }: Context,
): Promise<{ id: string; inputs: GatewayInputs; state: GatewayState } | undefined> {
  const [, resourceGroupId, name] =
    /^(\/subscriptions\/[^/]+\/resourceGroups\/[^/]+)\/providers\/Microsoft\.Network\/natGateways\/([^/?#]+)$/i.exec(
      id,
    ) ?? [];
  if (resourceGroupId === undefined || name === undefined)
    throw new Error(
      `"${id}" is not the ARM id of a NAT gateway: <ARM id of the resource group>/providers/Microsoft.Network/natGateways/<name>`,
    );
  const place = known?.inputs ?? { resourceGroupId, name };
  const ids = idsOf(place);
  const [gateway, address] = await Promise.all(
    [ids.gateway, ids.address].map((one) => armGet<Found>(cloud, one, API_VERSION, signal)),
  );
  // One without the other is as good as none: `pulumi up` makes what is missing.
  if (gateway === undefined || address === undefined) return undefined;
  const uses = gateway.properties.publicIpAddresses?.some((one) => sameName(one.id, ids.address)) ?? false;
  if (!uses) return undefined;
  const inputs = { ...place, ...(known?.inputs.tags && { tags: shown(known.inputs.tags, gateway, address) }) };
  const ipAddress = address.properties.ipAddress ?? "";
  return { id, inputs, state: { ...inputs, ipAddress, instance: known?.state.instance ?? randomUUID() } };
}

/** The wanted tags as Azure has them: one that either lacks is gone, another value of either is shown. */
function shown(wanted: Tags, ...found: readonly Found[]): Tags {
  const tags = Object.entries(wanted).flatMap(([name, value]) => {
    const values = found.map(({ tags }) => tags?.[name]);
    if (values.includes(undefined)) return [];
    return [[name, values.find((one) => one !== value) ?? value]];
  });
  return Object.fromEntries(tags);
}
