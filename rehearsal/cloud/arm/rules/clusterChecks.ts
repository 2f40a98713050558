// The combinations that AKS itself refuses.
import type { ArmResource, Caller } from "../../types.ts";
import { propertiesOf, type Write } from "../behaviour.ts";
import { key, same } from "../ids.ts";
import { SUBNET_TYPE } from "../types/network.ts";
import { type Body, isObject, part } from "../validate.ts";
import { checkPool, invalid, requiredParameter, surroundingsOf } from "./agentPool.ts";
import { checkZone } from "./apiServerZone.ts";
import { checkAddresses, checkChannels } from "./clusterAddresses.ts";
import { checkApiServer, checkNetwork, refuse } from "./clusterNetwork.ts";
import { checkPoolSubnets } from "./clusterSubnets.ts";
import { ZONE_LINK_TYPE } from "./endpoints.ts";
import { networkOf } from "./network.ts";
import { checkSkew, checkVersion, versionAfter } from "./versions.ts";

/** All checks of a cluster's PUT, in the order of the service. */
export function checkCluster(write: Write): void {
  const { body, old } = write;
  const properties = propertiesOf(body);
  checkBasics(body);
  checkVersion(
    String(properties.kubernetesVersion),
    old && String(old.properties.currentKubernetesVersion),
    part(body, "sku").tier === "Premium",
  );
  checkFeatures(body, old);
  checkPools(write);
  checkChannels(body);
  checkNetwork(write);
  checkAddresses(write);
  checkApiServer(write);
  checkZone(body, old);
  checkIdentities(write);
}

function checkBasics(body: Body): void {
  const { dnsPrefix, agentPoolProfiles, nodeResourceGroup } = propertiesOf(body);
  const { length } = String(nodeResourceGroup);
  if (length > 80)
    throw refuse(
      "InvalidParameter",
      `The length of the node resource group name is too long. The maximum length is 80 and the length of the value provided is ${length}. Please see https://aka.ms/aks-naming-rules for more details.`,
      "name",
    );
  if (dnsPrefix === undefined) throw requiredParameter("dnsPrefix");
  if (!/^[a-zA-Z0-9](?:[-a-zA-Z0-9]{0,52}[a-zA-Z0-9])?$/.test(String(dnsPrefix)))
    throw refuse(
      "InvalidDNSPrefix",
      `DNS name '${dnsPrefix}' is invalid. The DNS name must contain between 1 and 54 characters. It can contain only letters, numbers, and hyphens. It must start and end with a letter or a number.`,
      "dnsPrefix",
    );
  if (!Array.isArray(agentPoolProfiles) || agentPoolProfiles.length === 0) throw requiredParameter("agentPoolProfiles");
  const { type, userAssignedIdentities } = part(body, "identity");
  if (type === undefined || type === "None") throw requiredParameter("servicePrincipalProfile");
  const count = Object.keys(isObject(userAssignedIdentities) ? userAssignedIdentities : {}).length;
  if (type === "UserAssigned" && count !== 1)
    throw refuse(
      "InvalidParameter",
      `Exactly one user assigned identity is supported for the cluster, there are ${count}.`,
      "identity.userAssignedIdentities",
    );
}

