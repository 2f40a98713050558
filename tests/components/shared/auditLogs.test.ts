// Who did what with registry and vault is kept.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { ContainerRegistry } from "../../../components/registry/containerRegistry.ts";
import { SopsKeyVault } from "../../../components/vault/sopsKeyVault.ts";
import { fault, read } from "../../settings/faults.ts";
import { idOf } from "../deployment.ts";
import { onArm } from "../onArm.ts";
import { run } from "../programRun.ts";
import { refused } from "../refused.ts";

const CONFIG = {
  deployers: "6f1f2b6e-1111-4e0a-9c60-000000000001",
  flux: { repository: "https://github.com/acme/fleet" },
};
const SHARED = "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/shared/providers";
const REGISTRY = `${SHARED}/Microsoft.ContainerRegistry/registries/acmeshared`;
const VAULT = `${SHARED}/Microsoft.KeyVault/vaults/kv-shared`;
const WORKSPACE = `${SHARED}/Microsoft.OperationalInsights/workspaces/logs`;

describe("audit logs of registry and vault", () => {
  const settingsOf = (config: Record<string, unknown>) => run({ ...CONFIG, ...config });

  it("go to the cluster's workspace", async () => {
    const { find, names } = await settingsOf({});
    assert.deepEqual(names("DiagnosticSetting"), ["acr-test", "aks-test", "kv-test"]);
    const workspaceId = idOf("Workspace", "aks-test");
    assert.deepEqual(find("DiagnosticSetting", "acr-test").inputs, {
      name: "acr-test",
      resourceUri: idOf("Registry", "acr-test"),
      workspaceId,
      logs: ["ContainerRegistryLoginEvents", "ContainerRegistryRepositoryEvents"].map((category) => ({
        category,
        enabled: true,
      })),
    });
    assert.deepEqual(find("DiagnosticSetting", "kv-test").inputs, {
      name: "kv-test",
      resourceUri: idOf("Vault", "kv-test"),
      workspaceId,
      logAnalyticsDestinationType: "Dedicated",
      logs: [{ category: "AuditEvent", enabled: true }],
    });
  });

  it("go to a workspace that is there already", async () => {
    const { find } = await settingsOf({ cluster: { logWorkspaceId: WORKSPACE } });
    assert.equal(find("DiagnosticSetting", "kv-test").inputs.workspaceId, WORKSPACE);
  });

  it("are not kept with the Free tier, or where they are switched off", async () => {
    for (const config of [{ cluster: { sku: "Free" } }, { registry: { auditLogs: false }, sops: { auditLogs: false } }])
      assert.deepEqual((await settingsOf(config)).names("DiagnosticSetting"), ["aks-test"]);
    const { names } = await settingsOf({ cluster: { sku: "Free" }, sops: { auditLogs: true } });
    assert.deepEqual(names("DiagnosticSetting"), ["aks-test", "kv-test"]);
  });

  it("of what is there already are its owner's", async () => {
    const { names } = await settingsOf({ registry: { existing: REGISTRY }, sops: { existingVault: VAULT } });
    assert.deepEqual(names("DiagnosticSetting"), ["aks-test"]);
    const said = "says nothing beside";
    const registry = { existing: REGISTRY, auditLogs: true };
    assert.match(fault({ "aks-gitops:registry": registry })[2], RegExp(`^${said} registry.existing`));
    const sops = { existingVault: VAULT, auditLogs: true };
    assert.match(fault({ "aks-gitops:sops": sops })[2], RegExp(`^${said} sops.existingVault`));
    const group = { resourceGroupName: "group", logWorkspaceId: WORKSPACE };
    assert.deepEqual(await refused(() => new ContainerRegistry("acr", { ...group, existing: REGISTRY })), [
      `logWorkspaceId ${said} existing, whose owner decides it`,
    ]);
    assert.deepEqual(await refused(() => new SopsKeyVault("kv", { ...group, existingVault: VAULT })), [
      `logWorkspaceId ${said} existingVault, whose owner decides it`,
    ]);
  });

  it("have no workspace beside a cluster that is not AKS", () => {
    const other = {
      "aks-gitops:otherCluster": { context: "factory" },
      "aks-gitops:registry": { pullPrincipal: true },
      "aks-gitops:flux": { repository: "https://github.com/acme/fleet", mode: "bootstrap" },
    };
    const { registry, sops } = read(other);
    assert.deepEqual([registry.auditLogs, sops.auditLogs], [false, false]);
    assert.deepEqual(fault({ ...other, "aks-gitops:sops": { auditLogs: true } }), [
      "aks-gitops:sops.auditLogs",
      true,
      "go to the workspace of an AKS cluster, and beside aks-gitops:otherCluster none is made",
    ]);
  });

  it("are taken by Azure", async () => {
    const { cloud } = await onArm(CONFIG);
    const kept = cloud.arm.list("Microsoft.Insights/diagnosticSettings").map(({ id }) => id.split("/").at(-1));
    assert.deepEqual(kept.sort(), ["acr-test", "aks-test", "kv-test"]);
  });

  it("refuse a workspace that is none", async () => {
    const args = { resourceGroupName: "group", logWorkspaceId: "logs" };
    const problem = "logWorkspaceId is no ARM id of Microsoft.OperationalInsights/workspaces";
    assert.deepEqual(await refused(() => new ContainerRegistry("acr", args)), [problem]);
    assert.deepEqual(await refused(() => new SopsKeyVault("kv", args)), [problem]);
  });
});
