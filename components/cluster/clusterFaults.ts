// What AksCluster refuses by itself, since the compiler does not see it and Azure says it late or not at all.

import * as pulumi from "@pulumi/pulumi";
import { parseNetwork } from "../../net/cidr.ts";
import { KUBERNETES_VERSION } from "../../net/kubernetesVersion.ts";
import { notArmId } from "../shared/existing.ts";
import { type Fault, notNetwork, notObjectIds, unlike } from "../shared/faults.ts";
import { tagFaults } from "../shared/tags.ts";
import { accessFaults } from "./access.ts";
import { channelFault, channelRemedy, lowered, mostNodes, mostOf, SURGE, shortages, tierAllows } from "./addresses.ts";
import type { Cluster, Pool, UserPool } from "./aksClusterArgs.ts";
import { alertFaults } from "./alerts.ts";
import { MOST_POOLS, MOST_RANGES, NOBODY, nodesProblem, privateRange, repeated } from "./limits.ts";
import { ephemeralProblem, hasOneProcessor } from "./localDisk.ts";
import { LABEL, LABEL_VALUE, TAINT } from "./names.ts";
import { addressed, egressFaults, networkFaults, notNetworkId } from "./networkFaults.ts";
import { podSecurityFaults } from "./podSecurity.ts";
import { idFaults } from "./subnetFaults.ts";

/** Everything about a cluster that cannot work. */
export function clusterFaults(cluster: Cluster): Fault[] {
  return [
    ...apiServerFaults(cluster),
    ...accessFaults(cluster),
    ...networkFaults(addressed(cluster.network), "network."),
    ...idFaults(cluster, pulumi.getStack()),
    ...notNetworkId("runnerNetworkId", cluster.runnerNetworkId),
    ...egressFaults(cluster, addressed(cluster.network)),
    ...poolFaults("systemPool", cluster.systemPool, 1),
    ...cluster.userPools.flatMap((pool, index) => [
      ...poolFaults(`userPools[${index}]`, pool, 0),
      ...taintFaults(`userPools[${index}]`, pool),
    ]),
    ...nameFaults(cluster),
    ...provisioningFaults(cluster),
    ...capacityFaults(cluster),
    ...tierFaults(cluster),
    ...maintenanceFaults(cluster),
    ...channelFaults(cluster),
    ...podSecurityFaults(cluster),
    ...alertFaults(cluster),
    ...notArmId("logWorkspaceId", cluster.logWorkspaceId, "Microsoft.OperationalInsights/workspaces"),
    ...tagFaults(cluster.tags),
  ];
}

function apiServerFaults({
  private: isPrivate,
  authorizedIpRanges,
  runnerAddresses = [],
  egress,
  adminGroups,
}: Cluster): Fault[] {
  const argument = "authorizedIpRanges";
  const remedy = "leave it out, or set private: false";
  return [
    ...notObjectIds("adminGroups", adminGroups),
    ...authorizedIpRanges.flatMap((value, index) => notNetwork(`${argument}[${index}]`, value)),
    ...(egress === "loadBalancer" && authorizedIpRanges.length > 0
      ? [
          {
            argument,
            value: authorizedIpRanges,
            problem: "would keep out the nodes, whose addresses are AKS's own with egress loadBalancer",
            remedy: "give egress natGateway, or leave authorizedIpRanges out",
          },
        ]
      : []),
    ...runnerAddresses.flatMap((value, index) => notNetwork(`runnerAddresses[${index}]`, value)),
    ...rangeFaults(argument, authorizedIpRanges, runnerAddresses),
    ...rangeFaults("runnerAddresses", runnerAddresses, []),
    ...(isPrivate && authorizedIpRanges.length > 0
      ? [
          {
            argument,
            value: authorizedIpRanges,
            problem: "cannot go with a private API server, which no public address reaches",
            remedy,
          },
        ]
      : []),
  ];
}

/** Faults of ranges that are let in. @param beside others that are let in with them. */
function rangeFaults(argument: string, ranges: readonly string[], beside: readonly string[]): Fault[] {
  const count = ranges.length + beside.length;
  return [
    ...ranges.flatMap((value, index) => {
      const own = privateRange(value);
      const problem = `is within ${own}, whose addresses nobody comes from through the internet`;
      const remedy = "give the public addresses that callers come from";
      return own === undefined ? [] : [{ argument: `${argument}[${index}]`, value, problem, remedy }];
    }),
    ...(ranges.includes(NOBODY) && count > 1
      ? [
          {
            ...{ argument, value: ranges, problem: `has ${NOBODY}, which lets nobody in, beside others` },
            remedy: `give ${NOBODY} alone, or leave it out`,
          },
        ]
      : []),
    ...(ranges.length > 0 && count > MOST_RANGES
      ? [
          {
            ...{ argument, value: count, problem: `are more than ${MOST_RANGES} networks` },
            remedy: "give larger networks, and fewer",
          },
        ]
      : []),
  ];
}

