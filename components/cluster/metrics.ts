// Azure Monitor's managed Prometheus: https://learn.microsoft.com/azure/azure-monitor/containers/kubernetes-monitoring-enable
import { AzureMonitorWorkspace } from "@pulumi/azure-native/monitor/azureMonitorWorkspace.js";
import { DataCollectionRuleAssociation } from "@pulumi/azure-native/monitor/dataCollectionRuleAssociation.js";
import type * as pulumi from "@pulumi/pulumi";
import { newFirst } from "../shared/newFirst.ts";
import { tagged } from "../shared/tags.ts";
import type { Cluster } from "./aksClusterArgs.ts";

/** Where a cluster's monitoring stands, and what it is called. */
export interface MonitoringPlace {
  readonly location: pulumi.Output<string>;
  /** The name of the resource with this logical name. */
  readonly named: (logicalName: string) => pulumi.Output<string>;
}

/**
 * Keeps a cluster's metrics. Azure makes a data collection endpoint and rule with the workspace, in a group of its own; the
 * cluster's agent needs no more than an association with that rule.
 * @returns the workspace that has them.
 */
export function keepMetrics(
  name: string,
  { resourceGroupName, tags }: Cluster,
  { location, named }: MonitoringPlace,
  clusterId: pulumi.Input<string>,
  opts: pulumi.CustomResourceOptions,
): AzureMonitorWorkspace {
  const child = newFirst(opts);
  const workspace = new AzureMonitorWorkspace(
    name,
    { resourceGroupName, location, ...tagged(tags), azureMonitorWorkspaceName: named(name) },
    child,
  );
  new DataCollectionRuleAssociation(
    name,
    {
      resourceUri: clusterId,
      associationName: name,
      dataCollectionRuleId: workspace.defaultIngestionSettings.dataCollectionRuleResourceId,
    },
    child,
  );
  return workspace;
}
