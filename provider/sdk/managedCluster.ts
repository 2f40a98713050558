import type { ManagedClusterArgs as AzureArgs } from "@pulumi/azure-native/containerservice/managedCluster.js";
import * as pulumi from "@pulumi/pulumi";
import type { AgentPoolArgs } from "./agentPool.ts";

/** A cluster's kind and tier. */
export interface ClusterSkuArgs {
  /** Base, or Automatic. */
  readonly name: pulumi.Input<string>;
  /** Free, Standard or Premium. */
  readonly tier: pulumi.Input<string>;
}

/** Who a cluster's control plane is. */
export interface ClusterIdentityArgs {
  /** UserAssigned or SystemAssigned. */
  readonly type: pulumi.Input<string>;
  /** Their ARM ids. @default none */
  readonly userAssignedIdentities?: pulumi.Input<readonly pulumi.Input<string>[]>;
}

/**
 * The properties of a cluster, typed as azure-native's; of the autoscaler's settings ARM's names are theirs
 * (`scan-interval`).
 */
export interface ManagedClusterProperties
  extends Omit<
    AzureArgs,
    | "agentPoolProfiles"
    | "autoScalerProfile"
    | "extendedLocation"
    | "identity"
    | "kind"
    | "kubernetesVersion"
    | "location"
    | "resourceGroupName"
    | "resourceName"
    | "sku"
    | "tags"
  > {
  readonly autoScalerProfile?: pulumi.Input<Readonly<Record<string, pulumi.Input<string | boolean>>>>;
}

export interface ManagedClusterArgs {
  /** ARM id of the resource group. Another one makes another cluster. */
  readonly resourceGroupId: pulumi.Input<string>;
  /**
   * The cluster's name, decided before it is made, so that a cluster whose making was interrupted is found again. Another
   * one makes another cluster.
   */
  readonly name: pulumi.Input<string>;
  /** The region. Another one makes another cluster. */
  readonly location: pulumi.Input<string>;
  /** Its kind and tier. */
  readonly sku: pulumi.Input<ClusterSkuArgs>;
  /** Who the control plane is. */
  readonly identity: pulumi.Input<ClusterIdentityArgs>;
  /** Its tags; those that others give it stay. @default none */
  readonly tags?: pulumi.Input<Readonly<Record<string, pulumi.Input<string>>>>;
  /**
   * The version of Kubernetes: a minor such as `1.34`, whose patches are AKS's business, or a patch such as `1.34.1`. The
   * next minor upgrades the control plane, and an earlier or a later one is refused; the agent pools' versions are their
   * own. @default what AKS takes for a new cluster, and makes of it then
   */
  readonly kubernetesVersion?: pulumi.Input<string>;
  /**
   * The cluster's properties by Azure's names, all but its pools. What only another cluster can have makes another one.
   */
  readonly properties: pulumi.Input<ManagedClusterProperties>;
  /**
   * The agent pool that the cluster is made with; from then on a resource of its own. A change of it changes nothing.
   */
  readonly systemPool: pulumi.Input<Omit<AgentPoolArgs, "clusterId">>;
}

/**
 * An AKS cluster, without its agent pools. Only what is said here is looked at and written: patches, counts, images and
 * whatever else Azure fills in and changes by itself are no difference. A write leaves every agent pool as it is.
 *
 * A cluster of the same name is taken over where its tag `aks-gitops` says that this resource made it: an interrupted
 * update left it so. Another one is refused.
 *
 * Imported into a stack by the cluster's ARM id. A state of azure-native's own resource is taken over as it is.
 */
export class ManagedCluster extends pulumi.CustomResource {
  /** The cluster's name in Azure. */
  declare readonly name: pulumi.Output<string>;
  /** Who signs its service accounts' tokens: an `https://` URL; empty without one. */
  declare readonly oidcIssuerUrl: pulumi.Output<string>;
  /** The API server's URL. */
  declare readonly endpoint: pulumi.Output<string>;
  /** The API server's certificate authority: PEM, base64. */
  declare readonly certificateAuthority: pulumi.Output<string>;
  /** A kubeconfig (YAML) that gets its tokens through kubelogin; without credentials. */
  declare readonly kubeconfig: pulumi.Output<string>;
  /** Tells this resource from one that took its place; random. */
  declare readonly instance: pulumi.Output<string | undefined>;

  constructor(name: string, args: ManagedClusterArgs, opts?: pulumi.CustomResourceOptions) {
    const outputs = {
      oidcIssuerUrl: undefined,
      endpoint: undefined,
      certificateAuthority: undefined,
      kubeconfig: undefined,
      instance: undefined,
    };
    const moved = { aliases: [{ type: "azure-native:containerservice:ManagedCluster" }] };
    super("gitops:index:ManagedCluster", name, { ...args, ...outputs }, pulumi.mergeOptions(opts, moved));
  }
}
