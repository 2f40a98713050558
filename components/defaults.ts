// What a component takes where an argument is left out; the settings of a stack take it from here too.
import { isPatch } from "../net/kubernetesVersion.ts";

/** A node pool's. */
export const POOL = {
  vmSize: "Standard_D4ds_v5",
  zones: [],
  minCount: 1,
  maxCount: 5,
  enableAutoScaling: true,
  nodeLabels: {},
  maxSurge: "33%",
  drainTimeoutInMinutes: 30,
} as const;

/** A pool of applications', beside {@link POOL}. */
export const USER_POOL = { nodeTaints: [], scaleSetPriority: "Regular" } as const;

/** A weekly window of an hour of day, in UTC. */
const window = <const D extends string>(dayOfWeek: D) => ({ dayOfWeek, startTime: "01:00", durationHours: 6 }) as const;

/** AksCluster's. */
export const CLUSTER = {
  sku: "Standard",
  private: false,
  authorizedIpRanges: [],
  adminGroups: [],
  access: [],
  network: {
    vnet: "10.60.0.0/16",
    nodes: "10.60.0.0/20",
    apiServer: "10.60.16.0/28",
    endpoints: "10.60.17.0/24",
    pods: "10.244.0.0/16",
    services: "10.0.0.0/16",
  },
  egress: "natGateway",
  zoneRedundantEgress: false,
  publicPorts: ["80", "443"],
  nodeProvisioning: "Manual",
  systemPool: POOL,
  userPools: [],
  maintenance: { utcOffset: "+00:00", autoUpgrade: window("Sunday"), nodeOSUpgrade: window("Saturday") },
  upgradeChannel: "stable",
  nodeOSUpgradeChannel: "NodeImage",
} as const;

/** AksCluster's rules for pods, where it has any. */
export const POD_SECURITY = { initiative: "Baseline", effect: "Audit", excludedNamespaces: [] } as const;

/**
 * AksCluster's upgrade channel: long-term support and a cluster whose minor version is said stay on it and get its
 * patches; one whose patch is said stays as it is.
 */
export function upgradeChannelOf(sku: string, kubernetesVersion?: string) {
  if (kubernetesVersion !== undefined) return isPatch(kubernetesVersion) ? "none" : "patch";
  return sku === "Premium" ? "patch" : CLUSTER.upgradeChannel;
}

/** ContainerRegistry's. */
export const REGISTRY = { sku: "Standard", private: false, pullPrincipal: false } as const;

/** A service principal's. Twice as long is what Entra's portal recommends for a password. */
export const PRINCIPAL = { passwordDays: 90 } as const;

/** SopsKeyVault's; the settings of a stack decide it by the cluster's tier. */
export const VAULT = { purgeProtection: true } as const;

/** SopsKeyVault's. */
export const SOPS = { keyName: "sops", editors: [], encrypters: [] } as const;

/** FluxBootstrap's. The version is one whose manifests tools/ can make everywhere; others need GitHub at hand. */
export const FLUX = {
  mode: "extension",
  createRepository: false,
  start: "apps",
  branch: "main",
  username: "git",
  imageAutomation: false,
  version: "2.9.4",
  readyMinutes: 15,
} as const;

/** The artifact's that a cluster reads in place of the repository. */
export const ARTIFACT = { tag: "latest" } as const;

/** How FluxBootstrap commits. */
export const COMMIT = { pullRequest: "leave", pullRequestMinutes: 60 } as const;

/** The extension's configuration's. */
export const CONFIGURATION = {
  name: "flux-system",
  namespace: "flux-system",
  scope: "cluster",
  syncSeconds: 60,
} as const;

/** A further configuration's. */
export const FURTHER_CONFIGURATION = { scope: "namespace", syncSeconds: 60 } as const;

/** Everything's in Azure. */
export const TAGS = {} as const;

/** How many tags there may be: Azure takes 50, and one of the cluster's says whose it is. */
export const MOST_TAGS = 49;

/** The tag that says whose a cluster is. */
export const OWNER_TAG = "aks-gitops";

/** A chart's. */
export const CHART = { values: {} } as const;

/** A chart's release's; its durations as Flux writes them. */
export const RELEASE = { interval: "30m0s", timeout: "10m0s", retries: 3, follow: false, suspend: false } as const;

/** The demo application's. */
export const DEMO = { replicas: 1 } as const;

/** A Kubernetes secret's. */
export const SECRET = { type: "Opaque", generate: [], data: {} } as const;

/** A further source's; as Flux writes it. */
export const SOURCE = { interval: "5m0s" } as const;

/** A Flux Kustomization's; its durations as Flux writes them. */
export const KUSTOMIZATION = {
  interval: "10m0s",
  retryInterval: "1m0s",
  timeout: "10m0s",
  prune: true,
  decryption: true,
  suspend: false,
  force: false,
} as const;
