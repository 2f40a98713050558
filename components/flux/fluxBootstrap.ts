import * as pulumi from "@pulumi/pulumi";
import type { ApiAccess } from "../cluster/apiAccess.ts";
import { installExtension } from "./extension.ts";
import { gitOpsRepository } from "./gitOpsRepository.ts";
import { installBootstrap } from "./installation.ts";
import { RepositoryContent, type RepositoryContentArgs } from "./repositoryContent.ts";

export interface FluxBootstrapArgs extends Omit<RepositoryContentArgs, "url"> {
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
    const { owner, name: repositoryName, mode } = args.settings.flux;
    const repository = gitOpsRepository(name, args.settings.flux, this);
    // Without .git, however the settings write it: so another way of writing it is no other repository.
    const url = repository.apply(() => `https://github.com/${owner}/${repositoryName}`);
    const { commit } = new RepositoryContent(name, { ...args, url }, { parent: this });
    const parts = { name, args, repository, commit, parent: this };
    if (mode === "extension") this.complianceState = installExtension(parts);
    this.commit = mode === "bootstrap" ? installBootstrap({ ...parts, commit }) : commit.commit;
    this.registerOutputs({ commit: this.commit, complianceState: this.complianceState });
  }
}
