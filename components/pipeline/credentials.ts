// Which tokens of which pipelines each of the two identities takes: pure, of what the arguments say.
import { createHash } from "node:crypto";
import type { GitHubPipelineArgs, PipelineIdentityArgs, PulumiDeploymentsArgs } from "./pipelineIdentityArgs.ts";

/** What Entra expects of tokens that come from no issuer with a custom of its own. */
const EXCHANGE = "api://AzureADTokenExchange";
const GITHUB_ISSUER = "https://token.actions.githubusercontent.com";
const PULUMI_ISSUER = "https://api.pulumi.com/oidc";

/** The operations whose tokens Pulumi Deployments makes. */
const OPERATIONS = ["preview", "update", "refresh", "destroy"] as const;

/** A federated credential. */
export interface Credential {
  /** Its name, unique on its application. */
  readonly name: string;
  /** Left out for the issuer of the identities' own tenant. */
  readonly issuer?: string;
  readonly subject: string;
  readonly audience: string;
}

/** The credentials of both identities. */
export interface Credentials {
  readonly reader: readonly Credential[];
  readonly deployer: readonly Credential[];
}

/** The environments of GitHub that the arguments name. */
export function environmentsOf(stack: string, github: GitHubPipelineArgs): { deploy: string; preview: string } {
  return { deploy: github.environment ?? stack, preview: github.previewEnvironment ?? `${stack}-preview` };
}

/** The credentials that the arguments ask for, in the order in which they are made. */
export function credentialsOf({ stack, github, pulumiDeployments, azureDevOps }: PipelineIdentityArgs): Credentials {
  const [ofGitHub, ofPulumi] = [github && gitHub(stack, github), pulumiDeployments && pulumi(stack, pulumiDeployments)];
  const connection = (subject: string): Credential => ({
    name: "azure-devops",
    subject,
    audience: EXCHANGE,
    ...(azureDevOps?.issuer === undefined ? {} : { issuer: azureDevOps.issuer }),
  });
  return {
    reader: [
      ...(ofGitHub?.reader ?? []),
      ...(ofPulumi?.reader ?? []),
      ...(azureDevOps?.previewSubject === undefined ? [] : [connection(azureDevOps.previewSubject)]),
    ],
    deployer: [
      ...(ofGitHub?.deployer ?? []),
      ...(ofPulumi?.deployer ?? []),
      ...(azureDevOps ? [connection(azureDevOps.deploySubject)] : []),
    ],
  };
}

/** https://docs.github.com/actions/reference/security/oidc, the names' form and the ids' form of a subject. */
function gitHub(stack: string, github: GitHubPipelineArgs): Credentials {
  const { owner, repository, ownerId, repositoryId, pullRequests = true, branches = [] } = github;
  const { deploy, preview } = environmentsOf(stack, github);
  const credential = (name: string, rest: string): Credential[] => [
    {
      name: `github-${name}`,
      issuer: GITHUB_ISSUER,
      subject: `repo:${owner}/${repository}:${rest}`,
      audience: EXCHANGE,
    },
    ...(ownerId === undefined || repositoryId === undefined
      ? []
      : [
          {
            name: `github-${name}-by-ids`,
            issuer: GITHUB_ISSUER,
            subject: `repo:${owner}@${ownerId}/${repository}@${repositoryId}:${rest}`,
            audience: EXCHANGE,
          },
        ]),
  ];
  return {
    reader: [
      ...credential("environment", `environment:${preview}`),
      ...(pullRequests ? credential("pull-request", "pull_request") : []),
    ],
    deployer: [
      ...credential("environment", `environment:${deploy}`),
      ...branches.flatMap((branch) => credential(`branch-${nameFor(branch)}`, `ref:refs/heads/${branch}`)),
    ],
  };
}

/** https://www.pulumi.com/docs/deployments/guides/oidc */
function pulumi(stack: string, deployments: PulumiDeploymentsArgs): Credentials {
  const { organization, project, previewAs = "reader", furtherOperations = [] } = deployments;
  const credential = (operation: string): Credential => ({
    name: `pulumi-${operation}`,
    issuer: PULUMI_ISSUER,
    subject: `pulumi:deploy:org:${organization}:project:${project}:stack:${stack}:operation:${operation}:scope:write`,
    audience: organization,
  });
  const isRead = (operation: string) => operation === "preview" && previewAs === "reader";
  return {
    reader: OPERATIONS.filter(isRead).map(credential),
    deployer: [...OPERATIONS.filter((operation) => !isRead(operation)), ...furtherOperations].map(credential),
  };
}

/** A branch or pattern as part of a name, which Graph takes in an address: others of its characters give way to a hash. */
export function nameFor(branch: string): string {
  const plain = branch.replaceAll(/[^A-Za-z0-9-]/g, "-").slice(0, 60);
  return plain === branch ? plain : `${plain}-${createHash("sha256").update(branch).digest("hex").slice(0, 6)}`;
}
