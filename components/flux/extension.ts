import { Extension } from "@pulumi/azure-native/kubernetesconfiguration/extension.js";
import { FluxConfiguration } from "@pulumi/azure-native/kubernetesconfiguration/fluxConfiguration.js";
import * as pulumi from "@pulumi/pulumi";
import { commitUrl, gitHubRepository } from "../../net/gitAddress.ts";
import { FluxConfigurationReady } from "../../provider/sdk/fluxConfigurationReady.ts";
import { FURTHER_CONFIGURATION } from "../defaults.ts";
import { readyNames } from "../repository/kustomizations.ts";
import {
  chartObjects,
  EXTENSION,
  EXTENSION_KUSTOMIZATION,
  FLUX_NAMESPACE,
  rootKustomization,
} from "../repository/names.ts";
import { folderOf } from "../repository/order.ts";
import { after } from "../shared/after.ts";
import { newFirst } from "../shared/newFirst.ts";
import { SERVICE_SET } from "../shared/serviceSet.ts";
import { withDefaults } from "../shared/withDefaults.ts";
import type { ActingIdentity, FurtherConfigurationArgs } from "./fluxBootstrapArgs.ts";
import type { FluxParts, FluxWanted } from "./fluxParts.ts";
import { gitAccessOf } from "./gitAccess.ts";
import { readingKey, readsBySsh } from "./readingKey.ts";

/** How Flux reads the repository, as a FluxConfiguration has it. */
interface SignIn {
  readonly gitRepository: {
    readonly url: pulumi.Input<string>;
    readonly sshKnownHosts?: string;
    readonly httpsUser?: string;
  };
  /** By name, base64. */
  readonly configurationProtectedSettings: Readonly<Record<string, pulumi.Input<string>>>;
}

/** What the extension needs beside what every way to bring Flux starts from. */
export interface ExtensionParts extends FluxParts {
  /** The AKS cluster. */
  readonly aks: { readonly resourceGroupName: pulumi.Input<string>; readonly clusterName: pulumi.Input<string> };
  /** The identity of Flux's controllers. */
  readonly identity: ActingIdentity;
}

/** What Azure says of the repository in the cluster. */
interface Reconciled {
  /** The commit, when Azure tells that the cluster has come to it. */
  readonly commit: pulumi.Output<string>;
  /** Whether Azure found everything reconciled when it was configured: `Compliant` and others. */
  readonly complianceState: pulumi.Output<string>;
}

/** Flux by the AKS extension, which reads the repository with a key or with a token. */
export function installExtension(parts: ExtensionParts): Reconciled {
  const signIn = readsBySsh(parts.args) ? withKey(parts) : withToken(parts);
  const extension = createExtension(parts);
  const configuration = createConfigurations(parts, extension, signIn);
  const ready = createReady(parts, configuration);
  return { commit: after(parts.commit.commit, ready), complianceState: configuration.complianceState };
}

/** The configuration's own wait is for its creation alone: a later commit changes nothing in it. */
function createReady({ name, args, repository, commit, parent }: FluxParts, configuration: FluxConfiguration) {
  // Azure tells of a source as of any other object.
  const { releases } = chartObjects(args.charts ?? [], false);
  const access = gitAccessOf(args);
  return new FluxConfigurationReady(
    name,
    {
      configurationId: configuration.id,
      url: repository.apply(() => commitUrl(args.address)),
      ...(access ? { access } : {}),
      branch: args.branch,
      commit: commit.commit,
      kustomizations: [rootKustomization("extension", args.configuration), ...readyNames(args)],
      releases,
      readyMinutes: args.readyMinutes,
    },
    { parent },
  );
}

function withToken({ args, repository }: FluxParts): SignIn {
  // There, or it would have been refused.
  const token = pulumi.output(args.gitToken ?? "");
  return {
    gitRepository: { url: repository.apply((found) => urlOf(args, found)), httpsUser: args.username },
    configurationProtectedSettings: { httpsKey: pulumi.secret(token.apply(base64)) },
  };
}

/** On GitHub the repository has the name that GitHub knows it by. */
function urlOf({ address, githubHost }: FluxWanted, found: string): string {
  const gitHub = gitHubRepository(address, githubHost);
  return gitHub === undefined ? commitUrl(address) : `https://${address.host}/${gitHub.owner}/${found}`;
}

