// What cannot work of subnets and zones that are there: by their ids, and by what Azure has.
import { type Network, overlap, parseNetwork } from "../../net/cidr.ts";
import { type Fault, unlike } from "../shared/faults.ts";
import { lowered, mostNodes, reservedBy, shortages } from "./addresses.ts";
import type { Cluster, SubnetArgs, ZoneArgs } from "./aksClusterArgs.ts";
import { networkOf, sameId } from "./names.ts";

/** Whom the subnet of a private API server is delegated to. */
export const AKS = "Microsoft.ContainerService/managedClusters";

const SUBNET =
  /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.Network\/virtualNetworks\/[^/]+\/subnets\/[^/]+$/i;

const NEEDED = {
  apiServer: { by: "private", why: "a private API server needs it" },
  endpoints: { by: "privateEndpoints", why: "private endpoints need it" },
} as const;

/**
 * Faults of subnets, zones and an identity that are there, as far as their ids tell.
 * @param stack after which a zone of its own is named.
 */
export function idFaults(cluster: Cluster, stack: string): Fault[] {
  const { subnets, zones } = cluster.network;
  const identity = unlike(
    "identityId",
    cluster.identityId,
    /^\/subscriptions\/[^/]+\/resourceGroups\/[^/]+\/providers\/Microsoft\.ManagedIdentity\/userAssignedIdentities\/[^/]+$/i,
    "is no ARM id of a user-assigned identity",
    "give what `az identity show --resource-group GROUP --name NAME --query id` tells",
  );
  return [
    ...identity,
    ...(subnets ? subnetIdFaults(subnets, cluster) : []),
    ...(zones ? zoneIdFaults(zones, cluster, stack) : []),
  ];
}

function subnetIdFaults(subnets: SubnetArgs, cluster: Cluster): Fault[] {
  const given = Object.entries(subnets).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const { nodes, apiServer } = subnets;
  const { egress } = cluster;
  return [
    ...given.flatMap(([name, value]) =>
      unlike(
        `network.subnets.${name}`,
        value,
        SUBNET,
        "is no ARM id of a subnet",
        "give <id of the virtual network>/subnets/<name>; " +
          "`az network vnet subnet show --resource-group GROUP --vnet-name NETWORK --name NAME --query id` tells it",
      ),
    ),
    ...(["apiServer", "endpoints"] as const)
      .filter((name) => cluster[NEEDED[name].by] && subnets[name] === undefined)
      .map((name) => ({
        argument: `network.subnets.${name}`,
        problem: `is missing: ${NEEDED[name].why}`,
        remedy: "give the ARM id of a subnet of the same virtual network",
      })),
    ...given
      .filter(([, value]) => !sameId(networkOf(value), networkOf(nodes)))
      .map(([name, value]) => ({
        argument: `network.subnets.${name}`,
        value,
        problem: "lies in another virtual network than the nodes' subnet",
        remedy: "give subnets of one virtual network",
      })),
    ...given
      .filter(([name, value]) => name !== "apiServer" && apiServer !== undefined && sameId(value, apiServer))
      .map(([name, value]) => ({
        argument: `network.subnets.${name}`,
        value,
        problem: "is the API server's, in which nothing else may stand",
        remedy: "give another subnet",
      })),
    ...(typeof egress === "object" && egress.firewall !== undefined
      ? [
          {
            argument: "egress.firewall",
            value: egress.firewall,
            problem: "needs a route table that is made, and the nodes' subnet has its owner's",
            remedy: "give egress.routeTableId, the table that the subnet has",
          },
        ]
      : []),
  ];
}

const ZONE = "^/subscriptions/[^/]+/resourceGroups/[^/]+/providers/Microsoft\\.Network/privateDnsZones/";

/** The zones that Azure prescribes: https://learn.microsoft.com/azure/private-link/private-endpoint-dns */
const ZONES = {
  apiServer: {
    pattern: new RegExp(`^own$|${ZONE}([a-z0-9-]{1,32}\\.)?private\\.[a-z0-9]+\\.azmk8s\\.io$`, "i"),
    name: "[<subzone>.]private.<region>.azmk8s.io, its subzone of at most 32 characters, or own",
  },
  registry: { pattern: new RegExp(`${ZONE}privatelink\\.azurecr\\.io$`, "i"), name: "privatelink.azurecr.io" },
  vault: {
    pattern: new RegExp(`${ZONE}privatelink\\.vaultcore\\.azure\\.net$`, "i"),
    name: "privatelink.vaultcore.azure.net",
  },
} as const;

