// Who is told when something is wrong with a cluster.
import { PrometheusRuleGroup } from "@pulumi/azure-native/alertsmanagement/prometheusRuleGroup.js";
import { UserAssignedIdentity } from "@pulumi/azure-native/managedidentity/userAssignedIdentity.js";
import { ActionGroup } from "@pulumi/azure-native/monitor/actionGroup.js";
import type { AzureMonitorWorkspace } from "@pulumi/azure-native/monitor/azureMonitorWorkspace.js";
import { ScheduledQueryRule } from "@pulumi/azure-native/monitor/scheduledQueryRule.js";
import * as pulumi from "@pulumi/pulumi";
import { type Fault, unlike } from "../shared/faults.ts";
import { newFirst } from "../shared/newFirst.ts";
import { BUILT_IN, grant } from "../shared/roles.ts";
import { tagged } from "../shared/tags.ts";
import type { Cluster } from "./aksClusterArgs.ts";
import type { MonitoringPlace } from "./metrics.ts";
import { EMAIL } from "./names.ts";

/** What is looked at. */
interface Watched {
  readonly clusterId: pulumi.Output<string>;
  readonly clusterName: pulumi.Output<string>;
  /** The cluster's metrics, where they are kept. */
  readonly metrics: AzureMonitorWorkspace | undefined;
  /** ARM id of the Log Analytics workspace that a query is asked in. */
  readonly logsId: pulumi.Output<string>;
}

/** An hour's quarter: what passes by itself wakes nobody. */
const PATIENCE = "PT15M";

/** What is wrong with a cluster, by its metrics. Severity: 0 is critical, 4 verbose. */
const RULES = [
  {
    alert: "KubeNodeNotReady",
    expression:
      'sum by (cluster, node) (kube_node_status_condition{job="kube-state-metrics",condition="Ready",status="true"}) == 0',
    severity: 1,
    description: "The node {{ $labels.node }} has not been ready for 15 minutes.",
  },
  {
    alert: "KubePodCrashLooping",
    expression:
      'max by (cluster, namespace, pod, container) (max_over_time(kube_pod_container_status_waiting_reason{job="kube-state-metrics",reason="CrashLoopBackOff"}[5m])) >= 1',
    severity: 2,
    description: "{{ $labels.container }} of the pod {{ $labels.namespace }}/{{ $labels.pod }} ends again and again.",
  },
  {
    alert: "KubePodNotRunning",
    expression:
      'sum by (cluster, namespace, pod) (kube_pod_status_phase{job="kube-state-metrics",phase=~"Pending|Unknown"}) > 0',
    severity: 2,
    description: "The pod {{ $labels.namespace }}/{{ $labels.pod }} has not been running for 15 minutes.",
  },
  {
    alert: "KubeDeploymentReplicasMissing",
    expression:
      'max by (cluster, namespace, deployment) (kube_deployment_spec_replicas{job="kube-state-metrics"} - kube_deployment_status_replicas_available{job="kube-state-metrics"}) > 0',
    severity: 2,
    description: "The deployment {{ $labels.namespace }}/{{ $labels.deployment }} has too few replicas for 15 minutes.",
  },
  {
    alert: "KubePersistentVolumeFillingUp",
    expression:
      'min by (cluster, namespace, persistentvolumeclaim) (kubelet_volume_stats_available_bytes{job="kubelet"} / kubelet_volume_stats_capacity_bytes{job="kubelet"}) < 0.1',
    severity: 2,
    description: "Less than a tenth of the volume {{ $labels.namespace }}/{{ $labels.persistentvolumeclaim }} is free.",
  },
] as const;

