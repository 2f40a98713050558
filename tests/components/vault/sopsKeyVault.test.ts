import { strict as assert } from "node:assert";
import { describe, it } from "mocha";
import { SopsKeyVault, type SopsKeyVaultArgs } from "../../../components/vault/sopsKeyVault.ts";
import { deploy, idOf, resolved, roleId } from "../deployment.ts";
import { refused } from "../refused.ts";

const DEPLOYERS = "6f1f2b6e-1111-4e0a-9c60-000000000001";
const EDITORS = "6f1f2b6e-1111-4e0a-9c60-000000000003";
const ENCRYPTERS = "6f1f2b6e-1111-4e0a-9c60-000000000004";
const ENCRYPT = "6f1f2b6e-2222-4e0a-9c60-000000000001";
const DECRYPT = "6f1f2b6e-2222-4e0a-9c60-000000000002";
const NETWORK = { vnetId: "vnet-id", subnetId: "subnet-id" };

function vault(args: Partial<SopsKeyVaultArgs> = {}) {
  return deploy(() => new SopsKeyVault("kv-test", { resourceGroupName: "group", deployers: DEPLOYERS, ...args }));
}

/** Who has which role on what, as assigned. */
async function grants(args: Partial<SopsKeyVaultArgs>) {
  const { resources } = await vault(args);
  return resources
    .filter(({ type }) => type.endsWith(":RoleAssignment"))
    .map(({ inputs }) => [inputs.principalId, inputs.roleDefinitionId, inputs.scope, inputs.principalType])
    .map(([who, role, scope, type]) => {
      assert.deepEqual([scope, type], [idOf("VaultKey", "kv-test"), "Group"]);
      return [who, role];
    });
}