/** Faults of all pools together. */
function tierFaults({ sku, systemPool, userPools }: Cluster): Fault[] {
  const pools = [systemPool, ...userPools];
  const problem = pools.every((pool) => isCount(mostOf(pool), 0)) ? nodesProblem(sku, pools) : undefined;
  return [
    ...(problem === undefined
      ? []
      : [{ argument: "sku", value: sku, problem, remedy: `lower ${lowered(pools)}, or give a tier that takes more` }]),
    ...(pools.length > MOST_POOLS
      ? [
          {
            ...{ argument: "userPools", value: userPools.length },
            problem: `are more pools than the ${MOST_POOLS} that a cluster has, its system pool among them`,
            remedy: "give fewer pools",
          },
        ]
      : []),
  ];
}

const isCount = (count: number, least: number) => Number.isInteger(count) && count >= least && count <= 1000;

/** @param least the fewest nodes that such a pool may have: https://learn.microsoft.com/azure/aks/use-system-pools */
function poolFaults(argument: string, pool: Pool, least: 0 | 1): Fault[] {
  const { vmSize, osDiskType, zones, minCount, maxCount, enableAutoScaling } = pool;
  const { osDiskSizeGB, drainTimeoutInMinutes, maxSurge, nodeLabels } = pool;
  const disk = osDiskType === "Ephemeral" ? ephemeralProblem(vmSize, osDiskSizeGB) : undefined;
  const counts = [
    { name: "minCount", value: minCount, from: least },
    { name: "maxCount", value: maxCount, from: 1 },
  ].filter(({ value, from }) => !isCount(value, from));
  const problem = "is no number of nodes";
  return [
    ...unlike(
      `${argument}.vmSize`,
      vmSize,
      /^Standard_[A-Za-z0-9_-]+$/,
      "is no size",
      "give a size as Azure spells it, for example Standard_D4ds_v5",
    ),
    ...(hasOneProcessor(vmSize)
      ? [
          {
            ...{ argument: `${argument}.vmSize`, value: vmSize },
            problem: "has one processor, and AKS takes no node with fewer than two",
            remedy: "give a larger size, for example Standard_D4ds_v5",
          },
        ]
      : []),
    ...(disk === undefined
      ? []
      : [
          {
            ...{ argument: `${argument}.osDiskType`, value: osDiskType, problem: disk },
            remedy: "leave it out, or give a size with room, for example Standard_D4ds_v5",
          },
        ]),
    ...repeated(zones).map((index) => ({
      ...{ argument: `${argument}.zones[${index}]`, value: zones[index], problem: "is there twice" },
      remedy: "give each zone once",
    })),
    ...counts.map(({ name, value, from }) => ({
      argument: `${argument}.${name}`,
      value,
      problem,
      remedy: `give a whole number from ${from} to 1000`,
    })),
    ...(enableAutoScaling && minCount > maxCount
      ? [
          {
            argument: `${argument}.minCount`,
            value: minCount,
            problem: `is more than maxCount ${maxCount}`,
            remedy: "raise maxCount or lower minCount",
          },
        ]
      : []),
    ...unlike(
      `${argument}.maxSurge`,
      maxSurge,
      SURGE,
      "is no number of nodes that an upgrade adds",
      'give a number or a percentage, for example "1" or "33%"',
    ),
    ...notWithin(`${argument}.drainTimeoutInMinutes`, drainTimeoutInMinutes, 1, 1440, "minutes"),
    ...(osDiskSizeGB === undefined ? [] : notWithin(`${argument}.osDiskSizeGB`, osDiskSizeGB, 30, 2048, "GiB")),
    ...Object.entries(nodeLabels).flatMap(([name, value]) => [
      ...unlike(
        `${argument}.nodeLabels`,
        name,
        LABEL,
        "has a label whose name is none",
        "give what Kubernetes takes as a label's name, for example team or example.com/team",
      ),
      ...unlike(
        `${argument}.nodeLabels.${name}`,
        value,
        LABEL_VALUE,
        "is no value of a label",
        "give at most 63 letters, digits and ._-, a letter or digit first and last",
      ),
    ]),
  ];
}

function notWithin(argument: string, value: number, least: number, most: number, unit: string): Fault[] {
  if (Number.isInteger(value) && value >= least && value <= most) return [];
  const remedy = `give a whole number of ${unit} from ${least} to ${most}`;
  return [{ argument, value, problem: `is no number of ${unit} that Azure takes`, remedy }];
}

const taintFaults = (argument: string, { nodeTaints }: UserPool): Fault[] =>
  nodeTaints.flatMap((taint, index) =>
    unlike(
      `${argument}.nodeTaints[${index}]`,
      taint,
      TAINT,
      "is no taint",
      "give <key>=<value>:<effect>, for example gpu=true:NoSchedule; the effect is NoSchedule, PreferNoSchedule or NoExecute",
    ),
  );

