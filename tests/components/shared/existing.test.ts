// Components with what is there already: read, leaned on, and neither made, changed nor deleted.
import { strict as assert } from "node:assert";
import * as pulumi from "@pulumi/pulumi";
import { describe, it } from "mocha";
import { AksCluster } from "../../../components/cluster/aksCluster.ts";
import { ContainerRegistry, type ContainerRegistryArgs } from "../../../components/registry/containerRegistry.ts";
import { stackGroup } from "../../../components/resourceGroup.ts";
import { SopsKeyVault, type SopsKeyVaultArgs } from "../../../components/vault/sopsKeyVault.ts";
import { type Deployment, deploy, resolved, roleId } from "../deployment.ts";
import { refused } from "../refused.ts";

const PEOPLE = "6f1f2b6e-1111-4e0a-9c60-000000000001";
const GROUP = "/subscriptions/00000000-0000-0000-0000-00000000000c/resourceGroups/shared";
const REGISTRY = `${GROUP}/providers/Microsoft.ContainerRegistry/registries/acmeshared`;
const VAULT = `${GROUP}/providers/Microsoft.KeyVault/vaults/kv-shared`;
const KEY = `${VAULT}/keys/sops-prod`;
const WORKSPACE = `${GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs`;
const NETWORK = { vnetId: "vnet", subnetId: "subnet", allowedAddresses: ["203.0.113.10/32"] };

const reads = ({ reads: found }: Deployment<unknown>) =>
  found.map(({ type, name, id }) => [type.split(":").at(-1), name, id]);
const made = ({ resources }: Deployment<unknown>) => {
  const all = resources.map(({ type, name }) => [type.split(":").at(-1), name]);
  return all.filter(
    ([type]) => !["ContainerRegistry", "SopsKeyVault", "AksCluster", "AksNetwork"].includes(type ?? ""),
  );
};

describe("ContainerRegistry with one that is there already", () => {
  const registry = (args: Partial<ContainerRegistryArgs> = {}) =>
    deploy(
      () =>
        new ContainerRegistry("acr", {
          resourceGroupName: "group",
          existing: REGISTRY,
          deployers: PEOPLE,
          pullers: { kubelet: "kubelet-principal" },
          ...args,
        }),
    );

  it("reads it, and gives it nothing but the role of those who pull", async () => {
    const deployment = await registry();
    assert.deepEqual(reads(deployment), [["Registry", "acr", REGISTRY]]);
    assert.deepEqual(made(deployment), [["RoleAssignment", "acr-kubelet-pull"]]);
    const { scope, roleDefinitionId } = deployment.find("RoleAssignment", "acr-kubelet-pull").inputs;
    // A role's definition is named below the subscription of what it is for.
    const acrPull = roleId("7f951dda-4ed3-4680-a7ca-43fe172d538d").replace(
      /^\/subscriptions\/[^/]+/,
      GROUP.slice(0, 51),
    );
    assert.deepEqual([scope, roleDefinitionId], [REGISTRY, acrPull]);
    assert.equal(await resolved(deployment.result.registryId), REGISTRY);
    for (const server of ["loginServer", "importServer", "pushServer", "pullServer"] as const)
      assert.equal(await resolved(deployment.result[server]), "acmeshared.azurecr.io");
  });

  it("leads a private endpoint to it, and asks whether it has any and lets the runner in", async () => {
    const { find, looks, names } = await registry({ network: NETWORK });
    assert.deepEqual(looks, [{ id: REGISTRY, privateEndpoint: true, callers: NETWORK.allowedAddresses }]);
    assert.deepEqual(find("PrivateEndpoint", "acr-endpoint").inputs.privateLinkServiceConnections, [
      { name: "registry", privateLinkServiceId: REGISTRY, groupIds: ["registry"] },
    ]);
    assert.deepEqual(names("Registry"), []);
  });

  it("takes its id from another program's output too", async () => {
    const deployment = await registry({ existing: pulumi.output(REGISTRY) });
    assert.deepEqual(reads(deployment), [["Registry", "acr", REGISTRY]]);
  });

  it("refuses what says how it is made, and the id of something else", async () => {
    const faults = (args: Partial<ContainerRegistryArgs>) =>
      refused(() => new ContainerRegistry("acr", { resourceGroupName: "group", existing: REGISTRY, ...args }));
    assert.deepEqual(await faults({ network: NETWORK, deployers: PEOPLE }), []);
    assert.deepEqual(await faults({ registryName: "acmeprod", sku: "Premium", zoneRedundant: true }), [
      "registryName says nothing beside existing, whose owner decides it",
      "sku says nothing beside existing, whose owner decides it",
      "zoneRedundant says nothing beside existing, whose owner decides it",
    ]);
    assert.deepEqual(await faults({ existing: VAULT }), [
      "existing is no ARM id of Microsoft.ContainerRegistry/registries",
    ]);
  });
});

