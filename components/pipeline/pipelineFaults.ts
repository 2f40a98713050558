// What PipelineIdentity refuses by itself, since the compiler does not see it and Entra, Azure or GitHub say it late.

import { type Fault, notObjectId, notRole, unlike } from "../shared/faults.ts";
import { type Credential, credentialsOf, environmentsOf } from "./credentials.ts";
import type {
  AzureDevOpsArgs,
  GitHubPipelineArgs,
  PipelineIdentityArgs,
  PulumiDeploymentsArgs,
} from "./pipelineIdentityArgs.ts";

/** https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations */
const MOST_CREDENTIALS = 20;
/** https://docs.github.com/rest/deployments/environments */
const MOST_REVIEWERS = 6;
/** The variables that each environment has of its own. */
export const OWN_VARIABLES: readonly string[] = ["AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_SUBSCRIPTION_ID"];

const GUID = "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const SCOPE = new RegExp(`^/subscriptions/${GUID}(/resourceGroups/[^/]+)?$`, "i");
const NETWORK = new RegExp(
  `^/subscriptions/${GUID}/resourceGroups/[^/]+/providers/Microsoft\\.Network/virtualNetworks/[^/]+$`,
  "i",
);

const CONTAINER = new RegExp(
  `^/subscriptions/${GUID}/resourceGroups/[^/]+/providers/Microsoft\\.Storage/storageAccounts/[^/]+/blobServices/default/containers/[^/]+$`,
  "i",
);
const KEY = new RegExp(
  `^/subscriptions/${GUID}/resourceGroups/[^/]+/providers/Microsoft\\.KeyVault/vaults/[^/]+/keys/[^/]+$`,
  "i",
);

/** Everything about the arguments that cannot work. */
export function pipelineFaults(args: PipelineIdentityArgs): Fault[] {
  const {
    stack,
    scope,
    readScope,
    deployers,
    hubNetworkId,
    assignableRoles = [],
    stateContainerId,
    secretsKeyId,
  } = args;
  const { github, pulumiDeployments, azureDevOps } = args;
  const scopeRemedy = "give /subscriptions/<id>, or /subscriptions/<id>/resourceGroups/<name>";
  return [
    ...unlike("stack", stack, /^[A-Za-z0-9_.-]{1,100}$/, "is no name of a stack", "give the name without its project"),
    ...unlike("scope", scope, SCOPE, "is no id of a subscription or resource group", scopeRemedy),
    ...unlike("readScope", readScope, SCOPE, "is no id of a subscription or resource group", scopeRemedy),
    ...notObjectId("deployers", deployers),
    ...unlike(
      "hubNetworkId",
      hubNetworkId,
      NETWORK,
      "is no id of a virtual network",
      "give its whole id; `az network vnet show --resource-group GROUP --name NAME --query id` tells it",
    ),
    ...assignableRoles.flatMap((role, index) => notRole(`assignableRoles[${index}]`, role)),
    ...unlike(
      "stateContainerId",
      stateContainerId,
      CONTAINER,
      "is no id of a blob container",
      "give the id of the account and /blobServices/default/containers/<name>",
    ),
    ...unlike(
      "secretsKeyId",
      secretsKeyId,
      KEY,
      "is no id of a key",
      "give the id of the vault and /keys/<name>, without a version",
    ),
    ...(github ? gitHubFaults(stack, github) : []),
    ...(pulumiDeployments ? pulumiFaults(pulumiDeployments) : []),
    ...(azureDevOps ? azureDevOpsFaults(azureDevOps) : []),
    ...((github ?? pulumiDeployments ?? azureDevOps) ? [] : [nobody]),
    ...credentialFaults(args),
  ];
}

const nobody: Fault = {
  argument: "github, pulumiDeployments, azureDevOps",
  problem: "are all left out, so nobody could sign in",
  remedy: "name at least one of them",
};

