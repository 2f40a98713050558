// Who signs in to Azure for a stack's pipelines: applications that are made, or those that its settings name.
import { Provider } from "@pulumi/github/provider.js";
import type * as pulumi from "@pulumi/pulumi";
import { PipelineIdentity } from "../components/pipeline/pipelineIdentity.ts";
import type { DeploymentsSettings, StackSettings } from "./settings/parse.ts";

/** Client ids of a stack's Entra applications. */
export interface StackIdentity {
  readonly deployer: pulumi.Input<string>;
  /** Undefined where nothing previews with it. */
  readonly reader: pulumi.Input<string> | undefined;
}

/** The identity of a stack; what it takes is registered. */
export function identityOf(stack: StackSettings, common: DeploymentsSettings): StackIdentity {
  if (stack.identity) return { deployer: stack.identity.deployer, reader: stack.identity.reader };
  const { name, own, gitHub, azureDevOps, previews, drift, subscriptionId } = stack;
  const [owner = "", repository = ""] = common.repository.split("/");
  const { owner: ownerId, repository: repositoryId } = common.gitHubIds ?? {};
  const deployBranches = gitHub?.deployBranches ?? (gitHub?.deployTags === undefined ? [stack.branch] : undefined);
  const made = new PipelineIdentity(
    `${own.project}-${name}`,
    {
      stack: name,
      scope: `/subscriptions/${subscriptionId}`,
      deployers: own.deployers,
      hubNetworkId: own.runnerNetworkId,
      assignsPolicies: own.cluster.podSecurity !== undefined,
      assignableRoles: Object.values(own.sops.roles).filter((role) => role !== undefined),
      pulumiDeployments: {
        organization: common.organization,
        project: own.project,
        previewAs: previews === "deployer" ? "deployer" : "reader",
        // Its token is documented nowhere; it is of one of the four operations, or of these.
        furtherOperations: [...(drift ? ["detect-drift"] : []), ...(drift?.remediate ? ["remediate-drift"] : [])],
      },
      ...(gitHub && {
        github: { ...gitHub, owner, repository, ownerId, repositoryId, deployBranches },
      }),
      ...(azureDevOps && { azureDevOps }),
    },
    // The provider's own owner is the GitOps repository's.
    gitHub ? { providers: [new Provider(name, { owner })] } : {},
  );
  return { deployer: made.deployerClientId, reader: made.readerClientId };
}
