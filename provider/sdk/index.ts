// The resources of the plugin `gitops`, for Pulumi programs that find the plugin through `plugins.providers`.
export { AcceptedPassword, type AcceptedPasswordArgs } from "./acceptedPassword.ts";
export { AgentPool, type AgentPoolArgs } from "./agentPool.ts";
export { ChartMirror, type ChartMirrorArgs } from "./chartMirror.ts";
export { EncryptedSecret, type EncryptedSecretArgs } from "./encryptedSecret.ts";
export { FluxConfigurationReady, type FluxConfigurationReadyArgs } from "./fluxConfigurationReady.ts";
export { FluxInstall, type FluxInstallArgs, type ReadingAppArgs, type SshKeyArgs } from "./fluxInstall.ts";
export { FluxReady, type FluxReadyArgs } from "./fluxReady.ts";
export { type GetExistingArgs, type GetExistingResult, getExisting } from "./getExisting.ts";
export {
  type ForeignImage,
  type GetForeignImagesArgs,
  type GetForeignImagesResult,
  getForeignImages,
} from "./getForeignImages.ts";
export {
  type FluxComponentsArgs,
  type GitAccessArgs,
  GitCommit,
  type GitCommitArgs,
  type GitHubAppArgs,
  type KustomizationEntries,
  type PersonArgs,
  type PullRequestArgs,
  type SopsRule,
} from "./gitCommit.ts";
export { ImageImport, type ImageImportArgs } from "./imageImport.ts";
export { KeyInUse, type KeyInUseArgs } from "./keyInUse.ts";
export {
  type ClusterIdentityArgs,
  type ClusterSkuArgs,
  ManagedCluster,
  type ManagedClusterArgs,
  type ManagedClusterProperties,
} from "./managedCluster.ts";
export { NatGateway, type NatGatewayArgs } from "./natGateway.ts";
export { NetworkPeering, type NetworkPeeringArgs } from "./networkPeering.ts";
export { VaultKey, type VaultKeyArgs } from "./vaultKey.ts";
export { ZoneLink, type ZoneLinkArgs } from "./zoneLink.ts";
