import type * as pulumi from "@pulumi/pulumi";

/** What one stack's pipelines sign in with, and what that lets them do. At least one of the pipelines has to be named. */
export interface PipelineIdentityArgs {
  /** The stack: the one of Pulumi Deployments' tokens, and what GitHub's environments are called without names of their own. */
  readonly stack: string;
  /**
   * ARM id of what the deploying identity works in: the subscription where the program makes its resource group itself, as
   * this project's does, or a resource group that is there.
   */
  readonly scope: pulumi.Input<string>;
  /** ARM id of what the reading identity sees; a stack's resource group, once it is there, is less. @default `scope` */
  readonly readScope?: pulumi.Input<string> | undefined;
  /**
   * Object id of the Entra group `deployers` of the stack, which the deploying identity joins: on registry, vault and cluster
   * it may what the stack gives to that group, and on the registries and vaults of other stacks nothing.
   * @default none: it joins none
   */
  readonly deployers?: pulumi.Input<string> | undefined;
  /** ARM id of the network that the stack's network is peered with, on which it takes Network Contributor. @default none */
  readonly hubNetworkId?: pulumi.Input<string> | undefined;
  /**
   * Further roles that the program assigns, by their definitions' GUIDs or whole ids, such as those of `sops.roles`: the
   * deploying identity assigns those of this project's components and these, and takes no others away.
   * @default none
   */
  readonly assignableRoles?: readonly string[] | undefined;
  /**
   * Whether the deployer assigns policies, as `cluster.podSecurity` asks for: Resource Policy Contributor on scope.
   * @default false
   */
  readonly assignsPolicies?: boolean | undefined;
  /**
   * ARM id of the blob container with the stack's state, where Pulumi Cloud does not keep it: previews read it, the
   * deploying identity writes it. A container is a border, a folder in it is none.
   * @default none
   */
  readonly stateContainerId?: pulumi.Input<string> | undefined;
  /** ARM id of the key of `azurekeyvault://` that encrypts the stack's secrets, which both decrypt. @default none */
  readonly secretsKeyId?: pulumi.Input<string> | undefined;
  /** The workflows of a repository on GitHub. @default none */
  readonly github?: GitHubPipelineArgs | undefined;
  /** Pulumi Deployments. @default none */
  readonly pulumiDeployments?: PulumiDeploymentsArgs | undefined;
  /** The pipelines of Azure DevOps. @default none */
  readonly azureDevOps?: AzureDevOpsArgs | undefined;
}

/** A repository whose workflows run the stack, and its two environments, which are made. */
export interface GitHubPipelineArgs {
  /** The organisation or user that it belongs to, spelled as GitHub spells it. The provider's `github:owner` is the same. */
  readonly owner: string;
  /** Its name, spelled as GitHub spells it. */
  readonly repository: string;
  /**
   * The owner's id, a number (`gh api users/OWNER --jq .id`). The tokens of a repository that was made, renamed or moved
   * since mid-2026 have both ids in their subject, so give them for such a one; with them both forms are trusted.
   * @default none
   */
  readonly ownerId?: number | undefined;
  /** The repository's id, a number (`gh api repos/OWNER/NAME --jq .id`). @default none */
  readonly repositoryId?: number | undefined;
  /** The environment whose jobs deploy. @default the stack's name */
  readonly environment?: string | undefined;
  /** The environment whose jobs preview, of any branch and in a merge queue. @default the stack's name and `-preview` */
  readonly previewEnvironment?: string | undefined;
  /** Whether jobs of pull requests without an environment may preview too. @default true */
  readonly pullRequests?: boolean | undefined;
  /** Branches whose jobs deploy without an environment, so without its rules: whole names, no patterns. @default none */
  readonly branches?: readonly string[] | undefined;
  /** Branches whose jobs the deploying environment takes, as patterns of GitHub's. @default "main", where no tags are given */
  readonly deployBranches?: readonly string[] | undefined;
  /** Tags whose jobs the deploying environment takes, as patterns of GitHub's. @default none */
  readonly deployTags?: readonly string[] | undefined;
  /** Ids of the users of whom one approves each deployment; with the teams at most 6. @default none */
  readonly reviewerUsers?: readonly number[] | undefined;
  /** Ids of the teams of whom one member approves each deployment. @default none */
  readonly reviewerTeams?: readonly number[] | undefined;
  /** Whether who starts a deployment may not approve it. @default true */
  readonly preventSelfReview?: boolean | undefined;
  /**
   * Further variables of both environments, no secrets. They have `AZURE_CLIENT_ID`, `AZURE_TENANT_ID` and
   * `AZURE_SUBSCRIPTION_ID` of their own.
   * @default none
   */
  readonly variables?: Readonly<Record<string, pulumi.Input<string>>> | undefined;
}

/** A stack in Pulumi Deployments. */
export interface PulumiDeploymentsArgs {
  /** The organisation in Pulumi Cloud. */
  readonly organization: string;
  /** The project's name. */
  readonly project: string;
  /**
   * Which identity takes the tokens of previews. The settings of a stack name one client id for all operations, so for the
   * reader a pre-run command puts its id into the environment of a preview. With `deployer` whoever opens a pull request runs
   * its code with the right to deploy.
   * @default "reader"
   */
  readonly previewAs?: "reader" | "deployer" | undefined;
  /**
   * Operations beside Pulumi's documented four (preview, update, refresh, destroy) whose tokens the deploying identity takes:
   * Pulumi does not say what a drift run's token has there, and Entra's refusal shows it.
   * @default none
   */
  readonly furtherOperations?: readonly string[] | undefined;
}

/** Service connections of Azure DevOps, with workload identity federation. */
export interface AzureDevOpsArgs {
  /** The subject that the connection which deploys shows, `/eid1/c/pub/t/.../sc/...`; it cannot be told beforehand. */
  readonly deploySubject: string;
  /** The subject of the connection which previews. @default none: there are no previews */
  readonly previewSubject?: string | undefined;
  /** The issuer that the connections show. @default `https://login.microsoftonline.com/<tenant>/v2.0` of the identities' tenant */
  readonly issuer?: string | undefined;
}
