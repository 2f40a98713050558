import * as pulumi from "@pulumi/pulumi";
import {
  AksCluster,
  ContainerRegistry,
  DecryptPrincipal,
  FluxBootstrap,
  type FluxBootstrapArgs,
  FluxIdentity,
  HelmMirror,
  type HelmMirrorArgs,
  kubeconfigAccess,
  Protection,
  readMirrorLock,
  SopsKeyVault,
} from "./components/index.ts";
import { stackGroup } from "./components/resourceGroup.ts";
import { checkSignIn, readSettings } from "./settings/settings.ts";

const settings = readSettings();
checkSignIn();
const lock = await readMirrorLock(process.cwd(), settings);
const { stack, location, deployers, protect, tags, passwordDays } = settings;
const { name: registryName, private: isPrivate, auditLogs: logsRegistry, ...registrySettings } = settings.registry;
const { vault: vaultName, publicKey, auditLogs: logsVault, ...sopsSettings } = settings.sops;
const { identity: identityId, upgradeAfter: _, ...clusterSettings } = settings.cluster;
const {
  mode,
  repository: url,
  artifact,
  createRepository,
  branch,
  path,
  auth,
  githubApp,
  githubHost,
  username,
  knownHosts,
  commit: committer,
} = settings.flux;
const {
  imageAutomation,
  imagePullSecret,
  install,
  interval,
  recurseSubmodules,
  readyMinutes,
  kustomizations,
  configuration,
  configurations,
  extensionVersion,
  sources,
  start,
} = settings.flux;
// Said before anything is registered where it cannot be reached.
const otherAccess = settings.otherCluster && (await kubeconfigAccess(settings.otherCluster.context));

const group = stackGroup(`${settings.project}-${stack}`, { existing: settings.resourceGroup, location, tags });
const { resourceGroup } = group;
const common = { resourceGroupName: resourceGroup.name, tags };

const cluster =
  otherAccess === undefined
    ? new AksCluster(`aks-${stack}`, {
        ...common,
        ...clusterSettings,
        identityId,
        alerts: { ...settings.cluster.alerts, fluxConfigurations: mode === "extension" },
        runnerNetworkId: settings.runnerNetworkId,
        runnerAddresses: settings.runnerAddresses,
        privateEndpoints: isPrivate,
        protect,
      })
    : undefined;
const network = isPrivate && cluster ? { ...cluster.network, allowedAddresses: settings.runnerAddresses } : undefined;
const registry = new ContainerRegistry(`acr-${stack}`, {
  ...common,
  ...registrySettings,
  registryName,
  network,
  deployers,
  passwordDays,
  logWorkspaceId: logsRegistry ? cluster?.logWorkspaceId : undefined,
  pullers: cluster && { kubelet: cluster.kubeletPrincipalId },
  protect,
});
const vault = new SopsKeyVault(`kv-${stack}`, {
  ...common,
  ...sopsSettings,
  vaultName,
  network: registry.network,
  deployers,
  logWorkspaceId: logsVault ? cluster?.logWorkspaceId : undefined,
  protect,
});
const mirror = new HelmMirror("mirror", {
  lock,
  registryId: registry.registryId,
  registryCreated: registry.registryCreated,
  importServer: registry.importServer,
  pushServer: registry.pushServer,
  sources: settings.imageSources,
  credentials: settings.imageSourceCredentials as HelmMirrorArgs["credentials"],
  promoteFrom: settings.promoteFrom,
});
const issuer = cluster?.oidcIssuerUrl ?? settings.otherCluster?.issuer;
const decryptRole = settings.sops.roles.decrypt;
const identity =
  issuer === undefined
    ? undefined
    : new FluxIdentity(`flux-${stack}`, {
        ...common,
        issuer,
        registryId: registry.registryId,
        keyId: vault.keyId,
        decryptRole,
        imageAutomation,
      });
const decrypter = identity
  ? undefined
  : new DecryptPrincipal(`kv-${stack}-decrypt`, {
      keyId: vault.keyId,
      tenantId: vault.tenantId,
      decryptRole,
      passwordDays,
    });
const flux = new FluxBootstrap("flux", {
  resourceGroupName: cluster && resourceGroup.name,
  clusterName: cluster?.readyClusterName,
  access: cluster?.access ?? otherAccess,
  deployers,
  identity,
  mode,
  repository: url,
  artifact,
  createRepository,
  branch,
  path,
  auth,
  githubApp,
  githubHost,
  // The engine has opened what the stack's file encrypts.
  gitToken: settings.gitToken as FluxBootstrapArgs["gitToken"],
  gitKey: settings.gitKey as FluxBootstrapArgs["gitKey"],
  username,
  knownHosts,
  commit: committer,
  imageAutomation,
  install,
  interval,
  recurseSubmodules,
  readyMinutes,
  configuration,
  configurations,
  extensionVersion,
  start,
  stack,
  lock,
  kustomizations,
  sources,
  charts: settings.charts,
  acceptForeign: [...(settings.ignoreImages ?? []), ...(settings.acceptForeign ?? [])],
  demo: settings.demo,
  secrets: settings.secrets as FluxBootstrapArgs["secrets"],
  loginServer: registry.pullServer,
  keyUrl: vault.keyUrl,
  readableKeyUrl: vault.readableKeyUrl,
  keyUsers: [...vault.keyUsers, ...(decrypter?.roles ?? [])],
  publicKey,
  pullCredentials: registry.pullCredentials,
  imagePullSecret,
  decryptCredentials: decrypter?.credentials,
  contents: mirror.contents,
});
// Last, when everything that it holds on to is registered.
// It has the name of the setting, which is then in the refusal of the engine.
new Protection("aks-gitops:protect", {
  protect,
  resources: [...group.parts, cluster, registry, vault, mirror, identity, decrypter, flux].filter(
    (one) => one !== undefined,
  ),
});

export const resourceGroupId = resourceGroup.id;
/** Of an AKS cluster alone, as are the two that follow; null is no output, and undefined would be a warning. */
export const clusterId = cluster?.clusterId ?? null;
export const clusterName = cluster?.clusterName ?? null;
export const oidcIssuerUrl = cluster?.oidcIssuerUrl ?? null;
/** It holds no credential and is a secret only to keep its many lines out of an update: `--show-secrets` shows it. */
export const kubeconfig = cluster ? pulumi.secret(cluster.kubeconfig) : null;
export const { registryId, loginServer } = registry;
export const { vaultUri, keyId, keyUrl } = vault;
export const { commit } = flux;
export const repository = { url, branch, path };
/** With the extension, Azure's word on whether the repository is reconciled. */
export const reconciliation = { mode, complianceState: flux.complianceState };
