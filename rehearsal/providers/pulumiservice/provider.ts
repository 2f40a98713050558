// The stand-in for Pulumi's pulumiservice: what of Pulumi Deployments a program sets up.

import type { Provider, ResourceHandler } from "../../../plugin/handler.ts";
import { sdkVersion, text } from "../shared/values.ts";
import { agentPool } from "./agentPool.ts";
import { PulumiApi } from "./api.ts";
import { deploymentSchedule, driftSchedule } from "./schedules.ts";
import { settings } from "./settings.ts";
import { webhook } from "./webhook.ts";

const DEFAULT_BASE = "https://api.pulumi.com";

let session: PulumiApi | undefined;

function api(): PulumiApi {
  if (session === undefined) throw new Error("pulumiservice was not configured");
  return session;
}

const resources = new Map<string, ResourceHandler>([
  ["pulumiservice:api/deployments:Settings", settings(api)],
  ["pulumiservice:index:DriftSchedule", driftSchedule(api)],
  ["pulumiservice:index:DeploymentSchedule", deploymentSchedule(api)],
  ["pulumiservice:index:Webhook", webhook(api)],
  ["pulumiservice:index:AgentPool", agentPool(api)],
]);

export const pulumiService: Provider = {
  name: "pulumiservice",
  version: sdkVersion("pulumiservice"),
  async configure(config) {
    const { PULUMI_BACKEND_URL, PULUMI_API, PULUMI_ACCESS_TOKEN } = process.env;
    const base = text(config.apiUrl) || PULUMI_BACKEND_URL || PULUMI_API || DEFAULT_BASE;
    const token = text(config.accessToken) || PULUMI_ACCESS_TOKEN;
    if (!token) throw new Error("pulumi access token not found");
    session = new PulumiApi(new URL(base).origin, token);
  },
  resource: (token) => resources.get(token),
};
