// What AksCluster is made from, and what it takes where something is left out.
import type * as pulumi from "@pulumi/pulumi";
import { CLUSTER, POD_SECURITY, POOL, TAGS, USER_POOL, upgradeChannelOf } from "../defaults.ts";
import type { Tags } from "../shared/tags.ts";
import { type Filled, withDefaults } from "../shared/withDefaults.ts";

/** A node pool that Azure scales by itself. */
export interface PoolArgs {
  /** Size of the nodes, as Azure spells it. @default "Standard_D4ds_v5" */
  readonly vmSize?: string | undefined;
  /**
   * What the nodes' system lives on: a managed disk, or the size's local one, which is faster and free. Never changes.
   * @default what AKS chooses: Ephemeral where the local disk is large enough
   */
  readonly osDiskType?: "Managed" | "Ephemeral" | undefined;
  /** Size of that disk in GiB, 30 to 2048. Never changes. @default what AKS chooses */
  readonly osDiskSizeGB?: number | undefined;
  /** Availability zones that the nodes are spread over. @default none */
  readonly zones?: readonly ("1" | "2" | "3")[] | undefined;
  /** Fewest nodes, 1 to 1000; of applications' pools 0 to 1000. @default 1 */
  readonly minCount?: number | undefined;
  /** Most nodes that the autoscaler starts, 1 to 1000. @default 5 */
  readonly maxCount?: number | undefined;
  /** Whether AKS counts the nodes between minCount and maxCount; without that there are minCount. @default true */
  readonly enableAutoScaling?: boolean | undefined;
  /** Labels of the nodes. @default none: those that others gave them stay */
  readonly nodeLabels?: Readonly<Record<string, string>> | undefined;
  /** How many nodes an upgrade adds for a while: a number, or a percentage of the pool's. @default "33%" */
  readonly maxSurge?: string | undefined;
  /** How long an upgrade waits for pods to leave a node, in minutes, 1 to 1440. @default 30 */
  readonly drainTimeoutInMinutes?: number | undefined;
}

/** A node pool of applications. */
export interface UserPoolArgs extends PoolArgs {
  /** 1 to 12 lower-case letters and digits, a letter first; not `system`. */
  readonly name: string;
  /** Taints of the nodes, `<key>=<value>:<effect>`. @default none */
  readonly nodeTaints?: readonly string[] | undefined;
  /**
   * Spot nodes cost less and may be taken away at any moment. AKS gives them the taint
   * `kubernetes.azure.com/scalesetpriority=spot:NoSchedule` and a label of that name, and lets an upgrade add none. Never
   * changes. @default "Regular"
   */
  readonly scaleSetPriority?: "Regular" | "Spot" | undefined;
}

/** ARM ids of subnets of one virtual network that is there, in the cluster's region and subscription. */
export interface SubnetArgs {
  /** The nodes'; delegated to nobody. */
  readonly nodes: string;
  /** A private API server's: of /28 or more, delegated to Microsoft.ContainerService/managedClusters. @default none */
  readonly apiServer?: string | undefined;
  /** Private endpoints'; delegated to nobody. @default none */
  readonly endpoints?: string | undefined;
}

/** ARM ids of private DNS zones that are there, in any subscription. */
export interface ZoneArgs {
  /**
   * A private API server's: `[<subzone>.]private.<region>.azmk8s.io`; or `own` for a zone that is made,
   * `<stack>.private.<region>.azmk8s.io`. Another one makes another cluster. @default none: the private address has a
   * public name
   */
  readonly apiServer?: string | undefined;
  /** The registry's, `privatelink.azurecr.io`. @default a zone that is made */
  readonly registry?: string | undefined;
  /** The vault's, `privatelink.vaultcore.azure.net`. @default a zone that is made */
  readonly vault?: string | undefined;
}

