// Node pools: their rules are the same inline in a cluster and as resources of their own.
import { randomUUID } from "node:crypto";
import type { ArmResource } from "../../types.ts";
import { type Behaviour, propertiesOf, type World } from "../behaviour.ts";
import { armError } from "../errors.ts";
import { type ResourceId, same } from "../ids.ts";
import { hasZones } from "../locations.ts";
import { CLUSTER_TYPE } from "../types/containerService.ts";
import { type Body, part } from "../validate.ts";
import { checkCapacity } from "./clusterAddresses.ts";
import { checkPoolSubnets } from "./clusterSubnets.ts";
import { networkOf } from "./network.ts";
import { checkSpot, deriveSpot } from "./spotPool.ts";
import { checkSkew, checkVersion, fullVersion, isBefore, versionAfter } from "./versions.ts";

export const POOL_TYPE = `${CLUSTER_TYPE}/agentPools`;

export const invalid = (target: string, problem: string, more: Record<string, unknown> = {}) =>
  armError(400, "InvalidParameter", `The value of parameter ${target} is invalid. Error details: ${problem}`, {
    target,
    ...more,
  });

export const requiredParameter = (target: string) =>
  armError(400, "InvalidParameter", `Required parameter ${target} is missing (null).`, { target });

/** Properties of a cluster that its pools depend on. */
export interface Surroundings {
  readonly location: string;
  readonly version: string;
  /** What the control plane runs. */
  readonly current: string;
  readonly network: Body;
  readonly provisioning: unknown;
}

export const surroundingsOf = (cluster: Body): Surroundings => ({
  location: String(cluster.location),
  version: String(part(cluster, "properties").kubernetesVersion),
  current: String(
    part(cluster, "properties").currentKubernetesVersion ??
      fullVersion(String(part(cluster, "properties").kubernetesVersion)),
  ),
  network: part(cluster, "properties.networkProfile"),
  provisioning: part(cluster, "properties.nodeProvisioningProfile").mode,
});

/** The size of an OS disk that nobody asked for another one, in GiB. */
const OS_DISK = 128;

/**
 * Fills in what the service chooses for a pool by its other properties.
 * @param counted how many nodes the autoscaler has given it; undefined for a new pool.
 */
export function derivePool(pool: Body, { network, version }: Surroundings, counted?: unknown): void {
  if (pool.scaleSetPriority === "Spot") deriveSpot(pool);
  if (pool.enableAutoScaling === true) pool.count = autoscaled(pool, counted ?? pool.count ?? pool.minCount);
  const disk = localDisk(String(pool.vmSize));
  // 0 leaves it to the service.
  if (pool.osDiskSizeGB === 0) delete pool.osDiskSizeGB;
  pool.osDiskType ??= disk >= Number(pool.osDiskSizeGB ?? OS_DISK) ? "Ephemeral" : "Managed";
  pool.osDiskSizeGB ??= pool.osDiskType === "Ephemeral" ? Math.max(disk, OS_DISK) : OS_DISK;
  pool.maxPods ??= network.networkPlugin === "kubenet" ? 110 : network.networkPluginMode === "overlay" ? 250 : 30;
  pool.orchestratorVersion ??= version;
}

/** The autoscaler keeps the number of nodes between its limits, whatever a request says of it. */
function autoscaled({ minCount, maxCount }: Body, count: unknown): unknown {
  if (typeof minCount !== "number" || typeof maxCount !== "number" || typeof count !== "number") return count;
  return Math.min(Math.max(count, minCount), maxCount);
}

/**
 * The local disk that an OS disk can live on, in GiB, by a size's name: a `d` among the letters after the number of cores
 * says that there is one, of 37.5 GiB a core (75 GiB for two, 150 for four), and from v6 on it is NVMe, which does not
 * count. https://learn.microsoft.com/azure/virtual-machines/sizes/general-purpose/ddsv5-series
 */
function localDisk(size: string): number {
  const [, cores, version = "0"] = /^Standard_[A-Z]+(\d+)(?:-\d+)?[a-z]*d[a-z]*(?:_v(\d+))?$/i.exec(size) ?? [];
  return cores === undefined || Number(version) > 5 ? 0 : Number(cores) * 37.5;
}

/**
 * @param name the pool's name.
 * @param ran the version that it has run so far; undefined for a new one.
 * @throws ServiceError where a pool is not one that AKS would make.
 */
