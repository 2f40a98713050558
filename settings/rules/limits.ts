// Rules of what AKS takes: sizes, disks and numbers of nodes, ports, and who is let in.
import { lowered } from "../../components/cluster/addresses.ts";
import {
  firewallProblem,
  MOST_POOLS,
  MOST_RANGES,
  NOBODY,
  nodesProblem,
  portProblem,
  privateRange,
  repeated,
} from "../../components/cluster/limits.ts";
import { ephemeralProblem, hasOneProcessor } from "../../components/cluster/localDisk.ts";
import { own } from "../check.ts";
import { poolsOf, sized } from "./cluster.ts";
import { each, type Facts, type Rule, whole } from "./rule.ts";

const LEARN = "https://learn.microsoft.com/azure";

/** The public addresses that the runner may have. */
const runnerAddresses = ({ draft: { runner } }: Facts) =>
  typeof runner === "object" ? (runner.outside?.addresses ?? []) : [];

/** The lists of networks that are let in through the internet. */
const rangesOf = (facts: Facts) => [
  { ranges: facts.draft.cluster?.authorizedIpRanges ?? [], path: own("cluster", "authorizedIpRanges") },
  { ranges: runnerAddresses(facts), path: own("runner", "outside", "addresses") },
];

export const limitRules: readonly Rule[] = [
  {
    name: "nodes-have-two-processors",
    subject: "pools",
    severity: "error",
    remedy: "choose a larger size, for example Standard_D4ds_v5",
    link: `${LEARN}/aks/quotas-skus-regions`,
    check: each(poolsOf, ({ pool: { vmSize } = {}, path }) =>
      vmSize !== undefined && hasOneProcessor(vmSize)
        ? {
            path: [...path, "vmSize"],
            value: vmSize,
            problem: "has one processor, and AKS takes no node with fewer than two",
          }
        : undefined,
    ),
  },
  {
    name: "ephemeral-disks-have-room",
    subject: "pools",
    severity: "error",
    remedy: "leave it out, then AKS takes what fits; or choose a size with room, for example Standard_D4ds_v5",
    link: `${LEARN}/aks/concepts-storage`,
    check: each(poolsOf, ({ pool: { vmSize, osDiskType, osDiskSizeGB } = {}, path }) => {
      if (vmSize === undefined || osDiskType !== "Ephemeral") return undefined;
      const problem = ephemeralProblem(vmSize, osDiskSizeGB);
      return problem === undefined ? undefined : { path: [...path, "osDiskType"], value: osDiskType, problem };
    }),
  },
  {
    name: "zones-are-named-once",
    subject: "pools",
    severity: "error",
    remedy: "name each zone once",
    link: `${LEARN}/aks/availability-zones`,
    check: each(poolsOf, ({ pool: { zones = [] } = {}, path }) =>
      repeated(zones).map((index) => ({
        path: [...path, "zones", index],
        value: zones[index],
        problem: "is there twice",
      })),
    ),
  },
  {
    name: "tier-takes-all-nodes",
    subject: "pools",
    severity: "error",
    remedy: "let the pools have fewer nodes, or choose a tier that takes more",
    link: `${LEARN}/aks/free-standard-pricing-tiers`,
    check: whole((facts) => {
      const sku = facts.draft.cluster?.sku;
      const pools = poolsOf(facts).flatMap(({ pool }) => sized(pool) ?? []);
      const problem = sku && nodesProblem(sku, pools);
      return problem === undefined
        ? undefined
        : {
            path: own("cluster", "sku"),
            value: sku,
            problem,
            remedy: `lower ${lowered(pools)}, or choose a tier that takes more`,
          };
    }),
  },
  {
    name: "pools-are-not-too-many",
    subject: "pools",
    severity: "error",
    remedy: "write fewer pools",
    link: `${LEARN}/aks/quotas-skus-regions`,
    check: whole(({ draft: { cluster } }) => {
      const count = cluster?.userPools?.length ?? 0;
      return count < MOST_POOLS
        ? undefined
        : {
            path: own("cluster", "userPools"),
            value: count,
            problem: `are more pools than the ${MOST_POOLS} that a cluster has, its system pool among them`,
          };
    }),
  },
  {
    name: "callers-come-from-public-addresses",
    subject: "access",
    severity: "error",
    remedy: "write the public addresses that callers come from, or leave it out",
    link: `${LEARN}/aks/api-server-authorized-ip-ranges`,
    check: (facts) =>
      rangesOf(facts).flatMap(({ ranges, path }) =>
        ranges.flatMap((value, index) => {
          const range = value === undefined ? undefined : privateRange(value);
          const problem = `is within ${range}, whose addresses nobody comes from through the internet`;
          return range === undefined ? [] : [{ path: [...path, index], value, problem }];
        }),
      ),
  },
  {
    name: "nobody-is-let-in-alone",
    subject: "access",
    severity: "error",
    remedy: `write ${NOBODY} alone, or leave it out`,
    link: `${LEARN}/aks/api-server-authorized-ip-ranges`,
    check: whole((facts) => {
      const value = facts.draft.cluster?.authorizedIpRanges ?? [];
      return value.includes(NOBODY) && value.length + runnerAddresses(facts).length > 1
        ? {
            path: own("cluster", "authorizedIpRanges"),
            value,
            problem: `has ${NOBODY}, which lets nobody in, beside others`,
          }
        : undefined;
    }),
  },
  {
    name: "callers-are-not-too-many",
    subject: "access",
    severity: "error",
    remedy: "write larger networks, and fewer",
    link: `${LEARN}/aks/api-server-authorized-ip-ranges`,
    check: (facts) => {
      const [authorized, runner] = rangesOf(facts);
      const beside = { ranges: [...(authorized?.ranges ?? []), ...(runner?.ranges ?? [])], path: authorized?.path };
      // The API server lets the runner in beside its own, where it has some.
      const lists = authorized?.ranges.length ? [beside] : [runner];
      return lists.flatMap((list) =>
        list?.path && list.ranges.length > MOST_RANGES
          ? [{ path: list.path, value: list.ranges.length, problem: `are more than ${MOST_RANGES} networks` }]
          : [],
      );
    },
  },
  {
    name: "public-ports-exist",
    subject: "access",
    severity: "error",
    remedy: 'write a port from 1 to 65535, or a range, for example "30000-30100"',
    link: `${LEARN}/virtual-network/network-security-groups-overview`,
    check: ({ draft: { cluster } }) =>
      (cluster?.publicPorts ?? []).flatMap((value, index) => {
        const problem = value === undefined ? undefined : portProblem(value);
        return problem === undefined ? [] : [{ path: own("cluster", "publicPorts", index), value, problem }];
      }),
  },
  {
    name: "firewall-stands-elsewhere",
    subject: "networks",
    severity: "error",
    remedy: "write the private address that the firewall has in its own network",
    link: `${LEARN}/aks/egress-udr`,
    check: whole(({ draft: { cluster } }) => {
      const { egress, network } = cluster ?? {};
      const value = typeof egress === "object" ? egress.firewall : undefined;
      // With subnets that are there it is refused altogether.
      if (value === undefined || network?.subnets !== undefined) return undefined;
      const named = Object.entries(network ?? {}).filter(
        (entry): entry is [string, string] => ["vnet", "pods", "services"].includes(entry[0]) && entry[1] !== undefined,
      );
      const problem = firewallProblem(value, Object.fromEntries(named));
      return problem === undefined ? undefined : { path: own("cluster", "egress", "firewall"), value, problem };
    }),
  },
];
