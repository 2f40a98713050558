// What AKS changes in a managed cluster and its pools by itself as time passes.
import { randomUUID } from "node:crypto";
import type { ArmResource } from "../../types.ts";
import type { World } from "../behaviour.ts";
import { type Body, isObject, part } from "../validate.ts";
import { POOL_TYPE, showPools } from "./agentPool.ts";
import { newestPatch, nextMinor } from "./versions.ts";

/**
 * A cluster whose channel raises minors gets the next one, and with the channel patch the newest patch, all pools with
 * it; other channels leave its version alone. Nodes get a new image, and the autoscaler
 * as many of them as it may. Policies set a tag and switch an addon on.
 */
export function passClusterTime(cluster: ArmResource, world: World): void {
  const { properties } = cluster;
  const channel = String(part(properties, "autoUpgradeProfile").upgradeChannel);
  const current = String(properties.currentKubernetesVersion);
  const next = ["stable", "rapid"].includes(channel) ? nextMinor(current) : current;
  const raises = ["stable", "rapid", "patch"].includes(channel);
  if (raises && next !== current) properties.kubernetesVersion = next;
  if (raises) properties.currentKubernetesVersion = newestPatch(next);
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
