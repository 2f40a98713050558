// The components for other programs, their arguments, and the resources of the provider plugin that they are made of.

export type { Lock, LockedChart, LockedFlux, LockedImage, MirrorSettings } from "../mirror/lock.ts";
export { ChartMirror, type ChartMirrorArgs } from "../provider/sdk/chartMirror.ts";
export { ClusterAccess, type ClusterAccessArgs } from "../provider/sdk/clusterAccess.ts";
export { EncryptedSecret, type EncryptedSecretArgs } from "../provider/sdk/encryptedSecret.ts";
export { FluxInstall, type FluxInstallArgs, type SshKeyArgs } from "../provider/sdk/fluxInstall.ts";
export { FluxReady, type FluxReadyArgs } from "../provider/sdk/fluxReady.ts";
export {
  type FluxComponentsArgs,
  GitCommit,
  type GitCommitArgs,
  type KustomizationEntries,
  type SopsRule,
} from "../provider/sdk/gitCommit.ts";
export { ImageImport, type ImageImportArgs } from "../provider/sdk/imageImport.ts";
export { SystemPool, type SystemPoolArgs } from "../provider/sdk/systemPool.ts";
export { AksCluster } from "./cluster/aksCluster.ts";
export type {
  AksClusterArgs,
  MaintenanceArgs,
  NetworkArgs,
  PoolArgs,
  UserPoolArgs,
  WindowArgs,
} from "./cluster/aksClusterArgs.ts";
export { AksNetwork, type AksNetworkArgs } from "./cluster/aksNetwork.ts";
export type { ApiAccess } from "./cluster/apiAccess.ts";
export type { ContentArgs, SecretArgs } from "./flux/contentArgs.ts";
export { FluxBootstrap } from "./flux/fluxBootstrap.ts";
export type { ActingIdentity, FluxBootstrapArgs } from "./flux/fluxBootstrapArgs.ts";
export { FluxIdentity, type FluxIdentityArgs } from "./flux/fluxIdentity.ts";
export { type Bootstrapped, RepositoryContent, type RepositoryContentArgs } from "./flux/repositoryContent.ts";
export { HelmMirror, type HelmMirrorArgs, readMirrorLock } from "./mirror/helmMirror.ts";
export { ContainerRegistry, type ContainerRegistryArgs } from "./registry/containerRegistry.ts";
export type { PullCredentials } from "./registry/pullCredentials.ts";
export { PullPrincipal, type PullPrincipalArgs } from "./registry/pullPrincipal.ts";
export type { Chart, Demo } from "./repository/files.ts";
export type { Manifest } from "./repository/yaml.ts";
export type { EndpointNetwork } from "./shared/privateEndpoint.ts";
export type { Tags } from "./shared/tags.ts";
export { SopsKeyVault, type SopsKeyVaultArgs, type SopsRoles } from "./vault/sopsKeyVault.ts";
