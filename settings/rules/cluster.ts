// Rules of the cluster's settings.
import {
  lowered,
  mostNodes,
  type PoolSize,
  reservedProblem,
  SHORTEST_SERVICES,
  shortages,
  tierAllows,
} from "../../components/cluster/addresses.ts";
import { NEVER_LOOKED_AT, placesOf } from "../../components/cluster/names.ts";
import { contains, overlap, parseNetwork } from "../../net/cidr.ts";
import { own } from "../check.ts";
import { hasZones } from "../regions.ts";
import { type Draft, each, type Facts, type Rule, whole } from "./rule.ts";

const LEARN = "https://learn.microsoft.com/azure";

/** The networks that are known by their addresses. */
function networksOf({ draft }: Facts) {
  const { subnets, zones: _, ...networks } = draft.cluster?.network ?? {};
  return Object.entries(networks).flatMap(([name, value]) => {
    // With subnets that are there, only the cluster's own ones.
    const isUsed = subnets === undefined || name === "pods" || name === "services";
    const network = value === undefined || !isUsed ? undefined : parseNetwork(value);
    return value !== undefined && network ? [{ name, value, network, path: own("cluster", "network", name) }] : [];
  });
}

const isSubnet = (name: string) => ["nodes", "apiServer", "endpoints"].includes(name);

/** The longest prefix that a network may have. */
const longest = (name: string) => (name === "services" || name === "apiServer" ? 28 : 29);

/** The pools, each beside its place. */
export function poolsOf({ draft }: Facts) {
  return [
    { pool: draft.cluster?.systemPool, path: own("cluster", "systemPool") },
    ...(draft.cluster?.userPools ?? []).map((pool, index) => ({ pool, path: own("cluster", "userPools", index) })),
  ];
}

type PoolDraft = ReturnType<typeof poolsOf>[number]["pool"];

/** What says how many nodes a pool may have; undefined where some of it is faulty by itself. */
export function sized(pool: PoolDraft): PoolSize | undefined {
  const { minCount, maxCount, enableAutoScaling, maxSurge } = pool ?? {};
  if (minCount === undefined || maxCount === undefined || enableAutoScaling === undefined || maxSurge === undefined)
    return undefined;
  return { ...pool, minCount, maxCount, enableAutoScaling, maxSurge };
}

const accessOf = ({ draft }: Facts) =>
  (draft.cluster?.access ?? []).map((one, index) => ({ one, path: own("cluster", "access", index) }));

type Access = ReturnType<typeof accessOf>[number]["one"];

/** What a group gets and where, each as one text. */
function givenBy({ group, role, namespaces }: Access = {}): string[] {
  if (group === undefined || role === undefined) return [];
  return placesOf({ role, namespaces: namespaces?.map(String) }).map(([label]) => `${group.toLowerCase()} ${label}`);
}

/** Whether a size of virtual machines has its processors only as long as it has credits. */
export const isBurstable = (vmSize: string): boolean => /^Standard_B/i.test(vmSize);

const DAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const WEEK = 7 * 24 * 60;

type Maintenance = NonNullable<NonNullable<Draft["cluster"]>["maintenance"]>;

/** A window's start and length in minutes of the week. */
function minutesOf(window: Maintenance["autoUpgrade"]): { start: number; length: number } | undefined {
  const [hours, minutes] = (window?.startTime ?? "").split(":").map(Number);
  if (!window?.dayOfWeek || hours === undefined || minutes === undefined || !window.durationHours) return undefined;
  return { start: (DAYS.indexOf(window.dayOfWeek) * 24 + hours) * 60 + minutes, length: window.durationHours * 60 };
}