export function checkPool(name: string, pool: Body, around: Surroundings, ran?: string): void {
  if (pool.vmSize === undefined) throw requiredParameter("agentPoolProfile.vmSize");
  if (!/^Standard_[A-Z]+\d+[a-z]*(?:-\d+[a-z]*)?(?:_[A-Za-z0-9]+)*$/.test(String(pool.vmSize)))
    throw armError(
      400,
      "VMSizeNotSupported",
      `The VM size of ${pool.vmSize} is not allowed in your subscription in location '${around.location}'.`,
      { target: "agentPoolProfile.vmSize" },
    );
  checkScale(name, pool, around);
  if (pool.mode === "System" && pool.osType !== "Linux")
    throw invalid("agentPoolProfile.osType", `The system pool '${name}' must be of type Linux.`);
  const disk = localDisk(String(pool.vmSize));
  if (pool.osDiskType === "Ephemeral" && disk < Number(pool.osDiskSizeGB))
    throw armError(
      400,
      "InvalidParameter",
      `The virtual machine size ${pool.vmSize} has a cache size of 0 bytes and temp disk size of ${disk * 2 ** 30} bytes, but the OS disk requires ${Number(pool.osDiskSizeGB) * 2 ** 30} bytes. Use a VM size with larger cache or disable ephemeral OS.`,
      { target: "agentPoolProfile.osDiskType" },
    );
  if (Array.isArray(pool.availabilityZones) && pool.availabilityZones.length > 0 && !hasZones(around.location))
    throw armError(
      400,
      "AvailabilityZoneNotSupported",
      `The zone(s) '${pool.availabilityZones.join(",")}' for resource '${name}' is not supported. The supported zones for location '${around.location}' are ''`,
      { target: "agentPoolProfile.availabilityZones" },
    );
  if (pool.scaleSetPriority === "Spot" && pool.mode === "System")
    throw invalid("agentPoolProfile.scaleSetPriority", `The system pool '${name}' cannot be a Spot pool.`);
  if (
    pool.mode === "System" &&
    (pool.nodeTaints as string[] | undefined)?.some(
      (taint) => !taint.startsWith("CriticalAddonsOnly=") && !taint.endsWith(":PreferNoSchedule"),
    )
  )
    throw invalid(
      "agentPoolProfile.nodeTaints",
      `The system pool '${name}' can have no other hard taint than CriticalAddonsOnly=true:NoSchedule.`,
    );
  checkPoolVersion(String(pool.orchestratorVersion), ran);
}

/** Minors may be left out on a pool's way to its control plane's version, and none is ever gone back. */
function checkPoolVersion(version: string, ran: string | undefined): void {
  const next = versionAfter(version, ran);
  if (ran === undefined || next === ran) {
    if (ran === undefined) checkVersion(version, undefined);
    return;
  }
  checkVersion(version, undefined);
  if (isBefore(next, ran))
    throw armError(
      400,
      "OperationNotAllowed",
      `Downgrading agent pool from ${ran} to ${next} is not allowed. Please see https://aka.ms/aks-supported-k8s-ver for version details.`,
    );
}

function checkScale(name: string, pool: Body, { provisioning }: Surroundings): void {
  const { enableAutoScaling, mode } = pool;
  const { minCount, maxCount, count } = pool as Record<string, number | undefined>;
  if (enableAutoScaling !== true) {
    if (minCount !== undefined || maxCount !== undefined)
      throw invalid(
        "agentPoolProfile.minCount",
        `minCount and maxCount of pool '${name}' must not be set while enableAutoScaling is false.`,
      );
    if (count === undefined) throw requiredParameter("agentPoolProfile.count");
  } else {
    if (provisioning === "Auto")
      throw armError(
        400,
        "NodeAutoProvisioningNotSupportedWithClusterAutoscaler",
        `Node auto provisioning cannot be enabled while the cluster autoscaler is enabled on agent pool '${name}'.`,
        { target: "nodeProvisioningProfile.mode" },
      );
    if (minCount === undefined || maxCount === undefined)
      throw requiredParameter(minCount === undefined ? "agentPoolProfile.minCount" : "agentPoolProfile.maxCount");
    if (minCount > maxCount)
      throw invalid(
        "agentPoolProfile.minCount",
        `minCount ${minCount} of pool '${name}' is greater than maxCount ${maxCount}.`,
      );
  }
  if (mode === "System" && Math.min(Number(count), minCount ?? Number.POSITIVE_INFINITY) < 1)
    throw invalid("agentPoolProfile.count", `The system pool '${name}' must have at least one node.`);
}

/**
 * The pool as a resource, filled in with what only the service knows.
 * @param ran the version that it has run so far; of a new one the control plane's.
 */
export function poolResource(
  clusterId: string,
  name: string,
  properties: Body,
  state: string,
  ran: string,
): ArmResource {
  const { name: _name, ...rest } = properties;
  // What says nothing is not told.
  if (Array.isArray(rest.nodeTaints) && rest.nodeTaints.length === 0) delete rest.nodeTaints;
  return {
    id: `${clusterId}/agentPools/${name}`,
    name,
    type: POOL_TYPE,
    properties: {
      ...rest,
      currentOrchestratorVersion: versionAfter(String(rest.orchestratorVersion), ran),
      nodeImageVersion: nodeImage(rest),
      provisioningState: state,
      eTag: randomUUID(),
    },
  };
}

const nodeImage = ({ osSKU, osType }: Body): string =>
  osType === "Windows"
    ? "AKSWindows-2022-containerd-gen2-20348.4297.251015"
    : `${String(osSKU).startsWith("AzureLinux") ? "AKSAzureLinux-V3gen2" : "AKSUbuntu-2204gen2containerd"}-202511.07.0`;

