import * as pulumi from "@pulumi/pulumi";

/** How an agent pool is upgraded. */
export interface UpgradeSettingsArgs {
  /** How many nodes an upgrade adds for a while, a number or percentage. @default none, as Azure wants of Spot nodes */
  readonly maxSurge?: pulumi.Input<string>;
  /** How long an upgrade waits for pods to leave, in minutes. */
  readonly drainTimeoutInMinutes: pulumi.Input<number>;
}

/**
 * The pool's settings, by Azure's names. Azure changes those of scaling, upgrades, taints and the OS' image in place; a
 * change of another one makes another pool of mode User; of mode System it is refused, with what can be done instead.
 */
export interface AgentPoolArgs {
  /** The cluster's ARM id. Another one makes another resource. */
  readonly clusterId: pulumi.Input<string>;
  /**
   * The pool's name in the cluster. Another one makes another resource. A pool of mode User that has to be made anew is
   * called by its first letters and four digits, for both are there until the old one's pods have moved.
   */
  readonly name: pulumi.Input<string>;
  /** What the pool is for: AKS's own pods, or the applications'. */
  readonly mode: pulumi.Input<"System" | "User">;
  /** Cannot be changed. */
  readonly type: pulumi.Input<string>;
  /** Cannot be changed. */
  readonly vmSize: pulumi.Input<string>;
  /** Cannot be changed. */
  readonly osType: pulumi.Input<string>;
  /** The nodes' operating system. */
  readonly osSKU: pulumi.Input<string>;
  /** Managed or Ephemeral. Cannot be changed. @default what Azure chose: Ephemeral where the size has room */
  readonly osDiskType?: pulumi.Input<string>;
  /** Size of the system disk in GiB. Cannot be changed. @default what Azure chose */
  readonly osDiskSizeGB?: pulumi.Input<number>;
  /** Spot: nodes that Azure may take away. Cannot be changed. @default Regular */
  readonly scaleSetPriority?: pulumi.Input<"Regular" | "Spot">;
  /** What becomes of Spot nodes that are taken away. Cannot be changed. @default what Azure chose: Delete */
  readonly scaleSetEvictionPolicy?: pulumi.Input<"Delete" | "Deallocate">;
  /** ARM id of the nodes' subnet. Cannot be changed. */
  readonly vnetSubnetID: pulumi.Input<string>;
  /**
   * The nodes' version of Kubernetes: a minor such as `1.34`, or a patch such as `1.34.1`, which the control plane has by
   * then. A pool of another one gets the control plane's, node by node, as upgradeSettings say.
   * @default what AKS makes of it; a new pool has the control plane's
   */
  readonly orchestratorVersion?: pulumi.Input<string>;
  /** Cannot be changed. @default none */
  readonly availabilityZones?: pulumi.Input<readonly pulumi.Input<string>[]>;
  /**
   * How many nodes there are is the autoscaler's business: a new pool has the least number, and from then on the number
   * is never written but to be within the limits. Where it is false the pool has the least number of nodes.
   */
  readonly enableAutoScaling: pulumi.Input<boolean>;
  /** The least number of nodes, 0 to 1000; of a system pool 1 to 1000. */
  readonly minCount: pulumi.Input<number>;
  /** The largest number of nodes, 0 to 1000; of a system pool 1 to 1000. */
  readonly maxCount: pulumi.Input<number>;
  /** The nodes' taints: `<key>=<value>:<effect>`. @default none: what Azure has there is removed */
  readonly nodeTaints?: pulumi.Input<readonly pulumi.Input<string>[]>;
  /** The nodes' labels, all of them. @default those that others gave them stay */
  readonly nodeLabels?: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>;
  /** The tags of pool and nodes, all of them. @default those that others gave it stay */
  readonly tags?: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>;
  /** How the pool is upgraded. */
  readonly upgradeSettings: pulumi.Input<UpgradeSettingsArgs>;
}

/**
 * An agent pool of an AKS cluster. One that is there already is taken over: what differs is changed, what is not said
 * here is not touched. What only another pool could have makes another pool of mode User, before the old one is deleted;
 * of mode System it is refused.
 *
 * A pool of mode System is only ever taken over: Azure wants it in the cluster's own body to make the cluster. Deleting
 * it changes nothing in Azure, for a cluster must have a system pool, which goes with it. A pool of mode User is made
 * where it is not there, and deleted; that respects the pods' disruption budgets and takes minutes, so let it go with
 * its cluster (`deletedWith`) where the cluster goes too.
 *
 * Imported into a stack by the agent pool's ARM id: `<cluster's ARM id>/agentPools/<name>`.
 */
export class AgentPool extends pulumi.CustomResource {
  /** Tells this resource from one that took its place; random. */
  declare readonly instance: pulumi.Output<string | undefined>;

  constructor(name: string, args: AgentPoolArgs, opts?: pulumi.CustomResourceOptions) {
    super("gitops:index:AgentPool", name, { ...args, instance: undefined }, opts);
  }
}
