import { createHash } from "node:crypto";
import { AgentPool } from "@pulumi/azure-native/containerservice/agentPool.js";
import { MaintenanceConfiguration } from "@pulumi/azure-native/containerservice/maintenanceConfiguration.js";
import { ManagedCluster, type ManagedClusterArgs } from "@pulumi/azure-native/containerservice/managedCluster.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import { DiagnosticSetting } from "@pulumi/azure-native/monitor/diagnosticSetting.js";
import { Workspace } from "@pulumi/azure-native/operationalinsights/workspace.js";
import * as pulumi from "@pulumi/pulumi";
import { addressAt, parseNetwork } from "../../net/cidr.ts";
import { ClusterAccess } from "../../provider/sdk/clusterAccess.ts";
import { SystemPool } from "../../provider/sdk/systemPool.ts";
import type { ClusterSettings } from "../../settings/settings.ts";
import { after } from "../shared/after.ts";
import { BUILT_IN, grant } from "../shared/roles.ts";
import { AksNetwork } from "./aksNetwork.ts";

export interface AksClusterArgs {
  readonly resourceGroupName: pulumi.Input<string>;
  readonly settings: ClusterSettings;
  /** Whether registry and vault are to get private endpoints in the cluster's network. */
  readonly privateEndpoints: boolean;
  /** Whether Pulumi refuses to delete the cluster. */
  readonly protect: boolean;
}

/** How to reach a cluster's API server; without credentials. */
export interface ApiAccess {
  readonly clusterId: pulumi.Output<string>;
  readonly endpoint: pulumi.Output<string>;
  /** PEM, base64. */
  readonly certificateAuthority: pulumi.Output<string>;
  readonly kubeconfig: pulumi.Output<string>;
}

/** A managed Kubernetes cluster with its network, pools, identities, maintenance windows and logs. */
export class AksCluster extends pulumi.ComponentResource {
  readonly clusterId: pulumi.Output<string>;
  /** The cluster's name in Azure. */
  readonly clusterName: pulumi.Output<string>;
  /** The name for one who runs something in the cluster: arrives when every pool is there. */
  readonly readyClusterName: pulumi.Output<string>;
  /** Who signs its service accounts' tokens. */
  readonly oidcIssuerUrl: pulumi.Output<string>;
  /** Object id of the identity that its nodes pull images with; there before the cluster is. */
  readonly kubeletPrincipalId: pulumi.Output<string>;
  /** Its network, for private endpoints. */
  readonly network: { readonly vnetId: pulumi.Output<string>; readonly subnetId: pulumi.Output<string> };
  /** A kubeconfig that signs in with kubelogin; it holds no credentials. */
  readonly kubeconfig: pulumi.Output<string>;
  /** How to reach the API server, for one who runs something in the cluster: arrives when every pool is there. */
  readonly access: ApiAccess;

  constructor(name: string, args: AksClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:AksCluster", name, {}, opts);
    const { resourceGroupName } = args;
    const network = new AksNetwork(name, args, { parent: this });
    const control = new UserAssignedIdentity(`${name}-control`, { resourceGroupName }, { parent: this });
    const kubelet = new UserAssignedIdentity(`${name}-kubelet`, { resourceGroupName }, { parent: this });
    const logs = new Workspace(
      name,
      { resourceGroupName, sku: { name: "PerGB2018" }, retentionInDays: 30 },
      { parent: this },
    );
    const roles = this.grantControl(name, control, kubelet, network);
    const own = { resourceGroupName, dnsPrefix: name, ...clusterArgs(args, { control, kubelet, network, logs }) };
    const system = systemPoolArgs(args.settings, network);
    const cluster = new ManagedCluster(
      name,
      { ...own, agentPoolProfiles: [{ ...system, count: system.minCount }] },
      {
        parent: this,
        protect: args.protect,
        dependsOn: roles,
        // Azure needs the system pool to make a cluster, and from then on lists every pool here. Each pool is a resource of
        // its own.
        ignoreChanges: ["agentPoolProfiles"],
      },
    );
    // Writing the cluster writes its pools as they were then, the system pool's changes since then have to follow.
    new SystemPool(
      `${name}-${system.name}`,
      { clusterId: cluster.id, ...system, clusterRevision: pulumi.output(own).apply(digest) },
      { parent: this, deletedWith: cluster },
    );
    const pools = this.createUserPools(name, args, cluster, network);
    this.createMaintenance(name, args, cluster);
    this.createDiagnostics(name, cluster, logs);

    this.clusterId = cluster.id;
    this.clusterName = cluster.name;
    this.readyClusterName = after(cluster.name, ...pools);
    this.oidcIssuerUrl = cluster.oidcIssuerProfile.apply((profile) => profile?.issuerURL ?? "");
    this.kubeletPrincipalId = kubelet.principalId;
    this.network = { vnetId: network.vnetId, subnetId: network.endpointsSubnetId };
    const access = new ClusterAccess(name, { clusterId: cluster.id }, { parent: this });
    this.kubeconfig = access.kubeconfig;
    this.access = {
      clusterId: cluster.id,
      endpoint: after(access.endpoint, ...pools),
      certificateAuthority: access.certificateAuthority,
      kubeconfig: access.kubeconfig,
    };
    this.registerOutputs({
      clusterId: this.clusterId,
      clusterName: this.clusterName,
      oidcIssuerUrl: this.oidcIssuerUrl,
      kubeconfig: this.kubeconfig,
    });
  }