function checkFeatures(body: Body, old: ArmResource | undefined): void {
  const properties = propertiesOf(body);
  const { tier } = part(body, "sku");
  if (part(properties, "metricsProfile.costAnalysis").enabled === true && tier === "Free")
    throw refuse(
      "CostAnalysisNotSupportedInFreeTier",
      "Cost analysis is not supported for clusters of the Free tier, use Standard or Premium.",
      "metricsProfile.costAnalysis",
    );
  if (properties.supportPlan === "AKSLongTermSupport" && tier !== "Premium")
    throw refuse(
      "LTSRequiresPremiumTier",
      "The support plan AKSLongTermSupport requires the Premium tier.",
      "supportPlan",
    );
  const oidc = part(properties, "oidcIssuerProfile").enabled === true;
  if (part(properties, "securityProfile.workloadIdentity").enabled === true && !oidc)
    throw refuse(
      "OIDCIssuerNotEnabled",
      "Workload identity requires the OIDC issuer (oidcIssuerProfile.enabled) to be enabled.",
      "securityProfile.workloadIdentity",
    );
  if (!oidc && old !== undefined && part(old, "properties.oidcIssuerProfile").enabled === true)
    throw refuse(
      "OIDCIssuerFeatureCannotBeDisabled",
      "OIDC issuer feature can not be disabled once enabled.",
      "oidcIssuerProfile.enabled",
    );
  const aad = properties.aadProfile;
  if (properties.disableLocalAccounts === true && part(properties, "aadProfile").managed !== true)
    throw refuse(
      "DisableLocalAccountsNotSupported",
      "disableLocalAccounts is only supported for clusters with a managed aadProfile.",
      "disableLocalAccounts",
    );
  if (isObject(aad) && aad.enableAzureRBAC === true && aad.managed !== true)
    throw refuse("InvalidParameter", "enableAzureRBAC needs a managed aadProfile.", "aadProfile.enableAzureRBAC");
  if (
    part(properties, "securityProfile.defender.securityMonitoring").enabled === true &&
    part(properties, "securityProfile.defender").logAnalyticsWorkspaceResourceId === undefined
  )
    throw refuse(
      "InvalidParameter",
      "Defender's security monitoring needs logAnalyticsWorkspaceResourceId.",
      "securityProfile.defender",
    );
  const addons = [
    "azurepolicy",
    "omsagent",
    "azureKeyvaultSecretsProvider",
    "httpApplicationRouting",
    "ingressApplicationGateway",
    "aciConnectorLinux",
    "openServiceMesh",
    "extensionManager",
  ];
  for (const name of Object.keys(isObject(properties.addonProfiles) ? properties.addonProfiles : {}))
    if (!addons.some((known) => same(known, name)))
      throw refuse(
        "AddonInvalid",
        `Addon '${name}' is not recognized. Supported addons: ${addons.join(", ")}.`,
        "addonProfiles",
      );
}

/**
 * A write of the cluster says the versions of all its pools, unchanged or the cluster's own, or of none. One that leaves
 * pools out and versions the others counts as a mix here: https://github.com/Azure/AKS/pull/2889
 */
function checkPoolVersions(sent: Body, version: unknown, known: readonly Body[]): void {
  const pools = (propertiesOf(sent).agentPoolProfiles ?? []) as Body[];
  const versioned = pools.filter(({ orchestratorVersion }) => (orchestratorVersion ?? "") !== "");
  if (versioned.length === 0) return;
  const isTaken = ({ name, orchestratorVersion }: Body) =>
    orchestratorVersion === version ||
    known.some((pool) => pool.name === name && pool.orchestratorVersion === orchestratorVersion);
  if (known.every(({ name }) => versioned.some((pool) => pool.name === name)) && versioned.every(isTaken)) return;
  throw refuse(
    "NotAllAgentPoolOrchestratorVersionSpecifiedAndUnchanged",
    "Using managed cluster api, all Agent pools' OrchestratorVersion must be all specified or all unspecified. If all specified, they must be stay unchanged or the same with control plane. For agent pool specific change, please use per agent pool operations: https://aka.ms/agent-pool-rest-api",
    "agentPoolProfiles",
  );
}

