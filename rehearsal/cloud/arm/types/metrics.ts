// Microsoft.Monitor, and of Microsoft.Insights and Microsoft.AlertsManagement what keeps metrics and tells people.
import {
  choice,
  fixed,
  flag,
  list,
  map,
  number,
  object,
  or,
  readOnly,
  reference,
  required,
  type TypeDefinition,
  text,
} from "../schema.ts";
import { assignedIdentities, location, provisioningState, tags } from "./common.ts";
import { CLUSTER_TYPE } from "./containerService.ts";
import { WORKSPACE_TYPE } from "./monitor.ts";

export const ACCOUNT_TYPE = "Microsoft.Monitor/accounts";
export const ENDPOINT_TYPE = "Microsoft.Insights/dataCollectionEndpoints";
export const RULE_TYPE = "Microsoft.Insights/dataCollectionRules";
export const ASSOCIATION_TYPE = "Microsoft.Insights/dataCollectionRuleAssociations";
export const ACTION_GROUP_TYPE = "Microsoft.Insights/actionGroups";
export const QUERY_RULE_TYPE = "Microsoft.Insights/scheduledQueryRules";
export const RULE_GROUP_TYPE = "Microsoft.AlertsManagement/prometheusRuleGroups";

const duration = () => text({ pattern: /^P(\d+D)?(T(\d+H)?(\d+M)?(\d+S)?)?$/ });
const reachable = object("NetworkAcls", {
  publicNetworkAccess: or(choice("Enabled", "Disabled", "SecuredByPerimeter"), "Enabled"),
});
const ingestion = (name: string) => readOnly(object(name, { endpoint: text() }));
const streams = required(list(text()));