export const clusterRules: readonly Rule[] = [
  {
    name: "authorized-ranges-need-a-public-api-server",
    subject: "access",
    severity: "error",
    remedy: "leave it out, or set private: false",
    link: `${LEARN}/aks/api-server-authorized-ip-ranges`,
    check: whole(({ draft: { cluster } }) =>
      cluster?.private && cluster.authorizedIpRanges?.length
        ? {
            path: own("cluster", "authorizedIpRanges"),
            value: cluster.authorizedIpRanges,
            problem: "cannot go with a private API server, which no public address reaches",
          }
        : undefined,
    ),
  },
  {
    name: "cluster-admins-are-of-the-whole-cluster",
    subject: "access",
    severity: "error",
    remedy: "remove it, or write role: Admin",
    link: `${LEARN}/aks/manage-azure-rbac`,
    check: each(accessOf, ({ one, path }) =>
      one?.role === "ClusterAdmin" && one.namespaces !== undefined
        ? {
            path: [...path, "namespaces"],
            value: one.namespaces,
            problem: "says nothing beside ClusterAdmin, who may everything in the cluster",
          }
        : undefined,
    ),
  },
  {
    name: "access-is-given-once",
    subject: "access",
    severity: "error",
    remedy: "remove it: Azure has one assignment of a group, role and place",
    link: `${LEARN}/role-based-access-control/troubleshooting`,
    check: each(accessOf, ({ one, path }, { draft: { deployers, flux } }, all) => {
      const keys = givenBy(one);
      const before = all
        .slice(
          0,
          all.findIndex((other) => other.one === one),
        )
        .flatMap((other) => givenBy(other.one));
      // A bootstrap makes the deployers administrators of the cluster.
      const given = flux?.mode === "bootstrap" ? [...before, `${deployers?.toLowerCase()} ClusterAdmin`] : before;
      const twice = keys.some((key, index) => given.includes(key) || keys.indexOf(key) < index);
      return twice ? { path, value: one, problem: "gives a group a second time what it has" } : undefined;
    }),
  },
  {
    name: "authorized-ranges-know-the-nodes",
    subject: "access",
    severity: "error",
    remedy: "write egress: natGateway, or leave authorizedIpRanges out",
    link: `${LEARN}/aks/api-server-authorized-ip-ranges`,
    check: whole(({ draft: { cluster } }) =>
      cluster?.egress === "loadBalancer" && cluster.authorizedIpRanges?.length
        ? {
            path: own("cluster", "authorizedIpRanges"),
            value: cluster.authorizedIpRanges,
            problem: "would keep out the nodes, whose addresses are AKS's own with egress loadBalancer",
          }
        : undefined,
    ),
  },
  {
    name: "node-image-channel-goes-with-node-image",
    subject: "upgrades",
    severity: "error",
    remedy: "write NodeImage, or choose upgradeChannel stable or patch",
    link: `${LEARN}/aks/auto-upgrade-node-os-image`,
    check: whole(({ draft: { cluster } }) =>
      cluster?.upgradeChannel === "node-image" &&
      cluster.nodeOSUpgradeChannel !== undefined &&
      cluster.nodeOSUpgradeChannel !== "NodeImage"
        ? {
            path: own("cluster", "nodeOSUpgradeChannel"),
            value: cluster.nodeOSUpgradeChannel,
            problem: "does not go with upgradeChannel node-image, which upgrades nodes by image",
          }
        : undefined,
    ),
  },
  {
    name: "premium-stays-on-a-minor-version",
    subject: "upgrades",
    severity: "error",
    remedy: "write patch or node-image, or choose sku Standard",
    link: `${LEARN}/aks/long-term-support`,
    check: whole(({ draft: { cluster } }) =>
      cluster?.sku !== undefined &&
      cluster.upgradeChannel !== undefined &&
      !tierAllows(cluster.sku, cluster.upgradeChannel)
        ? {
            path: own("cluster", "upgradeChannel"),
            value: cluster.upgradeChannel,
            problem: "does not go with sku Premium, whose long-term support stays on a minor version",
          }
        : undefined,
    ),
  },
  {
    name: "subnets-lie-within-vnet",
    subject: "networks",
    severity: "error",
    remedy: "choose a part of vnet, or a larger vnet",
    link: `${LEARN}/virtual-network/virtual-network-manage-subnet`,
    check: each(networksOf, ({ name, value, network, path }, _facts, all) => {
      const vnet = all.find((other) => other.name === "vnet");
      return vnet && isSubnet(name) && !contains(vnet.network, network)
        ? { path, value, problem: `does not lie within vnet ${vnet.value}` }
        : undefined;
    }),
  },
  {
    name: "networks-are-large-enough",
    subject: "networks",
    severity: "error",
    remedy: "write a shorter prefix length (a larger network)",
    link: `${LEARN}/aks/concepts-network-ip-address-planning`,
    check: each(networksOf, ({ name, value, network, path }) =>
      network.prefix > longest(name)
        ? {
            path,
            value,
            problem: "is too small",
            remedy: `write a prefix length of ${longest(name)} or less (a larger network)`,
          }
        : undefined,
    ),
  },
  {
    name: "networks-share-no-address",
    subject: "networks",
    severity: "error",
    remedy: "choose networks that share no address",
    link: `${LEARN}/aks/concepts-network-ip-address-planning`,
    check: each(networksOf, ({ name, value, network, path }, _facts, all) =>
      all
        .filter((other) => other.name < name)
        .filter((other) => !(isSubnet(name) && other.name === "vnet") && !(isSubnet(other.name) && name === "vnet"))
        .filter((other) => overlap(network, other.network))
        .map((other) => ({ path, value, problem: `overlaps ${other.name} ${other.value}` })),
    ),
  },
  {
    name: "networks-leave-aks-its-own",
    subject: "networks",
    severity: "error",
    remedy: "choose another network, for example within 10.0.0.0/8",
    link: `${LEARN}/aks/concepts-network-cni-overview`,
    check: each(networksOf, ({ name, value, network, path }, _facts, all) => {
      const vnet = all.find((other) => other.name === "vnet");
      // Subnets are the virtual network's parts, of which it is told already.
      const isTold = isSubnet(name) && vnet !== undefined && contains(vnet.network, network);
      const problem = isTold ? undefined : reservedProblem(network);
      return problem === undefined ? undefined : { path, value, problem };
    }),
  },
  {
    name: "services-are-not-too-many",
    subject: "networks",
    severity: "error",
    remedy: `write a prefix length of ${SHORTEST_SERVICES} or more (a smaller network)`,
    link: `${LEARN}/aks/concepts-network-ip-address-planning`,
    check: each(networksOf, ({ name, value, network, path }) =>
      name === "services" && network.prefix < SHORTEST_SERVICES ? { path, value, problem: "is too large" } : undefined,
    ),
  },
  {
    name: "networks-have-room-for-all-nodes",
    subject: "networks",
    severity: "error",
    remedy: "write a shorter prefix length (a larger network), or let the pools have fewer nodes",
    link: `${LEARN}/aks/concepts-network-azure-cni-overlay`,
    check: each(networksOf, ({ name, value, path }, { draft }, all) => {
      const drafts = [draft.cluster?.systemPool, ...(draft.cluster?.userPools ?? [])];
      const pools = drafts.flatMap((pool) => sized(pool) ?? []);
      const find = (wanted: string) => all.find((other) => other.name === wanted)?.network;
      return shortages({ nodes: find("nodes"), pods: find("pods") }, pools)
        .filter(({ network }) => network === name)
        .map(({ needed, prefix }) => ({
          path,
          value,
          problem: `is too small for ${mostNodes(pools)} nodes, as many as the pools have at most while they are upgraded: they need ${needed} addresses`,
          remedy: `write a prefix length of ${prefix} or less (a larger network), or lower ${lowered(pools)}`,
        }));
    }),
  },
  {
    name: "system-pool-is-not-burstable",
    subject: "pools",
    severity: "error",
    remedy: "choose a D or E size, for example Standard_D4ds_v5",
    link: `${LEARN}/aks/use-system-pools`,
    check: whole(({ draft }) => {
      const value = draft.cluster?.systemPool?.vmSize;
      return value !== undefined && isBurstable(value)
        ? {
            path: own("cluster", "systemPool", "vmSize"),
            value,
            problem: "is burstable and starves the system pods once its credits are spent",
          }
        : undefined;
    }),
  },
  {
    name: "node-provisioning-excludes-the-autoscaler",
    subject: "pools",
    severity: "error",
    remedy: "write false: the pool then has minCount nodes; or leave nodeProvisioning out",
    link: `${LEARN}/aks/node-autoprovision`,
    check: each(poolsOf, ({ pool, path }, { draft: { cluster } }) =>
      cluster?.nodeProvisioning === "Auto" && pool?.enableAutoScaling
        ? {
            path: [...path, "enableAutoScaling"],
            value: true,
            problem: "does not go with nodeProvisioning Auto, which makes nodes instead of the autoscaler",
          }
        : undefined,
    ),
  },
  {
    name: "fewest-nodes-are-not-more-than-most",
    subject: "pools",
    severity: "error",
    remedy: "raise maxCount or lower minCount",
    link: `${LEARN}/aks/cluster-autoscaler`,
    check: each(poolsOf, ({ pool: { minCount, maxCount, enableAutoScaling } = {}, path }) =>
      enableAutoScaling && minCount !== undefined && maxCount !== undefined && minCount > maxCount
        ? { path: [...path, "minCount"], value: minCount, problem: `is more than maxCount ${maxCount}` }
        : undefined,
    ),
  },
  {
    name: "zones-exist-in-the-region",
    subject: "pools",
    severity: "error",
    remedy: "write zones: [], or choose a region with zones",
    link: `${LEARN}/reliability/regions-list`,
    check: each(poolsOf, ({ pool: { zones } = {}, path }, { location }) =>
      zones?.length && location && !hasZones(location)
        ? { path: [...path, "zones"], value: zones, problem: `do not exist in the region ${location}` }
        : undefined,
    ),
  },
  {
    name: "pools-have-names-of-their-own",
    subject: "pool names",
    severity: "error",
    remedy: "give every pool a name of its own; system is taken",
    link: `${LEARN}/aks/create-node-pools`,
    check: each(
      ({ draft }) => ["system", ...(draft.cluster?.userPools ?? []).map((pool) => pool?.name)].entries().toArray(),
      ([position, value], _facts, all) =>
        value !== undefined && all.some(([other, name]) => other < position && name === value)
          ? { path: own("cluster", "userPools", position - 1, "name"), value, problem: "is the name of another pool" }
          : undefined,
    ),
  },
  {
    name: "pods-that-need-privilege-are-let-in",
    subject: "pod security",
    severity: "error",
    remedy: "add it to cluster.podSecurity.excludedNamespaces, or write effect: Audit",
    link: `${LEARN}/governance/policy/samples/built-in-initiatives#kubernetes`,
    check: each(
      ({ draft }) => (draft.charts ?? []).map((chart, index) => ({ chart, index })),
      ({ chart, index }, { draft: { cluster } }) => {
        const { effect, excludedNamespaces = [] } = cluster?.podSecurity ?? {};
        const { name, namespace } = chart ?? {};
        const needs = name === "kured" && namespace !== undefined && effect === "Deny";
        return needs && !NEVER_LOOKED_AT.includes(namespace) && !excludedNamespaces.includes(namespace)
          ? {
              path: own("charts", index, "namespace"),
              value: namespace,
              problem: "is where cluster.podSecurity lets no privileged pod in, and Kured's are",
            }
          : undefined;
      },
    ),
  },
  {
    name: "maintenance-windows-share-no-minute",
    subject: "maintenance",
    severity: "error",
    remedy: "choose another day or time",
    link: `${LEARN}/aks/planned-maintenance`,
    check: whole(({ draft: { cluster } }) => {
      const first = minutesOf(cluster?.maintenance?.autoUpgrade);
      const second = minutesOf(cluster?.maintenance?.nodeOSUpgrade);
      if (!first || !second) return undefined;
      const gap = (from: number, to: number) => (to - from + WEEK) % WEEK;
      return gap(first.start, second.start) < first.length || gap(second.start, first.start) < second.length
        ? {
            path: own("cluster", "maintenance", "nodeOSUpgrade"),
            value: cluster?.maintenance?.nodeOSUpgrade,
            problem: "overlaps autoUpgrade, and AKS runs one of them at a time",
          }
        : undefined;
    }),
  },
];