  /** What the control plane does in resources that it did not make itself. */
  private grantControl(
    name: string,
    control: UserAssignedIdentity,
    kubelet: UserAssignedIdentity,
    network: AksNetwork,
  ): pulumi.Resource[] {
    const principal = { principalId: control.principalId, principalType: "ServicePrincipal" } as const;
    return [
      grant(
        `${name}-network`,
        { ...principal, role: BUILT_IN.networkContributor, scope: network.vnetId },
        { parent: this },
      ),
      grant(
        `${name}-kubelet`,
        { ...principal, role: BUILT_IN.managedIdentityOperator, scope: kubelet.id },
        { parent: this },
      ),
    ];
  }

  private createUserPools(
    name: string,
    { resourceGroupName, settings }: AksClusterArgs,
    cluster: ManagedCluster,
    network: AksNetwork,
  ): AgentPool[] {
    return settings.userPools.map(
      (pool) =>
        new AgentPool(
          `${name}-${pool.name}`,
          {
            resourceGroupName,
            resourceName: cluster.name,
            agentPoolName: pool.name,
            mode: "User",
            ...poolArgs(pool, network),
            count: pool.minCount,
          },
          { parent: this, ignoreChanges: ["count"], deletedWith: cluster },
        ),
    );
  }

  private createMaintenance(name: string, { resourceGroupName, settings }: AksClusterArgs, cluster: ManagedCluster) {
    const { utcOffset, autoUpgrade, nodeOSUpgrade } = settings.maintenance;
    const windows = { aksManagedAutoUpgradeSchedule: autoUpgrade, aksManagedNodeOSUpgradeSchedule: nodeOSUpgrade };
    for (const [configName, { dayOfWeek, startTime, durationHours }] of Object.entries(windows))
      new MaintenanceConfiguration(
        `${name}-${configName}`,
        {
          resourceGroupName,
          resourceName: cluster.name,
          configName,
          maintenanceWindow: {
            schedule: { weekly: { intervalWeeks: 1, dayOfWeek } },
            startTime,
            durationHours,
            utcOffset,
          },
        },
        { parent: this, deletedWith: cluster },
      );
  }

  private createDiagnostics(name: string, cluster: ManagedCluster, logs: Workspace) {
    // kube-audit would add every read request: expensive, and kube-audit-admin has what changes something.
    const categories = [
      "kube-audit-admin",
      "guard",
      "kube-controller-manager",
      "cluster-autoscaler",
      "cloud-controller-manager",
    ];
    new DiagnosticSetting(
      name,
      {
        resourceUri: cluster.id,
        workspaceId: logs.id,
        logAnalyticsDestinationType: "Dedicated",
        logs: categories.map((category) => ({ category, enabled: true })),
      },
      { parent: this },
    );
  }
}

interface Parts {
  readonly control: UserAssignedIdentity;
  readonly kubelet: UserAssignedIdentity;
  readonly network: AksNetwork;
  readonly logs: Workspace;
}

