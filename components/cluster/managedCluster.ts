// The cluster and its pools as Azure's API wants them.
import type { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import type { Workspace } from "@pulumi/azure-native/operationalinsights/workspace.js";
import * as pulumi from "@pulumi/pulumi";
import { addressAt, parseNetwork } from "../../net/cidr.ts";
import type { ManagedClusterProperties } from "../../provider/sdk/managedCluster.ts";
import type { LinkedZone } from "../shared/privateZone.ts";
import type { Cluster, Egress, Pool, UserPool } from "./aksClusterArgs.ts";
import type { ClusterNetwork } from "./clusterNetwork.ts";
import type { MonitoringPlace } from "./metrics.ts";

/** Who a control plane is. */
export type ControlIdentity = Pick<UserAssignedIdentity, "id" | "principalId">;

/** What a cluster is made of. */
export interface ClusterParts {
  /** The control plane's identity. */
  readonly control: ControlIdentity;
  /** The identity that the nodes pull images with. */
  readonly kubelet: UserAssignedIdentity;
  readonly network: ClusterNetwork;
  /** The zone of a private API server's name; undefined where the name is public. */
  readonly zone: LinkedZone | undefined;
  readonly logs: Workspace;
  readonly place: MonitoringPlace;
}

/** The managed cluster's properties, but for what its name decides. */
export function clusterProperties(cluster: Cluster, { kubelet, network, zone, logs }: ClusterParts) {
  return {
    supportPlan: cluster.sku === "Premium" ? "AKSLongTermSupport" : "KubernetesOfficial",
    identityProfile: {
      kubeletidentity: { resourceId: kubelet.id, clientId: kubelet.clientId, objectId: kubelet.principalId },
    },
    // Whatever stands in the nodes' resource group is AKS's own; hands off.
    nodeResourceGroupProfile: { restrictionLevel: "ReadOnly" },
    enableRBAC: true,
    disableLocalAccounts: true,
    aadProfile: { managed: true, enableAzureRBAC: true, adminGroupObjectIDs: [...cluster.adminGroups] },
    oidcIssuerProfile: { enabled: true },
    securityProfile: {
      workloadIdentity: { enabled: true },
      imageCleaner: { enabled: true, intervalHours: 168 },
      defender: cluster.defender
        ? { logAnalyticsWorkspaceResourceId: logs.id, securityMonitoring: { enabled: true } }
        : { securityMonitoring: { enabled: false } },
    },
    addonProfiles: { azurepolicy: { enabled: true } },
    azureMonitorProfile: { metrics: { enabled: cluster.metrics } },
    // Azure offers it from the Standard tier on.
    metricsProfile: { costAnalysis: { enabled: cluster.sku !== "Free" } },
    autoUpgradeProfile: {
      upgradeChannel: cluster.upgradeChannel,
      nodeOSUpgradeChannel: cluster.nodeOSUpgradeChannel,
    },
    ...(cluster.nodeProvisioning === "Auto" && { nodeProvisioningProfile: { mode: "Auto" } }),
    networkProfile: networkProfile(cluster),
    apiServerAccessProfile: apiServerAccess(cluster, network, zone),
  } satisfies ManagedClusterProperties;
}

/** The cluster's networking: a cluster never has another one. */
export function networkProfile({ network: { pods, services }, egress }: Pick<Cluster, "network" | "egress">) {
  const network = parseNetwork(services);
  if (!network) throw new Error(`network.services is no network: ${services}`);
  return {
    networkPlugin: "azure",
    networkPluginMode: "overlay",
    networkDataplane: "cilium",
    networkPolicy: "cilium",
    outboundType: outboundType(egress),
    loadBalancerSku: "standard",
    podCidr: pods,
    serviceCidr: services,
    // Where AKS itself puts it.
    dnsServiceIP: addressAt(network, 10),
  };
}

function outboundType(egress: Egress): string {
  if (typeof egress === "object") return "userDefinedRouting";
  return egress === "natGateway" ? "userAssignedNATGateway" : "loadBalancer";
}

function apiServerAccess(cluster: Cluster, network: ClusterNetwork, zone: LinkedZone | undefined) {
  if (cluster.private)
    return {
      enablePrivateCluster: true,
      // Without a zone, which only those would see whom it is linked to, the private address has a public name.
      enablePrivateClusterPublicFQDN: zone === undefined,
      privateDNSZone: zone?.id ?? "none",
      enableVnetIntegration: true,
      subnetId: network.apiServerSubnetId,
      disableRunCommand: true,
    };
  const ranges = cluster.authorizedIpRanges;
  // The nodes themselves come from the gateway's address, or from a firewall's, which the program does not know.
  const nodes = network.egressAddress ? [pulumi.interpolate`${network.egressAddress}/32`] : [];
  // An empty list clears those that there were.
  const runner = (cluster.runnerAddresses ?? []).filter((address) => !ranges.includes(address));
  return { disableRunCommand: true, authorizedIPRanges: ranges.length > 0 ? [...ranges, ...runner, ...nodes] : [] };
}

/** The pool of the cluster's own pods. */
export function systemPoolArgs(cluster: Cluster, network: ClusterNetwork) {
  return {
    name: "system",
    mode: "System",
    // Without another pool the applications have to run here.
    ...(cluster.userPools.length > 0 ? { nodeTaints: ["CriticalAddonsOnly=true:NoSchedule"] } : {}),
    ...poolArgs(cluster.systemPool, network),
  } as const;
}

/** The version that a pool follows its control plane to, where one is said. */
export const poolVersion = ({ kubernetesVersion }: Cluster) =>
  kubernetesVersion === undefined ? {} : { orchestratorVersion: kubernetesVersion };

/** A pool of either mode. */
export function poolArgs(pool: Pool, network: ClusterNetwork) {
  return {
    type: "VirtualMachineScaleSets",
    vmSize: pool.vmSize,
    osType: "Linux",
    osSKU: "AzureLinux",
    ...(pool.osDiskType && { osDiskType: pool.osDiskType }),
    ...(pool.osDiskSizeGB !== undefined && { osDiskSizeGB: pool.osDiskSizeGB }),
    vnetSubnetID: network.nodesSubnetId,
    availabilityZones: [...pool.zones],
    enableAutoScaling: pool.enableAutoScaling,
    minCount: pool.minCount,
    maxCount: pool.maxCount,
    ...(Object.keys(pool.nodeLabels).length > 0 && { nodeLabels: { ...pool.nodeLabels } }),
    upgradeSettings: { maxSurge: pool.maxSurge, drainTimeoutInMinutes: pool.drainTimeoutInMinutes },
  };
}

/** What AKS itself marks Spot nodes with. */
const SPOT = "kubernetes.azure.com/scalesetpriority";

/** A pool of applications. */
export function userPoolArgs(pool: UserPool, network: ClusterNetwork) {
  const { nodeTaints, nodeLabels, drainTimeoutInMinutes } = pool;
  const args = { name: pool.name, mode: "User", ...poolArgs(pool, network) } as const;
  if (pool.scaleSetPriority === "Regular")
    return { ...args, ...(nodeTaints.length > 0 && { nodeTaints: [...nodeTaints] }) };
  const taint = `${SPOT}=spot:NoSchedule`;
  return {
    ...args,
    scaleSetPriority: "Spot" as const,
    scaleSetEvictionPolicy: "Delete" as const,
    nodeTaints: [...nodeTaints.filter((one) => one !== taint), taint],
    nodeLabels: { ...nodeLabels, [SPOT]: "spot" },
    // Azure takes no surge of Spot nodes.
    upgradeSettings: { drainTimeoutInMinutes },
  };
}
