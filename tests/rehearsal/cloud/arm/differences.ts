// Where the simulated ARM is known to answer otherwise than the recorded one, by type and reason, and what of the recordings
// cannot be compared. `*` stands for anything. An entry that names nothing any more has to go.

const NOT_YET = "not modelled yet";
const FASTER = "time runs a thousand times faster here, so clients are told to ask again at once";
const OLD_VERSION = "the API version of the recording shows or takes it otherwise than the one that the program uses";
const ELSEWHERE = "another service fills it in or answers it, and the replay has ARM alone";
const BEFORE = "it was set before the recording began, and the replay cannot know it";
const BOTH = "Azure is recorded to do the one as well as the other";
const DRAWN = "Azure draws a part of it at random";
const MOVES = "Azure's own version, which moves";

export const DIFFERENCES: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  "Microsoft.Authorization/roleAssignments": {
    [OLD_VERSION]: ["PUT: code RoleAssignmentExists", "PUT: status of an error"],
  },
  "Microsoft.Authorization/roleDefinitions": {
    [NOT_YET]: [
      "DELETE: refused with InvalidResourceType",
      "GET: refused with RoleDefinitionDoesNotExist",
      "PUT: refused with InvalidResourceType",
    ],
  },
  "Microsoft.ContainerRegistry/registries": {
    [BOTH]: ["DELETE: header Location", "DELETE: status"],
    [NOT_YET]: [
      "GET: refused with InvalidResourceType",
      "PATCH: refused with InvalidRequestContent at properties.networkRuleSet.virtualNetworkRules",
      "PUT: header Azure-AsyncOperation",
      "PUT: status",
      "properties.networkRuleSet.ipRules: added",
      "properties.networkRuleSet.ipRules[].action: missing",
      "properties.networkRuleSet.ipRules[].value: missing",
      "properties.provisioningState",
    ],
    [ELSEWHERE]: ["POST: refused with InvalidResourceType"],
    [FASTER]: ["*: header Retry-After"],
    [OLD_VERSION]: ["properties.metadataSearch: missing"],
  },
  "Microsoft.ContainerService/managedClusters": {
    [FASTER]: ["*: header Retry-After"],
    [NOT_YET]: [
      "GET: code NotFound without envelope",
      "POST: refused with BadRequest",
      "PUT: refused with InvalidParameter at properties.agentPoolProfiles[].osSKU",
      "PUT: refused with InvalidRequestContent at properties.agentPoolProfiles[].enableCustomCATrust",
      "PUT: refused with InvalidRequestContent at properties.fqdnSubdomain",
      "PUT: refused with InvalidRequestContent at properties.linuxProfile",
      "PUT: status",
      "eTag: added",
      "kind: added",
      "poll: status under way",
      "properties.addonProfiles*",
      "properties.agentPoolProfiles*",
      "properties.autoUpgradeProfile.nodeOSUpgradeChannel: added",
      "properties.bootstrapProfile.artifactSource: added",
      "properties.controlPlanePluginProfiles*",
      "properties.disableLocalAccounts: added",
      "properties.enableFIPS: missing",
      "properties.hostedSystemProfile.enabled: missing",
      "properties.identityProfile*",
      "properties.kubernetesVersion",
      "properties.metricsProfile.costAnalysis.enabled: added",
      "properties.networkProfile*",
      "properties.nodeProvisioningProfile.defaultNodePools: added",
      "properties.nodeProvisioningProfile.mode: added",
      "properties.nodeResourceGroupProfile.restrictionLevel: added",
      "properties.provisioningState",
      "properties.resourceUID: added",
      "properties.servicePrincipalProfile.clientId",
      "properties.storageProfile.diskCSIDriver.version: missing",
      "sku.tier",
      "type",
    ],
    [OLD_VERSION]: ["systemData*"],
  },
  "Microsoft.ContainerService/managedClusters/agentPools": {
    [FASTER]: ["*: header Retry-After"],
    [NOT_YET]: [
      "GET: code NotFound without envelope",
      "POST: refused with InvalidResourceType",
      "POST: refused with ResourceNotFound",
      "PUT: code InvalidParameter without envelope",
      "PUT: refused with InvalidRequestContent at properties.enableCustomCATrust",
      "PUT: refused with PropertyChangeNotAllowed at maxPods",
      "PUT: status",
      "poll: status under way",
      "properties.count",
      "properties.eTag: added",
      "properties.enableEncryptionAtHost: added",
      "properties.enableUltraSSD: added",
      "properties.maxPods",
      "properties.nodeImageVersion",
      "properties.orchestratorVersion",
      "properties.powerState.code",
      "properties.provisioningState",
      "properties.scaleSetEvictionPolicy: added",
      "properties.scaleSetPriority: added",
      "properties.securityProfile*",
      "properties.spotMaxPrice: added",
      "properties.upgradeSettings.maxSurge: added",
      "properties.upgradeSettings.maxUnavailable: added",
      "properties.upgradeStrategy: missing",
      "properties.workloadRuntime: added",
    ],
    [OLD_VERSION]: ["PUT: code OperationNotAllowed without envelope", "PUT: status of an error"],
  },
  "Microsoft.ContainerService/managedClusters/maintenanceConfigurations": {
    [NOT_YET]: [
      "PUT: refused with InvalidParameter",
      "PUT: status",
      "properties.maintenanceWindow.startDate",
      "properties.notAllowedTime: added",
      "type: added",
    ],
    [OLD_VERSION]: ["systemData*"],
  },
  "Microsoft.Insights/actionGroups": { [NOT_YET]: ["type"] },
  "Microsoft.Insights/dataCollectionEndpoints": {
    [DRAWN]: [
      "properties.configurationAccess.endpoint",
      "properties.logsIngestion.endpoint",
      "properties.metricsIngestion.endpoint",
    ],
  },
  "Microsoft.Insights/dataCollectionRules": {
    [NOT_YET]: ["PUT: refused with InvalidRequestContent at properties.dataSources.performanceCounters"],
  },
  "Microsoft.Insights/diagnosticSettings": {
    [NOT_YET]: ["PUT: code BadRequest without envelope"],
    [ELSEWHERE]: ["PUT: refused with InvalidRequestContent at properties.storageAccountId"],
  },
  "Microsoft.KeyVault/locations/deletedVaults": {
    [BEFORE]: ["GET: refused with DeletedVaultNotFound"],
  },
  "Microsoft.KeyVault/locations/deletedVaults/purge": {
    [NOT_YET]: ["POST: header Location", "POST: status"],
    [FASTER]: ["*: header Retry-After"],
    [BEFORE]: ["POST: refused with DeletedVaultNotFound"],
  },
  "Microsoft.KeyVault/vaults": {
    [OLD_VERSION]: [
      "PUT: code VaultAlreadyExists",
      "PUT: status of an error",
      "properties.accessPolicies*",
      "properties.enableRbacAuthorization: added",
      "properties.networkAcls*",
      "properties.privateEndpointConnections*",
      "properties.publicNetworkAccess: missing",
    ],
    [BEFORE]: ["properties.softDeleteRetentionInDays", "properties.softDeleteRetentionInDays: added"],
  },
  "Microsoft.KeyVault/vaults/keys": {
    [ELSEWHERE]: ["properties.keyUriWithVersion: missing"],
  },
  "Microsoft.KubernetesConfiguration/extensions": {
    [NOT_YET]: [
      "PATCH: code ExtensionPatchFailed",
      "PUT: header Location",
      "PUT: refused with InvalidRequest",
      "PUT: refused with InvalidRequestContent at identity",
    ],
    [OLD_VERSION]: ["PATCH: status of an error"],
    [FASTER]: ["*: header Retry-After"],
    [MOVES]: ["properties.currentVersion"],
  },
  "Microsoft.KubernetesConfiguration/fluxConfigurations": {
    [FASTER]: ["*: header Retry-After"],
    [NOT_YET]: [
      "PUT: header Location",
      "PUT: refused with InvalidRequestContent at properties.gitRepository.provider",
      "properties.kustomizations.*.name",
    ],
    [ELSEWHERE]: [
      "properties.complianceState",
      "properties.errorMessage: missing",
      "properties.repositoryPublicKey: missing",
      "properties.sourceSyncedCommitId: missing",
      "properties.sourceUpdatedAt: missing",
      "properties.statusUpdatedAt: missing",
      "properties.statuses*",
    ],
  },
  "Microsoft.Monitor/accounts": {
    [DRAWN]: ["properties.metrics.prometheusQueryEndpoint"],
    [NOT_YET]: ["DELETE: header Azure-AsyncOperation", "DELETE: header Location", "DELETE: status"],
    [FASTER]: ["*: header Retry-After"],
  },
  "Microsoft.Network/natGateways": {
    [NOT_YET]: [
      "PUT: refused with InvalidRequestContent at properties.publicIpPrefixes",
      "PUT: refused with RetryableError",
    ],
  },
  "Microsoft.Network/networkSecurityGroups": {
    [FASTER]: ["*: header Retry-After"],
    [NOT_YET]: ["properties.defaultSecurityRules*", "properties.provisioningState"],
  },
  "Microsoft.Network/privateDnsZones": {
    [NOT_YET]: [
      "DELETE: code CannotDeleteResource",
      "DELETE: refused with AnotherOperationInProgress",
      "PUT: has a body",
      "PUT: header Location",
      "PUT: status",
      "etag",
      "poll: status code",
      "properties.internalId: missing",
      "properties.maxNumberOfVirtualNetworkLinks: missing",
      "properties.maxNumberOfVirtualNetworkLinksWithRegistration: missing",
      "properties.numberOfVirtualNetworkLinksWithRegistration: missing",
    ],
  },
  "Microsoft.Network/privateDnsZones/virtualNetworkLinks": {
    [NOT_YET]: [
      "PUT: has a body",
      "PUT: header Location",
      "PUT: refused with RetryableError",
      "PUT: status",
      "etag",
      "poll: status code",
    ],
  },
  "Microsoft.Network/privateEndpoints": {
    [NOT_YET]: [
      "PUT: refused with InvalidResourceReference",
      "properties.customDnsConfigs*",
      "properties.ipConfigurations: missing",
      "properties.manualPrivateLinkServiceConnections*",
      "properties.networkInterfaces[].id: missing",
      "properties.privateLinkServiceConnections*",
      "properties.resourceGuid: missing",
    ],
  },
  "Microsoft.Network/publicIPAddresses": {
    [NOT_YET]: [
      "PUT: code NotFound",
      "properties.ddosSettings.protectionMode: added",
      "properties.ipAddress",
      "properties.ipAddress: added",
      "properties.natGateway.id: missing",
    ],
    [OLD_VERSION]: ["PUT: status of an error"],
  },
  "Microsoft.Network/routeTables": {
    [OLD_VERSION]: ["properties.disablePeeringRoute: missing"],
  },
  "Microsoft.Network/virtualNetworks": {
    [FASTER]: ["*: header Retry-After"],
    [NOT_YET]: [
      "PUT: refused with InvalidRequestContent at properties.subnets[].type",
      "properties.addressSpace.ipamPoolPrefixAllocations: missing",
      "properties.enableVmProtection: added",
      "properties.privateEndpointVNetPolicies: added",
      "properties.provisioningState",
      "properties.subnets[].properties.provisioningState",
      "properties.subnets[].properties.serviceEndpoints: added",
      "properties.virtualNetworkPeerings[].properties.remoteAddressSpace.addressPrefixes[]",
      "properties.virtualNetworkPeerings[].properties.remoteVirtualNetworkAddressSpace.addressPrefixes[]",
    ],
  },
  "Microsoft.Network/virtualNetworks/subnets": {
    [NOT_YET]: [
      "PUT: code InvalidAddressPrefixFormat",
      "properties.delegations*",
      "properties.ipamPoolPrefixAllocations: missing",
      "properties.provisioningState",
      "properties.serviceEndpoints: added",
    ],
  },
  "Microsoft.Network/virtualNetworks/virtualNetworkPeerings": {
    [NOT_YET]: [
      "GET: code NotFound",
      "properties.remoteAddressSpace.addressPrefixes[]",
      "properties.remoteVirtualNetworkAddressSpace.addressPrefixes[]",
    ],
  },
  "Microsoft.OperationalInsights/workspaces": {
    [NOT_YET]: ["POST: refused with InvalidResourceType"],
    [FASTER]: ["*: header Retry-After"],
  },
};

export const APART: readonly string[] = [
  "a failure of Azure's own",
  "another service than ARM",
  "only quoted, not recorded",
  "the recording left the request out",
  "the poll of an operation that was not begun here",
  "what it is about was made before the recording began",
  "what it shows was made before the recording began",
  "what it is about was refused here",
  "what it needs cannot be rebuilt: *",
  "the state in which it is refused is not rebuilt: *",
  "not simulated: Microsoft.ContainerRegistry/*",
  "not simulated: Microsoft.ContainerService/*",
  "not simulated: Microsoft.DataProtection/*",
  "not simulated: Microsoft.Insights/*",
  "not simulated: Microsoft.KeyVault/vaults/privateEndpointConnections",
  "not simulated: Microsoft.Network/*",
  "not simulated: Microsoft.Storage/*",
];
