// Microsoft.OperationalInsights and Microsoft.Insights.
import {
  choice,
  flag,
  list,
  number,
  object,
  or,
  readOnly,
  reference,
  required,
  type TypeDefinition,
  text,
} from "../schema.ts";
import { enabledOrDisabled, location, provisioningState, tags } from "./common.ts";

export const WORKSPACE_TYPE = "Microsoft.OperationalInsights/workspaces";

const retention = or(object("RetentionPolicy", { enabled: required(flag()), days: required(number(0)) }), {
  enabled: false,
  days: 0,
});

export const monitorTypes: readonly TypeDefinition[] = [
  {
    type: WORKSPACE_TYPE,
    version: "2023-09-01",
    home: "group",
    slow: true,
    name: /^[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]$/,
    body: object("Workspace", {
      location: required(location),
      tags,
      properties: or(
        object("WorkspaceProperties", {
          provisioningState,
          customerId: readOnly(text()),
          sku: or(
            object("WorkspaceSku", {
              name: required(
                choice(
                  "Free",
                  "Standard",
                  "Premium",
                  "PerNode",
                  "PerGB2018",
                  "Standalone",
                  "CapacityReservation",
                  "LACluster",
                ),
              ),
              capacityReservationLevel: number(),
              lastSkuUpdate: readOnly(text()),
            }),
            { name: "PerGB2018" },
          ),
          retentionInDays: or(number(7, 730), 30),
          workspaceCapping: or(
            object("WorkspaceCapping", {
              dailyQuotaGb: or(number(-1), -1),
              quotaNextResetTime: readOnly(text()),
              dataIngestionStatus: readOnly(text()),
            }),
            {},
          ),
          createdDate: readOnly(text()),
          modifiedDate: readOnly(text()),
          publicNetworkAccessForIngestion: or(enabledOrDisabled, "Enabled"),
          publicNetworkAccessForQuery: or(enabledOrDisabled, "Enabled"),
          forceCmkForQuery: flag(),
          features: or(
            object("WorkspaceFeatures", {
              enableDataExport: flag(),
              immediatePurgeDataOn30Days: flag(),
              enableLogAccessUsingOnlyResourcePermissions: or(flag(), true),
              disableLocalAuth: flag(),
            }),
            {},
          ),
        }),
        {},
      ),
    }),
  },
  {
    type: "Microsoft.Insights/diagnosticSettings",
    version: "2021-05-01-preview",
    home: "extension",
    without: ["PATCH"],
    name: /^[^*<>%:&\\?+/]{1,260}$/,
    body: object("DiagnosticSettings", {
      properties: required(
        object("DiagnosticSettingsProperties", {
          workspaceId: reference(WORKSPACE_TYPE, "Microsoft.OperationalInsights/workspaces/sharedKeys/action"),
          logAnalyticsDestinationType: choice("Dedicated", "AzureDiagnostics"),
          logs: or(
            list(
              object("LogSettings", {
                category: text(),
                categoryGroup: text(),
                enabled: required(flag()),
                retentionPolicy: retention,
              }),
            ),
            [],
          ),
          metrics: or(
            list(
              object("MetricSettings", {
                category: text(),
                timeGrain: text(),
                enabled: required(flag()),
                retentionPolicy: retention,
              }),
            ),
            [],
          ),
        }),
      ),
    }),
  },
];
