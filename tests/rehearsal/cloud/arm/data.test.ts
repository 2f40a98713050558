import { strict as assert } from "node:assert";
import { beforeEach, describe, it } from "mocha";
import { type Cloud, GROUP, id, LOCATION, newCloud, outcome, ROOT, TENANT_ID } from "./cloud.ts";
import { assignment, identity, registry, registryBody, role, vault, vaultBody, workspace } from "./platform.ts";

const PULL = "7f951dda-4ed3-4680-a7ca-43fe172d538d";

describe("simulated ARM: registries, vaults, identities and assignments", () => {
  let cloud: Cloud;

  beforeEach(async () => {
    cloud = await newCloud();
  });

  describe("registries", () => {
    it("fills in what the service fills in", async () => {
      const { sku, properties } = await cloud.make(registry("AcrOne"), registryBody("premium"));
      assert.deepEqual(sku, { name: "Premium", tier: "Premium" });
      assert.equal(properties.loginServer, "acrone.azurecr.io");
      assert.equal(properties.policies.retentionPolicy.status, "disabled");
      assert.equal(properties.networkRuleBypassOptions, "AzureServices");
    });

    it("are unique in the world", async () => {
      await cloud.make(registry("acrone"), registryBody("Basic"));
      await cloud.make(`${ROOT}/resourceGroups/rg2`, { location: LOCATION });
      assert.deepEqual(
        (await cloud.refused(registry("ACRone").replace("/rg/", "/rg2/"), registryBody("Basic"))).slice(0, 2),
        [409, "AlreadyInUse"],
      );
    });

    for (const name of ["four", "with-hyphen", "x".repeat(51)])
      it(`are not called ${name}`, async () => {
        assert.deepEqual((await cloud.refused(registry(name), registryBody("Basic"))).slice(0, 2), [
          400,
          "InvalidResourceName",
        ]);
      });

    const premium: [what: string, properties: object][] = [
      ["a closed public door", { publicNetworkAccess: "Disabled" }],
      ["firewall rules", { networkRuleSet: { defaultAction: "Deny" } }],
      ["retention", { policies: { retentionPolicy: { status: "enabled" } } }],
      ["zone redundancy", { zoneRedundancy: "Enabled" }],
    ];
    for (const [what, properties] of premium)
      it(`have ${what} only as Premium`, async () => {
        assert.deepEqual((await cloud.refused(registry("acrone"), registryBody("Standard", properties))).slice(0, 2), [
          400,
          "FeatureNotSupported",
        ]);
        await cloud.make(registry("acrone"), registryBody("Premium", properties));
      });

    it("have soft delete or retention, not both, and IPv4 rules", async () => {
      const status = { status: "enabled" };
      assert.deepEqual(
        (
          await cloud.refused(
            registry("acrone"),
            registryBody("Premium", { policies: { retentionPolicy: status, softDeletePolicy: status } }),
          )
        ).slice(0, 2),
        [400, "InvalidRequest"],
      );
      assert.deepEqual(
        (
          await cloud.refused(
            registry("acrone"),
            registryBody("Premium", { networkRuleSet: { defaultAction: "Deny", ipRules: [{ value: "::1" }] } }),
          )
        ).slice(0, 2),
        [400, "InvalidIpAddress"],
      );
    });
  });

  describe("vaults", () => {
    for (const name of ["kv", "1vault", "two--hyphens", "ends-", "x".repeat(25)])
      it(`are not called ${name}`, async () => {
        assert.deepEqual((await cloud.refused(vault(name), vaultBody())).slice(0, 2), [400, "VaultNameNotValid"]);
      });

    it("are unique in the world", async () => {
      await cloud.make(vault("kv-one"), vaultBody());
      await cloud.make(`${ROOT}/resourceGroups/rg2`, { location: LOCATION });
      assert.deepEqual((await cloud.refused(vault("kv-one").replace("/rg/", "/rg2/"), vaultBody())).slice(0, 2), [
        409,
        "VaultAlreadyExists",
      ]);
    });

    it("leave their name taken when they are deleted, and come back with their keys but without assignments", async () => {
      await cloud.make(vault("kv-one"), vaultBody({ softDeleteRetentionInDays: 7 }));
      const key = await cloud.make(`${vault("kv-one")}/keys/sops`, { properties: { kty: "RSA", keySize: 3072 } });
      const { principalId } = (await cloud.make(identity("one"), { location: LOCATION })).properties;
      await cloud.make(assignment(key.id, 7), {
        properties: { principalId, principalType: "ServicePrincipal", roleDefinitionId: role(PULL) },
      });
      await cloud.unmake(vault("kv-one"));
      assert.equal((await cloud.call("GET", `${vault("kv-one")}/keys/sops`)).status, 404);
      assert.deepEqual(cloud.arm.deletedVaults(), ["kv-one"]);
      assert.deepEqual(await cloud.refused(vault("kv-one"), vaultBody()), [
        409,
        "ConflictError",
        "A vault with the same name already exists in deleted state. You need to either recover or purge existing key vault. Follow this link https://go.microsoft.com/fwlink/?linkid=2149745 for more information on soft delete.",
      ]);
      const back = await cloud.make(vault("kv-one"), vaultBody({ createMode: "recover" }));
      assert.equal(back.properties.softDeleteRetentionInDays, 7);
      assert.equal(back.properties.createMode, undefined);
      assert.deepEqual((await cloud.call("GET", `${vault("kv-one")}/keys/sops`)).body, key);
      assert.equal((await cloud.call("GET", assignment(key.id, 7))).status, 404);
      assert.deepEqual(cloud.arm.deletedVaults(), []);
    });

    it("can be listed and purged while they are deleted, unless they are protected", async () => {
      await cloud.make(vault("kv-one"), vaultBody());
      await cloud.make(vault("kv-two"), vaultBody({ enablePurgeProtection: true }));
      await cloud.unmake(vault("kv-one"));
      await cloud.unmake(vault("kv-two"));
      const list = `${ROOT}/providers/Microsoft.KeyVault/deletedVaults`;
      assert.deepEqual(
        (await cloud.call("GET", list)).body.value.map((one: { name: string }) => one.name),
        ["kv-one", "kv-two"],
      );
      const purge = (name: string) =>
        cloud.call("POST", `${ROOT}/providers/Microsoft.KeyVault/locations/${LOCATION}/deletedVaults/${name}/purge`);
      assert.equal((await purge("kv-one")).status, 200);
      assert.deepEqual(outcome(await purge("kv-two")).slice(0, 2), [400, "MethodNotAllowed"]);
      assert.deepEqual(outcome(await purge("kv-one")).slice(0, 2), [404, "DeletedVaultNotFound"]);
      await cloud.make(vault("kv-one"), vaultBody());
    });

    it("also go into the recoverable state with their group", async () => {
      await cloud.make(vault("kv-one"), vaultBody());
      await cloud.unmake(GROUP);
      assert.deepEqual(cloud.arm.deletedVaults(), ["kv-one"]);
    });

    const wrong: [what: string, changes: object, code: string][] = [
      ["another tenant", { tenantId: "99999999-0000-4333-8444-555555555555" }, "BadRequest"],
      ["soft delete off", { enableSoftDelete: false }, "BadRequest"],
      ["purge protection as false", { enablePurgeProtection: false }, "BadRequest"],
      ["a retention below 7 days", { softDeleteRetentionInDays: 6 }, "InvalidParameter"],
      ["a rule that is no IPv4 range", { networkAcls: { ipRules: [{ value: "x" }] } }, "InvalidIpAddress"],
    ];
    for (const [what, changes, code] of wrong)
      it(`refuse ${what}`, async () => {
        assert.deepEqual((await cloud.refused(vault("kv-one"), vaultBody(changes))).slice(0, 2), [400, code]);
      });

    it("refuse the recovery of what was not deleted, and another retention", async () => {
      assert.deepEqual((await cloud.refused(vault("kv-one"), vaultBody({ createMode: "recover" }))).slice(0, 2), [
        404,
        "DeletedVaultNotFound",
      ]);
      await cloud.make(vault("kv-one"), vaultBody());
      assert.deepEqual(
        (await cloud.refused(vault("kv-one"), vaultBody({ softDeleteRetentionInDays: 7 }))).slice(0, 2),
        [400, "BadRequest"],
      );
    });

    it("have keys that ARM makes once and never deletes", async () => {
      await cloud.make(vault("kv-one"), vaultBody({ tenantId: TENANT_ID }));
      const key = `${vault("kv-one")}/keys/sops`;
      assert.deepEqual((await cloud.refused(key, { properties: { kty: "RSA", keySize: 1024 } })).slice(0, 2), [
        400,
        "BadParameter",
      ]);
      const first = await cloud.make(key, { properties: { kty: "RSA", keySize: 3072 } });
      assert.equal(first.properties.keyUri, "https://kv-one.vault.azure.net/keys/sops");
      assert.deepEqual(await cloud.make(key, { properties: { kty: "RSA", keySize: 4096 } }), first);
      assert.deepEqual(outcome(await cloud.call("DELETE", key)).slice(0, 2), [405, "MethodNotAllowed"]);
      cloud.arm.forget(key);
      assert.equal((await cloud.call("GET", key)).status, 404);
    });
  });

  describe("identities", () => {
    const credential = (n: number | string) => `${identity("flux")}/federatedIdentityCredentials/cred-${n}`;
    const body = (subject: string) => ({
      properties: { issuer: "https://issuer.example/x/", subject, audiences: ["api://AzureADTokenExchange"] },
    });

    beforeEach(async () => {
      await cloud.make(identity("flux"), { location: LOCATION });
    });

    it("come with a principal, and take it with them", async () => {
      const { principalId, clientId } = (await cloud.call("GET", identity("flux"))).body.properties;
      assert.equal(cloud.directory.find(principalId)?.clientId, clientId);
      assert.equal(
        (await cloud.make(identity("flux"), { location: LOCATION, tags: { a: "b" } })).properties.principalId,
        principalId,
      );
      await cloud.unmake(identity("flux"));
      assert.equal(cloud.directory.find(principalId), undefined);
    });

    it("refuse two credentials at once, and take them one after the other", async () => {
      const both = await Promise.all([
        cloud.call("PUT", credential(1), body("a")),
        cloud.call("PUT", credential(2), body("b")),
      ]);
      assert.equal(both[0].status, 201);
      const [status, code, message] = outcome(both[1]);
      assert.deepEqual([status, code], [409, "ConcurrentFederatedIdentityCredentialsWritesForSingleManagedIdentity"]);
      assert.equal(
        message,
        `Too many Federated Identity Credentials are written concurrently for the managed identity '${identity("flux").toLowerCase()}'. Concurrent Federated Identity Credentials writes under the same managed identity are not supported.`,
      );
      await cloud.make(credential(2), body("b"));
      assert.deepEqual(
        cloud.arm.federatedCredentials(identity("flux")).map(({ subject }) => subject),
        ["a", "b"],
      );
    });

    it("are trusted by a credential after a while, and after each change of it", async () => {
      let now = Date.now();
      cloud = await newCloud({ now: () => now, federationDelay: 60_000 });
      await cloud.make(identity("flux"), { location: LOCATION });
      const subjects = () => cloud.arm.federatedCredentials(identity("flux")).map(({ subject }) => subject);
      await cloud.make(credential(1), body("a"));
      assert.deepEqual(subjects(), []);
      now += 60_000;
      assert.deepEqual(subjects(), ["a"]);
      await cloud.make(credential(1), body("a"));
      assert.deepEqual(subjects(), ["a"]);
      await cloud.make(credential(1), body("b"));
      assert.deepEqual(subjects(), []);
    });

    it("refuse a credential twice, more than 20, and wrong ones", async () => {
      await cloud.make(credential(0), body("0"));
      assert.deepEqual((await cloud.refused(credential("x"), body("0"))).slice(0, 2), [
        409,
        "IssuerAndSubjectCombinationAlreadyExists",
      ]);
      const { properties } = body("z");
      assert.deepEqual(
        (await cloud.refused(credential("x"), { properties: { ...properties, issuer: "http://x" } })).slice(0, 2),
        [400, "BadRequest"],
      );
      assert.deepEqual(
        (await cloud.refused(credential("x"), { properties: { ...properties, audiences: ["a", "b"] } })).slice(0, 2),
        [400, "BadRequest"],
      );
      for (let n = 1; n < 20; n++) await cloud.make(credential(n), body(String(n)));
      assert.deepEqual((await cloud.refused(credential(20), body("20"))).slice(0, 2), [
        400,
        "FederatedIdentityCredentialLimitReached",
      ]);
      await cloud.make(credential(3), body("other"));
    });
  });

  describe("role assignments", () => {
    const put = (n: number, properties: object) => cloud.refused(assignment(GROUP, n), { properties });

    it("need a principal that exists, and its type while it is new", async () => {
      const { principalId } = (await cloud.make(identity("one"), { location: LOCATION })).properties;
      const roleDefinitionId = role(PULL);
      const [status, code, message] = await put(1, { principalId, roleDefinitionId });
      assert.deepEqual([status, code], [400, "PrincipalNotFound"]);
      assert.match(
        message,
        /^Principal [0-9a-f]{32} does not exist in the directory .* set the role assignment principalType property/,
      );
      assert.equal(
        (
          await put(1, {
            principalId: "00000000-0000-4000-8000-000000000009",
            principalType: "Group",
            roleDefinitionId,
          })
        )[1],
        "PrincipalNotFound",
      );
      assert.deepEqual((await put(1, { principalId, principalType: "User", roleDefinitionId })).slice(0, 2), [
        400,
        "UnmatchedPrincipalType",
      ]);
      assert.equal((await put(1, { principalId, principalType: "ServicePrincipal", roleDefinitionId }))[0], 201);
      const { properties } = (await cloud.call("GET", assignment(GROUP, 1))).body;
      assert.deepEqual([properties.scope, properties.principalType], [GROUP, "ServicePrincipal"]);
    });

    it("are found by a principal's age where its type is not given", async () => {
      cloud = await newCloud({ replicationDelay: 0 });
      const { principalId } = (await cloud.make(identity("one"), { location: LOCATION })).properties;
      const made = await cloud.make(assignment(GROUP, 1), {
        properties: { principalId, roleDefinitionId: role(PULL) },
      });
      assert.equal(made.properties.principalType, "ServicePrincipal");
    });

    it("allow something only when they have an age, on both planes", async () => {
      let now = Date.parse("2026-05-01T12:00:00Z");
      cloud = await newCloud({ now: () => now, roleDelay: 120_000 });
      const reader = cloud.directory.add("ServicePrincipal", "reader");
      const properties = { principalId: reader.objectId, principalType: "ServicePrincipal" };
      const keyReader = "21090545-7ca7-4776-b22c-e363652d74d2";
      await cloud.make(vault("kv-one"), vaultBody());
      for (const [n, guid] of [keyReader, PULL].entries())
        await cloud.make(assignment(GROUP, n), { properties: { ...properties, roleDefinitionId: role(guid) } });
      const may = () => {
        const caller = { principal: reader, groups: [] };
        const read = "Microsoft.KeyVault/vaults/keys/read";
        const pull = "Microsoft.ContainerRegistry/registries/pull/read";
        return [
          cloud.arm.allows(caller, read, vault("kv-one"), "data"),
          cloud.arm.allows(caller, pull, GROUP, "control"),
        ];
      };
      const look = () => cloud.call("GET", vault("kv-one"), undefined, { as: reader });
      assert.deepEqual(may(), [false, false]);
      assert.deepEqual(outcome(await look()).slice(0, 2), [403, "AuthorizationFailed"]);
      now += 119_999;
      assert.deepEqual(may(), [false, false]);
      now += 1;
      assert.deepEqual(may(), [true, true]);
      assert.equal((await look()).status, 200);
    });

    it("exist once for a principal, role and scope, and cannot be rewritten", async () => {
      const { objectId: principalId } = cloud.directory.add("Group", "people");
      const properties = { principalId, principalType: "Group", roleDefinitionId: role(PULL) };
      assert.equal((await put(1, properties))[0], 201);
      assert.equal((await put(1, properties))[0], 200);
      assert.deepEqual((await put(2, properties)).slice(0, 2), [409, "RoleAssignmentExists"]);
      const { objectId: other } = cloud.directory.add("Group", "others");
      assert.deepEqual((await put(1, { ...properties, principalId: other })).slice(0, 2), [
        409,
        "RoleAssignmentUpdateNotPermitted",
      ]);
      assert.deepEqual(
        (await put(3, { ...properties, roleDefinitionId: role("00000000-0000-4000-8000-000000000009") })).slice(0, 2),
        [404, "RoleDefinitionDoesNotExist"],
      );
      const path = `${GROUP}/providers/Microsoft.Authorization/roleAssignments/mine`;
      assert.deepEqual((await cloud.refused(path, { properties })).slice(0, 2), [400, "InvalidRoleAssignmentId"]);
    });

    it("are not the Contributor's to make", async () => {
      const who = cloud.directory.add("ServicePrincipal", "contributor");
      cloud.arm.assignRole(who.objectId, "Contributor", ROOT);
      const [status, code, message] = await cloud.refused(assignment(GROUP, 1), { properties: {} }, { as: who });
      assert.deepEqual([status, code], [403, "AuthorizationFailed"]);
      assert.match(message, /'Microsoft\.Authorization\/roleAssignments\/write'/);
    });
  });

  it("keeps diagnostic settings with known categories and one sink", async () => {
    await cloud.make(workspace, { location: LOCATION });
    await cloud.make(registry("acrone"), registryBody("Basic"));
    const path = (name: string) => `${registry("acrone")}/providers/Microsoft.Insights/diagnosticSettings/${name}`;
    const logs = [{ category: "ContainerRegistryLoginEvents", enabled: true }];
    const made = await cloud.make(path("all"), { properties: { workspaceId: workspace, logs } });
    assert.deepEqual(made.properties.logs[0].retentionPolicy, { enabled: false, days: 0 });
    assert.deepEqual(made.properties.metrics, []);
    assert.deepEqual(
      (await cloud.refused(path("more"), { properties: { workspaceId: workspace, logs } })).slice(0, 2),
      [409, "Conflict"],
    );
    const wrong: [object, number, string][] = [
      [{ logs }, 400, "BadRequest"],
      [{ workspaceId: workspace }, 400, "BadRequest"],
      [{ workspaceId: workspace, logs: [{ enabled: true }] }, 400, "BadRequest"],
      [{ workspaceId: workspace, logs: [{ category: "kube-audit", enabled: true }] }, 400, "BadRequest"],
      [{ workspaceId: id("Microsoft.OperationalInsights/workspaces", "none"), logs }, 404, "ResourceNotFound"],
    ];
    for (const [properties, status, code] of wrong)
      assert.deepEqual((await cloud.refused(path("all"), { properties })).slice(0, 2), [status, code]);
    assert.equal((await cloud.call("GET", workspace)).body.properties.sku.name, "PerGB2018");
  });
});
