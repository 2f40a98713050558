// What AKS changes in a managed cluster and its pools by itself as time passes.
import { randomUUID } from "node:crypto";
import type { ArmResource } from "../../types.ts";
import type { World } from "../behaviour.ts";
import { type Body, isObject, part } from "../validate.ts";
import { POOL_TYPE, showPools } from "./agentPool.ts";
import { fullVersion, nextMinor } from "./versions.ts";

/**
 * A cluster whose channel raises minors gets the next one, all pools with it; nodes get a new image, and the autoscaler
 * as many of them as it may. Policies set a tag and switch an addon on.
 */
export function passClusterTime(cluster: ArmResource, world: World): void {
  const { properties } = cluster;
  const raises = ["stable", "rapid"].includes(String(part(properties, "autoUpgradeProfile").upgradeChannel));
  if (raises) properties.kubernetesVersion = nextMinor(String(properties.kubernetesVersion));
  properties.currentKubernetesVersion = fullVersion(String(properties.kubernetesVersion));
  properties.status = { provisioningError: null };
  const addons = isObject(properties.addonProfiles) ? properties.addonProfiles : {};
  properties.addonProfiles = { ...addons, azureKeyvaultSecretsProvider: { enabled: true, config: {} } };
  cluster.tags = { ...(cluster.tags as Body | undefined), "policy-reviewed": "yes" };
  cluster.eTag = randomUUID();
  for (const pool of world.store.below(cluster.id))
    if (pool.type === POOL_TYPE) passPoolTime(pool.properties, properties, raises);
  showPools(world, cluster.id);
}

function passPoolTime(pool: Body, { kubernetesVersion, currentKubernetesVersion }: Body, raises: boolean): void {
  if (raises) pool.orchestratorVersion = kubernetesVersion;
  if (raises) pool.currentOrchestratorVersion = currentKubernetesVersion;
  pool.nodeImageVersion = String(pool.nodeImageVersion).replace(/\d+$/, (last) => String(Number(last) + 1));
  if (pool.enableAutoScaling === true) pool.count = pool.maxCount;
  pool.status = { provisioningError: null };
  pool.eTag = randomUUID();
}
