// The two environments of a stack on GitHub: who may deploy from where, and what their jobs sign in as.
import { ActionsEnvironmentVariable } from "@pulumi/github/actionsEnvironmentVariable.js";
import { RepositoryEnvironment } from "@pulumi/github/repositoryEnvironment.js";
import { RepositoryEnvironmentDeploymentPolicy } from "@pulumi/github/repositoryEnvironmentDeploymentPolicy.js";
import type * as pulumi from "@pulumi/pulumi";
import { newFirst } from "../shared/newFirst.ts";
import { environmentsOf, nameFor } from "./credentials.ts";
import type { GitHubPipelineArgs } from "./pipelineIdentityArgs.ts";

/** The environments of a stack, and all that says who may use the one that deploys. */
export interface Environments {
  readonly deployer: RepositoryEnvironment;
  readonly reader: RepositoryEnvironment;
  readonly rules: readonly pulumi.Resource[];
}

/** What the jobs of the environments sign in as. */
export interface EnvironmentIdentities {
  readonly readerClientId: pulumi.Input<string>;
  readonly deployerClientId: pulumi.Input<string>;
  readonly tenantId: pulumi.Input<string>;
  readonly subscriptionId: pulumi.Input<string>;
}

/** Makes both environments, with the rules of the one that deploys. */
export function createEnvironments(
  name: string,
  stack: string,
  github: GitHubPipelineArgs,
  parent: pulumi.Resource,
): Environments {
  const { deploy, preview } = environmentsOf(stack, github);
  const { repository } = github;
  const child = newFirst({ parent });
  const reader = new RepositoryEnvironment(`${name}-reader`, { repository, environment: preview }, child);
  return { reader, ...createDeploying(name, deploy, github, child) };
}

/** Tells the jobs of both environments what they sign in as. */
export function tellJobs(
  name: string,
  { repository, variables = {} }: GitHubPipelineArgs,
  { reader, deployer }: Environments,
  { readerClientId, deployerClientId, tenantId, subscriptionId }: EnvironmentIdentities,
  parent: pulumi.Resource,
): void {
  for (const [who, { environment }, clientId] of [
    ["deployer", deployer, deployerClientId],
    ["reader", reader, readerClientId],
  ] as const) {
    const all = {
      AZURE_CLIENT_ID: clientId,
      AZURE_TENANT_ID: tenantId,
      AZURE_SUBSCRIPTION_ID: subscriptionId,
      ...variables,
    };
    for (const [variableName, value] of Object.entries(all))
      new ActionsEnvironmentVariable(
        `${name}-${who}-${variableName}`,
        { repository, environment, variableName, value },
        newFirst({ parent }),
      );
  }
}

/** Administrators have to wait for an approval too, or there would be none. */
function createDeploying(
  name: string,
  environment: string,
  { repository, deployTags = [], ...github }: GitHubPipelineArgs,
  child: pulumi.CustomResourceOptions,
): Omit<Environments, "reader"> {
  const { reviewerUsers = [], reviewerTeams = [], preventSelfReview = true } = github;
  const deployBranches = github.deployBranches ?? (deployTags.length > 0 ? [] : ["main"]);
  const isReviewed = reviewerUsers.length + reviewerTeams.length > 0;
  const deployer = new RepositoryEnvironment(
    `${name}-deployer`,
    {
      repository,
      environment,
      canAdminsBypass: false,
      ...(isReviewed && { preventSelfReview, reviewers: [{ teams: [...reviewerTeams], users: [...reviewerUsers] }] }),
      deploymentBranchPolicy: { protectedBranches: false, customBranchPolicies: true },
    },
    child,
  );
  const policy = (kind: "branch" | "tag", pattern: string) =>
    new RepositoryEnvironmentDeploymentPolicy(
      `${name}-deployer-${kind}-${nameFor(pattern)}`,
      { repository, environment: deployer.environment, [`${kind}Pattern`]: pattern },
      child,
    );
  const policies = [
    ...deployBranches.map((pattern) => policy("branch", pattern)),
    ...deployTags.map((pattern) => policy("tag", pattern)),
  ];
  return { deployer, rules: [deployer, ...policies] };
}
