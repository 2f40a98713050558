// Which system runs the command, by the variables that each sets.

import { azurePipelines } from "./azurePipelines.ts";
import { gitHubActions } from "./gitHub.ts";
import type { Environment, System } from "./system.ts";

/** The system that an environment is of. @throws Error where it does not tell what it should. */
export async function detect(environment: Environment): Promise<System> {
  // It runs on machines of others, too, so it goes first.
  if (environment.PULUMI_CI_SYSTEM === "Pulumi Deployments") return deployments(environment);
  if (environment.GITHUB_ACTIONS === "true") return gitHubActions(environment);
  if (environment.TF_BUILD?.toLowerCase() === "true") return azurePipelines(environment);
  return { name: "terminal", isPipeline: false, run: { run: 0, attempt: 1 } };
}

/**
 * Pulumi Deployments: https://www.pulumi.com/docs/deployments/concepts/settings/environment-variables. Its own App
 * comments on pull requests; the log is the place of the review.
 */
function deployments({ PULUMI_CI_BUILD_NUMBER, PULUMI_CI_BUILD_URL }: Environment): System {
  return {
    name: "Pulumi Deployments",
    isPipeline: true,
    run: { run: Number(PULUMI_CI_BUILD_NUMBER) || 0, attempt: 1 },
    url: PULUMI_CI_BUILD_URL,
  };
}
