// The program itself: how it hands the settings to the components, and what an update prints.
import { strict as assert } from "node:assert";
import * as pulumi from "@pulumi/pulumi";
import { before, describe, it } from "mocha";
import { type Deployment, resolved } from "./deployment.ts";
import { run } from "./programRun.ts";

const GROUPS = [1, 2, 3, 4].map((number) => `6f1f2b6e-1111-4e0a-9c60-00000000000${number}`);
const [DEPLOYERS, ADMINS, EDITORS, ENCRYPTERS] = GROUPS;
const ROLES = { encrypt: "6f1f2b6e-2222-4e0a-9c60-000000000001", decrypt: "6f1f2b6e-2222-4e0a-9c60-000000000002" };

const CONFIG = {
  deployers: DEPLOYERS,
  runner: "inside",
  protect: true,
  tags: { costCenter: "4711" },
  cluster: {
    sku: "Premium",
    private: true,
    adminGroups: [ADMINS],
    systemPool: { vmSize: "Standard_D8ds_v5" },
    userPools: [{ name: "apps", maxCount: 9 }],
    upgradeChannel: "patch",
    nodeOSUpgradeChannel: "SecurityPatch",
    maintenance: { utcOffset: "+01:00" },
  },
  registry: { name: "acmeprod", sku: "Premium", private: true, pullPrincipal: true },
  sops: {
    vault: "acme-prod",
    purgeProtection: false,
    editors: [EDITORS],
    encrypters: [ENCRYPTERS],
    roles: ROLES,
  },
  flux: { repository: "https://github.com/acme/fleet", branch: "live", imageAutomation: true, createRepository: true },
  charts: [
    { name: "kured", repository: "https://kubereboot.github.io/charts", version: "6.1.0", namespace: "baseline" },
  ],
  demo: { image: "ghcr.io/stefanprodan/podinfo:6.14.1", replicas: 5 },
  secrets: [{ name: "demo-credentials", namespace: "demo", generate: ["password"], data: { username: "admin" } }],
};