function withKey(parts: FluxParts): SignIn {
  const { url, privateKey, knownHosts } = readingKey(parts);
  return {
    gitRepository: { url, sshKnownHosts: base64(knownHosts) },
    configurationProtectedSettings: { sshPrivateKey: pulumi.secret(privateKey.apply(base64)) },
  };
}

function createExtension({ name, args, aks, identity, parent }: ExtensionParts): Extension {
  const images = String(args.imageAutomation);
  return new Extension(
    name,
    {
      ...target(aks, aks.clusterName),
      extensionName: EXTENSION,
      extensionType: "microsoft.flux",
      ...(args.extensionVersion === undefined
        ? { autoUpgradeMinorVersion: true }
        : { autoUpgradeMinorVersion: false, version: args.extensionVersion }),
      releaseTrain: "Stable",
      scope: { cluster: { releaseNamespace: FLUX_NAMESPACE } },
      configurationSettings: {
        "image-automation-controller.enabled": images,
        "image-reflector-controller.enabled": images,
        "multiTenancy.enforce": "true",
        "workloadIdentity.enable": "true",
        "workloadIdentity.azureClientId": identity.clientId,
        "workloadIdentity.azureTenantId": identity.tenantId,
      },
    },
    newFirst({ parent, ignoreChanges: SERVICE_SET.extension }),
  );
}

/** One configuration: what it is called, where its objects stand, and the folder that it applies. */
interface Wanted {
  /** The resource's name. */
  readonly resource: string;
  readonly configuration: FluxWanted["configuration"];
  readonly path: string;
  /** Whether Azure waits until all of it is Ready. */
  readonly waits: boolean;
}

function createConfigurations(parts: ExtensionParts, extension: Extension, signIn: SignIn): FluxConfiguration {
  const { name, args } = parts;
  const { configuration, path, configurations = [] } = args;
  for (const { path: folder, ...given } of configurations)
    createConfiguration(parts, extension, signIn, {
      resource: `${name}-${given.name}`,
      configuration: withDefaults<FurtherConfigurationArgs, typeof FURTHER_CONFIGURATION>(
        { path: folder, ...given },
        FURTHER_CONFIGURATION,
      ),
      path: folderOf(folder),
      // What others have in there must not keep the program from ending.
      waits: false,
    });
  return createConfiguration(parts, extension, signIn, { resource: name, configuration, path, waits: true });
}

function createConfiguration(
  { args, aks, identity, commit, parent }: ExtensionParts,
  extension: Extension,
  { gitRepository, configurationProtectedSettings }: SignIn,
  { resource, configuration, path, waits }: Wanted,
): FluxConfiguration {
  const { branch } = args;
  // Deleted before all of these, so that Flux is still there, and still may, when it cleans up.
  const ready = [extension, ...identity.requirements, ...args.contents, commit];
  return new FluxConfiguration(
    resource,
    {
      ...target(aks, after(aks.clusterName, ...ready)),
      fluxConfigurationName: configuration.name,
      scope: configuration.scope,
      namespace: configuration.namespace,
      sourceKind: "GitRepository",
      gitRepository: {
        ...gitRepository,
        repositoryRef: { branch },
        syncIntervalInSeconds: configuration.syncSeconds,
        timeoutInSeconds: 600,
      },
      configurationProtectedSettings,
      kustomizations: {
        [EXTENSION_KUSTOMIZATION]: {
          path: `./${path}`,
          prune: true,
          wait: waits,
          syncIntervalInSeconds: 600,
          retryIntervalInSeconds: 60,
          timeoutInSeconds: 600,
        },
      },
      waitForReconciliation: waits,
      ...(waits ? { reconciliationWaitDuration: "PT20M" } : {}),
    },
    newFirst({ parent }),
  );
}

function target({ resourceGroupName }: ExtensionParts["aks"], clusterName: pulumi.Input<string>) {
  const clusterRp = "Microsoft.ContainerService";
  return { resourceGroupName, clusterRp, clusterResourceName: "managedClusters", clusterName };
}

function base64(text: string): string {
  return Buffer.from(text).toString("base64");
}
