import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { upLines } from "../../../rehearsal/cli/upLines.ts";

/** What is shown of an update that prints this. */
function shown(output: string): string[] {
  const lines: string[] = [];
  const line = upLines((text) => lines.push(text));
  for (const text of output.split("\n")) line(text);
  return lines;
}

describe("what is shown of an update", () => {
  it("is what takes a while, each wait once, and how it ended", () => {
    const output = `Updating (dev):

 +  pulumi:pulumi:Stack aks-gitops-dev creating (0s) 
 +  random:index:RandomString kv-dev-suffix creating (0s) 
 +  random:index:RandomString kv-dev-suffix created (0.09s) 
 +  gitops:index:ClusterAccess aks-dev created (14s) 
 +  gitops:index:FluxInstall flux creating (5s) waiting for Deployment flux-system/source-controller: 0 of 1 pods available
 +  gitops:index:FluxInstall flux created (24s) waiting for Deployment flux-system/source-controller: 0 of 1 pods available
 -  gitops:index:FluxReady flux deleted (0.20s) 
 +  pulumi:pulumi:Stack aks-gitops-dev created (1m21s) 
Diagnostics:
  gitops:index:FluxInstall (flux):
    waiting for Deployment flux-system/source-controller: 0 of 1 pods available

Resources:
    + 59 created

Duration: 1m24s`;
    assert.deepEqual(shown(output), [
      "Updating (dev):",
      " +  gitops:index:ClusterAccess aks-dev created (14s)",
      " +  gitops:index:FluxInstall flux creating (5s) waiting for Deployment flux-system/source-controller: 0 of 1 pods available",
      " +  gitops:index:FluxInstall flux created (24s)",
      " +  pulumi:pulumi:Stack aks-gitops-dev created (1m21s)",
      "Resources:",
      "    + 59 created",
      "Duration: 1m24s",
    ]);
  });

  it("is every fault and warning, under the resource that it is of", () => {
    const output = ` +  azure-native:keyvault:Vault kv-dev creating (0s) error: VaultAlreadyExists
 +  azure-native:keyvault:Vault kv-dev **creating failed** error: VaultAlreadyExists
Diagnostics:
  gitops:index:FluxReady (flux):
    waiting for Kustomization flux-system/apps: Progressing
  azure-native:keyvault:Vault (kv-dev):
    error: VaultAlreadyExists
      purge it first
  pulumi:pulumi:Stack (aks-gitops-dev):
    error: update failed
Resources:
    + 3 created`;
    assert.deepEqual(shown(output), [
      " +  azure-native:keyvault:Vault kv-dev creating (0s) error: VaultAlreadyExists",
      " +  azure-native:keyvault:Vault kv-dev **creating failed** error: VaultAlreadyExists",
      "Diagnostics:",
      "  azure-native:keyvault:Vault (kv-dev):",
      "    error: VaultAlreadyExists",
      "      purge it first",
      "  pulumi:pulumi:Stack (aks-gitops-dev):",
      "    error: update failed",
      "Resources:",
      "    + 3 created",
    ]);
  });
});
