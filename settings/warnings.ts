import type { Settings } from "./settings.ts";

/** What works, but may not do what was meant. */
export function warnings(settings: Settings): string[] {
  return [...aboutKured(settings), ...aboutToken(settings)];
}

function aboutToken({ flux, gitToken }: Settings): string[] {
  if (gitToken === undefined || (flux.mode === "extension" && flux.auth === "token")) return [];
  const instead =
    flux.auth === "deployKey" ? "with a deploy key" : "with FLUX_GIT_TOKEN, or else GITHUB_TOKEN, of the environment";
  return [
    `aks-gitops:gitToken is not used: with flux.mode ${flux.mode} and flux.auth ${flux.auth} Flux reads the repository ` +
      `${instead}. Remove it: run \`pulumi config rm aks-gitops:gitToken\`.`,
  ];
}

function aboutKured({ cluster, charts }: Settings): string[] {
  const kured = charts.findIndex(({ name }) => name === "kured");
  if (kured < 0 || cluster.nodeOSUpgradeChannel !== "NodeImage") return [];
  return [
    `aks-gitops:charts[${kured}] releases kured, but it will find nothing to do: with ` +
      "aks-gitops:cluster.nodeOSUpgradeChannel NodeImage AKS replaces nodes instead of rebooting them. " +
      "Leave kured out, or set nodeOSUpgradeChannel: SecurityPatch.",
  ];
}
