// Guards of AKS clusters and their pools.
import type { AgentPoolArgs } from "@pulumi/azure-native/containerservice/agentPool.js";
import type { ManagedClusterArgs } from "@pulumi/azure-native/containerservice/managedCluster.js";
import { tierAllows } from "../../components/cluster/addresses.ts";
import { hasZones } from "../../settings/regions.ts";
import { clusterRules, isBurstable } from "../../settings/rules/cluster.ts";
import {
  each,
  type Finding,
  found,
  type Given,
  type Guard,
  kindOf,
  known,
  regionOf,
  type Seen,
  text,
} from "../guard.ts";
import { endOfSupport, SOURCE } from "../kubernetesVersions.ts";

const LEARN = "https://learn.microsoft.com/azure/aks";

type Cluster = Given<ManagedClusterArgs>;
type Pool = Given<AgentPoolArgs>;

/** A cluster's properties: the plugin's resource has them under `properties`, azure-native's beside the rest. */
const propertiesOf = ({ type, props }: Seen): Cluster =>
  (type.startsWith("gitops:") ? (props.properties ?? {}) : props) as Cluster;

/** The version that it asks for, which the plugin's resource says beside its properties. */
const versionOf = (seen: Seen) =>
  (seen.type.startsWith("gitops:") ? (seen.props as Cluster).kubernetesVersion : undefined) ??
  propertiesOf(seen).kubernetesVersion;

/** Its tier; Azure makes a Free one where none is said. */
const tierOf = ({ props }: Seen): string => (props as Cluster).sku?.tier ?? "Free";

/** Of a cluster that manages itself Azure decides whatever is not said, and decides it well. */
const isAutomatic = ({ props }: Seen): boolean => (props as Cluster).sku?.name === "Automatic";

/** The pools that a resource makes: a pool its own, a cluster those in its body. */
function poolsOf(seen: Seen): readonly Pool[] {
  if (kindOf(seen) === "pool") return [seen.props as Pool];
  if (seen.type.startsWith("gitops:")) return [(seen.props.systemPool ?? {}) as Pool];
  return ((seen.props as Cluster).agentPoolProfiles ?? []) as readonly Pool[];
}

const nameOf = (pool: Pool & { readonly agentPoolName?: string | undefined; readonly name?: string }) =>
  known(() => pool?.name ?? pool?.agentPoolName) ?? "of a name that is not known yet";

/** A rule between settings of which a guard is the same rule, for stacks that no settings made. */
function settingsRule(name: string) {
  const rule = clusterRules.find((each) => each.name === name);
  if (rule === undefined) throw new Error(`No rule of the settings is called ${name}`);
  return { remedy: rule.remedy, link: rule.link };
}

const clusters = ["cluster"] as const;
const pools = ["cluster", "pool"] as const;

/** What a program of one's own has to say; the program of this project says it always. */
const own = (words: string) => `the stacks of aks-gitops have it always; in another program write ${words}`;

