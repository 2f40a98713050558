// Microsoft.ContainerService/managedClusters: its profiles.
import {
  choice,
  emptyAs,
  fixed,
  flag,
  guid,
  hidden,
  kept,
  list,
  map,
  number,
  object,
  or,
  readOnly,
  reference,
  required,
  text,
} from "../schema.ts";
import { agentPoolProperties } from "./agentPool.ts";
import { IDENTITY_TYPE, provisioningState, switchable } from "./common.ts";
import { WORKSPACE_TYPE } from "./monitor.ts";
import { SUBNET_TYPE } from "./network.ts";

const cidr = () => text({ pattern: /^([0-9]{1,3}\.){3}[0-9]{1,3}(\/([0-9]|[1-2][0-9]|3[0-2]))?$/ });
const address = text({
  pattern: /^(?:(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)\.){3}(?:25[0-5]|2[0-4][0-9]|[01]?[0-9][0-9]?)$/,
});
const ASSIGN = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action";

const network = object("NetworkProfile", {
  networkPlugin: fixed(kept(or(choice("azure", "kubenet", "none"), "azure"))),
  networkPluginMode: kept(choice("overlay")),
  networkPolicy: kept(or(choice("none", "calico", "azure", "cilium"), "none")),
  networkDataplane: kept(or(choice("azure", "cilium"), "azure")),
  advancedNetworking: object("AdvancedNetworking", {
    enabled: flag(),
    observability: switchable("AdvancedNetworkingObservability"),
    security: object("AdvancedNetworkingSecurity", {
      enabled: flag(),
      advancedNetworkPolicies: choice("L7", "FQDN", "None"),
    }),
  }),
  podCidr: fixed(kept(cidr())),
  serviceCidr: fixed(kept(or(cidr(), "10.0.0.0/16"))),
  dnsServiceIP: fixed(kept(or(address, "10.0.0.10"))),
  podCidrs: fixed(kept(list(text()))),
  serviceCidrs: fixed(kept(list(text()))),
  outboundType: kept(
    or(
      choice("loadBalancer", "userDefinedRouting", "managedNATGateway", "userAssignedNATGateway", "none"),
      "loadBalancer",
    ),
  ),
  loadBalancerSku: fixed(kept(or(choice("standard", "basic"), "standard"))),
  loadBalancerProfile: kept(
    object("LoadBalancerProfile", {
      managedOutboundIPs: object("LoadBalancerProfileManagedOutboundIPs", { count: or(number(1, 100), 1) }),
      allocatedOutboundPorts: number(0, 64000),
      idleTimeoutInMinutes: number(4, 120),
      backendPoolType: or(choice("NodeIPConfiguration", "NodeIP"), "NodeIPConfiguration"),
    }),
  ),
  natGatewayProfile: object("NATGatewayProfile", {
    managedOutboundIPProfile: object("ManagedOutboundIPProfile", { count: number(1, 16) }),
    idleTimeoutInMinutes: number(4, 120),
  }),
  ipFamilies: fixed(kept(or(list(choice("IPv4", "IPv6")), ["IPv4"]))),
});

const seconds = text({ pattern: /^\d+(s|m|h)?$/ });
/** The cluster autoscaler's settings, as text with units. */
export const autoScaler = object("AutoScalerProfile", {
  "balance-similar-node-groups": or(text(), "false"),
  "daemonset-eviction-for-empty-nodes": or(flag(), false),
  "daemonset-eviction-for-occupied-nodes": or(flag(), true),
  expander: or(choice("least-waste", "most-pods", "priority", "random"), "random"),
  "ignore-daemonsets-utilization": or(flag(), false),
  "max-empty-bulk-delete": or(text(), "10"),
  "max-graceful-termination-sec": or(text(), "600"),
  "max-node-provision-time": or(seconds, "15m"),
  "max-total-unready-percentage": or(text(), "45"),
  "new-pod-scale-up-delay": or(seconds, "0s"),
  "ok-total-unready-count": or(text(), "3"),
  "scale-down-delay-after-add": or(seconds, "10m"),
  "scale-down-delay-after-delete": or(seconds, "10s"),
  "scale-down-delay-after-failure": or(seconds, "3m"),
  "scale-down-unneeded-time": or(seconds, "10m"),
  "scale-down-unready-time": or(seconds, "20m"),
  "scale-down-utilization-threshold": or(text(), "0.5"),
  "scan-interval": or(seconds, "10s"),
  "skip-nodes-with-local-storage": or(text(), "false"),
  "skip-nodes-with-system-pods": or(text(), "true"),
});

const security = object("SecurityProfile", {
  defender: object("SecurityProfileDefender", {
    logAnalyticsWorkspaceResourceId: reference(WORKSPACE_TYPE),
    securityMonitoring: switchable("SecurityProfileDefenderSecurityMonitoring"),
  }),
  workloadIdentity: switchable("SecurityProfileWorkloadIdentity"),
  imageCleaner: object("SecurityProfileImageCleaner", { enabled: flag(), intervalHours: or(number(24, 2160), 168) }),
});

const storage = object("StorageProfile", {
  diskCSIDriver: or(object("DiskCSIDriver", { enabled: or(flag(), true) }), {}),
  fileCSIDriver: or(object("FileCSIDriver", { enabled: or(flag(), true) }), {}),
  snapshotController: or(object("SnapshotController", { enabled: or(flag(), true) }), {}),
  blobCSIDriver: switchable("BlobCSIDriver"),
});

