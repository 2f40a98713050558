// A node pool's properties: the same inline in a managed cluster and as an agentPools resource.
import {
  choice,
  emptyAs,
  fixed,
  flag,
  kept,
  list,
  map,
  number,
  object,
  or,
  type Rule,
  readOnly,
  reference,
  text,
} from "../schema.ts";
import { SUBNET_TYPE } from "./network.ts";

const subnet = () => fixed(reference(SUBNET_TYPE, "Microsoft.Network/virtualNetworks/subnets/join/action"));

const kubeletConfig = object("KubeletConfig", {
  cpuManagerPolicy: text(),
  cpuCfsQuota: flag(),
  cpuCfsQuotaPeriod: text(),
  imageGcHighThreshold: number(),
  imageGcLowThreshold: number(),
  topologyManagerPolicy: text(),
  allowedUnsafeSysctls: list(text()),
  failSwapOn: flag(),
  containerLogMaxSizeMB: number(),
  containerLogMaxFiles: number(2),
  podMaxPids: number(),
});

const linuxOsConfig = object("LinuxOSConfig", {
  sysctls: object("SysctlConfig", {
    netCoreSomaxconn: number(),
    netIpv4TcpKeepaliveTime: number(),
    netIpv4IpLocalPortRange: text(),
    netNetfilterNfConntrackMax: number(131072, 2097152),
    fsInotifyMaxUserWatches: number(),
    fsFileMax: number(),
    vmMaxMapCount: number(),
    vmSwappiness: number(),
  }),
  transparentHugePageEnabled: text(),
  transparentHugePageDefrag: text(),
  swapFileSizeMB: number(),
});

const power = object("PowerState", { code: or(choice("Running", "Stopped"), "Running") });

/** The properties of a pool; read-only and immutable ones marked. */
export const agentPoolProperties: Readonly<Record<string, Rule>> = {
  count: kept(number(0, 1000)),
  vmSize: fixed(kept(emptyAs("Standard_D4ds_v5", text({ min: 1 })))),
  osDiskSizeGB: fixed(kept(number(0, 2048))),
  osDiskType: fixed(kept(choice("Managed", "Ephemeral"))),
  kubeletDiskType: fixed(kept(or(choice("OS", "Temporary"), "OS"))),
  workloadRuntime: or(choice("OCIContainer", "WasmWasi", "KataVmIsolation"), "OCIContainer"),
  vnetSubnetID: subnet(),
  podSubnetID: subnet(),
  maxPods: fixed(kept(number(10, 250))),
  osType: fixed(kept(or(choice("Linux", "Windows"), "Linux"))),
  osSKU: kept(
    or(
      choice("Ubuntu", "AzureLinux", "AzureLinux3", "CBLMariner", "Windows2019", "Windows2022", "Ubuntu2204"),
      "Ubuntu",
    ),
  ),
  maxCount: number(0, 1000),
  minCount: number(0, 1000),
  enableAutoScaling: or(flag(), false),
  scaleDownMode: or(choice("Delete", "Deallocate"), "Delete"),
  type: fixed(or(choice("VirtualMachineScaleSets", "AvailabilitySet", "VirtualMachines"), "VirtualMachineScaleSets")),
  mode: or(choice("System", "User", "Gateway"), "User"),
  orchestratorVersion: kept(emptyAs(null, text())),
  currentOrchestratorVersion: readOnly(text()),
  nodeImageVersion: readOnly(text()),
  upgradeSettings: or(
    object("AgentPoolUpgradeSettings", {
      maxSurge: or(text({ pattern: /^\d{1,4}$|^(100|[1-9]?\d)%$/ }), "10%"),
      maxUnavailable: or(text({ pattern: /^\d{1,4}$|^(100|[1-9]?\d)%$/ }), "0"),
      drainTimeoutInMinutes: number(1, 1440),
      nodeSoakDurationInMinutes: number(0, 30),
      undrainableNodeBehavior: choice("Cordon", "Schedule"),
    }),
    {},
  ),
  provisioningState: readOnly(text()),
  powerState: or(power, {}),
  availabilityZones: fixed(list(text({ pattern: /^[1-9]$/ }))),
  enableNodePublicIP: fixed(or(flag(), false)),
  scaleSetPriority: fixed(choice("Spot", "Regular")),
  scaleSetEvictionPolicy: fixed(choice("Delete", "Deallocate")),
  spotMaxPrice: number(),
  tags: map(text()),
  nodeLabels: map(text({ max: 63 })),
  nodeTaints: list(text({ pattern: /^[^=:]+(=[^=:]*)?:(NoSchedule|NoExecute|PreferNoSchedule)$/ })),
  kubeletConfig: fixed(kubeletConfig),
  linuxOSConfig: fixed(linuxOsConfig),
  enableEncryptionAtHost: fixed(or(flag(), false)),
  enableUltraSSD: or(flag(), false),
  enableFIPS: or(flag(), false),
  securityProfile: or(
    object("AgentPoolSecurityProfile", {
      enableVTPM: or(flag(), false),
      enableSecureBoot: or(flag(), false),
      sshAccess: or(choice("LocalUser", "Disabled"), "LocalUser"),
    }),
    {},
  ),
  eTag: readOnly(text()),
};