function zoneIdFaults(zones: ZoneArgs, cluster: Cluster, stack: string): Fault[] {
  return [
    ...(["apiServer", "registry", "vault"] as const).flatMap((name) =>
      unlike(
        `network.zones.${name}`,
        zones[name],
        ZONES[name].pattern,
        "is no ARM id of a private DNS zone with the name that Azure prescribes",
        `give the id of a zone named ${ZONES[name].name}`,
      ),
    ),
    ...(zones.apiServer === "own"
      ? unlike(
          "network.zones.apiServer",
          stack,
          /^[a-z0-9-]{1,32}$/,
          "would be a zone of the stack's name, which AKS does not take",
          "give the id of a zone, or name the stack with at most 32 lower-case letters, digits and hyphens",
        )
      : []),
    ...(zones.apiServer !== undefined && !cluster.private
      ? [
          {
            argument: "network.zones.apiServer",
            value: zones.apiServer,
            problem: "is for a private API server",
            remedy: "set private: true, or leave it out",
          },
        ]
      : []),
  ];
}

/** A virtual network as Azure has it. */
export interface FoundNetwork {
  readonly id?: string | undefined;
  readonly location?: string | undefined;
  readonly addressSpace?: { readonly addressPrefixes?: readonly string[] | undefined } | undefined;
  readonly subnets?: readonly FoundSubnet[] | undefined;
}

interface FoundSubnet {
  readonly id?: string | undefined;
  readonly addressPrefix?: string | undefined;
  readonly addressPrefixes?: readonly string[] | undefined;
  readonly delegations?: readonly { readonly serviceName?: string | undefined }[] | undefined;
  readonly natGateway?: { readonly id?: string | undefined } | undefined;
  readonly routeTable?: { readonly id?: string | undefined } | undefined;
}

const rangesOf = (prefixes: readonly string[]): Network[] => prefixes.flatMap((prefix) => parseNetwork(prefix) ?? []);

const prefixesOf = ({ addressPrefix, addressPrefixes }: FoundSubnet): readonly string[] =>
  addressPrefixes?.length ? addressPrefixes : addressPrefix === undefined ? [] : [addressPrefix];

/** The fault of subnets in another subscription than the cluster's. */
export function subscriptionFaults({ nodes }: SubnetArgs, subscriptionId: string): Fault[] {
  if (sameId(nodes.split("/")[2] ?? "", subscriptionId)) return [];
  return [
    {
      argument: "network.subnets.nodes",
      value: nodes,
      problem: `is not of the subscription ${subscriptionId}, and neither nodes nor private endpoints stand in another one's`,
      remedy: "give subnets of the subscription that the stack is made in",
    },
  ];
}

/** Faults of a network that is there as it is, but for its region. */
export function foundFaults(found: FoundNetwork, subnets: SubnetArgs, cluster: Cluster): Fault[] {
  return [
    ...addressFaults(found, cluster),
    ...Object.entries(subnets).flatMap(([name, id]) =>
      id === undefined ? [] : subnetFaults(name, id, found, cluster),
    ),
  ];
}

/** The fault of a network that is in another region than the cluster. */
export function regionFaults({ location }: FoundNetwork, { nodes }: SubnetArgs, region: string | undefined): Fault[] {
  if (location === undefined || region === undefined) return [];
  const normal = (text: string) => text.replaceAll(" ", "");
  if (sameId(normal(location), normal(region))) return [];
  return [
    {
      argument: "network.subnets.nodes",
      value: nodes,
      problem: `lies in the region ${location}, and the cluster is made in ${region}`,
      remedy: "give subnets of that region",
    },
  ];
}

