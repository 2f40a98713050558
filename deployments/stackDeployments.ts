import * as pulumi from "@pulumi/pulumi";
import { Settings } from "@pulumi/pulumiservice/api/deployments/settings.js";
import { DeploymentSchedule } from "@pulumi/pulumiservice/deploymentSchedule.js";
import { DriftSchedule } from "@pulumi/pulumiservice/driftSchedule.js";
import { Webhook } from "@pulumi/pulumiservice/webhook.js";
import { pathsOf } from "./paths.ts";
import type { DeploymentsSettings, StackSettings } from "./settings/parse.ts";

/** Where Pulumi Deployments puts the token of an operation: https://www.pulumi.com/docs/deployments/guides/oidc/ */
const TOKEN_FILE = "/mnt/pulumi/pulumi.oidc";

/** Variables that hold a token, and what the settings call it. */
const SECRETS = { GITHUB_TOKEN: "gitHub", GIT_TOKEN: "git", FLUX_GIT_TOKEN: "fluxGit" } as const;

/** How one stack is deployed. */
export interface StackDeploymentsArgs {
  readonly stack: StackSettings;
  /** What holds for all stacks. */
  readonly common: Pick<DeploymentsSettings, "organization" | "vcs" | "repository" | "image" | "notifications">;
  /** Client ids of the stack's Entra applications. */
  readonly deployer: pulumi.Input<string>;
  /** Needed where it previews. */
  readonly reader?: pulumi.Input<string> | undefined;
  /** The id of the pool whose runners it takes. @default Pulumi's own runners */
  readonly agentPoolId?: pulumi.Input<string> | undefined;
  /** Folders of policy packs in the program's repository, which every preview and update asks. @default none */
  readonly policyPacks?: readonly string[] | undefined;
}

/** A stack in Pulumi Deployments: its settings, schedules and notifications. */
export class StackDeployments extends pulumi.ComponentResource {
  constructor(name: string, args: StackDeploymentsArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:deployments:StackDeployments", name, {}, opts);
    const child = { parent: this };
    const { stack, common } = args;
    const { organization } = common;
    const { project } = stack.own;
    const settings = createSettings(name, args, child);
    // Pulumi Cloud takes schedules of a stack with settings alone, and perhaps drops them with those. With a name that comes
    // from there they go before them, and come back after them.
    const where = { organization, project, stack: settings.id.apply((id) => id.split("/").at(-1) ?? "") };
    const { drift, rotation } = stack;
    if (drift) new DriftSchedule(name, { ...where, scheduleCron: drift.cron, autoRemediate: drift.remediate }, child);
    if (rotation) new DeploymentSchedule(name, { ...where, scheduleCron: rotation, pulumiOperation: "update" }, child);
    for (const { name: label, format, url, events, stacks } of common.notifications)
      if (stacks === undefined || stacks.includes(stack.name))
        new Webhook(
          `${name}-${label}`,
          {
            active: true,
            displayName: label,
            organizationName: organization,
            projectName: project,
            stackName: stack.name,
            format,
            // Whoever has it can write there.
            payloadUrl: pulumi.secret(url),
            filters: events,
          },
          child,
        );
    this.registerOutputs({});
  }
}

/**
 * Settings in the words of Pulumi Cloud's API, by the resource that writes what it is given: the provider's own
 * DeploymentSettings has no word for tags, and what it writes would take theirs away. Two types would be in each other's way:
 * neither is made where the other's settings still are.
 */
function createSettings(name: string, args: StackDeploymentsArgs, opts: pulumi.CustomResourceOptions): Settings {
  const { stack, common, agentPoolId } = args;
  return new Settings(
    name,
    {
      orgName: common.organization,
      projectName: stack.own.project,
      stackName: stack.name,
      sourceContext: { git: { branch: `refs/heads/${stack.branch}` } },
      vcs: vcs(args),
      executorContext: { executorImage: { reference: common.image } },
      operationContext: operation(args),
      // Pulumi's own runners keep between runs what npm has loaded; those of a pool cannot.
      cacheOptions: { enable: agentPoolId === undefined },
      ...(agentPoolId !== undefined && { agentPoolID: agentPoolId }),
    },
    // An update is a merge, in which what is left out stays: so what may be left out makes the settings anew.
    { ...opts, replacementTrigger: JSON.stringify(optionalParts(stack)), deleteBeforeReplace: true },
  );
}

/** What of the settings is there for some stacks alone. */
const optionalParts = ({ agentPool, tokens }: StackSettings) => ({
  agentPool: agentPool !== undefined,
  tokens: Object.keys(SECRETS).filter((name) => tokens[SECRETS[name as keyof typeof SECRETS]] !== undefined),
});

/** What deploys: Pulumi Cloud takes either pushes or tags. */
const vcs = ({ stack, common }: StackDeploymentsArgs) => ({
  provider: common.vcs,
  repository: common.repository,
  deployCommits: stack.updates === "push",
  deployTags: stack.updates === "tag",
  tagFilters: stack.tags,
  previewPullRequests: stack.previews !== "off",
  // It would make a cluster for each pull request.
  pullRequestTemplate: false,
  paths: pathsOf(stack.name),
});

function operation({ stack, deployer, reader, policyPacks = [] }: StackDeploymentsArgs) {
  const { tenantId, subscriptionId, previews, tokens } = stack;
  const sealed = Object.entries(SECRETS).flatMap(([name, key]) => {
    const token = tokens[key];
    return token === undefined ? [] : [[name, { secret: pulumi.secret(token) }]];
  });
  const packs = policyPacks.map((folder) => `./${folder}`).join(",");
  return {
    oidc: { azure: { clientId: deployer, tenantId, subscriptionId } },
    preRunCommands: ["npm ci", ...(previews === "reader" && reader !== undefined ? [asReader(reader)] : [])],
    environmentVariables: {
      // The ids come with oidc.
      ARM_USE_OIDC: "true",
      ARM_OIDC_TOKEN_FILE_PATH: TOKEN_FILE,
      ...(packs !== "" && { PULUMI_OPTION_POLICY_PACK: packs }),
      ...Object.fromEntries(sealed),
    },
    options: {
      // `npm ci` above takes the lock as it is.
      skipInstallDependencies: true,
      // A state is a state: what was pushed in between is in the last push too.
      skipIntermediateDeployments: true,
    },
  };
}

/** A stack has one identity for all operations; Entra gives the reader's tokens for those of a preview, and the deployer's not. */
const asReader = (reader: pulumi.Input<string>) =>
  pulumi.interpolate`if [ "$PULUMI_CI_OPERATION" = preview ]; then echo "ARM_CLIENT_ID=${reader}" >> /PULUMI_ENV; fi`;