describe("SopsKeyVault", () => {
  it("is a vault with roles, recoverable and never purged early, with a name that nobody else has", async () => {
    const { find } = await vault();
    assert.deepEqual(find("Vault", "kv-test").inputs, {
      resourceGroupName: "group",
      vaultName: "kv-test-abcd1234",
      properties: {
        tenantId: "tenant",
        sku: { family: "A", name: "standard" },
        enableRbacAuthorization: true,
        enableSoftDelete: true,
        softDeleteRetentionInDays: 90,
        enablePurgeProtection: true,
        publicNetworkAccess: "Enabled",
        networkAcls: { bypass: "AzureServices", defaultAction: "Allow" },
        // The SDK's own defaults.
        enabledForDeployment: false,
        enabledForDiskEncryption: false,
        enabledForTemplateDeployment: false,
      },
    });
  });

  it("says nothing of purge protection where it is off, since Azure takes no false", async () => {
    const { find } = await vault({ purgeProtection: false });
    assert.equal("enablePurgeProtection" in (find("Vault", "kv-test").inputs.properties as object), false);
  });

  it("holds one RSA key of 3072 bits", async () => {
    const { find } = await vault();
    assert.deepEqual(find("VaultKey", "kv-test").inputs, {
      vaultId: idOf("Vault", "kv-test"),
      name: "sops",
      kty: "RSA",
      keySize: 3072,
      keyOps: ["encrypt", "decrypt", "wrapKey", "unwrapKey"],
    });
  });

  it("tells what people need to use the key: their roles, and the way to the vault", async () => {
    const { result } = await vault({ editors: [EDITORS], network: NETWORK });
    const urns = await Promise.all(result.keyUsers.map(({ urn }) => resolved(urn)));
    assert.deepEqual(
      urns.map((urn) => urn.split("::").at(-1)),
      ["kv-test-deployers-read", `kv-test-editor-use-${EDITORS}`, "kv-test-link", "kv-test-records"],
    );
  });

  it("lets deployers read the key, and editors use it as Key Vault Crypto User", async () => {
    assert.deepEqual(await grants({ editors: [EDITORS] }), [
      [DEPLOYERS, roleId("21090545-7ca7-4776-b22c-e363652d74d2")],
      [EDITORS, roleId("12338af0-0e69-4776-bea7-57ae8d297424")],
    ]);
  });

  it("gives the organisation's own roles where it has them: editors both, encrypters one", async () => {
    const roles = { encrypt: ENCRYPT, decrypt: DECRYPT };
    assert.deepEqual(await grants({ editors: [EDITORS], encrypters: [ENCRYPTERS], roles }), [
      [DEPLOYERS, roleId("21090545-7ca7-4776-b22c-e363652d74d2")],
      [EDITORS, roleId(ENCRYPT)],
      [EDITORS, roleId(DECRYPT)],
      [ENCRYPTERS, roleId(ENCRYPT)],
    ]);
  });

  it("takes a role by its whole id", async () => {
    const role = `/providers/Microsoft.Authorization/roleDefinitions/${ENCRYPT}`;
    const found = await grants({ encrypters: [ENCRYPTERS], roles: { encrypt: role } });
    assert.deepEqual(found[1], [ENCRYPTERS, role]);
  });

  it("lets in whom it is told by the public address, and nobody else", async () => {
    const { find } = await vault({ network: { ...NETWORK, allowedAddresses: ["203.0.113.10/32"] } });
    const { publicNetworkAccess, networkAcls } = find("Vault", "kv-test").inputs.properties as Record<string, unknown>;
    const ipRules = [{ value: "203.0.113.10/32" }];
    assert.deepEqual(
      [publicNetworkAccess, networkAcls],
      ["Enabled", { bypass: "AzureServices", defaultAction: "Deny", ipRules }],
    );
  });

  it("shuts its public door where it has a private one", async () => {
    const { find } = await vault({ network: NETWORK });
    const { publicNetworkAccess, networkAcls } = find("Vault", "kv-test").inputs.properties as Record<string, unknown>;
    assert.deepEqual(
      [publicNetworkAccess, networkAcls],
      ["Disabled", { bypass: "AzureServices", defaultAction: "Deny" }],
    );
    assert.equal(find("PrivateZone", "kv-test-zone").inputs.privateZoneName, "privatelink.vaultcore.azure.net");
    assert.deepEqual(find("PrivateEndpoint", "kv-test-endpoint").inputs.privateLinkServiceConnections, [
      { name: "vault", privateLinkServiceId: idOf("Vault", "kv-test"), groupIds: ["vault"] },
    ]);
  });

  it("is protected with its key where the settings say so", async () => {
    for (const protect of [true, false]) {
      const { find } = await vault({ protect });
      assert.deepEqual([find("Vault", "kv-test").protect, find("VaultKey", "kv-test").protect], [protect, protect]);
    }
  });

  it("tells where vault and key are", async () => {
    const { result } = await vault();
    assert.equal(await resolved(result.vaultUri), "https://kv-test-abcd1234.vault.azure.net/");
    assert.equal(await resolved(result.keyUrl), "https://kv-test-abcd1234.vault.azure.net/keys/sops/v1");
    assert.equal(await resolved(result.readableKeyUrl), "https://kv-test-abcd1234.vault.azure.net/keys/sops/v1");
  });

  it("previews no change of its own when a setting changes", async () => {
    const { find } = await vault();
    assert.deepEqual(find("SopsKeyVault", "kv-test").inputs, {});
  });
});

describe("SopsKeyVault alone", () => {
  it("needs a resource group and nothing else, and is never purged early", async () => {
    const { find, names, result } = await deploy(() => new SopsKeyVault("kv-test", { resourceGroupName: "group" }));
    const { enablePurgeProtection } = find("Vault", "kv-test").inputs.properties as Record<string, unknown>;
    assert.equal(enablePurgeProtection, true);
    assert.deepEqual([names("RoleAssignment"), find("Vault", "kv-test").protect], [[], false]);
    assert.equal(await resolved(result.readableKeyUrl), "https://kv-test-abcd1234.vault.azure.net/keys/sops/v1");
  });

  it("refuses what Azure would refuse late", async () => {
    const faults = (args: Partial<SopsKeyVaultArgs>) =>
      refused(() => new SopsKeyVault("kv-test", { resourceGroupName: "group", ...args }));
    const roles = { encrypt: ENCRYPT, decrypt: `/providers/Microsoft.Authorization/roleDefinitions/${DECRYPT}` };
    assert.deepEqual(await faults({ editors: [EDITORS], encrypters: [ENCRYPTERS], roles }), []);
    assert.deepEqual(
      await faults({
        vaultName: "kv--acme",
        deployers: "deployers",
        editors: [EDITORS, "editors"],
        encrypters: ["encrypters"],
        roles: { decrypt: "Key Vault Crypto User" },
      }),
      [
        "vaultName is no name of a vault",
        "deployers is no object id",
        "editors[1] is no object id",
        "encrypters[0] is no object id",
        "roles.decrypt is no role definition",
        "encrypters needs a role that can encrypt but not decrypt, and Azure has no built-in one",
      ],
    );
  });
});
