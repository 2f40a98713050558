// The components for other programs, and their arguments. The resources of the provider plugin that they are made of are
// in provider/sdk/index.ts, for programs that want no more than these.

export type { Lock, LockedChart, LockedFlux, LockedImage, MirrorSettings } from "../mirror/lock.ts";
export { AksCluster } from "./cluster/aksCluster.ts";
export type {
  AccessArgs,
  AksClusterArgs,
  AlertsArgs,
  MaintenanceArgs,
  NetworkArgs,
  PodSecurityArgs,
  PoolArgs,
  UserPoolArgs,
  WindowArgs,
} from "./cluster/aksClusterArgs.ts";
export { AksNetwork, type AksNetworkArgs } from "./cluster/aksNetwork.ts";
export { type ApiAccess, kubeconfigAccess } from "./cluster/apiAccess.ts";
export type { ContentArgs, SecretArgs } from "./flux/contentArgs.ts";
export { FluxBootstrap } from "./flux/fluxBootstrap.ts";
export type {
  ActingIdentity,
  FluxBootstrapArgs,
  FluxConfigurationArgs,
  FurtherConfigurationArgs,
} from "./flux/fluxBootstrapArgs.ts";
export { FluxIdentity, type FluxIdentityArgs } from "./flux/fluxIdentity.ts";
export { type Bootstrapped, RepositoryContent, type RepositoryContentArgs } from "./flux/repositoryContent.ts";
export { HelmMirror, type HelmMirrorArgs, type ImageSourceArgs, readMirrorLock } from "./mirror/helmMirror.ts";
export { readMirrorFile } from "./mirror/mirrorFile.ts";
export { PipelineIdentity } from "./pipeline/pipelineIdentity.ts";
export type {
  AzureDevOpsArgs,
  GitHubPipelineArgs,
  PipelineIdentityArgs,
  PulumiDeploymentsArgs,
} from "./pipeline/pipelineIdentityArgs.ts";
export { Protection, type ProtectionArgs } from "./protection.ts";
export { ContainerRegistry, type ContainerRegistryArgs } from "./registry/containerRegistry.ts";
export type { PullCredentials } from "./registry/pullCredentials.ts";
export { PullPrincipal, type PullPrincipalArgs } from "./registry/pullPrincipal.ts";
export type { Artifact } from "./repository/artifact.ts";
export type { Chart, Demo } from "./repository/files.ts";
export type {
  CrdsPolicy,
  DriftDetection,
  InstallPolicy,
  ReleasePolicy,
  Remediation,
  UpgradePolicy,
  ValuesReference,
} from "./repository/releases.ts";
export type { Source } from "./repository/sources.ts";
export type { Manifest } from "./repository/yaml.ts";
export type { EndpointNetwork } from "./shared/privateEndpoint.ts";
export type { Tags } from "./shared/tags.ts";
export { type DecryptCredentials, DecryptPrincipal, type DecryptPrincipalArgs } from "./vault/decryptPrincipal.ts";
export { SopsKeyVault, type SopsKeyVaultArgs, type SopsRoles } from "./vault/sopsKeyVault.ts";
