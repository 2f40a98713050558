import { armIdPattern, armIdWords } from "../../net/armId.ts";
import { contains, IPV4_ADDRESS, type Network, overlap, parseNetwork } from "../../net/cidr.ts";
import { type Fault, notNetwork, unlike } from "../shared/faults.ts";
import { reservedProblem, SHORTEST_SERVICES } from "./addresses.ts";
import type { AksClusterArgs, NetworkArgs, Networks, RoutedEgress } from "./aksClusterArgs.ts";
import { firewallProblem, portProblem } from "./limits.ts";

const NETWORK = "Microsoft.Network/virtualNetworks";
const ROUTE_TABLE = "Microsoft.Network/routeTables";
const PORT = /^\d{1,5}(-\d{1,5})?$/;
const PORT_REMEDY = 'give a port or a range of ports, for example "443" or "30000-30100"';

/** The fault of a text that is no id of a virtual network. */
export function notNetworkId(argument: string, value: string | undefined): Fault[] {
  return unlike(
    argument,
    value,
    new RegExp(armIdPattern(NETWORK), "i"),
    "is no ARM id of a virtual network",
    `give ${armIdWords(NETWORK)}; \`az network vnet show --resource-group GROUP --name NAME --query id\` tells it`,
  );
}

/**
 * Everything about a network's way out and its public ports that cannot work.
 * @param networks the stack's own, by name and value.
 */
export function egressFaults(
  { egress, publicPorts = [] }: Pick<AksClusterArgs, "egress" | "publicPorts">,
  networks: Readonly<Record<string, string>>,
): Fault[] {
  const isRouted = typeof egress === "object";
  const { firewall, routeTableId }: RoutedEgress = isRouted ? egress : {};
  return [
    ...(isRouted && (firewall === undefined) === (routeTableId === undefined)
      ? [
          {
            argument: "egress",
            value: egress,
            problem: "does not say one way",
            remedy: "give either firewall or routeTableId",
          },
        ]
      : []),
    ...unlike(
      "egress.firewall",
      firewall,
      IPV4_ADDRESS,
      "is no IPv4 address",
      "give the firewall's private address, for example 10.50.1.4",
    ),
    ...[firewall].flatMap((value) => {
      const problem = value === undefined ? undefined : firewallProblem(value, networks);
      return problem === undefined
        ? []
        : [{ argument: "egress.firewall", value, problem, remedy: "give the firewall's own private address" }];
    }),
    ...unlike(
      "egress.routeTableId",
      routeTableId,
      new RegExp(armIdPattern(ROUTE_TABLE), "i"),
      "is no ARM id of a route table",
      `give ${armIdWords(ROUTE_TABLE)}`,
    ),
    ...publicPorts.flatMap((value, index) => unlike(`publicPorts[${index}]`, value, PORT, "is no port", PORT_REMEDY)),
    ...publicPorts.flatMap((value, index) => {
      const problem = PORT.test(value) ? portProblem(value) : undefined;
      return problem === undefined ? [] : [{ argument: `publicPorts[${index}]`, value, problem, remedy: PORT_REMEDY }];
    }),
  ];
}

/** The networks that are known by their addresses, by the names of their arguments. */
export function addressed({ vnet, nodes, apiServer, endpoints, pods, services, subnets }: Networks) {
  return { ...(subnets === undefined ? { vnet, nodes, apiServer, endpoints } : {}), pods, services };
}

const SUBNETS: readonly string[] = ["nodes", "apiServer", "endpoints"] satisfies (keyof NetworkArgs)[];

/**
 * Everything about the networks of a cluster that cannot work.
 * @param before what stands before the networks' names in an argument's.
 */
export function networkFaults(networks: Readonly<Record<string, string>>, before: string): Fault[] {
  const faults: Fault[] = Object.entries(networks).flatMap(([name, value]) => notNetwork(before + name, value));
  const known = Object.entries(networks).flatMap(([name, value]) => {
    const network = parseNetwork(value);
    return network ? [{ name, value, network }] : [];
  });
  for (const [index, one] of known.entries()) {
    const argument = before + one.name;
    // Services and an API server need 16 addresses, Azure's other subnets 8.
    const limit = one.name === "services" || one.name === "apiServer" ? 28 : 29;
    if (one.network.prefix > limit) {
      const remedy = `give a prefix length of ${limit} or less (a larger network)`;
      faults.push({ argument, value: one.value, problem: "is too small", remedy });
    }
    const vnet = known.find(({ name }) => name === "vnet");
    faults.push(...refusedByAks(argument, one, vnet));
    if (vnet && SUBNETS.includes(one.name) && !contains(vnet.network, one.network)) {
      const problem = `does not lie within vnet ${vnet.value}`;
      faults.push({ argument, value: one.value, problem, remedy: "choose a part of vnet, or a larger vnet" });
    }
    for (const other of known.slice(0, index)) faults.push(...overlapFault(argument, one, other));
  }
  return faults;
}

interface Named {
  readonly name: string;
  readonly value: string;
  readonly network: Network;
}

function refusedByAks(argument: string, { name, value, network }: Named, vnet: Named | undefined): Fault[] {
  // Subnets are the virtual network's parts, of which it is told already.
  const isTold = SUBNETS.includes(name) && vnet !== undefined && contains(vnet.network, network);
  const reserved = isTold ? undefined : reservedProblem(network);
  const isTooLarge = name === "services" && network.prefix < SHORTEST_SERVICES;
  return [
    ...(reserved === undefined
      ? []
      : [
          {
            argument,
            value,
            problem: reserved,
            remedy: "choose another network, for example within 10.0.0.0/8",
          },
        ]),
    ...(isTooLarge
      ? [
          {
            argument,
            value,
            problem: "is too large",
            remedy: `give a prefix length of ${SHORTEST_SERVICES} or more (a smaller network)`,
          },
        ]
      : []),
  ];
}

function overlapFault(argument: string, one: Named, other: Named): Fault[] {
  const isNested = other.name === "vnet" && SUBNETS.includes(one.name);
  if (isNested || !overlap(one.network, other.network)) return [];
  const problem = `overlaps ${other.name} ${other.value}`;
  return [{ argument, value: one.value, problem, remedy: "choose networks that share no address" }];
}