describe("SopsKeyVault with one that is there already", () => {
  const vault = (args: Partial<SopsKeyVaultArgs>) =>
    deploy(() => new SopsKeyVault("kv-test", { resourceGroupName: "group", deployers: PEOPLE, ...args }));

  it("makes a key of its own in an existing vault, and gives roles on the key alone", async () => {
    const deployment = await vault({ existingVault: VAULT, editors: [PEOPLE], protect: true });
    assert.deepEqual(reads(deployment), [["Vault", "kv-test", VAULT]]);
    assert.deepEqual(made(deployment), [
      ["VaultKey", "kv-test"],
      ["RoleAssignment", "kv-test-deployers-read"],
      ["RoleAssignment", `kv-test-editor-use-${PEOPLE}`],
    ]);
    const { inputs, protect } = deployment.find("VaultKey", "kv-test");
    // The component's name: other stacks may have keys in it.
    assert.deepEqual([inputs.vaultId, inputs.name, protect], [VAULT, "kv-test", true]);
    assert.equal(await resolved(deployment.result.vaultUri), "https://kv-shared.vault.azure.net/");
    assert.deepEqual(deployment.looks, [{ id: VAULT, privateEndpoint: false, callers: [], tenantId: "tenant" }]);
    const named = await vault({ existingVault: VAULT, keyName: "sops-prod" });
    assert.equal(named.find("VaultKey", "kv-test").inputs.name, "sops-prod");
  });

  it("uses an existing key as it is: no role for people, and an endpoint to its vault where one is asked for", async () => {
    const deployment = await vault({ existingKey: KEY, network: NETWORK });
    assert.deepEqual(reads(deployment), [
      ["Vault", "kv-test", VAULT],
      ["VaultKey", "kv-test", KEY],
    ]);
    assert.deepEqual(
      made(deployment).filter(([type]) => type === "RoleAssignment" || type === "VaultKey" || type === "Vault"),
      [],
    );
    assert.deepEqual(
      deployment.looks.map(({ id }) => id),
      [VAULT, KEY],
    );
    assert.deepEqual(deployment.find("PrivateEndpoint", "kv-test-endpoint").inputs.privateLinkServiceConnections, [
      { name: "vault", privateLinkServiceId: VAULT, groupIds: ["vault"] },
    ]);
    const { keyId, keyUrl } = deployment.result;
    assert.equal(await resolved(keyId), KEY);
    assert.match(await resolved(keyUrl), /\/keys\/sops-prod\/v1$/);
  });

  it("refuses what says how they are made, and the id of something else", async () => {
    const faults = (args: Partial<SopsKeyVaultArgs>) =>
      refused(() => new SopsKeyVault("kv-test", { resourceGroupName: "group", ...args }));
    assert.deepEqual(await faults({ existingVault: VAULT, editors: [PEOPLE], keyName: "sops-prod" }), []);
    assert.deepEqual(await faults({ existingVault: VAULT, vaultName: "kv-acme", purgeProtection: true }), [
      "vaultName says nothing beside existingVault, whose owner decides it",
      "purgeProtection says nothing beside existingVault, whose owner decides it",
    ]);
    assert.deepEqual(await faults({ existingKey: KEY, existingVault: VAULT, keyName: "sops", editors: [PEOPLE] }), [
      "existingVault says nothing beside existingKey, whose owner decides it",
      "keyName says nothing beside existingKey, whose owner decides it",
      "editors says nothing beside existingKey, whose owner decides it",
    ]);
    assert.deepEqual(await faults({ existingKey: VAULT }), [
      "existingKey is no ARM id of Microsoft.KeyVault/vaults/keys/<name>",
    ]);
    assert.deepEqual(await faults({ keyName: "sops_prod" }), ["keyName is no name of a key"]);
  });
});

describe("AksCluster with a log workspace that is there already", () => {
  it("reads it, and sends the cluster's logs there", async () => {
    const deployment = await deploy(
      () => new AksCluster("aks", { resourceGroupName: "group", logWorkspaceId: WORKSPACE }),
    );
    assert.deepEqual(reads(deployment), [["Workspace", "aks", WORKSPACE]]);
    assert.deepEqual(deployment.names("Workspace"), []);
    assert.equal(deployment.find("DiagnosticSetting", "aks").inputs.workspaceId, WORKSPACE);
    const { securityProfile } = deployment.find("ManagedCluster", "aks").inputs.properties as {
      securityProfile: { defender: object };
    };
    assert.deepEqual(securityProfile.defender, {
      logAnalyticsWorkspaceResourceId: WORKSPACE,
      securityMonitoring: { enabled: true },
    });
  });

  it("refuses the id of something else", async () => {
    const cluster = () => new AksCluster("aks", { resourceGroupName: "group", logWorkspaceId: REGISTRY });
    assert.deepEqual(await refused(cluster), [
      "logWorkspaceId is no ARM id of Microsoft.OperationalInsights/workspaces",
    ]);
  });
});

describe("a stack's resource group that is there already", () => {
  const OWN = "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups";
  for (const existing of ["rg-acme", `${OWN}/rg-acme`])
    it(`is read, in the subscription of azure-native: ${existing}`, async () => {
      const deployment = await deploy(() => stackGroup("platform-test", { existing, location: "westeurope" }));
      assert.deepEqual(reads(deployment), [["ResourceGroup", "platform-test", `${OWN}/rg-acme`]]);
      assert.deepEqual(deployment.resources, []);
      assert.deepEqual(deployment.looks, [{ id: `${OWN}/rg-acme`, subscriptionId: OWN.split("/")[2] }]);
    });
});
