import { type GetRepositoryResult, getRepositoryOutput } from "@pulumi/github/getRepository.js";
import * as pulumi from "@pulumi/pulumi";
import type { ApiAccess } from "./aksCluster.ts";
import { installExtension } from "./fluxExtension.ts";
import { installBootstrap } from "./fluxInstallation.ts";
import { RepositoryContent, type RepositoryContentArgs } from "./repositoryContent.ts";

export interface FluxBootstrapArgs extends RepositoryContentArgs {
  readonly resourceGroupName: pulumi.Input<string>;
  /** The cluster's name, when pods can run in it. */
  readonly clusterName: pulumi.Input<string>;
  /** The cluster's API server; only a bootstrapped Flux is installed through it. */
  readonly access: ApiAccess;
  /** Object id of the group that installs Flux. */
  readonly deployers: string;
  /** Flux's identity, and what has to be there before it can act. */
  readonly identity: {
    readonly clientId: pulumi.Input<string>;
    readonly tenantId: pulumi.Input<string>;
    readonly requirements: readonly pulumi.Resource[];
  };
}

/**
 * Flux in the cluster, by the AKS extension or by its own bootstrap, reconciling the stack's folder of the GitOps
 * repository.
 */
export class FluxBootstrap extends pulumi.ComponentResource {
  /** The commit that the cluster reconciles. */
  readonly commit: pulumi.Output<string>;
  /** Whether Azure found everything reconciled: `Compliant` and others; only where the extension runs Flux. */
  readonly complianceState?: pulumi.Output<string>;

  constructor(name: string, args: FluxBootstrapArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:FluxBootstrap", name, {}, opts);
    const { owner, name: repositoryName, repository: url, mode } = args.settings.flux;
    const { commit } = new RepositoryContent(name, args, { parent: this });
    const found = getRepositoryOutput({ fullName: `${owner}/${repositoryName}` }, { parent: this });
    const repository = found.apply((it) => existing(it, url));
    const parts = { name, args, repository, commit, parent: this };
    if (mode === "extension") this.complianceState = installExtension(parts);
    this.commit = mode === "bootstrap" ? installBootstrap({ ...parts, commit }) : commit.commit;
    this.registerOutputs({ commit: this.commit, complianceState: this.complianceState });
  }
}

/** The provider gives an empty id, and no error, for a repository that is not there or not to be seen. */
function existing(found: GetRepositoryResult, url: string): string {
  if (found.id !== "") return found.name;
  throw new pulumi.RunError(
    `aks-gitops:flux.repository ${url} is not there, or GITHUB_TOKEN may not see it. ` +
      "Create the repository, or give the token access to it; it is never created from here.",
  );
}
