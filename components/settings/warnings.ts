import type { Settings } from "../settings.ts";

/** What works, but may not do what was meant. */
export function warnings({ cluster, charts }: Settings): string[] {
  const kured = charts.findIndex(({ name }) => name === "kured");
  if (kured < 0 || cluster.nodeOSUpgradeChannel !== "NodeImage") return [];
  return [
    `aks-gitops:charts[${kured}] releases kured, but it will find nothing to do: with ` +
      "aks-gitops:cluster.nodeOSUpgradeChannel NodeImage AKS replaces nodes instead of rebooting them. " +
      "Leave kured out, or set nodeOSUpgradeChannel: SecurityPatch.",
  ];
}