export const metricsTypes: readonly TypeDefinition[] = [
  {
    type: ACCOUNT_TYPE,
    version: "2023-04-03",
    home: "group",
    stamped: true,
    name: /^(?!-)[a-zA-Z0-9-]{3,62}[a-zA-Z0-9]$/,
    body: object("AzureMonitorWorkspaceResource", {
      location: required(fixed(location)),
      tags,
      properties: or(
        object("AzureMonitorWorkspace", {
          accountId: readOnly(text()),
          metrics: readOnly(object("Metrics", { prometheusQueryEndpoint: text(), internalId: text() })),
          provisioningState,
          defaultIngestionSettings: readOnly(
            object("IngestionSettings", {
              dataCollectionRuleResourceId: text(),
              dataCollectionEndpointResourceId: text(),
            }),
          ),
          publicNetworkAccess: or(choice("Enabled", "Disabled"), "Enabled"),
        }),
        {},
      ),
    }),
  },
  {
    type: ENDPOINT_TYPE,
    version: "2022-06-01",
    home: "group",
    stamped: true,
    name: /^[a-zA-Z0-9][a-zA-Z0-9-_.]{1,42}[a-zA-Z0-9]$/,
    body: object("DataCollectionEndpointResource", {
      location: required(fixed(location)),
      tags,
      kind: choice("Linux", "Windows"),
      properties: or(
        object("DataCollectionEndpoint", {
          description: text(),
          immutableId: readOnly(text()),
          configurationAccess: ingestion("ConfigurationAccess"),
          logsIngestion: ingestion("LogsIngestion"),
          metricsIngestion: ingestion("MetricsIngestion"),
          networkAcls: or(reachable, {}),
          provisioningState,
        }),
        {},
      ),
    }),
  },
  {
    type: RULE_TYPE,
    version: "2022-06-01",
    home: "group",
    stamped: true,
    name: /^[a-zA-Z0-9][a-zA-Z0-9-_.]{1,62}[a-zA-Z0-9]$/,
    body: object("DataCollectionRuleResource", {
      location: required(fixed(location)),
      tags,
      kind: choice("Linux", "Windows"),
      properties: required(
        object("DataCollectionRule", {
          description: text(),
          immutableId: readOnly(text()),
          dataCollectionEndpointId: reference(ENDPOINT_TYPE),
          dataSources: required(
            object("DataSources", {
              prometheusForwarder: list(
                object("PrometheusForwarder", { name: required(text()), streams, labelIncludeFilter: map(text()) }),
              ),
            }),
          ),
          destinations: required(
            object("Destinations", {
              monitoringAccounts: list(
                object("MonitoringAccountDestination", {
                  name: required(text()),
                  accountResourceId: required(reference(ACCOUNT_TYPE)),
                  accountId: readOnly(text()),
                }),
              ),
            }),
          ),
          dataFlows: required(list(object("DataFlow", { streams, destinations: required(list(text())) }))),
          provisioningState,
        }),
      ),
    }),
  },
  {
    type: ASSOCIATION_TYPE,
    version: "2022-06-01",
    home: "extension",
    stamped: true,
    without: ["PATCH"],
    body: object("DataCollectionRuleAssociation", {
      properties: required(
        object("DataCollectionRuleAssociationProperties", {
          description: text(),
          dataCollectionRuleId: reference(RULE_TYPE, `${RULE_TYPE}/read`),
          dataCollectionEndpointId: reference(ENDPOINT_TYPE),
          provisioningState,
        }),
      ),
    }),
  },
  {
    type: ACTION_GROUP_TYPE,
    version: "2024-10-01-preview",
    home: "group",
    body: object("ActionGroupResource", {
      location: required(location),
      tags,
      properties: required(
        object("ActionGroup", {
          groupShortName: required(text({ min: 1, max: 12 })),
          enabled: required(flag()),
          emailReceivers: or(
            list(
              object("EmailReceiver", {
                name: required(text({ min: 1 })),
                emailAddress: required(text({ pattern: /^[^\s@]+@[^\s@]+$/ })),
                useCommonAlertSchema: or(flag(), false),
                status: readOnly(text()),
              }),
            ),
            [],
          ),
        }),
      ),
    }),
  },
  {
    type: QUERY_RULE_TYPE,
    version: "2025-01-01-preview",
    home: "group",
    stamped: true,
    name: /^[^<>%&:?/#*+|]{1,259}[^<>%&:?/#*+|. ]$/,
    body: object("ScheduledQueryRuleResource", {
      location: required(fixed(location)),
      tags,
      kind: or(choice("LogAlert", "SimpleLogAlert", "LogToMetric"), "LogAlert"),
      identity: object("Identity", {
        type: required(choice("SystemAssigned", "UserAssigned", "None")),
        principalId: readOnly(text()),
        tenantId: readOnly(text()),
        userAssignedIdentities: assignedIdentities("UserIdentityProperties"),
      }),
      properties: required(
        object("ScheduledQueryRule", {
          displayName: text(),
          severity: number(0, 4),
          enabled: or(flag(), true),
          scopes: required(list(reference(WORKSPACE_TYPE))),
          evaluationFrequency: duration(),
          windowSize: duration(),
          criteria: required(
            object("ScheduledQueryRuleCriteria", {
              allOf: required(
                list(
                  object("Condition", {
                    query: required(text({ min: 1 })),
                    timeAggregation: required(choice("Count", "Average", "Minimum", "Maximum", "Total")),
                    operator: required(
                      choice(
                        "Equals",
                        "GreaterOrLessThan",
                        "GreaterThan",
                        "GreaterThanOrEqual",
                        "LessThan",
                        "LessThanOrEqual",
                      ),
                    ),
                    threshold: required(number()),
                    failingPeriods: object("FailingPeriods", {
                      numberOfEvaluationPeriods: or(number(1, 6), 1),
                      minFailingPeriodsToAlert: or(number(1, 6), 1),
                    }),
                  }),
                ),
              ),
            }),
          ),
          autoMitigate: or(flag(), true),
          skipQueryValidation: flag(),
          actions: object("Actions", {
            actionGroups: list(reference(ACTION_GROUP_TYPE)),
            customProperties: map(text()),
          }),
        }),
      ),
    }),
  },
  {
    type: RULE_GROUP_TYPE,
    version: "2023-03-01",
    home: "group",
    name: /^[^:@/#{}%&+*<>?]{1,260}$/,
    body: object("PrometheusRuleGroupResource", {
      location: required(fixed(location)),
      tags,
      properties: required(
        object("PrometheusRuleGroupProperties", {
          description: text(),
          enabled: flag(),
          clusterName: text(),
          scopes: required(list(reference([ACCOUNT_TYPE, CLUSTER_TYPE]))),
          interval: or(duration(), "PT1M"),
          rules: required(
            list(
              object("PrometheusRule", {
                record: text(),
                alert: text(),
                enabled: flag(),
                expression: required(text({ min: 1 })),
                labels: map(text()),
                severity: number(0, 4),
                for: duration(),
                annotations: map(text()),
                actions: list(
                  object("PrometheusRuleGroupAction", {
                    actionGroupId: reference(ACTION_GROUP_TYPE),
                    actionProperties: map(text()),
                  }),
                ),
                resolveConfiguration: object("PrometheusRuleResolveConfiguration", {
                  autoResolved: flag(),
                  timeToResolve: duration(),
                }),
              }),
            ),
          ),
        }),
      ),
    }),
  },
];
