// Settings of what is there already.
import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { fault, faults, read } from "./faults.ts";

const GROUP = "/subscriptions/00000000-0000-0000-0000-00000000000a/resourceGroups/rg-shared";
const REGISTRY = `${GROUP}/providers/Microsoft.ContainerRegistry/registries/acmeshared`;
const VAULT = `${GROUP}/providers/Microsoft.KeyVault/vaults/kv-shared`;
const KEY = `${VAULT}/keys/sops-prod`;
const WORKSPACE = `${GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs`;

const keys = (config: Record<string, unknown>) => faults(config).map(({ key, problem }) => [key, problem]);

describe("settings of what is there already", () => {
  it("name group, registry, vault or key, and log workspace by id", () => {
    const { resourceGroup, registry, sops, cluster } = read({
      "aks-gitops:resourceGroup": "rg-acme-prod",
      "aks-gitops:registry": { existing: REGISTRY, private: true },
      "aks-gitops:sops": { existingVault: VAULT },
      "aks-gitops:cluster": { logWorkspaceId: WORKSPACE },
    });
    assert.equal(resourceGroup, "rg-acme-prod");
    assert.deepEqual(
      [registry.existing, registry.sku, registry.zoneRedundant, registry.private],
      [REGISTRY, undefined, false, true],
    );
    assert.deepEqual([sops.existingVault, sops.purgeProtection], [VAULT, undefined]);
    assert.equal(cluster.logWorkspaceId, WORKSPACE);
    assert.equal(read({ "aks-gitops:resourceGroup": GROUP }).resourceGroup, GROUP);
  });

  it("give the key of each stack a name of its own in a vault that stacks share", () => {
    const nameOf = (sops: object) => read({ "aks-gitops:sops": sops }).sops.keyName;
    assert.equal(nameOf({ existingVault: VAULT }), "aks-gitops-test");
    assert.equal(nameOf({ existingVault: VAULT, keyName: "mine" }), "mine");
    assert.deepEqual([nameOf({}), nameOf({ existingKey: KEY })], [undefined, undefined]);
  });

  it("are refused where they are the id of something else", () => {
    for (const [setting, value] of [
      ["registry.existing", VAULT],
      ["sops.existingVault", KEY],
      ["sops.existingKey", VAULT],
      ["cluster.logWorkspaceId", REGISTRY],
    ] as const) {
      const [section = "", name = ""] = setting.split(".");
      assert.deepEqual(fault({ [`aks-gitops:${section}`]: { [name]: value } })[0], `aks-gitops:${setting}`);
    }
    assert.equal(fault({ "aks-gitops:resourceGroup": REGISTRY })[0], "aks-gitops:resourceGroup");
    assert.equal(fault({ "aks-gitops:resourceGroup": "ends-with-a-dot." })[0], "aks-gitops:resourceGroup");
  });

  it("leave no word to settings that say how it is made", () => {
    const registry = { existing: REGISTRY, name: "acmeprod", sku: "Premium" };
    const says = (existing: string) => `says nothing beside ${existing}, whose owner decides it`;
    assert.deepEqual(keys({ "aks-gitops:registry": registry }), [
      ["aks-gitops:registry.name", says("registry.existing")],
      ["aks-gitops:registry.sku", says("registry.existing")],
    ]);
    assert.deepEqual(keys({ "aks-gitops:sops": { existingVault: VAULT, vault: "kv-acme", purgeProtection: true } }), [
      ["aks-gitops:sops.vault", says("sops.existingVault")],
      ["aks-gitops:sops.purgeProtection", says("sops.existingVault")],
    ]);
    const groups = ["6f1f2b6e-1111-4e0a-9c60-000000000003"];
    const sops = { existingKey: KEY, existingVault: VAULT, vault: "kv-acme", keyName: "sops", editors: groups };
    assert.deepEqual(
      keys({ "aks-gitops:sops": sops }).map(([key]) => key),
      ["vault", "existingVault", "keyName", "editors"].map((name) => `aks-gitops:sops.${name}`),
    );
  });

  it("are of the subscription that everything is made in, where that is told", () => {
    const other = { "azure-native:subscriptionId": "00000000-0000-0000-0000-00000000000b" };
    const [key, , problem] = fault({ "aks-gitops:resourceGroup": GROUP, ...other });
    assert.equal(key, "aks-gitops:resourceGroup");
    assert.match(problem, /^is in another subscription than azure-native:subscriptionId /);
    assert.deepEqual(faults({ "aks-gitops:resourceGroup": "rg-acme", ...other }), []);
    const own = { "azure-native:subscriptionId": "00000000-0000-0000-0000-00000000000A" };
    assert.deepEqual(faults({ "aks-gitops:resourceGroup": GROUP, ...own }), []);
  });

  it("say nothing of who gets in: its owner does", () => {
    const chart = {
      name: "kured",
      repository: "https://kubereboot.github.io/charts",
      version: "6.1.0",
      namespace: "a",
    };
    const secret = { name: "demo", namespace: "demo", generate: ["password"] };
    const from = (registry: object, sops: object) =>
      keys({
        "aks-gitops:registry": { private: true, ...registry },
        "aks-gitops:sops": sops,
        "aks-gitops:charts": [chart],
        "aks-gitops:secrets": [secret],
      }).map(([key]) => key);
    assert.deepEqual(from({ existing: REGISTRY }, { existingVault: VAULT }), []);
    // The vault that is made is shut to a runner outside.
    assert.deepEqual(from({ existing: REGISTRY }, {}), ["aks-gitops:runner"]);
    assert.deepEqual(from({ sku: "Premium" }, { existingKey: KEY }), ["aks-gitops:runner"]);
  });
});
