// For each guard rail a resource that it lets pass and one that it refuses, which differ in what it looks at alone.

/** What a program registers; `$unknown` in its properties is what a preview does not know yet. */
export interface Resource {
  readonly type: string;
  readonly props: Readonly<Record<string, unknown>>;
}

export interface Case {
  readonly passes: Resource;
  readonly fails: Resource;
  /** What is told of the one that fails. */
  readonly problem: string;
  /** As the one that fails, but for the value that decides, which is not known yet: nothing is told of it. */
  readonly unknown?: Resource;
}

export const UNKNOWN = "$unknown";

type Props = Readonly<Record<string, unknown>>;

const GUID = "6f1f2b6e-1111-4e0a-9c60-000000000001";
const SUBSCRIPTION = `/subscriptions/${GUID}`;
export const CLUSTER_ID = `${SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.ContainerService/managedClusters/aks`;
const TAGS = { owner: "platform" };

const POOL = {
  name: "system",
  mode: "System",
  type: "VirtualMachineScaleSets",
  vmSize: "Standard_D4ds_v5",
  osType: "Linux",
  osSKU: "AzureLinux",
  vnetSubnetID: `${SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/vnet/subnets/nodes`,
  availabilityZones: ["1", "2", "3"],
  enableAutoScaling: true,
  minCount: 1,
  maxCount: 3,
  tags: TAGS,
};

const PROPERTIES = {
  disableLocalAccounts: true,
  enableRBAC: true,
  aadProfile: { managed: true, enableAzureRBAC: true },
  apiServerAccessProfile: { enablePrivateCluster: true },
  networkProfile: { networkPlugin: "azure", networkPolicy: "cilium", networkDataplane: "cilium" },
  autoUpgradeProfile: { upgradeChannel: "stable", nodeOSUpgradeChannel: "NodeImage" },
  securityProfile: { defender: { securityMonitoring: { enabled: true } } },
};

/** The plugin's cluster. */
const ours = (properties: Props, rest: Props = {}): Resource => ({
  type: "gitops:index:ManagedCluster",
  props: {
    resourceGroupId: `${SUBSCRIPTION}/resourceGroups/rg`,
    name: "aks",
    location: "westeurope",
    sku: { name: "Base", tier: "Standard" },
    identity: { type: "SystemAssigned" },
    properties: { ...PROPERTIES, ...properties },
    systemPool: { ...POOL, upgradeSettings: { maxSurge: "33%", drainTimeoutInMinutes: 30 } },
    tags: TAGS,
    ...rest,
  },
});

/** azure-native's cluster. */
const theirs = (properties: Props, rest: Props = {}): Resource => ({
  type: "azure-native:containerservice:ManagedCluster",
  props: {
    resourceGroupName: "rg",
    location: "westeurope",
    dnsPrefix: "aks",
    sku: { name: "Base", tier: "Standard" },
    identity: { type: "SystemAssigned" },
    agentPoolProfiles: [{ ...POOL, count: 1 }],
    tags: TAGS,
    ...PROPERTIES,
    ...properties,
    ...rest,
  },
});

const pool = (changes: Props): Resource => ({
  type: "gitops:index:AgentPool",
  props: {
    ...POOL,
    clusterId: CLUSTER_ID,
    name: "apps",
    mode: "User",
    upgradeSettings: { maxSurge: "33%", drainTimeoutInMinutes: 30 },
    ...changes,
  },
});

const registry = (changes: Props): Resource => ({
  type: "azure-native:containerregistry:Registry",
  props: {
    resourceGroupName: "rg",
    location: "westeurope",
    registryName: "acmeprod",
    sku: { name: "Premium" },
    publicNetworkAccess: "Disabled",
    tags: TAGS,
    ...changes,
  },
});

const vault = (changes: Props): Resource => ({
  type: "azure-native:keyvault:Vault",
  props: {
    resourceGroupName: "rg",
    location: "westeurope",
    vaultName: "acme-prod",
    properties: {
      tenantId: GUID,
      sku: { family: "A", name: "standard" },
      enableRbacAuthorization: true,
      enablePurgeProtection: true,
      publicNetworkAccess: "Disabled",
      ...changes,
    },
    tags: TAGS,
  },
});

const role = (guid: string, more: Props = {}): Resource => ({
  type: "azure-native:authorization:RoleAssignment",
  props: {
    scope: `${SUBSCRIPTION}/resourceGroups/rg`,
    principalId: GUID,
    principalType: "Group",
    roleDefinitionId:
      guid === UNKNOWN ? UNKNOWN : `${SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/${guid}`,
    ...more,
  },
});