describe("the program", () => {
  let deployment: Deployment<Record<string, unknown>>;
  before(async () => {
    deployment = await run(CONFIG);
  });

  it("hands each setting to the component that it is for", () => {
    const { find, names } = deployment;
    const cluster = find("ManagedCluster", "aks-test");
    assert.deepEqual(cluster.inputs.sku, { name: "Base", tier: "Premium" });
    const { aadProfile, autoUpgradeProfile } = cluster.inputs.properties as Record<string, unknown>;
    assert.deepEqual((aadProfile as { adminGroupObjectIDs: string[] }).adminGroupObjectIDs, [ADMINS]);
    assert.deepEqual(autoUpgradeProfile, {
      upgradeChannel: "patch",
      nodeOSUpgradeChannel: "SecurityPatch",
    });
    assert.deepEqual(
      [cluster.protect, find("Vault", "kv-test").protect, find("VaultKey", "kv-test").protect],
      [true, true, true],
    );
    assert.deepEqual([find("Registry", "acr-test").protect, find("AgentPool", "aks-test-apps").protect], [true, true]);
    assert.equal(find("AgentPool", "aks-test-system").inputs.vmSize, "Standard_D8ds_v5");
    assert.equal(find("AgentPool", "aks-test-apps").inputs.maxCount, 9);

    const registry = find("Registry", "acr-test").inputs;
    assert.deepEqual([registry.registryName, registry.sku], ["acmeprod", { name: "Premium" }]);
    assert.deepEqual([registry.zoneRedundancy, registry.publicNetworkAccess], ["Enabled", "Disabled"]);
    const vault = find("Vault", "kv-test").inputs;
    const { enablePurgeProtection, publicNetworkAccess } = vault.properties as Record<string, unknown>;
    assert.deepEqual(
      [vault.vaultName, enablePurgeProtection, publicNetworkAccess],
      ["acme-prod", undefined, "Disabled"],
    );
    assert.deepEqual(names("PrivateEndpoint"), ["acr-test-endpoint", "kv-test-endpoint"]);
    // Azure writes one endpoint of a subnet at a time.
    assert.ok(
      find("PrivateEndpoint", "kv-test-endpoint").dependencies.includes("PrivateDnsZoneGroup::acr-test-records"),
    );
    assert.deepEqual(names("RoleAssignment"), [
      "acr-test-deployers-import",
      "acr-test-deployers-push",
      "acr-test-kubelet-pull",
      "acr-test-pull",
      "aks-test-kubelet",
      "aks-test-network",
      "flux-test-decrypt",
      "flux-test-pull",
      "kv-test-deployers-read",
      `kv-test-editor-decrypt-${EDITORS}`,
      `kv-test-editor-encrypt-${EDITORS}`,
      `kv-test-encrypter-${ENCRYPTERS}`,
    ]);
    assert.match(String(find("RoleAssignment", "flux-test-decrypt").inputs.roleDefinitionId), RegExp(ROLES.decrypt));

    assert.equal(names("FederatedIdentityCredential").length, 4);
    assert.deepEqual(names("Repository"), ["flux-fleet"]);
    const { branch, files } = find("GitCommit", "flux").inputs as { branch: string; files: Record<string, string> };
    assert.equal(branch, "live");
    assert.match(files["clusters/test/apps.yaml"] ?? "", /replicas: 5/);
    assert.ok("infrastructure/test/secrets/flux-system/flux-helm-acr-credentials.yaml" in files);
    assert.deepEqual(find("EncryptedSecret", "flux-demo-demo-credentials").inputs.stringData, {
      username: "admin",
      password: "r4ndom",
    });
    assert.deepEqual([names("ImageImport").length, names("ChartMirror")], [2, ["kured"]]);
  });

  it("holds on to everything where it is protected, so that a destroy is refused before it deletes anything", async () => {
    const { protect, dependencies } = deployment.find("Protection", "aks-gitops:protect");
    assert.equal(protect, true);
    const others = deployment.resources.filter(({ type }) => !type.startsWith("aks-gitops:index:"));
    const free = others.filter(({ type, name }) => !dependencies.includes(`${type.split(":").at(-1)}::${name}`));
    assert.ok(others.length > 40);
    assert.deepEqual(free, []);
    const unprotected = await run({ ...CONFIG, protect: false });
    const { protect: isProtected, dependencies: none } = unprotected.find("Protection", "aks-gitops:protect");
    assert.deepEqual([isProtected, none], [false, []]);
  });

  it("tags everything in Azure that takes tags, in every component", () => {
    // Entra's applications have tags of another kind.
    const tagged = deployment.resources.filter(({ type, inputs }) => "tags" in inputs && !type.startsWith("azuread:"));
    for (const { inputs, name } of tagged) assert.deepEqual(inputs.tags, CONFIG.tags, name);
    assert.deepEqual([...new Set(tagged.map(({ parent }) => parent))].sort(), [
      "",
      "AksCluster::aks-test",
      "AksNetwork::aks-test",
      "ContainerRegistry::acr-test",
      "FluxIdentity::flux-test",
      "SopsKeyVault::kv-test",
    ]);
    assert.ok(tagged.some(({ type }) => type.endsWith(":ResourceGroup")));
  });

  it("prints a screenful of outputs at most, and the kubeconfig not at all", async () => {
    const { kubeconfig, ...shown } = deployment.result;
    assert.equal(await pulumi.isSecret(kubeconfig as pulumi.Output<string>), true);
    assert.equal(await resolved(kubeconfig as pulumi.Output<string>), "kubeconfig");
    const plain = (await resolved(pulumi.output(shown))) as Record<string, object | string>;
    const lines = JSON.stringify({ ...plain, kubeconfig: "[secret]" }, null, 2).split("\n").length - 2;
    assert.ok(lines <= 20, `${lines} lines`);
    assert.deepEqual(plain.repository, {
      url: "https://github.com/acme/fleet",
      branch: "live",
      path: "clusters/test",
    });
    assert.deepEqual(plain.reconciliation, { mode: "extension", complianceState: "Compliant" });
    assert.equal(plain.loginServer, "acmeprod.azurecr.io");
  });

  it("leaves registry and vault public, with no name of its own, where the settings say nothing", async () => {
    const { find, names } = await run({ deployers: DEPLOYERS, flux: { repository: "https://github.com/acme/fleet" } });
    assert.deepEqual(names("PrivateEndpoint"), []);
    assert.equal(find("Registry", "acr-test").inputs.registryName, "acrtestabcd1234");
    assert.equal(find("Vault", "kv-test").inputs.vaultName, "kv-test-abcd1234");
  });

  it("leans on what is there already, and reads it alone", async () => {
    const shared = "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/shared/providers";
    const registry = `${shared}/Microsoft.ContainerRegistry/registries/acmeshared`;
    const key = `${shared}/Microsoft.KeyVault/vaults/kv-shared/keys/sops-prod`;
    const logWorkspaceId = `${shared}/Microsoft.OperationalInsights/workspaces/logs`;
    const { reads, names, find } = await run({
      ...CONFIG,
      resourceGroup: "rg-acme",
      registry: { existing: registry, private: true, pullPrincipal: true },
      sops: { existingKey: key, roles: { decrypt: ROLES.decrypt } },
      cluster: { ...CONFIG.cluster, logWorkspaceId },
    });
    assert.deepEqual(reads.map(({ type, id }) => [type.split(":").at(-1), id]).sort(), [
      ["Registry", registry],
      ["ResourceGroup", "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/rg-acme"],
      ["Vault", key.replace("/keys/sops-prod", "")],
      ["VaultKey", key],
      ["Workspace", logWorkspaceId],
    ]);
    const none = ["ResourceGroup", "Registry", "Vault", "VaultKey", "Workspace"].flatMap(names);
    assert.deepEqual(none, []);
    // Of its roles there those of the stack's own identities are made, and nobody else's.
    assert.deepEqual(names("RoleAssignment"), [
      "acr-test-kubelet-pull",
      "acr-test-pull",
      "aks-test-kubelet",
      "aks-test-network",
      "flux-test-decrypt",
      "flux-test-pull",
    ]);
    assert.deepEqual(names("PrivateEndpoint"), ["acr-test-endpoint", "kv-test-endpoint"]);
    assert.deepEqual(find("ImageImport", CONFIG.demo.image).inputs.registryId, registry);
  });
});
