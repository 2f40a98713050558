// The ARM ids of azure-native's resources, from their inputs: what the stack's state does not know of a resource whose
// making was cut off.

const GROUP = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}";
const NETWORK = `${GROUP}/providers/Microsoft.Network`;
const INSIGHTS = `${GROUP}/providers/Microsoft.Insights`;
const IDENTITY = `${GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{resourceName}`;
const ON_CLUSTER = `${GROUP}/providers/{clusterRp}/{clusterResourceName}/{clusterName}/providers/Microsoft.KubernetesConfiguration`;
const CLUSTER = `${GROUP}/providers/Microsoft.ContainerService/managedClusters/{resourceName}`;

/** By type; `{name}` is an input, but for the subscription. */
const PATHS: Readonly<Record<string, string>> = {
  "azure-native:alertsmanagement:PrometheusRuleGroup": `${GROUP}/providers/Microsoft.AlertsManagement/prometheusRuleGroups/{ruleGroupName}`,
  "azure-native:authorization:PolicyAssignment":
    "{scope}/providers/Microsoft.Authorization/policyAssignments/{policyAssignmentName}",
  "azure-native:authorization:RoleAssignment":
    "{scope}/providers/Microsoft.Authorization/roleAssignments/{roleAssignmentName}",
  "azure-native:containerregistry:Registry": `${GROUP}/providers/Microsoft.ContainerRegistry/registries/{registryName}`,
  "azure-native:containerservice:MaintenanceConfiguration": `${CLUSTER}/maintenanceConfigurations/{configName}`,
  "azure-native:keyvault:Vault": `${GROUP}/providers/Microsoft.KeyVault/vaults/{vaultName}`,
  "azure-native:kubernetesconfiguration:Extension": `${ON_CLUSTER}/extensions/{extensionName}`,
  "azure-native:kubernetesconfiguration:FluxConfiguration": `${ON_CLUSTER}/fluxConfigurations/{fluxConfigurationName}`,
  "azure-native:managedidentity:FederatedIdentityCredential": `${IDENTITY}/federatedIdentityCredentials/{federatedIdentityCredentialResourceName}`,
  "azure-native:managedidentity:UserAssignedIdentity": IDENTITY,
  "azure-native:monitor:ActionGroup": `${INSIGHTS}/actionGroups/{actionGroupName}`,
  "azure-native:monitor:AzureMonitorWorkspace": `${GROUP}/providers/Microsoft.Monitor/accounts/{azureMonitorWorkspaceName}`,
  "azure-native:monitor:DataCollectionRuleAssociation":
    "{resourceUri}/providers/Microsoft.Insights/dataCollectionRuleAssociations/{associationName}",
  "azure-native:monitor:ScheduledQueryRule": `${INSIGHTS}/scheduledQueryRules/{ruleName}`,
  "azure-native:monitor:DiagnosticSetting": "{resourceUri}/providers/Microsoft.Insights/diagnosticSettings/{name}",
  "azure-native:network:NatGateway": `${NETWORK}/natGateways/{natGatewayName}`,
  "azure-native:network:NetworkSecurityGroup": `${NETWORK}/networkSecurityGroups/{networkSecurityGroupName}`,
  "azure-native:network:PrivateDnsZoneGroup": `${NETWORK}/privateEndpoints/{privateEndpointName}/privateDnsZoneGroups/{privateDnsZoneGroupName}`,
  "azure-native:network:PrivateEndpoint": `${NETWORK}/privateEndpoints/{privateEndpointName}`,
  "azure-native:network:PublicIPAddress": `${NETWORK}/publicIPAddresses/{publicIpAddressName}`,
  "azure-native:network:RouteTable": `${NETWORK}/routeTables/{routeTableName}`,
  "azure-native:network:VirtualNetwork": `${NETWORK}/virtualNetworks/{virtualNetworkName}`,
  "azure-native:network:VirtualNetworkPeering": `${NETWORK}/virtualNetworks/{virtualNetworkName}/virtualNetworkPeerings/{virtualNetworkPeeringName}`,
  "azure-native:operationalinsights:Workspace": `${GROUP}/providers/Microsoft.OperationalInsights/workspaces/{workspaceName}`,
  "azure-native:privatedns:PrivateZone": `${NETWORK}/privateDnsZones/{privateZoneName}`,
  "azure-native:privatedns:VirtualNetworkLink": `${NETWORK}/privateDnsZones/{privateZoneName}/virtualNetworkLinks/{virtualNetworkLinkName}`,
  "azure-native:resources:ResourceGroup": GROUP,
};

/**
 * The id of a resource of azure-native.
 * @param inputs as the state has them.
 * @returns undefined for a type that is not made here, and where an input that the id needs is missing.
 */
export function armIdOf(
  type: string,
  inputs: Readonly<Record<string, unknown>>,
  subscriptionId: string,
): string | undefined {
  const path = PATHS[type];
  if (path === undefined) return undefined;
  const values: Readonly<Record<string, unknown>> = { ...inputs, subscriptionId };
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = ""]) => name);
  if (!names.every((name) => typeof values[name] === "string")) return undefined;
  return path.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name]));
}

/** What Azure calls a type of azure-native, such as `Microsoft.Network/privateEndpoints/privateDnsZoneGroups`. */
export function armTypeOf(type: string): string | undefined {
  const path = PATHS[type];
  if (path === undefined) return undefined;
  if (path === GROUP) return "Microsoft.Resources/resourceGroups";
  const [namespace, ...parts] = path.slice(path.lastIndexOf("/providers/") + "/providers/".length).split("/");
  return [namespace, ...parts.filter((part) => !part.startsWith("{"))].join("/");
}