/** Tells people by mail what is wrong with a cluster. */
export function alertPeople(
  name: string,
  cluster: Cluster,
  { emails, fluxConfigurations }: NonNullable<Cluster["alerts"]>,
  place: MonitoringPlace,
  watched: Watched,
  opts: pulumi.CustomResourceOptions,
): void {
  const { resourceGroupName, tags } = cluster;
  const child = newFirst(opts);
  const group = new ActionGroup(
    name,
    {
      resourceGroupName,
      ...tagged(tags),
      actionGroupName: place.named(name),
      location: "Global",
      // Of at most 12 characters; it begins the mails' subjects.
      groupShortName: name.slice(0, 12),
      enabled: true,
      emailReceivers: emails.map((emailAddress) => ({ name: emailAddress, emailAddress, useCommonAlertSchema: true })),
    },
    child,
  );
  if (watched.metrics) watchMetrics(name, cluster, place, { ...watched, metrics: watched.metrics }, group, child);
  if (fluxConfigurations) watchFlux(name, cluster, place, watched, group, child);
}

function watchMetrics(
  name: string,
  { resourceGroupName, tags }: Cluster,
  { location, named }: MonitoringPlace,
  { clusterId, clusterName, metrics }: Watched & { readonly metrics: AzureMonitorWorkspace },
  group: ActionGroup,
  opts: pulumi.CustomResourceOptions,
): void {
  new PrometheusRuleGroup(
    name,
    {
      ...{ resourceGroupName, location, ...tagged(tags), ruleGroupName: named(name) },
      ...{ scopes: [metrics.id, clusterId], clusterName, enabled: true, interval: "PT1M" },
      rules: RULES.map(({ description, ...rule }) => ({
        ...{ ...rule, enabled: true, for: PATIENCE, annotations: { description } },
        actions: [{ actionGroupId: group.id }],
        resolveConfiguration: { autoResolved: true, timeToResolve: "PT10M" },
      })),
    },
    opts,
  );
}

/** Azure's own word on Flux is in its Resource Graph, which a query of logs may ask: with an identity that may read. */
function watchFlux(
  name: string,
  { resourceGroupName, tags }: Cluster,
  { location, named }: MonitoringPlace,
  { clusterId, logsId }: Watched,
  group: ActionGroup,
  opts: pulumi.CustomResourceOptions,
): void {
  const logicalName = `${name}-flux`;
  const common = { resourceGroupName, location, ...tagged(tags) };
  const identity = new UserAssignedIdentity(logicalName, { ...common, resourceName: named(logicalName) }, opts);
  const who = { principalId: identity.principalId, principalType: "ServicePrincipal", role: BUILT_IN.reader } as const;
  const roles = [
    grant(`${logicalName}-read`, { ...who, scope: clusterId }, opts),
    grant(`${logicalName}-logs`, { ...who, scope: logsId }, opts),
  ];
  const query = pulumi.interpolate`arg("").KubernetesConfigurationResources
| where type =~ "microsoft.kubernetesconfiguration/fluxconfigurations"
| where id startswith "${clusterId}/"
| where tostring(properties.complianceState) =~ "Non-Compliant"
| project id, name`;
  new ScheduledQueryRule(
    logicalName,
    {
      ...{ ...common, ruleName: named(logicalName), kind: "LogAlert", enabled: true, severity: 1 },
      displayName: `Flux of ${name} is not compliant`,
      identity: { type: "UserAssigned", userAssignedIdentities: [identity.id] },
      scopes: [logsId],
      ...{ evaluationFrequency: "PT5M", windowSize: "PT5M", autoMitigate: true },
      criteria: {
        allOf: [
          {
            ...{ query, timeAggregation: "Count", operator: "GreaterThan", threshold: 0 },
            failingPeriods: { numberOfEvaluationPeriods: 3, minFailingPeriodsToAlert: 3 },
          },
        ],
      },
      actions: { actionGroups: [group.id] },
      // Azure would ask as the identity, whose roles need minutes.
      skipQueryValidation: true,
    },
    { ...opts, dependsOn: roles },
  );
}

/** What cannot work of it. */
export const alertFaults = ({ alerts }: Pick<Cluster, "alerts">): Fault[] =>
  (alerts?.emails ?? []).flatMap((email, index) => [
    ...unlike(`alerts.emails[${index}]`, email, EMAIL, "is no address of mail", "give name@domain"),
    ...(alerts?.emails.indexOf(email) === index
      ? []
      : [{ argument: `alerts.emails[${index}]`, value: email, problem: "is there twice", remedy: "leave it out" }]),
  ]);