function gitHubFaults(stack: string, github: GitHubPipelineArgs): Fault[] {
  const { owner, repository, ownerId, repositoryId, branches = [], deployBranches = [], deployTags = [] } = github;
  const { reviewerUsers = [], reviewerTeams = [], variables = {} } = github;
  const { deploy, preview } = environmentsOf(stack, github);
  const named = "give the name that GitHub shows, without its owner or https://github.com/";
  const reviewers = reviewerUsers.length + reviewerTeams.length;
  const ids = { ownerId, repositoryId, ...indexed({ reviewerUsers, reviewerTeams }) };
  return [
    ...unlike("github.owner", owner, /^[A-Za-z0-9][A-Za-z0-9-]{0,38}$/, "is no owner of repositories", named),
    ...unlike("github.repository", repository, /^[A-Za-z0-9._-]{1,100}$/, "is no name of a repository", named),
    ...((ownerId === undefined) === (repositoryId === undefined)
      ? []
      : [
          {
            argument: ownerId === undefined ? "github.ownerId" : "github.repositoryId",
            problem: "is left out, and a subject has both ids",
            remedy: "give both, or none",
          },
        ]),
    ...Object.entries(ids).flatMap(([argument, value]) =>
      value === undefined || (Number.isSafeInteger(value) && value > 0)
        ? []
        : [{ argument: `github.${argument}`, value, problem: "is no id of GitHub's", remedy: "give the number" }],
    ),
    ...environmentFaults("github.environment", deploy),
    ...environmentFaults("github.previewEnvironment", preview),
    ...(deploy.toLowerCase() === preview.toLowerCase()
      ? [
          {
            argument: "github.previewEnvironment",
            value: preview,
            problem: "is the environment that deploys",
            remedy: "give it another name: whoever opens a pull request has its rights",
          },
        ]
      : []),
    ...branches.flatMap((branch, index) =>
      unlike(
        `github.branches[${index}]`,
        branch,
        /^[^\s*?[\]~^:\\]+$/,
        "is no name of a branch",
        "give its whole name; Entra takes no patterns",
      ),
    ),
    ...Object.entries(indexed({ deployBranches, deployTags })).flatMap(([argument, pattern]) =>
      unlike(`github.${argument}`, pattern, /\S/, "is empty", "give a name or a pattern, such as releases/*"),
    ),
    ...(reviewers > MOST_REVIEWERS
      ? [
          {
            argument: "github.reviewerUsers, github.reviewerTeams",
            problem: `are ${reviewers}, and GitHub takes ${MOST_REVIEWERS}`,
            remedy: "name a team instead of its members",
          },
        ]
      : []),
    ...Object.keys(variables).flatMap(variableFaults),
  ];
}

/** Elements of lists by the arguments that they are: `branches[0]`. */
function indexed<T>(lists: Readonly<Record<string, readonly T[]>>): Record<string, T> {
  return Object.fromEntries(
    Object.entries(lists).flatMap(([name, list]) => list.map((value, index) => [`${name}[${index}]`, value])),
  );
}

function environmentFaults(argument: string, value: string): Fault[] {
  const remedy = "give 1 to 255 characters, no colon among them: GitHub writes that one otherwise into its tokens";
  return unlike(argument, value, /^[^:]{1,255}$/, "is no name of an environment", remedy);
}

function variableFaults(name: string): Fault[] {
  const argument = `github.variables.${name}`;
  const isOwn = OWN_VARIABLES.includes(name.toUpperCase());
  return [
    ...unlike(
      argument,
      name,
      /^(?!GITHUB_)[A-Z_][A-Z0-9_]*$/,
      "has a name that GitHub does not keep",
      "use capital letters, digits and _, no digit first and not GITHUB_",
    ),
    ...(isOwn
      ? [{ argument, problem: "is set by the component", remedy: "leave it out, or give the variable another name" }]
      : []),
  ];
}

function pulumiFaults({ organization, project, furtherOperations = [] }: PulumiDeploymentsArgs): Fault[] {
  const named = /^[A-Za-z0-9_.-]{1,100}$/;
  const remedy = "give the name that Pulumi Cloud shows";
  return [
    ...unlike("pulumiDeployments.organization", organization, named, "is no name of an organization", remedy),
    ...unlike("pulumiDeployments.project", project, named, "is no name of a project", remedy),
    ...furtherOperations.flatMap((operation, index) =>
      unlike(
        `pulumiDeployments.furtherOperations[${index}]`,
        operation,
        /^(?!preview$)[a-z-]{1,60}$/,
        "is no further operation",
        "give the word behind operation: in the subject that Entra refused; for previews there is previewAs",
      ),
    ),
  ];
}

function azureDevOpsFaults({ deploySubject, previewSubject, issuer }: AzureDevOpsArgs): Fault[] {
  const read = "copy it from the service connection, where it is made with workload identity federation";
  return [
    ...unlike("azureDevOps.deploySubject", deploySubject, /^\S{1,600}$/, "is no subject", read),
    ...unlike("azureDevOps.previewSubject", previewSubject, /^\S{1,600}$/, "is no subject", read),
    ...(deploySubject === previewSubject
      ? [
          {
            argument: "azureDevOps.previewSubject",
            value: previewSubject,
            problem: "is the subject of the connection that deploys",
            remedy: "make a connection of its own for previews",
          },
        ]
      : []),
    ...unlike("azureDevOps.issuer", issuer, /^https:\/\/\S+$/, "is no issuer", read),
  ];
}

function credentialFaults(args: PipelineIdentityArgs): Fault[] {
  const { reader, deployer } = credentialsOf(args);
  const of = (who: string, credentials: readonly Credential[]): Fault[] => {
    const subjects = credentials.map(({ issuer, subject }) => `${issuer} ${subject}`);
    const twice = credentials.find((_, index) => subjects.indexOf(subjects[index] ?? "") !== index);
    return [
      ...(credentials.length > MOST_CREDENTIALS
        ? [
            {
              argument: who,
              problem: `would have ${credentials.length} federated credentials, and Entra takes ${MOST_CREDENTIALS}`,
              remedy: "use an environment instead of branches",
            },
          ]
        : []),
      ...(twice === undefined
        ? []
        : [
            {
              argument: who,
              value: twice.subject,
              problem: "would have a federated credential twice, and Entra takes an issuer and subject once",
              remedy: "name it once",
            },
          ]),
    ];
  };
  return [...of("the reading identity", reader), ...of("the deploying identity", deployer)];
}