/** IPv4 networks in CIDR notation; no two of them share an address, but for the subnets and their vnet. */
export interface NetworkArgs {
  /**
   * Subnets that are there instead of a virtual network that is made: neither they nor anything else of their network is
   * ever changed or deleted, and vnet, nodes, apiServer and endpoints are not used. Others make another cluster.
   * @default none
   */
  readonly subnets?: SubnetArgs | undefined;
  /** Private DNS zones that are there. @default none */
  readonly zones?: ZoneArgs | undefined;
  /** The virtual network. @default "10.60.0.0/16" */
  readonly vnet?: string | undefined;
  /** Subnet of the nodes, a part of vnet. @default "10.60.0.0/20" */
  readonly nodes?: string | undefined;
  /** Subnet of a private API server, a part of vnet. @default "10.60.16.0/28" */
  readonly apiServer?: string | undefined;
  /** Subnet of private endpoints, a part of vnet. @default "10.60.17.0/24" */
  readonly endpoints?: string | undefined;
  /** The overlay's addresses of pods; not routed outside the cluster. @default "10.244.0.0/16" */
  readonly pods?: string | undefined;
  /** Addresses of Kubernetes services; not routed outside the cluster. @default "10.0.0.0/16" */
  readonly services?: string | undefined;
}

/**
 * How the nodes' traffic leaves the network: by a NAT gateway with an address of its own, by a load balancer of AKS's own,
 * by the private address of a firewall, which the network has to reach, or by a route table that is there. With
 * {@link NetworkArgs.subnets} the NAT gateway or the route table is the one that the nodes' subnet has.
 */
export type Egress = "natGateway" | "loadBalancer" | RoutedEgress;

/** Either of both. */
export interface RoutedEgress {
  /** The firewall's private IPv4 address; a route table that leads everything there is made. */
  readonly firewall?: string | undefined;
  /** The route table's ARM id; it is never changed or deleted. */
  readonly routeTableId?: string | undefined;
}

/** A window of every week in which AKS may upgrade. */
export interface WindowArgs {
  /** @default "Sunday" for autoUpgrade, "Saturday" for nodeOSUpgrade */
  readonly dayOfWeek?: "Monday" | "Tuesday" | "Wednesday" | "Thursday" | "Friday" | "Saturday" | "Sunday" | undefined;
  /** Hours and minutes, in utcOffset. @default "01:00" */
  readonly startTime?: string | undefined;
  /** Hours, 4 to 24. @default 6 */
  readonly durationHours?: number | undefined;
}

/**
 * What an Entra group may do in the cluster: by one of Azure's roles for Kubernetes' objects. A group also gets what it
 * needs to sign in (Azure Kubernetes Service Cluster User).
 */
export interface AccessArgs {
  /** The group's object id. */
  readonly group: string;
  /**
   * Reader sees most objects, no secrets; Writer changes them, secrets too; Admin also gives such roles within Kubernetes;
   * ClusterAdmin may everything. https://learn.microsoft.com/azure/aks/manage-azure-rbac
   */
  readonly role: "Reader" | "Writer" | "Admin" | "ClusterAdmin";
  /** In which namespaces alone; not of ClusterAdmin. @default in all */
  readonly namespaces?: readonly string[] | undefined;
}

/**
 * One of Azure's initiatives for pods, after Kubernetes' Pod Security Standards. Whoever runs the program needs the right
 * to assign policies: Resource Policy Contributor, or Owner. What stands in kube-system, gatekeeper-system or azure-arc is
 * never looked at.
 */
export interface PodSecurityArgs {
  /** Baseline refuses what gets out of a pod: privilege, the host's namespaces and paths; Restricted much more. @default "Baseline" */
  readonly initiative?: "Baseline" | "Restricted" | undefined;
  /** Audit names pods that are not as they should be; Deny lets none in. @default "Audit" */
  readonly effect?: "Audit" | "Deny" | undefined;
  /** Further namespaces that are not looked at, for what needs privilege. @default none */
  readonly excludedNamespaces?: readonly string[] | undefined;
}

/**
 * Who is told by mail when something is wrong: nodes and pods that are not as they should be, where metrics are kept; and
 * Flux.
 */
export interface AlertsArgs {
  /** Addresses of mail. */
  readonly emails: readonly string[];
  /**
   * Whether a Flux of the extension is watched too: a fluxConfiguration that is not compliant for 15 minutes. A managed
   * identity gets Reader on the cluster and on the workspace of its logs for that. @default false
   */
  readonly fluxConfigurations?: boolean | undefined;
}

/** When AKS upgrades by itself. */
export interface MaintenanceArgs {
  /** What the windows' times are in. @default "+00:00" */
  readonly utcOffset?: string | undefined;
  /** The window of the control plane and the nodes' Kubernetes. */
  readonly autoUpgrade?: WindowArgs | undefined;
  /** The window of the nodes' operating system; does not overlap the other one. */
  readonly nodeOSUpgrade?: WindowArgs | undefined;
}