function subnetFaults(name: string, id: string, { subnets = [] }: FoundNetwork, cluster: Cluster): Fault[] {
  const argument = `network.subnets.${name}`;
  const fault = (problem: string, remedy: string): Fault => ({ argument, value: id, problem, remedy });
  const subnet = subnets.find((one) => one.id !== undefined && sameId(one.id, id));
  if (subnet === undefined)
    return [fault("is not in its virtual network", `choose one of ${subnets.map((one) => one.id).join(", ")}`)];
  const services = (subnet.delegations ?? []).flatMap(({ serviceName }) => serviceName ?? []);
  if (name === "apiServer") {
    const isDelegated = services.some((service) => sameId(service, AKS));
    const isSmall = rangesOf(prefixesOf(subnet)).some(({ prefix }) => prefix > 28);
    return [
      ...(isDelegated
        ? []
        : [
            fault(
              `is not delegated to ${AKS}`,
              `have its owner run \`az network vnet subnet update --ids ID --delegations ${AKS}\``,
            ),
          ]),
      ...(isSmall ? [fault(`is too small: ${prefixesOf(subnet)}`, "give one of /28 or larger")] : []),
    ];
  }
  const user = name === "nodes" ? "nodes" : "private endpoints";
  return [
    ...services.map((service) =>
      fault(`is delegated to ${service}, and ${user} do not stand in such a subnet`, "give one that is not delegated"),
    ),
    ...(name === "nodes" ? [...egressFault(subnet, id, cluster), ...sizeFaults(subnet, id, cluster)] : []),
  ];
}

/** Whether the nodes' subnet has the way out that is wanted: AKS refuses a cluster without. */
function egressFault(subnet: FoundSubnet, value: string, { egress }: Cluster): Fault[] {
  const argument = "network.subnets.nodes";
  if (egress === "natGateway" && subnet.natGateway?.id === undefined)
    return [
      {
        ...{ argument, value, problem: "has no NAT gateway, and egress is natGateway" },
        remedy: "have its owner give it one, or say how its traffic leaves: egress loadBalancer or { routeTableId }",
      },
    ];
  if (typeof egress !== "object" || egress.routeTableId === undefined) return [];
  const table = subnet.routeTable?.id;
  if (table !== undefined && sameId(table, egress.routeTableId)) return [];
  return [
    {
      ...{ argument, value, problem: `has ${table ?? "no route table"}, and egress.routeTableId is another one` },
      remedy: "give the route table that the subnet has, or have its owner associate the other one",
    },
  ];
}

function sizeFaults(subnet: FoundSubnet, value: string, { systemPool, userPools }: Cluster): Fault[] {
  const pools = [systemPool, ...userPools];
  const [network] = rangesOf(prefixesOf(subnet)).sort((one, other) => other.size - one.size);
  return shortages({ nodes: network, pods: undefined }, pools).map(({ needed, prefix }) => ({
    argument: "network.subnets.nodes",
    value,
    problem: `is too small (${prefixesOf(subnet)}) for ${mostNodes(pools)} nodes, as many as the pools have at most while they are upgraded: they need ${needed} addresses`,
    remedy: `give one of /${prefix} or larger, or lower ${lowered(pools)}`,
  }));
}

/** Addresses of the network that AKS uses itself, or that the cluster's pods or services have. */
function addressFaults({ addressSpace, id }: FoundNetwork, { network }: Cluster): Fault[] {
  return (addressSpace?.addressPrefixes ?? []).flatMap((prefix) => {
    const range = parseNetwork(prefix);
    if (range === undefined) return [];
    const reserved = reservedBy(range);
    const shared = (["pods", "services"] as const).filter((name) => {
      const other = parseNetwork(network[name]);
      return other !== undefined && overlap(range, other);
    });
    return [
      ...(reserved === undefined
        ? []
        : [
            {
              argument: "network.subnets.nodes",
              value: id,
              problem: `lies in a network whose ${prefix} touches ${reserved}, which AKS uses itself`,
              remedy: "give subnets of another network",
            },
          ]),
      ...shared.map((name) => ({
        argument: `network.${name}`,
        value: network[name],
        problem: `overlaps ${prefix} of the virtual network ${id}`,
        remedy: "choose networks that share no address",
      })),
    ];
  });
}