/** A cluster shows its pools in its own body too. */
export function showPools(world: World, clusterId: string): void {
  const cluster = world.store.get(clusterId);
  if (cluster !== undefined)
    cluster.properties.agentPoolProfiles = poolsOf(world, clusterId).map(({ name, properties }) => ({
      name,
      ...properties,
    }));
}

export const poolsOf = (world: World, clusterId: string): ArmResource[] =>
  world.store.below(clusterId).filter(({ type }) => same(type, POOL_TYPE));

export const clusterConflict = (id: Pick<ResourceId, "id">) => ({
  status: 409,
  code: "OperationNotAllowed",
  message: `Operation is not allowed: Another operation is in progress on '${id.id}', please wait for it to finish before starting a new operation. See https://aka.ms/aks-pending-operation for more details`,
});

/** No pool is written or deleted while its cluster is. */
function refuseBusy(world: World, clusterId: string): void {
  const operation = world.store.busy(clusterId);
  if (operation === undefined || !same(operation.resourceId, clusterId)) return;
  const { status, code, message } = clusterConflict({ id: clusterId });
  throw armError(status, code, message);
}

/**
 * No pool is written while another one of the cluster is. Azure was seen to refuse that once and to take it later, so it is
 * refused here; beside a deletion it was always taken.
 */
function refuseBesideAnother(world: World, { id, parent }: ResourceId): void {
  const isWritten = poolsOf(world, parent ?? "")
    .filter((pool) => !same(pool.id, id))
    .some((pool) => (world.store.busy(pool.id)?.verb ?? "Deleting") !== "Deleting");
  if (!isWritten) return;
  const { status, code, message } = clusterConflict({ id: parent ?? "" });
  throw armError(status, code, message);
}

/** The version that a pool runs. */
export const ranBy = (pool: ArmResource | undefined): string | undefined =>
  pool === undefined
    ? undefined
    : String(pool.properties.currentOrchestratorVersion ?? pool.properties.orchestratorVersion);

export const agentPoolRules: Readonly<Record<string, Behaviour>> = {
  [POOL_TYPE]: {
    conflict: clusterConflict,
    before({ world, id }) {
      refuseBusy(world, id.parent ?? "");
      refuseBesideAnother(world, id);
    },
    derive({ world, id, body, old }) {
      const around = surroundingsOf(world.store.get(id.parent ?? "") as ArmResource);
      derivePool(propertiesOf(body), around, old?.properties.count);
    },
    check({ world, id, body, old, sent }) {
      checkSpot(propertiesOf(sent));
      const cluster = world.store.get(id.parent ?? "") as ArmResource;
      const pool = propertiesOf(body);
      const around = surroundingsOf(cluster);
      const ran = ranBy(old);
      checkPool(id.name, pool, around, ran);
      // A new one that asks for nothing has its control plane's.
      const isLeft = ran === undefined && propertiesOf(sent).orchestratorVersion === undefined;
      checkSkew(isLeft ? around.current : versionAfter(String(pool.orchestratorVersion), ran), around.current);
      checkPoolSubnets(world, { id: cluster.id, location: cluster.location }, { ...pool, name: id.name });
      const others = poolsOf(world, cluster.id).filter(({ name }) => !same(name, id.name));
      if (pool.mode !== "System" && !others.some(({ properties }) => properties.mode === "System"))
        throw invalid("agentPoolProfiles", "There has to be at least one system agent pool.");
      const network = (properties: Body) => networkOf(String(properties.vnetSubnetID ?? "")).toLowerCase();
      const foreign = others.find(({ properties }) => network(properties) !== network(pool));
      if (foreign !== undefined)
        throw invalid(
          "agentPoolProfile.vnetSubnetID",
          `All agent pools must be in the same VNET, '${id.name}' and '${foreign.name}' are not.`,
        );
      const all = [pool, ...others.map(({ properties }) => properties)];
      checkCapacity(world, part(cluster, "properties.networkProfile"), all);
    },
    accepted(resource, { world, id, old }) {
      const parent = world.store.get(id.parent ?? "") as ArmResource;
      const state = old === undefined ? "Creating" : "Updating";
      const ran = ranBy(old) ?? surroundingsOf(parent).current;
      Object.assign(resource, poolResource(parent.id, resource.name, resource.properties, state, ran));
    },
    finished: (_resource, world) => {
      for (const cluster of world.store.list(CLUSTER_TYPE)) showPools(world, cluster.id);
    },
    mayDelete({ world, resource }) {
      const cluster = resource.id.split("/").slice(0, -2).join("/");
      refuseBusy(world, cluster);
      const others = poolsOf(world, cluster).filter(({ id }) => !same(id, resource.id));
      if (resource.properties.mode === "System" && !others.some(({ properties }) => properties.mode === "System"))
        throw armError(
          400,
          "OperationNotAllowed",
          `There has to be at least one system agent pool: '${resource.name}' is the last one.`,
        );
    },
    gone(resource, world) {
      showPools(world, resource.id.split("/").slice(0, -2).join("/"));
    },
  },
};