/** What an AksCluster is to be; only the resource group has no default. */
export interface AksClusterArgs {
  /** Name of the resource group that everything is made in, in its region. */
  readonly resourceGroupName: pulumi.Input<string>;
  /** Azure's tier: Free has no SLA, Premium is for long-term support. @default "Standard" */
  readonly sku?: "Free" | "Standard" | "Premium" | undefined;
  /** Whether the API server has an address in the virtual network only. @default false */
  readonly private?: boolean | undefined;
  /** Networks in CIDR notation that reach a public API server. @default all */
  readonly authorizedIpRanges?: readonly string[] | undefined;
  /** Networks from which the program runs: with authorizedIpRanges they reach the API server too. @default none */
  readonly runnerAddresses?: readonly string[] | undefined;
  /** Object ids of the Entra groups that administrate the cluster. @default none */
  readonly adminGroups?: readonly pulumi.Input<string>[] | undefined;
  /** What further Entra groups may do in the cluster, by Azure's roles. @default nothing */
  readonly access?: readonly AccessArgs[] | undefined;
  /** How the nodes' traffic leaves the network; another one makes another cluster. @default "natGateway" */
  readonly egress?: Egress | undefined;
  /**
   * Whether a NAT gateway that is made works as long as one zone of the region does: the StandardV2 tier, which some
   * regions have not (https://learn.microsoft.com/azure/nat-gateway/nat-sku). Another one has another public address.
   * @default false: the Standard tier, which is in one zone
   */
  readonly zoneRedundantEgress?: boolean | undefined;
  /**
   * Ports, or ranges such as "30000-30100", on which everybody may reach services of type LoadBalancer that have a public
   * address; AKS opens those that a service has. @default ["80", "443"]
   */
  readonly publicPorts?: readonly string[] | undefined;
  /** Networks of nodes, pods, services and others. */
  readonly network?: NetworkArgs | undefined;
  /**
   * ARM id of a user-assigned identity that is there, of the cluster's subscription: the control plane's. Whoever has it
   * gave it Network Contributor on network.subnets, or with a zone of the API server's on their network, and Private DNS
   * Zone Contributor on that zone: then no role is assigned outside of the resource group. @default one that is made
   */
  readonly identityId?: string | undefined;
  /**
   * ARM id of the virtual network from which the program runs, where that is another one than the cluster's, in any
   * subscription: private names are made known there too, and a network that is made is peered with it. One that is there
   * ({@link NetworkArgs.subnets}) has a way to it already. @default none
   */
  readonly runnerNetworkId?: string | undefined;
  /** Whether there is a subnet for private endpoints, {@link NetworkArgs.endpoints}. @default false */
  readonly privateEndpoints?: boolean | undefined;
  /**
   * Auto: AKS makes nodes of whatever size pods wait for, beside the pools. The autoscaler has to be off then, in every
   * pool: in a cluster that stands by an update of its own before. https://learn.microsoft.com/azure/aks/node-autoprovision
   * @default "Manual"
   */
  readonly nodeProvisioning?: "Manual" | "Auto" | undefined;
  /** The pool of the cluster's own pods. */
  readonly systemPool?: PoolArgs | undefined;
  /** Pools of the applications; without one they run on the system pool. @default none */
  readonly userPools?: readonly UserPoolArgs[] | undefined;
  /** When AKS upgrades by itself; weekly. */
  readonly maintenance?: MaintenanceArgs | undefined;
  /**
   * The version of Kubernetes: a minor such as "1.34", or a patch such as "1.34.1". The next minor upgrades the control
   * plane and then, one after the other, the pools; an earlier or a later one is refused.
   * @default what AKS takes for a new cluster, and what upgradeChannel makes of it then
   */
  readonly kubernetesVersion?: string | undefined;
  /**
   * How far AKS upgrades Kubernetes by itself; with kubernetesVersion not beyond it, and with none not at all.
   * @default "stable"; "patch" where sku is Premium or kubernetesVersion is a minor, "none" where that is a patch
   */
  readonly upgradeChannel?: "none" | "patch" | "stable" | "rapid" | "node-image" | undefined;
  /**
   * How the nodes' operating system is updated: by new images, by AKS's patches, by itself each night (Unmanaged, which
   * leaves reboots to the likes of Kured), or not at all (None). @default "NodeImage"
   */
  readonly nodeOSUpgradeChannel?: "NodeImage" | "SecurityPatch" | "Unmanaged" | "None" | undefined;
  /**
   * Whether Azure Monitor keeps the cluster's metrics, as managed Prometheus; Azure bills by sample. Whoever runs the program
   * needs to read data collection rules in the subscription: the workspace's own is in a group that Azure makes for it.
   * @default true, and false where sku is Free
   */
  readonly metrics?: boolean | undefined;
  /** Who is told by mail when something is wrong. @default nobody */
  readonly alerts?: AlertsArgs | undefined;
  /** Azure Policy's rules for pods, assigned on the cluster. @default none */
  readonly podSecurity?: PodSecurityArgs | undefined;
  /** Whether Microsoft Defender for Containers watches the cluster. @default true, and false where sku is Free */
  readonly defender?: boolean | undefined;
  /**
   * ARM id of a Log Analytics workspace that is there already, in any subscription of the tenant, for the control plane's
   * logs and Defender; it is neither changed nor deleted. @default none: one is made
   */
  readonly logWorkspaceId?: pulumi.Input<string> | undefined;
  /** Whether Pulumi refuses to delete or replace the cluster and its user pools. @default false */
  readonly protect?: boolean | undefined;
  /** Tags of every resource that can have them. @default none */
  readonly tags?: Tags | undefined;
}

