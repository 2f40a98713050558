// How a kubeconfig asks kubelogin for a token.

/**
 * kubelogin's arguments: they hold no credential, and are the same whoever runs this. By default the Azure CLI's login
 * counts; AAD_LOGIN_METHOD of the environment goes before the argument and names another way, which goes by azure-native's
 * variables then (kubelogin, pkg/internal/token/options.go).
 * @param serverId the Entra application of the API server.
 * @param server the API server's URL, which tells Azure's cloud.
 */
export function kubeloginArgs(serverId: string, server: string): string[] {
  const host = URL.parse(server)?.hostname ?? "";
  // https://learn.microsoft.com/azure/aks/outbound-rules-control-egress
  const environment = host.endsWith(".azure.us")
    ? ["--environment", "AzureUSGovernmentCloud"]
    : host.endsWith(".azk8s.cn")
      ? ["--environment", "AzureChinaCloud"]
      : [];
  return ["get-token", "--login", "azurecli", "--use-azurerm-env-vars", "--server-id", serverId, ...environment];
}