function checkPools({ world, id, body, old, sent }: Write): void {
  const properties = propertiesOf(body);
  const pools = properties.agentPoolProfiles as Body[];
  const known = (old?.properties.agentPoolProfiles ?? []) as Body[];
  if (old !== undefined) checkPoolVersions(sent, properties.kubernetesVersion, known);
  for (const pool of pools) {
    if (pools.filter(({ name }) => name === pool.name).length > 1)
      throw invalid("agentPoolProfiles", `The agent pool name '${pool.name}' is used more than once.`);
    if (old !== undefined && !known.some(({ name }) => name === pool.name))
      throw refuse(
        "BadRequest",
        "A new agent pool was introduced. Adding agent pools to an existing cluster is not allowed through managed cluster operations. For agent pool specific change, please use per agent pool operations: https://aka.ms/agent-pool-rest-api",
        "agentPoolProfiles",
      );
    const ran = known.find(({ name }) => name === pool.name)?.currentOrchestratorVersion;
    checkPool(String(pool.name), pool, surroundingsOf(body), ran === undefined ? undefined : String(ran));
    checkPoolSubnets(world, { id: id.id, location: body.location }, pool);
  }
  const ran = old && String(old.properties.currentKubernetesVersion);
  const version = versionAfter(String(properties.kubernetesVersion), ran);
  for (const { name, currentOrchestratorVersion } of version === ran ? [] : known) {
    const next = pools.find((pool) => pool.name === name)?.orchestratorVersion;
    const current = String(currentOrchestratorVersion);
    checkSkew(next === undefined ? current : versionAfter(String(next), current), version);
  }
  const all = [...pools, ...known.filter(({ name }) => !pools.some((pool) => pool.name === name))];
  if (!all.some(({ mode }) => mode === "System"))
    throw invalid("agentPoolProfiles", "There has to be at least one system agent pool.");
  const networks = new Set(all.map(({ vnetSubnetID }) => key(networkOf(String(vnetSubnetID ?? "")))));
  if (networks.size > 1) throw invalid("agentPoolProfile.vnetSubnetID", "All agent pools must be in the same VNET.");
}

/** The cluster's own identity must have its rights before the cluster is made; Owner of everything is not enough. */
function checkIdentities({ world, id, body, old }: Write): void {
  const properties = propertiesOf(body);
  const kubelet = part(properties, "identityProfile.kubeletidentity").resourceId;
  const assigned = part(body, "identity.userAssignedIdentities");
  const [own] = Object.keys(assigned);
  if (own === undefined) {
    // The one that AKS made itself may be repeated.
    if (kubelet !== undefined && kubelet !== part(old, "properties.identityProfile.kubeletidentity").resourceId)
      throw refuse(
        "CustomKubeletIdentityOnlySupportedOnUserAssignedMSICluster",
        "Custom kubelet identity is only supported on user assigned MSI cluster.",
        "identityProfile.kubeletidentity",
      );
    return;
  }
  const principal = world.directory.find(String(world.store.get(own)?.properties.principalId));
  if (principal === undefined)
    throw refuse("InvalidParameter", `The identity '${own}' is not in the directory.`, "identity");
  const identity: Caller = { principal, groups: [] };
  const assign = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action";
  if (typeof kubelet === "string" && !world.access.allows(identity, assign, kubelet, "control"))
    throw refuse(
      "CustomKubeletIdentityMissingPermissionError",
      `The cluster user assigned identity must be given permission to assign kubelet identity ${kubelet}. Check access result not allowed for action ${assign}.`,
      "identityProfile.kubeletidentity",
    );
  const zone = part(properties, "apiServerAccessProfile").privateDNSZone;
  const zoneActions = ["read", "write"].map((verb) => `Microsoft.Network/privateDnsZones/${verb}`);
  const missing = zoneActions.find(
    (action) => String(zone).startsWith("/") && !world.access.allows(identity, action, String(zone), "control"),
  );
  if (missing !== undefined)
    throw refuse(
      "CustomPrivateDNSZoneMissingPermissionError",
      `Service principal or user assigned identity must be given permission to read and write to custom private dns zone ${zone}. Check access result not allowed for action ${missing}.`,
      "apiServerAccessProfile.privateDNSZone",
    );
  const pools = properties.agentPoolProfiles as Body[];
  const subnets = [
    part(properties, "apiServerAccessProfile").subnetId,
    ...pools.flatMap(({ vnetSubnetID, podSubnetID }) => [vnetSubnetID, podSubnetID]),
  ].filter((one) => typeof one === "string");
  // AKS links a zone of one's own to the network, and asks for that before: https://github.com/Azure/AKS/issues/2711
  if (String(zone).startsWith("/") && subnets[0] !== undefined)
    world.access.demandLinked(
      identity,
      `${ZONE_LINK_TYPE}/write`,
      String(zone),
      "Microsoft.Network/virtualNetworks/join/action",
      networkOf(subnets[0]),
    );
  for (const subnet of new Set(subnets))
    for (const action of ["read", "join/action"])
      world.access.demandLinked(
        identity,
        "Microsoft.Compute/virtualMachineScaleSets/write",
        id.id,
        `${SUBNET_TYPE}/${action}`,
        subnet,
      );
}