/** A pool with nothing left out. */
export type Pool = Filled<PoolArgs, typeof POOL>;
/** A pool of applications with nothing left out. */
export type UserPool = Filled<UserPoolArgs, typeof POOL & typeof USER_POOL>;
/** The networks with nothing left out. */
export type Networks = Filled<NetworkArgs, typeof CLUSTER.network>;
/** Rules for pods with nothing left out. */
export type PodSecurity = Filled<PodSecurityArgs, typeof POD_SECURITY>;
type Window = Filled<WindowArgs, typeof CLUSTER.maintenance.autoUpgrade>;

/** What a cluster is to be, with nothing left out. */
export interface Cluster extends Omit<Filled<AksClusterArgs, typeof CLUSTER>, "tags"> {
  readonly network: Networks;
  readonly egress: Egress;
  readonly publicPorts: readonly string[];
  readonly systemPool: Pool;
  readonly userPools: readonly UserPool[];
  readonly maintenance: { readonly utcOffset: string; readonly autoUpgrade: Window; readonly nodeOSUpgrade: Window };
  readonly privateEndpoints: boolean;
  readonly podSecurity: PodSecurity | undefined;
  readonly metrics: boolean;
  readonly defender: boolean;
  readonly protect: boolean;
  readonly tags: Tags;
}

/** The arguments with every default filled in. */
export function filled(args: AksClusterArgs): Cluster {
  const flat = withDefaults(args, { ...CLUSTER, privateEndpoints: false, protect: false, tags: TAGS });
  const { autoUpgrade, nodeOSUpgrade } = CLUSTER.maintenance;
  return {
    ...flat,
    network: withDefaults<NetworkArgs, typeof CLUSTER.network>(flat.network, CLUSTER.network),
    systemPool: withDefaults<PoolArgs, typeof POOL>(flat.systemPool, POOL),
    userPools: flat.userPools.map((pool) =>
      withDefaults<UserPoolArgs, typeof POOL & typeof USER_POOL>(pool, { ...POOL, ...USER_POOL }),
    ),
    maintenance: {
      utcOffset: flat.maintenance.utcOffset ?? CLUSTER.maintenance.utcOffset,
      autoUpgrade: withDefaults<WindowArgs, typeof autoUpgrade>(flat.maintenance.autoUpgrade ?? {}, autoUpgrade),
      nodeOSUpgrade: withDefaults<WindowArgs, typeof nodeOSUpgrade>(
        flat.maintenance.nodeOSUpgrade ?? {},
        nodeOSUpgrade,
      ),
    },
    podSecurity: flat.podSecurity && withDefaults<PodSecurityArgs, typeof POD_SECURITY>(flat.podSecurity, POD_SECURITY),
    upgradeChannel: args.upgradeChannel ?? upgradeChannelOf(flat.sku, args.kubernetesVersion),
    metrics: flat.metrics ?? flat.sku !== "Free",
    defender: flat.defender ?? flat.sku !== "Free",
  };
}
