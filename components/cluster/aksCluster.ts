import { getClientConfigOutput } from "@pulumi/azure-native/authorization/getClientConfig.js";
import { MaintenanceConfiguration } from "@pulumi/azure-native/containerservice/maintenanceConfiguration.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import { DiagnosticSetting } from "@pulumi/azure-native/monitor/diagnosticSetting.js";
import { Workspace } from "@pulumi/azure-native/operationalinsights/workspace.js";
import * as pulumi from "@pulumi/pulumi";
import { RandomId } from "@pulumi/random/randomId.js";
import { AgentPool } from "../../provider/sdk/agentPool.ts";
import { ManagedCluster } from "../../provider/sdk/managedCluster.ts";
import { after } from "../shared/after.ts";
import { existing } from "../shared/existing.ts";
import { refuse } from "../shared/faults.ts";
import { decideNames } from "../shared/names.ts";
import { newFirst } from "../shared/newFirst.ts";
import type { EndpointNetwork } from "../shared/privateEndpoint.ts";
import { tagged } from "../shared/tags.ts";
import { type AksClusterArgs, type Cluster, filled } from "./aksClusterArgs.ts";
import { AksNetwork } from "./aksNetwork.ts";
import type { ApiAccess } from "./apiAccess.ts";
import { apiServerZone } from "./apiServerZone.ts";
import { clusterFaults } from "./clusterFaults.ts";
import type { ClusterNetwork } from "./clusterNetwork.ts";
import { controlRoles, existingIdentity } from "./controlIdentity.ts";
import { existingNetwork } from "./existingNetwork.ts";
import {
  type ClusterParts,
  clusterProperties,
  networkProfile,
  poolVersion,
  systemPoolArgs,
  userPoolArgs,
} from "./managedCluster.ts";

/** A managed Kubernetes cluster with its network, pools, identities, maintenance windows and logs. */
export class AksCluster extends pulumi.ComponentResource {
  /** The cluster's ARM id. */
  readonly clusterId: pulumi.Output<string>;
  /** The cluster's name in Azure. */
  readonly clusterName: pulumi.Output<string>;
  /** The name for one who runs something in the cluster: arrives when every pool is there. */
  readonly readyClusterName: pulumi.Output<string>;
  /** Who signs its service accounts' tokens: an `https://` URL. */
  readonly oidcIssuerUrl: pulumi.Output<string>;
  /** Object id of the identity that its nodes pull images with; there before the cluster is. */
  readonly kubeletPrincipalId: pulumi.Output<string>;
  /** ARM id of the workspace that its logs go to; there before the cluster is. */
  readonly logWorkspaceId: pulumi.Output<string>;
  /** Its network, for private endpoints; their subnet is there where privateEndpoints was set. */
  readonly network: EndpointNetwork;
  /** A kubeconfig that signs in with kubelogin; it holds no credentials. */
  readonly kubeconfig: pulumi.Output<string>;
  /** How to reach the API server, for one who runs something in the cluster: arrives when every pool is there. */
  readonly access: { readonly [K in Exclude<keyof ApiAccess, "kubeContext">]: pulumi.Output<string> };

  /** @throws pulumi.ResourceError naming every argument that cannot work. */
  constructor(name: string, args: AksClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:AksCluster", name, {}, opts);
    const wanted = filled(args);
    refuse(this, name, clusterFaults(wanted));
    const parts = this.#createParts(name, wanted);
    const cluster = this.#createCluster(name, wanted, parts);
    const pools = this.#createPools(name, wanted, cluster, parts.network);
    this.#createMaintenance(name, wanted, cluster);
    this.#createDiagnostics(name, cluster, parts.logs);

    this.clusterId = cluster.id;
    this.clusterName = cluster.name;
    this.readyClusterName = after(cluster.name, ...pools);
    this.oidcIssuerUrl = cluster.oidcIssuerUrl;
    this.kubeletPrincipalId = parts.kubelet.principalId;
    this.logWorkspaceId = parts.logs.id;
    this.network = parts.network.forEndpoints;
    this.kubeconfig = cluster.kubeconfig;
    this.access = {
      clusterId: cluster.id,
      endpoint: after(cluster.endpoint, ...pools),
      certificateAuthority: cluster.certificateAuthority,
    };
    this.registerOutputs({
      clusterId: this.clusterId,
      clusterName: this.clusterName,
      oidcIssuerUrl: this.oidcIssuerUrl,
      kubeconfig: this.kubeconfig,
    });
  }