const apiServer = object("APIServerAccessProfile", {
  // An empty list clears them. That leaving them out does is nowhere proven, so here it does not.
  authorizedIPRanges: kept(list(text())),
  enablePrivateCluster: fixed(flag()),
  privateDNSZone: kept(text()),
  enablePrivateClusterPublicFQDN: kept(flag()),
  disableRunCommand: flag(),
  enableVnetIntegration: kept(flag()),
  subnetId: fixed(reference(SUBNET_TYPE, "Microsoft.Network/virtualNetworks/subnets/join/action")),
});

const addon = object("AddonProfile", {
  enabled: required(flag()),
  config: map(text()),
  identity: readOnly(object("UserAssignedIdentity", { resourceId: text(), clientId: text(), objectId: text() })),
});

const autoscaling = (name: string) => object(name, { enabled: required(flag()) });

/** The `properties` of a managed cluster. */
export const managedClusterProperties = object("ManagedClusterProperties", {
  provisioningState,
  powerState: readOnly(object("PowerState", { code: choice("Running", "Stopped") })),
  maxAgentPools: readOnly(number()),
  kubernetesVersion: kept(emptyAs(null, text({ pattern: /^\d+\.\d+(\.\d+)?$/ }))),
  currentKubernetesVersion: readOnly(text()),
  dnsPrefix: fixed(kept(text())),
  fqdn: readOnly(text()),
  privateFQDN: readOnly(text()),
  azurePortalFQDN: readOnly(text()),
  agentPoolProfiles: list(
    object("AgentPoolProfile", {
      name: required(text({ pattern: /^[a-z][a-z0-9]{0,11}$/ })),
      ...agentPoolProperties,
    }),
  ),
  addonProfiles: kept(map(addon)),
  servicePrincipalProfile: kept(
    or(object("ServicePrincipalProfile", { clientId: required(text()), secret: hidden(text()) }), { clientId: "msi" }),
  ),
  oidcIssuerProfile: kept(
    or(object("OIDCIssuerProfile", { issuerURL: readOnly(text()), enabled: or(flag(), false) }), {}),
  ),
  nodeResourceGroup: fixed(kept(text({ min: 1, max: 80 }))),
  nodeResourceGroupProfile: kept(
    object("NodeResourceGroupProfile", { restrictionLevel: or(choice("Unrestricted", "ReadOnly"), "Unrestricted") }),
  ),
  enableRBAC: fixed(or(flag(), true)),
  supportPlan: kept(or(choice("KubernetesOfficial", "AKSLongTermSupport"), "KubernetesOfficial")),
  networkProfile: kept(or(network, {})),
  aadProfile: kept(
    object("AADProfile", {
      managed: flag(),
      enableAzureRBAC: or(flag(), false),
      adminGroupObjectIDs: list(guid()),
      tenantID: kept(guid()),
      serverAppSecret: hidden(text()),
    }),
  ),
  autoUpgradeProfile: kept(
    or(
      object("AutoUpgradeProfile", {
        upgradeChannel: choice("rapid", "stable", "patch", "node-image", "none"),
        nodeOSUpgradeChannel: or(choice("None", "Unmanaged", "NodeImage", "SecurityPatch"), "NodeImage"),
      }),
      {},
    ),
  ),
  autoScalerProfile: kept(autoScaler),
  apiServerAccessProfile: kept(apiServer),
  identityProfile: kept(
    map(
      object("UserAssignedIdentity", {
        resourceId: reference(IDENTITY_TYPE, ASSIGN),
        clientId: text(),
        objectId: text(),
      }),
    ),
  ),
  disableLocalAccounts: or(flag(), false),
  securityProfile: or(security, {}),
  storageProfile: kept(or(storage, {})),
  publicNetworkAccess: choice("Enabled", "Disabled"),
  workloadAutoScalerProfile: or(
    object("WorkloadAutoScalerProfile", {
      keda: autoscaling("Keda"),
      verticalPodAutoscaler: autoscaling("VerticalPodAutoscaler"),
    }),
    {},
  ),
  azureMonitorProfile: object("AzureMonitorProfile", {
    metrics: object("AzureMonitorProfileMetrics", {
      enabled: required(flag()),
      kubeStateMetrics: object("KubeStateMetrics", {
        metricLabelsAllowlist: text(),
        metricAnnotationsAllowList: text(),
      }),
    }),
  }),
  resourceUID: readOnly(text()),
  metricsProfile: or(
    object("MetricsProfile", { costAnalysis: or(object("CostAnalysis", { enabled: or(flag(), false) }), {}) }),
    {},
  ),
  nodeProvisioningProfile: kept(
    or(
      object("NodeProvisioningProfile", {
        mode: or(choice("Manual", "Auto"), "Manual"),
        defaultNodePools: or(choice("None", "Auto"), "Auto"),
      }),
      {},
    ),
  ),
  bootstrapProfile: kept(
    or(
      object("BootstrapProfile", {
        artifactSource: or(choice("Cache", "Direct"), "Direct"),
        containerRegistryId: reference("Microsoft.ContainerRegistry/registries"),
      }),
      {},
    ),
  ),
});