const commit = (files: Props, more: Props = {}): Resource => ({
  type: "gitops:index:GitCommit",
  props: { url: "https://github.com/acme/fleet", branch: "main", files, message: "Update prod", ...more },
});

const deployment = (image: string) => `kind: Deployment
spec:
  template:
    spec:
      containers:
        - { name: app, image: "${image}" }
`;

const secret = (more: string) => `kind: Secret\nstringData: { password: x }\n${more}`;

const ACR_PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d";
const CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c";
const ACCESS_ADMINISTRATOR = "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9";
export const TOKEN = `ghp_${"a1".repeat(18)}`;

/** A cluster's guard, told by the plugin's resource where `both` is not, else by azure-native's as well. */
export const CASES: Readonly<Record<string, Case>> = {
  "cluster-has-no-local-accounts": {
    passes: ours({}),
    fails: theirs({ disableLocalAccounts: false }),
    problem: "The cluster's local accounts are not disabled",
    unknown: theirs({ disableLocalAccounts: UNKNOWN }),
  },
  "cluster-signs-in-with-entra": {
    passes: theirs({}),
    fails: ours({ aadProfile: undefined }),
    problem: "The cluster does not know people by Entra",
    unknown: ours({ aadProfile: UNKNOWN }),
  },
  "cluster-api-server-is-closed": {
    passes: theirs({ apiServerAccessProfile: { authorizedIPRanges: ["203.0.113.0/24"] } }),
    fails: ours({ apiServerAccessProfile: { authorizedIPRanges: [] } }),
    problem: "The API server takes connections from every address",
    unknown: ours({ apiServerAccessProfile: { authorizedIPRanges: [UNKNOWN] } }),
  },
  "cluster-has-a-network-policy": {
    passes: ours({}),
    fails: theirs({ networkProfile: { networkPlugin: "azure" } }),
    problem: "The cluster enforces no network policy",
    unknown: theirs({ networkProfile: { networkPlugin: "azure", networkPolicy: UNKNOWN } }),
  },
  "cluster-upgrades-itself": {
    passes: theirs({}),
    fails: ours({ autoUpgradeProfile: { upgradeChannel: "none", nodeOSUpgradeChannel: "NodeImage" } }),
    problem: "The cluster does not upgrade itself",
    unknown: ours({ autoUpgradeProfile: { upgradeChannel: UNKNOWN } }),
  },
  "cluster-upgrades-as-its-tier-does": {
    passes: ours(
      { supportPlan: "AKSLongTermSupport", autoUpgradeProfile: { upgradeChannel: "patch" } },
      { sku: { name: "Base", tier: "Premium" } },
    ),
    fails: ours({ supportPlan: "AKSLongTermSupport" }, { sku: { name: "Base", tier: "Premium" } }),
    problem: "Upgrade channel stable leaves the long-term support",
    unknown: ours({ supportPlan: UNKNOWN }, { sku: { name: "Base", tier: "Premium" } }),
  },
  "cluster-has-a-paid-tier": {
    passes: ours({}),
    fails: theirs({}, { sku: { name: "Base", tier: "Free" } }),
    problem: "The cluster is of the Free tier, which has no SLA",
    unknown: theirs({}, { sku: { name: "Base", tier: UNKNOWN } }),
  },
  "kubernetes-is-supported": {
    passes: theirs({ kubernetesVersion: "1.99" }),
    fails: ours({ kubernetesVersion: "1.28.5" }),
    problem: "Kubernetes 1.28.5 is not supported any more",
    unknown: ours({ kubernetesVersion: UNKNOWN }),
  },
  "cluster-spans-zones": {
    passes: pool({}),
    fails: pool({ availabilityZones: ["1"] }),
    problem: "Pool apps has its nodes in one zone",
    unknown: pool({ availabilityZones: UNKNOWN }),
  },
  "system-pool-is-steady": {
    passes: pool({ vmSize: "Standard_B4ms" }),
    fails: ours({}, { systemPool: { ...POOL, vmSize: "Standard_B4ms" } }),
    problem: "Pool system is of the burstable size Standard_B4ms and starves AKS's pods once its credits are spent",
    unknown: ours({}, { systemPool: { ...POOL, vmSize: UNKNOWN } }),
  },
  "cluster-has-defender": {
    passes: ours({}),
    fails: theirs({ securityProfile: { defender: { securityMonitoring: { enabled: false } } } }),
    problem: "Microsoft Defender does not watch the cluster",
    unknown: theirs({ securityProfile: UNKNOWN }),
  },
  "cluster-logs-are-kept": {
    passes: ours({}),
    fails: theirs({}),
    problem: "The control plane's logs are kept nowhere",
  },
  "registry-has-no-admin-user": {
    passes: registry({ adminUserEnabled: false }),
    fails: registry({ adminUserEnabled: true }),
    problem: "The registry's admin user is enabled",
    unknown: registry({ adminUserEnabled: UNKNOWN }),
  },
  "registry-asks-who-pulls": {
    passes: registry({}),
    fails: registry({ anonymousPullEnabled: true }),
    problem: "Everybody may pull from the registry",
    unknown: registry({ anonymousPullEnabled: UNKNOWN }),
  },
  "registry-is-closed": {
    passes: registry({ publicNetworkAccess: "Enabled", networkRuleSet: { defaultAction: "Deny" } }),
    fails: registry({ publicNetworkAccess: "Enabled" }),
    problem: "The registry is open to every address",
    unknown: registry({ publicNetworkAccess: UNKNOWN }),
  },
  "registry-spans-zones": {
    passes: registry({}),
    fails: registry({ location: "West US" }),
    problem: "The registry's region westus has no zones",
    unknown: registry({ location: UNKNOWN }),
  },
  "vault-cannot-be-purged": {
    passes: vault({}),
    fails: vault({ enablePurgeProtection: undefined }),
    problem: "The vault can be purged",
    unknown: vault({ enablePurgeProtection: UNKNOWN }),
  },
  "vault-deletes-softly": {
    passes: vault({ enableSoftDelete: true }),
    fails: vault({ enableSoftDelete: false }),
    problem: "The vault's soft delete is off",
    unknown: vault({ enableSoftDelete: UNKNOWN }),
  },
  "vault-is-closed": {
    passes: vault({ publicNetworkAccess: "Enabled", networkAcls: { defaultAction: "Deny", bypass: "AzureServices" } }),
    fails: vault({ publicNetworkAccess: "Enabled" }),
    problem: "The vault is open to every address",
    unknown: vault({ publicNetworkAccess: UNKNOWN }),
  },
  "vault-asks-azure-rbac": {
    passes: vault({}),
    fails: vault({ enableRbacAuthorization: false }),
    problem: "The vault has access policies of its own",
    unknown: vault({ enableRbacAuthorization: UNKNOWN }),
  },
  "images-come-from-azure-registries": {
    passes: commit({ "apps/a.yaml": deployment("acmeprod.azurecr.io/demo:1") }),
    fails: commit({ "apps/a.yaml": deployment("ghcr.io/acme/demo:1") }),
    problem: "ghcr.io/acme/demo:1 in apps/a.yaml comes from ghcr.io",
    unknown: commit({ "apps/a.yaml": UNKNOWN }),
  },
  "git-has-no-open-secrets": {
    passes: commit({ "a/secret.yaml": secret("sops: { version: 3.13.3 }\n") }),
    fails: commit({ "a/secret.yaml": secret("") }),
    problem: "The Secret in a/secret.yaml is not encrypted",
    unknown: commit({ "a/secret.yaml": UNKNOWN }),
  },
  "inputs-hide-credentials": {
    passes: registry({ tags: { ...TAGS, purpose: "pulls" } }),
    fails: registry({ tags: { ...TAGS, token: TOKEN } }),
    problem: "The input tags.token looks like a token of GitHub and is no secret",
    unknown: registry({ tags: { ...TAGS, token: UNKNOWN } }),
  },
  "roles-are-narrow": {
    passes: role(ACR_PULL),
    fails: role(CONTRIBUTOR),
    problem: "It gives the role Contributor",
    unknown: role(UNKNOWN),
  },
  "roles-that-give-roles-are-bounded": {
    passes: role(ACCESS_ADMINISTRATOR, { condition: "@Request[...] ForAnyOfAnyValues:GuidEquals {}" }),
    fails: role(ACCESS_ADMINISTRATOR),
    problem: "It gives the role User Access Administrator without a condition",
    unknown: role(ACCESS_ADMINISTRATOR, { condition: UNKNOWN }),
  },
  "tags-are-there": {
    passes: registry({}),
    fails: registry({ tags: { Team: "a" } }),
    problem: "The tag owner is missing",
    unknown: registry({ tags: UNKNOWN }),
  },
};
