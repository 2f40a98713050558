// What a company has in Azure before the program runs, as the settings name it: subnets of a network that its hub is
// peered with, and private DNS zones that both ask.
import type { Settings } from "../../settings/settings.ts";
import { GROUP_TYPE } from "../cloud/arm/ids.ts";
import type { ArmResource } from "../cloud/types.ts";
import { type Hub, hubOf } from "./hub.ts";

export interface Company {
  /** The network in which the runner stands. */
  readonly hub: Hub;
  /** Other subscriptions than the stack's, in which it has something. */
  readonly subscriptions: readonly string[];
  /** The resource groups there. */
  readonly groups: readonly string[];
  /** The private DNS zone that it has for API servers. */
  readonly apiServerZone?: string;
  /** Nothing where the runner stands outside and the settings name no subnets. */
  readonly resources: readonly ArmResource[];
}

const NETWORK = "Microsoft.Network/virtualNetworks";
const nameOf = (id: string) => id.split("/").at(-1) ?? "";
const groupOf = (id: string) => id.slice(0, id.toLowerCase().indexOf("/providers/"));
const networkOf = (subnetId: string) => subnetId.replace(/\/subnets\/[^/]+$/i, "");
const same = (one: string, other: string) => one.toLowerCase() === other.toLowerCase();

/** What the company of a stack's settings has; a hub alone where they name nothing. */
export function companyOf(settings: Settings, subscriptionId: string): Company {
  const hub = hubOf(settings, subscriptionId);
  const { subnets, zones = {} } = settings.cluster.network;
  const spoke = subnets === undefined ? [] : spokeOf(settings, hub);
  const networks = [...new Set([...(subnets ? [networkOf(subnets.nodes)] : []), hub.id])];
  const given = Object.values(zones).flatMap((zone) => (zone === undefined || zone === "own" ? [] : [zone]));
  const isThere = settings.runner === "inside" || subnets !== undefined;
  const own = [
    // A network of its own is the hub where the runner stands in it.
    ...(spoke.some(({ id }) => same(id, hub.id)) ? [] : hub.resources),
    ...spoke,
    ...given.flatMap((zone) => zoneOf(zone, networks)),
  ];
  const groups = [...new Set(own.map(({ id }) => groupOf(`${id}/providers/`)))];
  const elsewhere = groups.filter((group) => !same(group.split("/")[2] ?? "", subscriptionId));
  return {
    hub,
    subscriptions: [...new Set(elsewhere.map((group) => group.split("/")[2] ?? ""))],
    groups: elsewhere,
    ...(zones.apiServer?.startsWith("/") && { apiServerZone: zones.apiServer }),
    resources: !isThere
      ? []
      : [
          ...groups.map((id) => ({
            ...{ id, name: nameOf(id), type: GROUP_TYPE, location: settings.location },
            properties: { provisioningState: "Succeeded" },
          })),
          ...own.filter(({ type }) => type !== GROUP_TYPE),
        ],
  };
}

const SPACE = "10.90";
const PREFIXES = { nodes: "0.0/20", apiServer: "16.0/28", endpoints: "17.0/24" } as const;

/** The network of the subnets, peered with the hub, with the way out that the settings count on. */
function spokeOf({ cluster, location }: Settings, hub: Hub): ArmResource[] {
  const { subnets } = cluster.network;
  if (subnets === undefined) return [];
  const vnet = networkOf(subnets.nodes);
  const { egress } = cluster;
  const gateway = `${groupOf(vnet)}/providers/Microsoft.Network/natGateways/ng-${nameOf(vnet)}`;
  const table = typeof egress === "object" ? egress.routeTableId : undefined;
  const wayOut = egress === "natGateway" ? { natGateway: { id: gateway } } : table ? { routeTable: { id: table } } : {};
  const delegations = [{ name: "aks", properties: { serviceName: "Microsoft.ContainerService/managedClusters" } }];
  const made = (["nodes", "apiServer", "endpoints"] as const).flatMap((name) => {
    const id = subnets[name];
    if (id === undefined) return [];
    return [
      {
        ...{ id, name: nameOf(id), type: `${NETWORK}/subnets` },
        properties: {
          addressPrefix: `${SPACE}.${PREFIXES[name]}`,
          delegations: name === "apiServer" ? delegations : [],
          ...{ privateEndpointNetworkPolicies: "Disabled", privateLinkServiceNetworkPolicies: "Enabled" },
          ...(name === "nodes" ? wayOut : {}),
          provisioningState: "Succeeded",
        },
      },
    ];
  });
  const isHub = same(vnet, hub.id);
  const sides = isHub
    ? []
    : ([
        [vnet, hub.id],
        [hub.id, vnet],
      ] as const);
  const peerings = sides.map(([from, to]) => ({
    ...{ id: `${from}/virtualNetworkPeerings/to-${nameOf(to)}`, name: `to-${nameOf(to)}` },
    type: `${NETWORK}/virtualNetworkPeerings`,
    properties: {
      remoteVirtualNetwork: { id: to },
      ...{ allowVirtualNetworkAccess: true, allowForwardedTraffic: true },
      ...{ peeringState: "Connected", peeringSyncLevel: "FullyInSync", provisioningState: "Succeeded" },
    },
  }));
  return [
    ...(egress === "natGateway"
      ? [
          {
            ...{ id: gateway, name: nameOf(gateway), type: "Microsoft.Network/natGateways", location },
            sku: { name: "Standard" },
            properties: { provisioningState: "Succeeded" },
          },
        ]
      : []),
    ...(table === undefined
      ? []
      : [
          {
            ...{ id: table, name: nameOf(table), type: "Microsoft.Network/routeTables", location },
            properties: { routes: [], provisioningState: "Succeeded" },
          },
        ]),
    {
      ...{ id: vnet, name: nameOf(vnet), type: NETWORK, location },
      properties: {
        addressSpace: { addressPrefixes: [`${SPACE}.0.0/16`] },
        subnets: made,
        virtualNetworkPeerings: peerings.filter(({ id }) => id.startsWith(`${vnet}/`)),
        provisioningState: "Succeeded",
      },
    },
    ...made,
    ...peerings,
  ];
}

/** A zone that networks ask. */
function zoneOf(id: string, networks: readonly string[]): ArmResource[] {
  const type = "Microsoft.Network/privateDnsZones";
  return [
    {
      ...{ id, name: nameOf(id), type, location: "global" },
      properties: { numberOfVirtualNetworkLinks: networks.length, provisioningState: "Succeeded" },
    },
    ...networks.map((network) => ({
      ...{ id: `${id}/virtualNetworkLinks/${nameOf(network)}`, name: nameOf(network), location: "global" },
      type: `${type}/virtualNetworkLinks`,
      properties: {
        virtualNetwork: { id: network },
        ...{ registrationEnabled: false, virtualNetworkLinkState: "Completed", provisioningState: "Succeeded" },
      },
    })),
  ];
}