  #createParts(name: string, wanted: Cluster): ClusterParts {
    const { resourceGroupName } = wanted;
    const common = { resourceGroupName, ...tagged(wanted.tags) };
    const names = decideNames(name, { parent: this });
    const identity = (who: string) => {
      const logicalName = `${name}-${who}`;
      const args = { ...common, resourceName: names.of(logicalName) };
      return new UserAssignedIdentity(logicalName, args, newFirst({ parent: this }));
    };
    const kubelet = identity("kubelet");
    const { location } = kubelet;
    const network = this.#createNetwork(name, wanted, location);
    return {
      network,
      zone: apiServerZone(name, wanted, location, network, { parent: this }),
      control: wanted.identityId === undefined ? identity("control") : existingIdentity(this, name, wanted.identityId),
      kubelet,
      logs:
        wanted.logWorkspaceId === undefined
          ? new Workspace(
              name,
              { ...common, workspaceName: names.of(name), sku: { name: "PerGB2018" }, retentionInDays: 30 },
              newFirst({ parent: this }),
            )
          : Workspace.get(name, existing("logWorkspaceId", wanted.logWorkspaceId, {}, this), { parent: this }),
    };
  }

  #createNetwork(name: string, wanted: Cluster, region: pulumi.Output<string>): ClusterNetwork {
    const { resourceGroupName, network, runnerNetworkId, egress, zoneRedundantEgress, publicPorts, tags } = wanted;
    const { vnet, nodes, apiServer, endpoints, subnets, zones } = network;
    if (subnets !== undefined) return existingNetwork(this, name, subnets, region, wanted);
    return new AksNetwork(
      name,
      {
        ...{ resourceGroupName, vnet, nodes, zones, runnerNetworkId, egress, zoneRedundantEgress, publicPorts, tags },
        // Where everything else is, which need not be the resource group's.
        location: region,
        ...(wanted.private ? { apiServer } : {}),
        ...(wanted.privateEndpoints ? { endpoints } : {}),
      },
      { parent: this },
    );
  }

  #createCluster(name: string, wanted: Cluster, parts: ClusterParts): ManagedCluster {
    const tags = tagged(wanted.tags);
    const system = systemPoolArgs(wanted, parts.network);
    const { subscriptionId } = getClientConfigOutput({ parent: this });
    return new ManagedCluster(
      name,
      {
        resourceGroupId: pulumi.interpolate`/subscriptions/${subscriptionId}/resourceGroups/${wanted.resourceGroupName}`,
        name: this.#randomName(name, wanted),
        location: parts.kubelet.location,
        sku: { name: "Base", tier: wanted.sku },
        identity: { type: "UserAssigned", userAssignedIdentities: [parts.control.id] },
        ...(wanted.kubernetesVersion && { kubernetesVersion: wanted.kubernetesVersion }),
        properties: { dnsPrefix: name, ...clusterProperties(wanted, parts) },
        systemPool: { ...system, ...tags },
        ...tags,
      },
      {
        parent: this,
        protect: wanted.protect,
        dependsOn: [...controlRoles(name, wanted, parts, { parent: this }), ...(parts.zone?.links ?? [])],
      },
    );
  }

  // In the state before the cluster is, so that an `up` that was killed finds it again. A cluster that takes another's
  // place has another name, for both are there for a while.
  #randomName(name: string, { resourceGroupName, network, egress }: Cluster): pulumi.Output<string> {
    const { subnets, zones } = network;
    const place = {
      ...(subnets && { subnets: { ...subnets } }),
      ...(zones?.apiServer && { zone: zones.apiServer }),
    };
    const { hex } = new RandomId(
      `${name}-name`,
      { byteLength: 4 },
      newFirst({
        parent: this,
        replacementTrigger: { resourceGroupName, network: networkProfile({ network, egress }), ...place },
      }),
    );
    return pulumi.interpolate`${name}-${hex}`;
  }

  /** Every pool; gives those of the applications. */
  #createPools(name: string, wanted: Cluster, cluster: ManagedCluster, network: ClusterNetwork): AgentPool[] {
    const common = { clusterId: cluster.id, ...poolVersion(wanted), ...tagged(wanted.tags) };
    // Azure needs it to make a cluster; from then on it is a resource of its own as the others are.
    const system = systemPoolArgs(wanted, network);
    const opts = { parent: this, deletedWith: cluster };
    const systemPool = new AgentPool(`${name}-${system.name}`, { ...common, ...system }, opts);
    // An upgrade of it takes its time; else nothing is written of it as a rule.
    const first = wanted.kubernetesVersion === undefined ? [] : [systemPool];
    const pools: AgentPool[] = [];
    for (const pool of wanted.userPools)
      pools.push(
        new AgentPool(
          `${name}-${pool.name}`,
          { ...common, ...userPoolArgs(pool, network) },
          {
            parent: this,
            // By itself it goes in minutes, and not where a disruption budget holds its pods.
            deletedWith: cluster,
            // One after the other: Azure may refuse to write two pools of a cluster at a time.
            dependsOn: pools.length > 0 ? pools.slice(-1) : first,
          },
        ),
      );
    return pools;
  }

  #createMaintenance(name: string, { resourceGroupName, maintenance }: Cluster, cluster: ManagedCluster): void {
    const { utcOffset, autoUpgrade, nodeOSUpgrade } = maintenance;
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
        newFirst({ parent: this }),
      );
  }

  #createDiagnostics(name: string, cluster: ManagedCluster, logs: Workspace): void {
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
        name,
        resourceUri: cluster.id,
        workspaceId: logs.id,
        logAnalyticsDestinationType: "Dedicated",
        logs: categories.map((category) => ({ category, enabled: true })),
      },
      newFirst({ parent: this }),
    );
  }
}