function provisioningFaults({ nodeProvisioning, systemPool, userPools }: Cluster): Fault[] {
  if (nodeProvisioning !== "Auto") return [];
  const pools = [
    { argument: "systemPool", pool: systemPool },
    ...userPools.map((pool, index) => ({ argument: `userPools[${index}]`, pool })),
  ];
  return pools
    .filter(({ pool }) => pool.enableAutoScaling)
    .map(({ argument }) => ({
      ...{ argument: `${argument}.enableAutoScaling`, value: true },
      problem: "does not go with nodeProvisioning Auto, which makes nodes instead of the autoscaler",
      remedy: "give false: the pool then has minCount nodes; or leave nodeProvisioning out",
    }));
}

function nameFaults({ userPools }: Cluster): Fault[] {
  const names = ["system", ...userPools.map(({ name }) => name)];
  return userPools.flatMap(({ name }, index) => {
    const argument = `userPools[${index}].name`;
    const remedy = "give every pool a name of its own; system is taken";
    if (names.indexOf(name) <= index)
      return [{ argument, value: name, problem: "is the name of another pool", remedy }];
    return unlike(
      argument,
      name,
      /^[a-z][a-z0-9]{0,11}$/,
      "is no name of a Linux pool",
      "give 1 to 12 lower-case letters and digits, a letter first",
    );
  });
}

function maintenanceFaults({ maintenance }: Cluster): Fault[] {
  const { utcOffset, ...windows } = maintenance;
  const offset = unlike(
    "maintenance.utcOffset",
    utcOffset,
    /^[+-](0\d|1[0-4]):[0-5]\d$/,
    "is no offset from UTC",
    "give sign, hours and minutes, for example +01:00",
  );
  const times = Object.entries(windows).flatMap(([name, { startTime, durationHours }]) => [
    ...unlike(
      `maintenance.${name}.startTime`,
      startTime,
      /^([01]\d|2[0-3]):[0-5]\d$/,
      "is no time of day",
      "give hours and minutes, for example 01:00",
    ),
    ...(Number.isInteger(durationHours) && durationHours >= 4 && durationHours <= 24
      ? []
      : [
          {
            argument: `maintenance.${name}.durationHours`,
            value: durationHours,
            problem: "is no length of a window",
            remedy: "give whole hours from 4, Azure's least, to 24",
          },
        ]),
  ]);
  return [...offset, ...times];
}

function channelFaults({ sku, kubernetesVersion, upgradeChannel, nodeOSUpgradeChannel }: Cluster): Fault[] {
  return [
    ...unlike(
      "kubernetesVersion",
      kubernetesVersion,
      KUBERNETES_VERSION,
      "is no version of Kubernetes",
      "give a minor such as 1.34, or a patch such as 1.34.1",
    ),
    ...pinFaults(kubernetesVersion, upgradeChannel),
    ...(upgradeChannel === "node-image" && nodeOSUpgradeChannel !== "NodeImage"
      ? [
          {
            argument: "nodeOSUpgradeChannel",
            value: nodeOSUpgradeChannel,
            problem: "does not go with upgradeChannel node-image, which upgrades nodes by image",
            remedy: "give NodeImage, or choose upgradeChannel stable or patch",
          },
        ]
      : []),
    ...(tierAllows(sku, upgradeChannel)
      ? []
      : [
          {
            argument: "upgradeChannel",
            value: upgradeChannel,
            problem: "does not go with sku Premium, whose long-term support stays on a minor version",
            remedy: "give patch or node-image, or choose sku Standard",
          },
        ]),
  ];
}

function pinFaults(kubernetesVersion: string | undefined, upgradeChannel: string): Fault[] {
  if (kubernetesVersion === undefined || !KUBERNETES_VERSION.test(kubernetesVersion)) return [];
  const problem = channelFault(kubernetesVersion, upgradeChannel);
  const remedy = `give ${channelRemedy(kubernetesVersion)}`;
  return problem === undefined ? [] : [{ argument: "upgradeChannel", value: upgradeChannel, problem, remedy }];
}

/** Networks that have no room for all nodes that the pools may have; faults of their own are told elsewhere. */
function capacityFaults({ network, systemPool, userPools }: Cluster): Fault[] {
  const pools = [systemPool, ...userPools];
  if (pools.some((pool) => !isCount(mostOf(pool), 0) || !SURGE.test(pool.maxSurge))) return [];
  // A subnet that is there is looked at.
  const nodes = network.subnets === undefined ? parseNetwork(network.nodes) : undefined;
  const known = { nodes, pods: parseNetwork(network.pods) };
  return shortages(known, pools).map(({ network: name, needed, prefix }) => ({
    argument: `network.${name}`,
    value: network[name],
    problem: `is too small for ${mostNodes(pools)} nodes, as many as the pools have at most while they are upgraded: they need ${needed} addresses`,
    remedy: `give a prefix length of ${prefix} or less (a larger network), or lower ${lowered(pools)}`,
  }));
}
