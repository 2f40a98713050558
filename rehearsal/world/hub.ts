// The network in which a rehearsal's runner stands: a company's hub, there before the program runs.
import { overlap, parseNetwork } from "../../net/cidr.ts";
import type { Settings } from "../../settings/settings.ts";
import { GROUP_TYPE } from "../cloud/arm/ids.ts";
import type { ArmResource } from "../cloud/types.ts";

export interface Hub {
  /** The network's ARM id. */
  readonly id: string;
  readonly subscriptionId: string;
  /** The id of its resource group. */
  readonly group: string;
  /** The runner's own address. */
  readonly address: string;
  readonly resources: readonly ArmResource[];
}

/** Networks of which a hub takes the first one that no network of the stack overlaps. */
const SPACES = ["10.50.0.0/16", "172.20.0.0/16", "192.168.0.0/16", "10.200.0.0/16", "172.24.0.0/16"];

/** The hub that the settings name, or one that they do not know of. */
export function hubOf({ runnerNetworkId, cluster, location }: Settings, subscriptionId: string): Hub {
  const { subnets, vnet, nodes, apiServer, endpoints, pods, services } = cluster.network;
  const id =
    runnerNetworkId ??
    // Without another word it is the network of the subnets that are there.
    subnets?.nodes.replace(/\/subnets\/[^/]+$/i, "") ??
    `/subscriptions/${subscriptionId}/resourceGroups/rg-hub/providers/Microsoft.Network/virtualNetworks/vnet-hub`;
  const group = id.slice(0, id.toLowerCase().indexOf("/providers/"));
  const networks = [...(subnets ? [] : [vnet, nodes, apiServer, endpoints]), pods, services];
  const taken = networks.flatMap((value) => parseNetwork(value) ?? []);
  const space = SPACES.find((one) => {
    const network = parseNetwork(one);
    return network !== undefined && !taken.some((other) => overlap(network, other));
  });
  if (space === undefined)
    throw new Error(
      `aks-gitops:cluster.network leaves the rehearsal's hub none of ${SPACES.join(", ")}: use fewer of them`,
    );
  const name = (whole: string) => whole.split("/").at(-1) ?? "";
  return {
    id,
    subscriptionId: id.split("/")[2] ?? subscriptionId,
    group,
    address: space.replace(/0\/16$/, "4"),
    resources: [
      { id: group, name: name(group), type: GROUP_TYPE, location, properties: { provisioningState: "Succeeded" } },
      {
        ...{ id, name: name(id), type: "Microsoft.Network/virtualNetworks", location },
        properties: {
          addressSpace: { addressPrefixes: [space] },
          subnets: [],
          virtualNetworkPeerings: [],
          provisioningState: "Succeeded",
        },
      },
    ],
  };
}
