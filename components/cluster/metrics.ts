// Azure Monitor's managed Prometheus: https://learn.microsoft.com/azure/azure-monitor/containers/kubernetes-monitoring-enable
import { AzureMonitorWorkspace } from "@pulumi/azure-native/monitor/azureMonitorWorkspace.js";
import { DataCollectionEndpoint } from "@pulumi/azure-native/monitor/dataCollectionEndpoint.js";
import { DataCollectionRule } from "@pulumi/azure-native/monitor/dataCollectionRule.js";
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

const STREAMS = ["Microsoft-PrometheusMetrics"];

/**
 * Keeps a cluster's metrics.
 * @returns the workspace that has them.
 */
export function keepMetrics(
  name: string,
  { resourceGroupName, tags }: Cluster,
  { location, named }: MonitoringPlace,
  clusterId: pulumi.Input<string>,
  opts: pulumi.CustomResourceOptions,
): AzureMonitorWorkspace {
  const common = { resourceGroupName, location, ...tagged(tags) };
  const child = newFirst(opts);
  const workspace = new AzureMonitorWorkspace(name, { ...common, azureMonitorWorkspaceName: named(name) }, child);
  const endpoint = new DataCollectionEndpoint(
    name,
    {
      ...common,
      dataCollectionEndpointName: named(name),
      kind: "Linux",
      networkAcls: { publicNetworkAccess: "Enabled" },
    },
    child,
  );
  const rule = new DataCollectionRule(
    name,
    {
      ...common,
      dataCollectionRuleName: named(name),
      kind: "Linux",
      dataCollectionEndpointId: endpoint.id,
      dataSources: { prometheusForwarder: [{ name: "prometheus", streams: STREAMS }] },
      destinations: { monitoringAccounts: [{ name: "workspace", accountResourceId: workspace.id }] },
      dataFlows: [{ streams: STREAMS, destinations: ["workspace"] }],
    },
    child,
  );
  new DataCollectionRuleAssociation(
    name,
    { resourceUri: clusterId, associationName: name, dataCollectionRuleId: rule.id },
    child,
  );
  return workspace;
}
