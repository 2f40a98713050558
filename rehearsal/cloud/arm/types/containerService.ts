// Microsoft.ContainerService: clusters, pools and maintenance windows.
import { choice, list, number, object, or, readOnly, required, type TypeDefinition, text } from "../schema.ts";
import { agentPoolProperties } from "./agentPool.ts";
import { assignedIdentities, location, tags } from "./common.ts";
import { managedClusterProperties } from "./managedCluster.ts";

export const CLUSTER_TYPE = "Microsoft.ContainerService/managedClusters";
const VERSION = "2025-09-01";

const day = choice("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday");

const schedule = object("Schedule", {
  daily: object("DailySchedule", { intervalDays: required(number(1, 7)) }),
  weekly: object("WeeklySchedule", { intervalWeeks: required(number(1, 4)), dayOfWeek: required(day) }),
  absoluteMonthly: object("AbsoluteMonthlySchedule", {
    intervalMonths: required(number(1, 6)),
    dayOfMonth: required(number(1, 31)),
  }),
  relativeMonthly: object("RelativeMonthlySchedule", {
    intervalMonths: required(number(1, 6)),
    weekIndex: required(choice("First", "Second", "Third", "Fourth", "Last")),
    dayOfWeek: required(day),
  }),
});

const maintenanceWindow = object("MaintenanceWindow", {
  schedule: required(schedule),
  durationHours: required(number(4, 24)),
  utcOffset: or(text({ pattern: /^(-|\+)[0-9]{2}:[0-9]{2}$/ }), "+00:00"),
  startDate: text({ pattern: /^\d{4}-\d{2}-\d{2}$/ }),
  startTime: required(text({ pattern: /^([01]\d|2[0-3]):[0-5]\d$/ })),
  notAllowedDates: list(object("DateSpan", { start: required(text()), end: required(text()) })),
});

export const containerServiceTypes: readonly TypeDefinition[] = [
  {
    type: CLUSTER_TYPE,
    version: VERSION,
    home: "group",
    slow: true,
    stamped: true,
    name: /^[a-zA-Z0-9]$|^[a-zA-Z0-9][-_a-zA-Z0-9]{0,61}[a-zA-Z0-9]$/,
    body: object("ManagedCluster", {
      location: required(location),
      tags,
      eTag: readOnly(text()),
      kind: or(choice("Base", "Automatic"), "Base"),
      sku: or(
        object("ManagedClusterSKU", {
          name: or(choice("Base", "Automatic"), "Base"),
          tier: or(choice("Premium", "Standard", "Free"), "Free"),
        }),
        {},
      ),
      identity: object("ManagedClusterIdentity", {
        type: choice("SystemAssigned", "UserAssigned", "None"),
        principalId: readOnly(text()),
        tenantId: readOnly(text()),
        userAssignedIdentities: assignedIdentities("ManagedServiceIdentityUserAssignedIdentitiesValue"),
      }),
      properties: required(managedClusterProperties),
    }),
  },
  {
    type: `${CLUSTER_TYPE}/agentPools`,
    version: VERSION,
    home: "child",
    slow: true,
    without: ["PATCH"],
    name: /^[a-z][a-z0-9]{0,11}$/,
    body: object("AgentPool", { properties: required(object("AgentPoolProperties", agentPoolProperties)) }),
  },
  {
    type: `${CLUSTER_TYPE}/maintenanceConfigurations`,
    version: VERSION,
    home: "child",
    stamped: true,
    without: ["PATCH"],
    name: /^(default|aksManagedAutoUpgradeSchedule|aksManagedNodeOSUpgradeSchedule)$/,
    nameFault: [
      "InvalidParameter",
      "The maintenance configuration name '{name}' is invalid. Allowed names are 'default', 'aksManagedAutoUpgradeSchedule' and 'aksManagedNodeOSUpgradeSchedule'.",
    ],
    body: object("MaintenanceConfiguration", {
      properties: required(
        object("MaintenanceConfigurationProperties", {
          timeInWeek: list(object("TimeInWeek", { day, hourSlots: list(number(0, 23)) })),
          notAllowedTime: list(object("TimeSpan", { start: text(), end: text() })),
          maintenanceWindow,
        }),
      ),
    }),
  },
];
