// Pools of Spot nodes, which Azure may take away: https://learn.microsoft.com/azure/aks/spot-node-pool
import { armError } from "../errors.ts";
import { type Body, part } from "../validate.ts";

const MARK = "kubernetes.azure.com/scalesetpriority";

/** Fills in what AKS gives such a pool: its mark as taint and label, and no surge. */
export function deriveSpot(pool: Body): void {
  const taint = `${MARK}=spot:NoSchedule`;
  const taints = (pool.nodeTaints ?? []) as string[];
  pool.nodeTaints = taints.includes(taint) ? taints : [...taints, taint];
  pool.nodeLabels = { ...part(pool, "nodeLabels"), [MARK]: "spot" };
  pool.scaleSetEvictionPolicy ??= "Delete";
  const { maxSurge: _, maxUnavailable: __, ...upgradeSettings } = part(pool, "upgradeSettings");
  pool.upgradeSettings = upgradeSettings;
}

/**
 * Seen in hashicorp/terraform-provider-azurerm#19355 and #31129.
 * @throws ServiceError where a request says of Spot nodes how many an upgrade adds or takes away.
 */
export function checkSpot(sent: Body): void {
  if (sent.scaleSetPriority !== "Spot") return;
  const { maxSurge, maxUnavailable } = part(sent, "upgradeSettings");
  const refuse = (target: string, problem: string) =>
    armError(400, "InvalidParameter", `The value of parameter ${target} is invalid. Error details: ${problem}`, {
      target,
    });
  if (maxSurge !== undefined) throw refuse("agentPoolProfile.upgrade.maxSurge", "Spot pools can't set max surge.");
  if (maxUnavailable !== undefined)
    throw refuse("agentPoolProfile.upgradeSettings.maxUnavailable", "Spot pools can't set maxUnavailable.");
}