function clusterArgs({ settings }: AksClusterArgs, { control, kubelet, network, logs }: Parts) {
  return {
    sku: { name: "Base", tier: settings.sku },
    supportPlan: settings.sku === "Premium" ? "AKSLongTermSupport" : "KubernetesOfficial",
    identity: { type: "UserAssigned", userAssignedIdentities: [control.id] },
    identityProfile: {
      kubeletidentity: { resourceId: kubelet.id, clientId: kubelet.clientId, objectId: kubelet.principalId },
    },
    // Whatever stands in the nodes' resource group is AKS's own; hands off.
    nodeResourceGroupProfile: { restrictionLevel: "ReadOnly" },
    enableRBAC: true,
    disableLocalAccounts: true,
    aadProfile: { managed: true, enableAzureRBAC: true, adminGroupObjectIDs: [...settings.adminGroups] },
    oidcIssuerProfile: { enabled: true },
    securityProfile: {
      workloadIdentity: { enabled: true },
      imageCleaner: { enabled: true, intervalHours: 168 },
      defender: settings.defender
        ? { logAnalyticsWorkspaceResourceId: logs.id, securityMonitoring: { enabled: true } }
        : { securityMonitoring: { enabled: false } },
    },
    addonProfiles: { azurepolicy: { enabled: true } },
    // Azure offers it from the Standard tier on.
    metricsProfile: { costAnalysis: { enabled: settings.sku !== "Free" } },
    autoUpgradeProfile: {
      upgradeChannel: settings.upgradeChannel,
      nodeOSUpgradeChannel: settings.nodeOSUpgradeChannel,
    },
    networkProfile: networkProfile(settings),
    apiServerAccessProfile: apiServerAccess(settings, network),
  } satisfies Partial<ManagedClusterArgs>;
}

function networkProfile({ network }: ClusterSettings) {
  const services = parseNetwork(network.services);
  if (!services) throw new Error(`cluster.network.services is no network: ${network.services}`);
  return {
    networkPlugin: "azure",
    networkPluginMode: "overlay",
    networkDataplane: "cilium",
    networkPolicy: "cilium",
    outboundType: "userAssignedNATGateway",
    loadBalancerSku: "standard",
    podCidr: network.pods,
    serviceCidr: network.services,
    // Where AKS itself puts it.
    dnsServiceIP: addressAt(services, 10),
  };
}

function apiServerAccess(settings: ClusterSettings, network: AksNetwork) {
  if (settings.private)
    return {
      enablePrivateCluster: true,
      enablePrivateClusterPublicFQDN: false,
      privateDNSZone: "system",
      enableVnetIntegration: true,
      subnetId: network.apiServerSubnetId,
      disableRunCommand: true,
    };
  const ranges = settings.authorizedIpRanges;
  // The nodes themselves come from the gateway's address.
  const nodes = pulumi.interpolate`${network.egressAddress}/32`;
  return { disableRunCommand: true, ...(ranges.length > 0 ? { authorizedIPRanges: [...ranges, nodes] } : {}) };
}

function systemPoolArgs(settings: ClusterSettings, network: AksNetwork) {
  return {
    name: "system",
    mode: "System",
    // Without another pool the applications have to run here.
    ...(settings.userPools.length > 0 ? { nodeTaints: ["CriticalAddonsOnly=true:NoSchedule"] } : {}),
    ...poolArgs(settings.systemPool, network),
  } as const;
}

type Pool = Omit<ClusterSettings["userPools"][number], "name">;

function poolArgs(pool: Pool, network: AksNetwork) {
  return {
    type: "VirtualMachineScaleSets",
    vmSize: pool.vmSize,
    osType: "Linux",
    osSKU: "AzureLinux",
    osDiskType: hasLocalDisk(pool.vmSize) ? "Ephemeral" : "Managed",
    vnetSubnetID: network.nodesSubnetId,
    availabilityZones: [...pool.zones],
    enableAutoScaling: true as const,
    minCount: pool.minCount,
    maxCount: pool.maxCount,
    upgradeSettings: { maxSurge: "33%", drainTimeoutInMinutes: 30 },
  };
}

function digest(value: unknown): string {
  return createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 12);
}

// In a size's name a `d` behind the number of cores says that it has a local disk, which the nodes' system can live on:
// https://learn.microsoft.com/azure/virtual-machines/vm-naming-conventions
function hasLocalDisk(vmSize: string): boolean {
  return /^Standard_[A-Z]+\d+(-\d+)?[a-ce-z]*d/.test(vmSize);
}
