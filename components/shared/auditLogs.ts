import { DiagnosticSetting } from "@pulumi/azure-native/monitor/diagnosticSetting.js";
import type * as pulumi from "@pulumi/pulumi";
import { newFirst } from "./newFirst.ts";

export interface AuditLogsArgs {
  /** ARM id of what is looked after. */
  readonly resourceUri: pulumi.Input<string>;
  /** ARM id of the Log Analytics workspace that the logs go to. */
  readonly workspaceId: pulumi.Input<string>;
  /** Names of its logs, by Azure. */
  readonly categories: readonly string[];
  /** Whether Azure has tables of the resource's own for them, and no choice is shown for those that have nothing else. */
  readonly dedicated?: true;
}

/** Keeps who did what with a resource. */
export function auditLogs(name: string, args: AuditLogsArgs, opts: pulumi.CustomResourceOptions): DiagnosticSetting {
  const { resourceUri, workspaceId, categories, dedicated } = args;
  return new DiagnosticSetting(
    name,
    {
      ...{ name, resourceUri, workspaceId },
      ...(dedicated && { logAnalyticsDestinationType: "Dedicated" }),
      logs: categories.map((category) => ({ category, enabled: true })),
    },
    newFirst(opts),
  );
}
