import { Extension } from "@pulumi/azure-native/kubernetesconfiguration/extension.js";
import { FluxConfiguration } from "@pulumi/azure-native/kubernetesconfiguration/fluxConfiguration.js";
import { type GetRepositoryResult, getRepositoryOutput } from "@pulumi/github/getRepository.js";
import { RepositoryDeployKey } from "@pulumi/github/repositoryDeployKey.js";
import * as pulumi from "@pulumi/pulumi";
import { PrivateKey } from "@pulumi/tls/privateKey.js";
import { after } from "./after.ts";
import { FLUX_NAMESPACE, GIT_REPOSITORY } from "./flux/names.ts";
import { GITHUB_KNOWN_HOSTS } from "./githubHostKeys.ts";
import { RepositoryContent, type RepositoryContentArgs } from "./repositoryContent.ts";

export interface FluxBootstrapArgs extends RepositoryContentArgs {
  readonly resourceGroupName: pulumi.Input<string>;
  /** The cluster's name, when pods can run in it. */
  readonly clusterName: pulumi.Input<string>;
  /** Flux's identity, and what has to be there before it can act. */
  readonly identity: {
    readonly clientId: pulumi.Input<string>;
    readonly tenantId: pulumi.Input<string>;
    readonly requirements: readonly pulumi.Resource[];
  };
}

/** Flux in the cluster, by the AKS extension, reconciling the stack's folder of the GitOps repository. */
export class FluxBootstrap extends pulumi.ComponentResource {
  /** The commit that the cluster reconciles. */
  readonly commit: pulumi.Output<string>;
  /** Whether Azure found everything reconciled: `Compliant` and others. */
  readonly complianceState: pulumi.Output<string>;

  constructor(name: string, args: FluxBootstrapArgs, opts?: pulumi.ComponentResourceOptions) {
    super("aks-gitops:index:FluxBootstrap", name, {}, opts);
    const content = new RepositoryContent(name, args, { parent: this });
    const sshKey = new PrivateKey(name, { algorithm: "ECDSA", ecdsaCurve: "P384" }, { parent: this });
    const deployKey = this.createDeployKey(name, args, sshKey);
    const extension = this.createExtension(name, args);
    const configuration = this.createConfiguration(name, args, extension, sshKey, [deployKey, content.commit]);
    this.commit = content.commit.commit;
    this.complianceState = configuration.complianceState;
    this.registerOutputs({ commit: this.commit, complianceState: this.complianceState });
  }

  /** Lets the cluster read the repository; its title is the one that `flux bootstrap` gives. */
  private createDeployKey(name: string, { settings }: FluxBootstrapArgs, sshKey: PrivateKey): RepositoryDeployKey {
    const { owner, name: repository, branch, path } = settings.flux;
    const found = getRepositoryOutput({ fullName: `${owner}/${repository}` }, { parent: this });
    return new RepositoryDeployKey(
      name,
      {
        repository: found.apply((it) => existing(it, settings.flux.repository)),
        title: `flux-system-${branch}-flux-system-./${path}`,
        key: sshKey.publicKeyOpenssh.apply((key) => key.trim()),
        readOnly: true,
      },
      { parent: this },
    );
  }

  private createExtension(name: string, args: FluxBootstrapArgs): Extension {
    const images = String(args.settings.flux.imageAutomation);
    return new Extension(
      name,
      {
        ...target(args, args.clusterName),
        extensionName: "flux",
        extensionType: "microsoft.flux",
        autoUpgradeMinorVersion: true,
        releaseTrain: "Stable",
        scope: { cluster: { releaseNamespace: FLUX_NAMESPACE } },
        configurationSettings: {
          "image-automation-controller.enabled": images,
          "image-reflector-controller.enabled": images,
          "multiTenancy.enforce": "true",
          "workloadIdentity.enable": "true",
          "workloadIdentity.azureClientId": args.identity.clientId,
          "workloadIdentity.azureTenantId": args.identity.tenantId,
        },
      },
      { parent: this },
    );
  }

  private createConfiguration(
    name: string,
    args: FluxBootstrapArgs,
    extension: Extension,
    sshKey: PrivateKey,
    repository: readonly pulumi.Resource[],
  ): FluxConfiguration {
    const { owner, name: repositoryName, branch, path } = args.settings.flux;
    // Deleted before all of these, so that Flux is still there, and still may, when it cleans up.
    const ready = [extension, ...args.identity.requirements, ...args.contents, ...repository];
    return new FluxConfiguration(
      name,
      {
        ...target(args, after(args.clusterName, ...ready)),
        fluxConfigurationName: GIT_REPOSITORY,
        scope: "cluster",
        namespace: FLUX_NAMESPACE,
        sourceKind: "GitRepository",
        gitRepository: {
          url: `ssh://git@github.com/${owner}/${repositoryName}`,
          repositoryRef: { branch },
          syncIntervalInSeconds: 60,
          timeoutInSeconds: 600,
          sshKnownHosts: base64(GITHUB_KNOWN_HOSTS),
        },
        configurationProtectedSettings: { sshPrivateKey: pulumi.secret(sshKey.privateKeyPem.apply(base64)) },
        kustomizations: {
          cluster: {
            path: `./${path}`,
            prune: true,
            wait: true,
            syncIntervalInSeconds: 600,
            retryIntervalInSeconds: 60,
            timeoutInSeconds: 600,
          },
        },
        waitForReconciliation: true,
        reconciliationWaitDuration: "PT20M",
      },
      { parent: this },
    );
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

function target({ resourceGroupName }: FluxBootstrapArgs, clusterName: pulumi.Input<string>) {
  const clusterRp = "Microsoft.ContainerService";
  return { resourceGroupName, clusterRp, clusterResourceName: "managedClusters", clusterName };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
