import * as pulumi from "@pulumi/pulumi";
import { commitUrl, sshUrl, writtenUrl } from "../../net/gitAddress.ts";
import { refuse } from "../shared/faults.ts";
import { type ExtensionParts, installExtension } from "./extension.ts";
import type { FluxBootstrapArgs } from "./fluxBootstrapArgs.ts";
import { fluxFaults } from "./fluxFaults.ts";
import { type FluxWanted, filled } from "./fluxParts.ts";
import { gitAccessOf, pullRequestOf } from "./gitAccess.ts";
import { gitOpsRepository } from "./gitOpsRepository.ts";
import { type BootstrapParts, installBootstrap } from "./installation.ts";
import { readsBySsh } from "./readingKey.ts";
import { type Bootstrapped, RepositoryContent } from "./repositoryContent.ts";
import type { Auth } from "./signIn.ts";

/**
 * Flux in the cluster, by the AKS extension or by its own bootstrap, reconciling the stack's folder of the GitOps
 * repository.
 */
export class FluxBootstrap extends pulumi.ComponentResource {
  /** SHA of the commit that the cluster reconciles, when all that it promises is Ready. */
  readonly commit: pulumi.Output<string>;
  /** Whether Azure found everything reconciled: `Compliant` and others; only where the extension runs Flux. */
  readonly complianceState?: pulumi.Output<string>;

  /** @throws pulumi.ResourceError naming every argument that cannot work. */
  constructor(name: string, args: FluxBootstrapArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:FluxBootstrap", name, {}, opts);
    refuse(this, name, fluxFaults(args));
    const wanted = filled(args);
    const bootstrap = bootstrapOf(wanted);
    const repository = gitOpsRepository(name, wanted, this);
    const url = repository.apply(() => commitUrl(wanted.address));
    const { roles = [] } = wanted.identity ?? {};
    const needed = { keyUsers: [...(wanted.keyUsers ?? []), ...roles], contents: [...wanted.contents, ...roles] };
    const content = { ...wanted, ...needed, ...reached(wanted), url, bootstrap };
    const { commit } = new RepositoryContent(name, content, { parent: this });
    const parts = { name, args: wanted, repository, commit, parent: this };
    if (bootstrap) {
      this.commit = installBootstrap({ ...parts, ...bootstrap });
    } else {
      const extension = { ...parts, ...aksOf(wanted) };
      ({ commit: this.commit, complianceState: this.complianceState } = installExtension(extension));
    }
    this.registerOutputs({ commit: this.commit, complianceState: this.complianceState });
  }
}

/** How the program signs in, and what it does where it may not push. */
function reached(wanted: FluxWanted) {
  return { gitAccess: gitAccessOf(wanted), pullRequest: pullRequestOf(wanted) };
}

/** What the extension needs. @throws Error when it is not there; faultless arguments have it. */
function aksOf({ resourceGroupName, clusterName, identity }: FluxWanted): Pick<ExtensionParts, "aks" | "identity"> {
  if (resourceGroupName === undefined || clusterName === undefined || identity === undefined)
    throw new Error("mode extension needs resourceGroupName, clusterName and identity");
  return { aks: { resourceGroupName, clusterName }, identity };
}

/** What a bootstrap needs; none where the extension brings Flux. */
function bootstrapOf(wanted: FluxWanted): (Bootstrapped & Pick<BootstrapParts, "access" | "provider">) | undefined {
  const { mode, access, address, identity, imageAutomation, repository, artifact } = wanted;
  const { install, interval, recurseSubmodules } = wanted;
  const { flux } = wanted.lock;
  if (mode !== "bootstrap" || !access || !flux) return undefined;
  const fluxUrl = (readsBySsh(wanted) ? sshUrl(address, wanted.githubHost) : undefined) ?? writtenUrl(repository);
  const provider = artifact === undefined ? PROVIDERS[wanted.auth] : undefined;
  const read = { fluxUrl, provider, artifact, interval, recurseSubmodules };
  return { flux, access, identity, imageAutomation, install, ...read };
}

/** Who reads the repository in place of a token or a key, as Flux calls it. */
const PROVIDERS: Partial<Record<Auth, "azure" | "github">> = { workloadIdentity: "azure", githubApp: "github" };
