// Nodes that AKS makes of whatever size pods wait for, in the place of the autoscaler.
import type { Properties } from "../../plugin/handler.ts";
import { partOf } from "./clusterProperties.ts";
import { poolsOf } from "./upgrade.ts";

/** Whether AKS makes nodes by itself. @param properties a cluster's */
export const isAuto = (properties: Properties): boolean =>
  partOf(properties, ["nodeProvisioningProfile", "mode"]) === "Auto";

/**
 * A cluster is written before its pools are, and Azure takes the one only once the other is off in all of them.
 * @throws Error where that takes an update of its own first.
 */
export function refuseBesideAutoscaler(
  id: string,
  wanted: Properties,
  { properties }: { properties: Properties },
): void {
  if (!isAuto(wanted) || isAuto(properties)) return;
  const scaled = poolsOf({ properties }).filter(({ enableAutoScaling }) => enableAutoScaling === true);
  if (scaled.length === 0) return;
  throw new Error(
    `nodeProvisioning Auto of ${id} takes two updates: Azure refuses it while the autoscaler counts the nodes of ` +
      `${scaled.map(({ name }) => name).join(", ")}. First leave nodeProvisioning out, with enableAutoScaling false in every ` +
      "pool, and run `pulumi up`; then say Auto, and run it again",
  );
}