export const clusterGuards: readonly Guard[] = [
  {
    name: "cluster-has-no-local-accounts",
    description: "Nobody signs in to a cluster with a certificate that no group membership takes away again.",
    level: "mandatory",
    remedy: own("disableLocalAccounts: true"),
    link: `${LEARN}/manage-local-accounts-managed-azure-ad`,
    kinds: clusters,
    find: (seen) => {
      const disabled = propertiesOf(seen).disableLocalAccounts ?? isAutomatic(seen);
      return found(!disabled && "The cluster's local accounts are not disabled");
    },
  },
  {
    name: "cluster-signs-in-with-entra",
    description: "People and pipelines are known to a cluster by Entra, and Kubernetes' RBAC is on.",
    level: "mandatory",
    remedy: own("enableRBAC: true and aadProfile: { managed: true, enableAzureRBAC: true }"),
    link: `${LEARN}/enable-authentication-microsoft-entra-id`,
    kinds: clusters,
    find: (seen) => {
      const { enableRBAC, aadProfile } = propertiesOf(seen);
      if (enableRBAC === false) return found("The cluster has no RBAC: whoever reaches it may do everything");
      const byEntra = aadProfile?.managed ?? isAutomatic(seen);
      return found(!byEntra && "The cluster does not know people by Entra");
    },
  },
  {
    name: "cluster-api-server-is-closed",
    description: "The API server of production is private, or takes connections from listed addresses only.",
    level: "mandatory",
    production: true,
    remedy: "write aks-gitops:cluster.private: true, or list addresses in aks-gitops:cluster.authorizedIpRanges",
    link: `${LEARN}/api-server-authorized-ip-ranges`,
    kinds: clusters,
    find: (seen) => {
      const { enablePrivateCluster, authorizedIPRanges } = propertiesOf(seen).apiServerAccessProfile ?? {};
      if (enablePrivateCluster) return [];
      if (!authorizedIPRanges?.length) return found("The API server takes connections from every address");
      return each(authorizedIPRanges, (range) =>
        text(range)?.endsWith("/0") ? `The API server takes connections from every address: ${range}` : undefined,
      );
    },
  },
  {
    name: "cluster-has-a-network-policy",
    description: "A cluster enforces network policies; without an engine it takes them and does nothing.",
    level: "mandatory",
    remedy: own('networkProfile: { networkDataplane: "cilium", networkPolicy: "cilium" }'),
    link: `${LEARN}/use-network-policies`,
    kinds: clusters,
    find: (seen) => {
      const policy = propertiesOf(seen).networkProfile?.networkPolicy ?? (isAutomatic(seen) ? "cilium" : "none");
      return found(policy === "none" && "The cluster enforces no network policy");
    },
  },
  {
    name: "cluster-upgrades-itself",
    description: "A cluster gets new versions of Kubernetes and of its nodes' image without anybody's doing.",
    level: "advisory",
    remedy:
      "leave aks-gitops:cluster.upgradeChannel out, or write stable or patch; in another program write autoUpgradeProfile",
    link: `${LEARN}/auto-upgrade-cluster`,
    kinds: clusters,
    find: (seen) => {
      const { upgradeChannel, nodeOSUpgradeChannel } = propertiesOf(seen).autoUpgradeProfile ?? {};
      const channel = upgradeChannel ?? (isAutomatic(seen) ? "stable" : "none");
      return [
        ...found(channel === "none" && "The cluster does not upgrade itself"),
        ...found(nodeOSUpgradeChannel === "None" && "The nodes do not update their operating system"),
      ];
    },
  },
  {
    name: "cluster-upgrades-as-its-tier-does",
    description: "A cluster with long-term support stays on its minor version.",
    level: "mandatory",
    ...settingsRule("premium-stays-on-a-minor-version"),
    kinds: clusters,
    find: (seen) => {
      const { autoUpgradeProfile, supportPlan } = propertiesOf(seen);
      const channel = autoUpgradeProfile?.upgradeChannel ?? "none";
      if (channel === "none" || supportPlan !== "AKSLongTermSupport") return [];
      return found(!tierAllows(tierOf(seen), channel) && `Upgrade channel ${channel} leaves the long-term support`);
    },
  },
  {
    name: "cluster-has-a-paid-tier",
    description: "A cluster of production has a control plane with an SLA and room for load.",
    level: "mandatory",
    production: true,
    remedy: "write aks-gitops:cluster.sku: Standard, or Premium",
    link: `${LEARN}/free-standard-pricing-tiers`,
    kinds: clusters,
    find: (seen) => found(tierOf(seen) === "Free" && "The cluster is of the Free tier, which has no SLA"),
  },
  {
    name: "kubernetes-is-supported",
    description: "A cluster and its pools ask for no version of Kubernetes that AKS does not support any more.",
    level: "mandatory",
    remedy:
      "leave aks-gitops:cluster.kubernetesVersion out, and let the upgrade channel keep it current; or ask for one that is supported",
    link: SOURCE.url,
    kinds: pools,
    find: (seen, { today }) => {
      const isLongTerm = () => kindOf(seen) === "cluster" && propertiesOf(seen).supportPlan === "AKSLongTermSupport";
      const versions = [
        ...(kindOf(seen) === "cluster" ? [() => versionOf(seen)] : []),
        ...Array.from({ length: known(() => poolsOf(seen).length) ?? 0 }, (_, index) => () => {
          const pool = poolsOf(seen)[index];
          return pool?.orchestratorVersion;
        }),
      ];
      const problems = versions.map((version) =>
        known(() => unsupported(text(version()), isLongTerm(), kindOf(seen) === "pool", today)),
      );
      return [...new Set(problems)].flatMap((problem) => found(problem));
    },
  },
  {
    name: "cluster-spans-zones",
    description: "Every pool of production has its nodes in two availability zones or more, where the region has them.",
    level: "mandatory",
    production: true,
    remedy: 'write zones: ["1", "2", "3"] in aks-gitops:cluster.systemPool and in each of aks-gitops:cluster.userPools',
    link: `${LEARN}/availability-zones`,
    findInStack: (all) =>
      all
        .filter((seen) => kindOf(seen) === "cluster" || kindOf(seen) === "pool")
        .filter((seen) => known(() => isWithoutZones(seen, all)) !== true)
        .flatMap((seen) => {
          const { urn } = seen;
          const narrow = each(known(() => poolsOf(seen)) ?? [], (pool) => {
            const count = pool?.availabilityZones?.length ?? 0;
            if (count > 1) return undefined;
            return `Pool ${nameOf(pool)} ${count === 0 ? "names no zones" : "has its nodes in one zone"}`;
          });
          return narrow.map(({ problem }): Finding => ({ problem, urn }));
        }),
  },
  {
    name: "system-pool-is-steady",
    description: "The pool of a cluster's own pods is of a size that has its processors always.",
    level: "mandatory",
    ...settingsRule("system-pool-is-not-burstable"),
    kinds: pools,
    find: (seen) =>
      each(poolsOf(seen), (pool) => {
        const { vmSize, mode } = pool ?? {};
        return mode === "System" && vmSize !== undefined && isBurstable(vmSize)
          ? `Pool ${nameOf(pool)} is of the burstable size ${vmSize} and starves AKS's pods once its credits are spent`
          : undefined;
      }),
  },
  {
    name: "cluster-has-defender",
    description: "Microsoft Defender watches the nodes and pods of production.",
    level: "advisory",
    production: true,
    remedy: "write aks-gitops:cluster.defender: true",
    link: "https://learn.microsoft.com/azure/defender-for-cloud/defender-for-containers-introduction",
    kinds: clusters,
    find: (seen) => {
      const { defender } = propertiesOf(seen).securityProfile ?? {};
      return found(!defender?.securityMonitoring?.enabled && "Microsoft Defender does not watch the cluster");
    },
  },
  {
    name: "cluster-logs-are-kept",
    description: "The control plane's logs go somewhere: who did what is in no other place.",
    level: "advisory",
    remedy: own("a DiagnosticSetting whose resourceUri is the cluster's id"),
    link: `${LEARN}/monitor-aks-reference#resource-logs`,
    findInStack: (all) => {
      const settings = all.filter((seen) => kindOf(seen) === "diagnostics");
      return all
        .filter((seen) => kindOf(seen) === "cluster")
        .filter((cluster) => !settings.some(({ dependencies = [] }) => dependencies.includes(cluster.urn)))
        .map(({ urn }) => ({ problem: "The control plane's logs are kept nowhere", urn }));
    },
  },
];

/**
 * Whether a version is out of support. A pool does not say whether its cluster has long-term support, so it is given the
 * longer time.
 */
function unsupported(
  version: string | undefined,
  isLongTerm: boolean,
  isPool: boolean,
  today: string,
): string | undefined {
  if (version === undefined) return undefined;
  const end = endOfSupport(version, isLongTerm || isPool);
  if (end === "before") return `Kubernetes ${version} is not supported any more`;
  return end !== undefined && end < today ? `Kubernetes ${version} is out of support since ${end}` : undefined;
}

/** Whether a cluster's or pool's region has no zones; a pool's is its cluster's. */
function isWithoutZones(seen: Seen, all: readonly Seen[]): boolean {
  const cluster =
    kindOf(seen) === "cluster"
      ? seen
      : all.find((other) => kindOf(other) === "cluster" && seen.dependencies?.includes(other.urn));
  const region = regionOf(cluster?.props.location);
  return region !== undefined && !hasZones(region);
}
