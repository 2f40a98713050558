import { ResourceGroup } from "@pulumi/azure-native/resources/resourceGroup.js";
import { AksCluster } from "./components/cluster/aksCluster.ts";
import { FluxBootstrap } from "./components/flux/fluxBootstrap.ts";
import { FluxIdentity } from "./components/flux/fluxIdentity.ts";
import { HelmMirror, readMirrorLock } from "./components/mirror/helmMirror.ts";
import { ContainerRegistry } from "./components/registry/containerRegistry.ts";
import { SopsKeyVault } from "./components/vault/sopsKeyVault.ts";
import { readSettings } from "./settings/settings.ts";

const settings = readSettings();
const lock = await readMirrorLock(process.cwd(), settings);
const { stack, deployers, protect } = settings;

const resourceGroup = new ResourceGroup(`${settings.project}-${stack}`, { location: settings.location });
const resourceGroupName = resourceGroup.name;

const cluster = new AksCluster(`aks-${stack}`, {
  resourceGroupName,
  ...settings.cluster,
  privateEndpoints: settings.registry.private,
  protect,
});
const registry = new ContainerRegistry(`acr-${stack}`, {
  resourceGroupName,
  settings: settings.registry,
  deployers,
  pullers: { kubelet: cluster.kubeletPrincipalId },
  network: cluster.network,
});
const vault = new SopsKeyVault(`kv-${stack}`, {
  resourceGroupName,
  settings: settings.sops,
  deployers,
  ...(settings.registry.private ? { network: cluster.network } : {}),
  protect,
});
const mirror = new HelmMirror("mirror", {
  lock,
  registryId: registry.registryId,
  importServer: registry.importServer,
  pushServer: registry.pushServer,
});
const identity = new FluxIdentity(`flux-${stack}`, {
  resourceGroupName,
  issuer: cluster.oidcIssuerUrl,
  registryId: registry.registryId,
  keyId: vault.keyId,
  decryptRole: settings.sops.roles.decrypt,
  imageAutomation: settings.flux.imageAutomation,
});
const flux = new FluxBootstrap("flux", {
  resourceGroupName,
  clusterName: cluster.readyClusterName,
  access: cluster.access,
  deployers,
  settings,
  lock,
  loginServer: registry.pullServer,
  keyUrl: vault.keyUrl,
  readableKeyUrl: vault.readableKeyUrl,
  pullCredentials: registry.pullCredentials,
  contents: mirror.contents,
  identity,
});

export const resourceGroupId = resourceGroup.id;
export const { clusterId, clusterName, kubeconfig, oidcIssuerUrl } = cluster;
export const { registryId, loginServer } = registry;
export const { vaultUri, keyId, keyUrl } = vault;
export const { images, charts } = mirror;
export const { commit } = flux;
export const repository = { url: settings.flux.repository, branch: settings.flux.branch, path: settings.flux.path };
/** With the extension, Azure's word on whether the repository is reconciled. */
export const reconciliation = { mode: settings.flux.mode, complianceState: flux.complianceState };
