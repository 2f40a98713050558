import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { kubeloginArgs } from "../../../provider/azure/kubelogin.ts";

describe("what a kubeconfig asks kubelogin", () => {
  const PUBLIC = ["get-token", "--login", "azurecli", "--use-azurerm-env-vars", "--server-id", "server"];

  it("is the same whoever made the cluster, and holds no credential", () => {
    assert.deepEqual(kubeloginArgs("server", "https://dev-1234.hcp.westeurope.azmk8s.io:443"), PUBLIC);
  });

  it("names a cloud that is not the public one", () => {
    const args = (server: string) => kubeloginArgs("server", server).slice(PUBLIC.length);
    assert.deepEqual(args("https://dev-1234.hcp.usgovvirginia.cx.aks.containerservice.azure.us:443"), [
      "--environment",
      "AzureUSGovernmentCloud",
    ]);
    assert.deepEqual(args("https://dev-1234.hcp.chinaeast2.cx.prod.service.azk8s.cn:443"), [
      "--environment",
      "AzureChinaCloud",
    ]);
  });
});
